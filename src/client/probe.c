/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `probe`: what VFIO itself says of a function's BARs, and what a register read costs. */

#include "base/reason.h"
#include "base/text.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/verb.h"
#include "client/worker-process.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

typedef struct ProbeRow {
        JsonObject *bar; /* of the worker's document */
} ProbeRow;

static char *number_text(const void *data, const char *key, const char *unit)
{
        JsonObject *value;
        if (!json_object_object_get_ex(((const ProbeRow *) data)->bar, key, &value) ||
            !json_object_is_type(value, json_type_int))
                return strdup(COLUMN_EMPTY);
        return text_format("%" PRId64 "%s", json_object_get_int64(value), unit);
}

static bool is_mapped(const void *data)
{
        JsonObject *value;
        return json_object_object_get_ex(((const ProbeRow *) data)->bar, "mapped", &value) &&
               json_object_get_boolean(value);
}

static char *text_bar(const void *data)
{
        return number_text(data, "bar", "");
}

static char *text_size(const void *data)
{
        JsonObject *value;
        char size[TEXT_BYTES_MAX];
        if (!json_object_object_get_ex(((const ProbeRow *) data)->bar, "size", &value))
                return strdup(COLUMN_EMPTY);
        return strdup(text_from_bytes(json_object_get_uint64(value), size));
}

static char *text_mapped(const void *data)
{
        return strdup(is_mapped(data) ? "yes" : "no");
}

static StyleColor color_mapped(const void *data)
{
        return is_mapped(data) ? STYLE_GOOD : STYLE_BAD;
}

static char *text_trapped_read(const void *data)
{
        return number_text(data, "trapped-nsec", " ns");
}

static char *text_mapped_read(const void *data)
{
        return number_text(data, "mapped-nsec", " ns");
}

static const Column columns[] = {
        { .name = "BAR", .right = true, .text = text_bar, .help = "number of the BAR" },
        { .name = "SIZE", .right = true, .text = text_size, .help = "what VFIO says its size is" },
        { .name = "MAPPED", .text = text_mapped, .color = color_mapped, .help = "whether VFIO maps it" },
        { .name = "TRAPPED-NS",
          .right = true,
          .text = text_trapped_read,
          .help = "nanoseconds of a register read by way of the kernel" },
        { .name = "MAPPED-NS",
          .right = true,
          .text = text_mapped_read,
          .help = "nanoseconds of a register read through the mapping" },
};

const ColumnList probe_columns = {
        .verb = "probe",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "BAR,SIZE,MAPPED,TRAPPED-NS,MAPPED-NS",
};

static ClientExit show_refusal(PciAddress address, JsonObject *refusal, const char *worker)
{
        _cleanup_free_ char *problem = NULL;
        const char *name, *detail;
        Reason reason;
        if (json_field_text(refusal, "reason", &name, &problem) < 0 ||
            json_field_text(refusal, "detail", &detail, &problem) < 0 || reason_parse(name, &reason) < 0)
                return client_error("%s gave a document that cannot be read: %s", worker,
                                    problem ? problem : "the reason is not known");
        fflush(stdout);
        (void) client_error("%s: %s%s%s%s; it was not opened. What to do: %s", PCI_ADDRESS_TEXT(address),
                            reason_text(reason), *detail ? " (" : "", detail, *detail ? ")" : "",
                            reason_remedy(reason));
        return reason == REASON_NOT_FOUND ? CLIENT_EXIT_ERROR : CLIENT_EXIT_CANNOT;
}

static ClientExit show_bars(const ClientContext *context, const Columns *chosen, JsonObject *document,
                            JsonObject *bars)
{
        const size_t n = json_object_array_length(bars);
        _cleanup_free_ ProbeRow *rows = calloc(n + 1, sizeof(*rows));
        ClientExit status = CLIENT_EXIT_FINE;
        if (!rows)
                return client_error("out of memory");
        for (size_t i = 0; i < n; i++)
                rows[i].bar = json_object_array_get_idx(bars, i);
        if (context->json != CLIENT_JSON_OFF)
                status = client_print_json(context, document);
        else if (n > 0)
                status = columns_print(context, chosen, rows, sizeof(*rows), n);
        else
                puts("It has no memory BAR.");
        for (size_t i = 0; i < n; i++)
                if (!is_mapped(&rows[i]))
                        status = client_exit_worse(status, CLIENT_EXIT_NEEDS_REALIGN);
        return status;
}

static ClientExit show(const ClientContext *context, const Columns *chosen, PciAddress address,
                       const char *text)
{
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *problem = NULL;
        JsonObject *bars, *refusal;

        int r = json_document_parse(text, &document, &problem);
        if (r >= 0 && json_object_object_get_ex(document, "refusal", &refusal)) {
                if (context->json != CLIENT_JSON_OFF &&
                    client_print_json(context, document) != CLIENT_EXIT_FINE)
                        return CLIENT_EXIT_ERROR;
                return show_refusal(address, refusal, context->worker);
        }
        if (r >= 0)
                r = json_field_array(document, "bars", RESOURCE_BARS, &bars, &problem);
        if (r < 0)
                return client_error("%s gave a document that cannot be read: %s", context->worker,
                                    problem ? problem : strerror(-r));
        return show_bars(context, chosen, document, bars);
}

ClientExit verb_probe(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_free_ char *text = NULL;
        PciAddress address;
        Columns chosen = { 0 };

        ClientExit status = columns_choose(&probe_columns, context->columns, &chosen);
        if (status == CLIENT_EXIT_FINE)
                status = selection_parse_address(arguments[0], &address);
        if (status != CLIENT_EXIT_FINE)
                return status;
        fprintf(stderr, "vfio-realign: %s is opened through VFIO now, which resets it.\n",
                PCI_ADDRESS_TEXT(address));
        status = worker_process_probe(context, address, &text);
        return status == CLIENT_EXIT_FINE ? show(context, &chosen, address, text) : status;
}
