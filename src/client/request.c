/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The verbs that have the daemon do something with functions and wait for what comes of it: `realign`, `settle`,
 * `restore`, `detach`, `reattach`. Each step of the way is shown while it is made.
 */

#include "base/reason.h"
#include "base/text.h"
#include "client/daemon-facts.h"
#include "client/print.h"
#include "client/progress.h"
#include "client/selection.h"
#include "client/verb.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

/* What came of one function. */
typedef struct Verdict {
        char *function, *verdict, *outcome, *reason, *detail;
} Verdict;

typedef struct Request {
        const ClientContext *context;
        sd_bus *bus;
        char **functions; /* NULL-terminated */
        size_t n_functions;
        Verdict *verdicts;
        size_t n_verdicts;
} Request;

static void verdict_clear(Verdict *verdict)
{
        free(verdict->function);
        free(verdict->verdict);
        free(verdict->outcome);
        free(verdict->reason);
        free(verdict->detail);
}

static void request_clear(Request *request)
{
        for (size_t i = 0; i < request->n_verdicts; i++)
                verdict_clear(&request->verdicts[i]);
        free(request->verdicts);
        text_list_free(request->functions);
        sd_bus_flush_close_unref(request->bus);
}

/* --- the columns */

static char *cell(const char *text)
{
        return strdup(*text ? text : COLUMN_EMPTY);
}

static Reason reason_of(const Verdict *verdict)
{
        Reason reason;
        return reason_parse(verdict->reason, &reason) < 0 ? REASON_NONE : reason;
}

static char *text_function(const void *data)
{
        return cell(((const Verdict *) data)->function);
}

static char *text_verdict(const void *data)
{
        return cell(((const Verdict *) data)->verdict);
}

static char *text_outcome(const void *data)
{
        return cell(((const Verdict *) data)->outcome);
}

static char *text_reason(const void *data)
{
        const char *reason = ((const Verdict *) data)->reason;
        return cell(strcmp(reason, reason_name(REASON_NONE)) == 0 ? "" : reason);
}

static char *text_detail(const void *data)
{
        return cell(((const Verdict *) data)->detail);
}

static char *text_remedy(const void *data)
{
        return cell(reason_remedy(reason_of(data)));
}

static bool is_fine(const Verdict *verdict)
{
        return strcmp(verdict->verdict, "ok") == 0;
}

static StyleColor color_verdict(const void *data)
{
        return is_fine(data) ? STYLE_GOOD : STYLE_BAD;
}

static const Column columns[] = {
        { .name = "FUNCTION", .text = text_function, .help = "address of the function" },
        { .name = "VERDICT",
          .text = text_verdict,
          .color = color_verdict,
          .help = "ok, needs-realign, or cannot; empty when the function is gone" },
        { .name = "OUTCOME", .text = text_outcome, .help = "of the transaction, if there was one" },
        { .name = "REASON", .text = text_reason, .help = "why it was not done, or went wrong" },
        { .name = "DETAIL", .text = text_detail, .help = "more about the reason" },
        { .name = "REMEDY", .text = text_remedy, .help = "what can be done about the reason" },
};

const ColumnList request_columns = {
        .verb = "realign",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "FUNCTION,VERDICT,OUTCOME,REASON,DETAIL",
};

/* --- the functions */

static ClientExit add_name(Request *request, PciAddress address)
{
        char **more = reallocarray(request->functions, request->n_functions + 2, sizeof(*more));
        char *name = strdup(PCI_ADDRESS_TEXT(address));
        if (more)
                request->functions = more;
        if (!more || !name) {
                free(name);
                return client_error("out of memory");
        }
        more[request->n_functions++] = name;
        more[request->n_functions] = NULL;
        return CLIENT_EXIT_FINE;
}

/* A pattern stands for those of the functions that the daemon knows, which are those on VFIO drivers. */
static ClientExit add_pattern(Request *request, const DaemonFacts *facts, const char *pattern)
{
        bool found = false;
        for (size_t i = 0; i < facts->n_functions; i++) {
                if (!selection_pattern_matches(pattern, facts->functions[i].address))
                        continue;
                found = true;
                ClientExit status = add_name(request, facts->functions[i].address);
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return found ? CLIENT_EXIT_FINE
                     : client_error("\"%s\" matches no function on a VFIO driver; see \"vfio-realign status\"",
                                    pattern);
}

static ClientExit add_names(Request *request, size_t n, char *const *names)
{
        _cleanup_(daemon_facts_freep) DaemonFacts *facts = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ClientExit status = CLIENT_EXIT_FINE;

        for (size_t i = 0; i < n && status == CLIENT_EXIT_FINE; i++) {
                PciAddress address;
                if (!selection_is_pattern(names[i])) {
                        status = selection_parse_address(names[i], &address);
                        if (status == CLIENT_EXIT_FINE)
                                status = add_name(request, address);
                        continue;
                }
                int r = facts ? 0 : daemon_facts_read(request->bus, &facts, &error);
                status = r < 0 ? bus_client_complain(request->context, &error, r)
                               : add_pattern(request, facts, names[i]);
        }
        return status;
}

/* --- the answer */

static int take_verdict(Request *request, const char *const values[static 5])
{
        Verdict *more = reallocarray(request->verdicts, request->n_verdicts + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        request->verdicts = more;
        Verdict *verdict = &more[request->n_verdicts++];
        *verdict = (Verdict){ .function = strdup(values[0]),
                              .verdict = strdup(values[1]),
                              .outcome = strdup(values[2]),
                              .reason = strdup(values[3]),
                              .detail = strdup(values[4]) };
        return verdict->function && verdict->verdict && verdict->outcome && verdict->reason &&
                                               verdict->detail
                               ? 0
                               : -ENOMEM;
}

static int read_reply(Request *request, sd_bus_message *reply)
{
        const char *values[5];
        int r = sd_bus_message_enter_container(reply, 'a', "(sssss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sssss)", &values[0], &values[1], &values[2],
                                                  &values[3], &values[4])) > 0)
                r = take_verdict(request, values);
        return r;
}

