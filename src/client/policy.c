/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `policy`: each key's value for some functions, or for any other one, and where it comes from. */

#include "base/text.h"
#include "client/document.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/verb.h"
#include "model/policy-key.h"

#include <string.h>

typedef struct PolicyRow {
        const Policy *policy;
        const PciFunction *function; /* NULL: one that no section but [default] is for */
        PolicyKeyId key;
} PolicyRow;

static char *text_function(const void *data)
{
        const PolicyRow *row = data;
        return strdup(row->function ? PCI_ADDRESS_TEXT(row->function->address) : COLUMN_EMPTY);
}

static char *text_key(const void *data)
{
        const PolicyRow *row = data;
        return strdup(policy_key_name(row->key));
}

static char *text_value(const void *data)
{
        const PolicyRow *row = data;
        PolicySettings settings;
        policy_settings(row->policy, row->function, &settings);
        return policy_key_format(row->key, &settings);
}

static char *text_section(const void *data)
{
        const PolicyRow *row = data;
        const char *section = policy_section(row->policy, row->function, policy_key_name(row->key));
        return strdup(section ? section : COLUMN_EMPTY);
}

static const char *source_of(const PolicyRow *row)
{
        return policy_source(row->policy, row->function, policy_key_name(row->key));
}

static char *text_source(const void *data)
{
        return strdup(source_of(data));
}

/* {"file", "line"}, or null for what is built in. */
static int add_source(const void *data, JsonObject *object, const char *key)
{
        const PolicyRow *row = data;
        const char *source = source_of(row), *colon = strrchr(source, ':');
        uint64_t line;
        if (!policy_section(row->policy, row->function, policy_key_name(row->key)) || !colon ||
            text_to_u64(colon + 1, 10, UINT32_MAX, &line) < 0)
                return json_object_object_add(object, key, NULL);

        _cleanup_json_ JsonObject *place = json_object_new_object();
        _cleanup_free_ char *file = strndup(source, (size_t) (colon - source));
        if (!place || !file || json_add_text(place, "file", file) < 0 ||
            json_add_u64(place, "line", line) < 0)
                return json_add(object, key, NULL);
        return json_add(object, key, TAKE_PTR(place));
}

static const Column columns[] = {
        { .name = "FUNCTION", .text = text_function, .help = "address of the function" },
        { .name = "KEY", .text = text_key, .help = "key of the policy" },
        { .name = "VALUE", .text = text_value, .help = "its value" },
        { .name = "SECTION",
          .text = text_section,
          .help = "the section that decides; none for what is built in" },
        { .name = "SOURCE",
          .text = text_source,
          .add_json = add_source,
          .help = "file and line that the value comes from" },
};

const ColumnList policy_columns = {
        .verb = "policy",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "KEY,VALUE,SECTION,SOURCE",
};

static JsonObject *to_json(const Policy *policy, const Columns *chosen, const PolicyRow *rows, size_t n_rows)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *files = json_object_new_array();
        _cleanup_json_ JsonObject *settings = json_object_new_array();

        if (!object || !files || !settings)
                return NULL;
        for (char *const *file = policy_files(policy); *file; file++)
                if (json_append(files, json_object_new_string(*file)) < 0)
                        return NULL;
        for (size_t i = 0; i < n_rows; i++)
                if (json_append(settings, columns_row_to_json(chosen, &rows[i])) < 0)
                        return NULL;
        if (json_add(object, "files", TAKE_PTR(files)) < 0 ||
            json_add(object, "settings", TAKE_PTR(settings)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

/* All keys for each function of SELECTION; for any other function when that is empty. */
static ClientExit show(const ClientContext *context, const Policy *policy, const Columns *chosen,
                       const Selection *selection)
{
        size_t n_functions = selection->n_functions > 0 ? selection->n_functions : 1, n_rows = 0;
        _cleanup_free_ PolicyRow *rows = calloc(n_functions * POLICY_KEY_COUNT_, sizeof(*rows));
        if (!rows)
                return client_error("out of memory");
        for (size_t i = 0; i < n_functions; i++)
                for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++)
                        rows[n_rows++] = (PolicyRow){
                                .policy = policy,
                                .function = selection->n_functions > 0 ? selection->functions[i] : NULL,
                                .key = key,
                        };
        if (context->json == CLIENT_JSON_OFF)
                return columns_print(context, chosen, rows, sizeof(*rows), n_rows);
        _cleanup_json_ JsonObject *document = to_json(policy, chosen, rows, n_rows);
        return client_print_json(context, document);
}

ClientExit verb_policy(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_(selection_clear) Selection selection = { 0 };
        Columns chosen = { 0 };

        const char *wanted =
                        context->columns || n == 0 ? context->columns : "FUNCTION,KEY,VALUE,SECTION,SOURCE";
        ClientExit status = columns_choose(&policy_columns, wanted, &chosen);
        if (status == CLIENT_EXIT_FINE)
                status = client_load_policy(context, &policy);
        if (status == CLIENT_EXIT_FINE && n > 0)
                status = client_read_topology(context, &topology);
        if (status != CLIENT_EXIT_FINE)
                return status;
        if (n > 0)
                status = selection_add_named(&selection, topology, n, arguments);
        if (n > 0 && selection.n_functions == 0)
                return status;
        return client_exit_worse(status, show(context, policy, &chosen, &selection));
}
