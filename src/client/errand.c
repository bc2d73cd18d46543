/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The verbs `restore`, `detach` and `reattach`: BARs get their own sizes back, functions go from the host's drivers to VFIO
 * and back; the daemon does it.
 */

#include "base/reason.h"
#include "base/text.h"
#include "client/print.h"
#include "client/progress.h"
#include "client/selection.h"
#include "client/verb.h"

#include <errno.h>
#include <string.h>

/* What came of one transaction, or of what was refused. */
typedef struct ErrandResult {
        char *functions; /* "0000:03:00.0, 0000:03:00.1" */
        char *outcome, *reason, *culprit, *detail;
        bool untouched; /* nothing was to be done */
} ErrandResult;

typedef struct ErrandResults {
        ErrandResult *items;
        size_t n;
} ErrandResults;

static void results_clear(ErrandResults *results)
{
        for (size_t i = 0; i < results->n; i++) {
                ErrandResult *result = &results->items[i];
                free(result->functions);
                free(result->outcome);
                free(result->reason);
                free(result->culprit);
                free(result->detail);
        }
        free(results->items);
}

static char *cell(const char *text)
{
        return strdup(*text && strcmp(text, reason_name(REASON_NONE)) != 0 ? text : COLUMN_EMPTY);
}

#define TEXT(name)                                                                                          \
        static char *text_##name(const void *data)                                                          \
        {                                                                                                   \
                return cell(((const ErrandResult *) data)->name);                                           \
        }
TEXT(functions)
TEXT(outcome)
TEXT(reason)
TEXT(culprit)

static char *text_detail(const void *data)
{
        const ErrandResult *result = data;
        return result->untouched ? strdup("it was so already") : cell(result->detail);
}

static bool is_fine(const void *data)
{
        return strcmp(((const ErrandResult *) data)->outcome, "verified") == 0;
}

static StyleColor color_outcome(const void *data)
{
        return is_fine(data) ? STYLE_GOOD : STYLE_BAD;
}

static const Column columns[] = {
        { .name = "FUNCTIONS",
          .text = text_functions,
          .help = "what it was about; none of what was refused" },
        { .name = "OUTCOME",
          .text = text_outcome,
          .color = color_outcome,
          .help = "verified, rolled-back, refused, …" },
        { .name = "REASON", .text = text_reason, .help = "why it was not done" },
        { .name = "CULPRIT", .text = text_culprit, .help = "the function that the reason is about" },
        { .name = "DETAIL", .text = text_detail, .help = "more about the reason" },
};

const ColumnList errand_columns = {
        .verb = "detach",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "FUNCTIONS,OUTCOME,REASON,CULPRIT,DETAIL",
};

static int read_functions(sd_bus_message *reply, char **names)
{
        const char *name;
        int r = sd_bus_message_enter_container(reply, 'a', "s");
        if (!text_replace(names, "%s", ""))
                return -ENOMEM;
        while (r >= 0 && (r = sd_bus_message_read(reply, "s", &name)) > 0)
                if (!text_replace(names, "%s%s%s", *names, **names ? ", " : "", name))
                        return -ENOMEM;
        return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_result(sd_bus_message *reply, ErrandResults *results)
{
        const char *id, *outcome, *reason, *culprit, *detail;
        ErrandResult *more = reallocarray(results->items, results->n + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        results->items = more;
        ErrandResult *result = &more[results->n++];
        *result = (ErrandResult){ 0 };

        int r = sd_bus_message_read(reply, "s", &id);
        if (r >= 0)
                r = read_functions(reply, &result->functions);
        if (r >= 0)
                r = sd_bus_message_read(reply, "ssss", &outcome, &reason, &culprit, &detail);
        if (r < 0)
                return r;
        result->untouched = *id == '\0' && strcmp(outcome, "verified") == 0;
        result->outcome = strdup(outcome);
        result->reason = strdup(reason);
        result->culprit = strdup(culprit);
        result->detail = strdup(detail);
        return result->outcome && result->reason && result->culprit && result->detail ? 0 : -ENOMEM;
}

static int read_reply(sd_bus_message *reply, ErrandResults *results)
{
        int r = sd_bus_message_enter_container(reply, 'a', "(sasssss)");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "sasssss")) > 0) {
                r = read_result(reply, results);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r;
}