static ClientExit print_as_json(const Request *request, const Columns *chosen)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *functions = json_object_new_array();
        for (size_t i = 0; i < request->n_verdicts && functions; i++)
                if (json_append(functions, columns_row_to_json(chosen, &request->verdicts[i])) < 0)
                        return client_error("out of memory");
        if (!object || json_add(object, "functions", TAKE_PTR(functions)) < 0)
                return client_error("out of memory");
        return client_print_json(request->context, object);
}

/* What to do about each reason, once. */
static void print_remedies(const Request *request)
{
        for (size_t i = 0; i < request->n_verdicts; i++) {
                Reason reason = reason_of(&request->verdicts[i]);
                bool said = reason == REASON_NONE;
                for (size_t j = 0; j < i && !said; j++)
                        said = reason_of(&request->verdicts[j]) == reason;
                if (!said)
                        (void) client_print_wrapped(0, "%s: %s. What to do: %s.", reason_name(reason),
                                                    reason_text(reason), reason_remedy(reason));
        }
}

static ClientExit verdict_exit_status(const Verdict *verdict)
{
        if (is_fine(verdict))
                return CLIENT_EXIT_FINE;
        if (strcmp(verdict->verdict, "needs-realign") == 0)
                return CLIENT_EXIT_NEEDS_REALIGN;
        return strcmp(verdict->verdict, "cannot") == 0 ? CLIENT_EXIT_CANNOT : CLIENT_EXIT_ERROR;
}

static ClientExit show(const Request *request, const Columns *chosen)
{
        ClientExit status;
        if (request->context->json != CLIENT_JSON_OFF)
                status = print_as_json(request, chosen);
        else {
                status = columns_print(request->context, chosen, request->verdicts,
                                       sizeof(*request->verdicts), request->n_verdicts);
                print_remedies(request);
        }
        for (size_t i = 0; i < request->n_verdicts; i++)
                status = client_exit_worse(status, verdict_exit_status(&request->verdicts[i]));
        return status;
}

/* --- the verbs */

typedef int (*Append)(const ClientContext *context, sd_bus_message *call);

static ClientExit run(const ClientContext *context, const char *method, Append append_rest, size_t n,
                      char *const *arguments)
{
        _cleanup_(request_clear) Request request = { .context = context };
        _cleanup_(progress_clear) Progress progress = { .context = context };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        Columns chosen = { 0 };

        ClientExit status = columns_choose(&request_columns, context->columns, &chosen);
        if (status == CLIENT_EXIT_FINE)
                status = bus_client_open(context, &request.bus);
        if (status == CLIENT_EXIT_FINE)
                status = add_names(&request, n, arguments);
        if (status != CLIENT_EXIT_FINE)
                return status;

        progress.functions = (const char **) request.functions;
        progress.n_functions = request.n_functions;
        int r = context->json == CLIENT_JSON_OFF ? progress_follow(&progress, request.bus) : 0;
        if (r >= 0)
                r = bus_client_new_call(request.bus, method, &call);
        if (r >= 0)
                r = sd_bus_message_append_strv(call, request.functions);
        if (r >= 0)
                r = append_rest(context, call);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        status = bus_client_run(context, request.bus, call, &reply);
        if (status != CLIENT_EXIT_FINE)
                return status;
        r = read_reply(&request, reply);
        return r < 0 ? bus_client_complain(context, &SD_BUS_ERROR_NULL, r) : show(&request, &chosen);
}

static int append_options(const ClientContext *context, sd_bus_message *call)
{
        int r = sd_bus_message_open_container(call, 'a', "{sv}");
        if (r >= 0 && context->force)
                r = sd_bus_message_append(call, "{sv}", "force", "b", 1);
        if (r >= 0)
                r = sd_bus_message_append(call, "{sv}", "timeout-usec", "t", context->timeout_usec);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int append_timeout(const ClientContext *context, sd_bus_message *call)
{
        return sd_bus_message_append(call, "t", context->timeout_usec);
}

ClientExit verb_realign(const ClientContext *context, size_t n, char *const *arguments)
{
        return run(context, "Realign", append_options, n, arguments);
}

ClientExit verb_settle(const ClientContext *context, size_t n, char *const *arguments)
{
        return run(context, "Settle", append_timeout, n, arguments);
}

/* The daemon alone does it: nothing is to be waited for. */
ClientExit verb_reload(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;

        ClientExit status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = bus_client_new_call(bus, "Reload", &call);
        return r < 0 ? bus_client_complain(context, &SD_BUS_ERROR_NULL, r)
                     : bus_client_run(context, bus, call, &reply);
}