static ClientExit print_as_json(const ClientContext *context, const Columns *chosen,
                                const ErrandResults *results)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (size_t i = 0; list && i < results->n; i++)
                if (json_append(list, columns_row_to_json(chosen, &results->items[i])) < 0)
                        return client_error("out of memory");
        if (!object || json_add(object, "results", TAKE_PTR(list)) < 0)
                return client_error("out of memory");
        return client_print_json(context, object);
}

static ClientExit show(const ClientContext *context, const Columns *chosen, const ErrandResults *results)
{
        ClientExit status = context->json != CLIENT_JSON_OFF
                                            ? print_as_json(context, chosen, results)
                                            : columns_print(context, chosen, results->items,
                                                            sizeof(*results->items), results->n);
        for (size_t i = 0; i < results->n; i++) {
                const ErrandResult *result = &results->items[i];
                Reason reason;
                if (is_fine(result))
                        continue;
                status = client_exit_worse(status, strcmp(result->outcome, "failed") == 0
                                                                   ? CLIENT_EXIT_ERROR
                                                                   : CLIENT_EXIT_CANNOT);
                if (context->json == CLIENT_JSON_OFF && reason_parse(result->reason, &reason) >= 0)
                        (void) client_print_wrapped(0, "%s: %s. What to do: %s.", reason_name(reason),
                                                    reason_text(reason), reason_remedy(reason));
        }
        return status;
}

static int append_functions(sd_bus_message *call, const PciAddress *addresses, size_t n)
{
        int r = sd_bus_message_open_container(call, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(call, "s", PCI_ADDRESS_TEXT(addresses[i]));
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* What was bound is realigned now, which whoever goes on behind this is not to come in between. */
static ClientExit settle(const ClientContext *context, sd_bus *bus, const PciAddress *addresses, size_t n)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r = bus_client_new_call(bus, "Settle", &call);
        if (r >= 0)
                r = append_functions(call, addresses, n);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", context->timeout_usec);
        return r < 0 ? bus_client_complain(context, &SD_BUS_ERROR_NULL, r)
                     : bus_client_run(context, bus, call, &reply);
}

static ClientExit run(const ClientContext *context, const char *method, bool settles, size_t n,
                      char *const *arguments)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(progress_clear) Progress progress = { .context = context };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        _cleanup_(results_clear) ErrandResults results = { 0 };
        _cleanup_free_ PciAddress *addresses = NULL;
        Columns chosen = { 0 };
        size_t n_addresses;

        ClientExit status = columns_choose(&errand_columns, context->columns, &chosen);
        if (status == CLIENT_EXIT_FINE)
                status = selection_parse_addresses(context, n, arguments, &addresses, &n_addresses);
        if (status == CLIENT_EXIT_FINE)
                status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = context->json == CLIENT_JSON_OFF ? progress_follow(&progress, bus) : 0;
        if (r >= 0)
                r = bus_client_new_call(bus, method, &call);
        if (r >= 0)
                r = append_functions(call, addresses, n_addresses);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        status = bus_client_run(context, bus, call, &reply);
        if (status != CLIENT_EXIT_FINE)
                return status;
        r = read_reply(reply, &results);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        if (settles)
                status = settle(context, bus, addresses, n_addresses);
        return client_exit_worse(status, show(context, &chosen, &results));
}

ClientExit verb_restore(const ClientContext *context, size_t n, char *const *arguments)
{
        return run(context, "Restore", false, n, arguments);
}

ClientExit verb_detach(const ClientContext *context, size_t n, char *const *arguments)
{
        return run(context, "Detach", true, n, arguments);
}

ClientExit verb_reattach(const ClientContext *context, size_t n, char *const *arguments)
{
        return run(context, "Reattach", false, n, arguments);
}
