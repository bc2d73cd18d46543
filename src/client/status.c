/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `status`: what VFIO would say of the functions on VFIO drivers, or of those that were named. */

#include "base/text.h"
#include "client/document.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/status-column.h"
#include "client/verb.h"
#include "judge/shared-page.h"

#include <string.h>

/* All that one run shows. */
typedef struct StatusReport {
        const ClientContext *context;
        const Machine *machine;
        Columns columns;
        StatusRow *rows;
        PolicySettings *settings; /* parallel to the rows */
        size_t n_rows;
        SharedPages shared;
        bool has_bus;
        DaemonFacts *daemon; /* NULL: it does not answer */
} StatusReport;

static void status_report_clear(StatusReport *report)
{
        shared_pages_clear(&report->shared);
        daemon_facts_free(report->daemon);
        free(report->rows);
        free(report->settings);
}

static ClientExit make_rows(StatusReport *report, const Selection *selection, const Policy *policy,
                            const PciNames *names)
{
        report->rows = calloc(selection->n_functions + 1, sizeof(*report->rows));
        report->settings = calloc(selection->n_functions + 1, sizeof(*report->settings));
        if (!report->rows || !report->settings)
                return client_error("out of memory");
        for (size_t i = 0; i < selection->n_functions; i++) {
                const PciFunction *function = selection->functions[i];
                if (policy)
                        policy_settings(policy, function, &report->settings[i]);
                OwnSizes before;
                if (machine_sizes_before(report->machine, function, &before) != CLIENT_EXIT_FINE)
                        return CLIENT_EXIT_ERROR;
                report->rows[report->n_rows++] = (StatusRow){
                        .machine = report->machine,
                        .function = function,
                        .report = verdict_of(report->machine->verdicts, function),
                        .before = before,
                        .settings = policy ? &report->settings[i] : NULL,
                        .names = names,
                        .daemon = daemon_facts_of(report->daemon, function->address),
                };
        }
        return CLIENT_EXIT_FINE;
}

static ClientExit find_shared_pages(StatusReport *report)
{
        for (size_t i = 0; i < report->n_rows; i++)
                if (shared_pages_add(&report->shared, report->machine->verdicts, report->machine->pages,
                                     report->rows[i].function) < 0)
                        return client_error("out of memory");
        return CLIENT_EXIT_FINE;
}

static void warn_of_shared_page(const PageView *page)
{
        _cleanup_free_ char *text = shared_page_text(page);
        fprintf(stderr, "vfio-realign: warning: %s\n", text ? text : "out of memory");
}

/* {"page", "iomem-seen", "daemon", "functions": […], "shared-pages": […]} */
static JsonObject *status_report_to_json(const StatusReport *report)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *functions = json_object_new_array();
        _cleanup_json_ JsonObject *shared = json_object_new_array();

        if (!object || !functions || !shared)
                return NULL;
        for (size_t i = 0; i < report->n_rows; i++)
                if (json_append(functions, columns_row_to_json(&report->columns, &report->rows[i])) < 0)
                        return NULL;
        for (size_t i = 0; i < report->shared.n_pages; i++)
                if (json_append(shared, document_page(report->machine->verdicts, report->shared.pages[i])) <
                    0)
                        return NULL;
        if (json_add_u64(object, "page", report->context->page) < 0 ||
            json_add_bool(object, "iomem-seen", report->machine->iomem->visible) < 0 ||
            document_add_text_or_null(object, "daemon", report->daemon ? report->daemon->status : NULL) <
                            0 ||
            json_add(object, "functions", TAKE_PTR(functions)) < 0 ||
            json_add(object, "shared-pages", TAKE_PTR(shared)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

/* The machine of --sysroot has none; where it does not answer there are its facts less. */
static void ask_daemon(StatusReport *report)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        if (report->context->sysroot || sd_bus_open_system(&bus) < 0)
                return;
        report->has_bus = true;
        if (sd_bus_set_method_call_timeout(bus, BUS_QUICK_USEC) < 0 ||
            daemon_facts_read(bus, &report->daemon, &error) < 0)
                report->daemon = NULL;
}

static void say_of_daemon(const StatusReport *report)
{
        const ClientContext *context = report->context;
        /* without a bus it may be running all the same */
        if (!report->has_bus || context->json != CLIENT_JSON_OFF || context->no_legend)
                return;
        printf("vfio-realignd: %s\n", report->daemon ? report->daemon->status : "not running");
}

static ClientExit print_report(const StatusReport *report)
{
        ClientExit status = CLIENT_EXIT_FINE;

        if (report->context->json != CLIENT_JSON_OFF) {
                _cleanup_json_ JsonObject *document = status_report_to_json(report);
                status = client_print_json(report->context, document);
        } else if (report->n_rows > 0)
                status = columns_print(report->context, &report->columns, report->rows,
                                       sizeof(*report->rows), report->n_rows);
        say_of_daemon(report);
        fflush(stdout);
        for (size_t i = 0; i < report->shared.n_pages; i++)
                warn_of_shared_page(report->shared.pages[i]);
        machine_say_unseen(report->machine);
        return status;
}

static ClientExit show(StatusReport *report, const Selection *selection, const Policy *policy)
{
        _cleanup_(pci_names_closep) PciNames *names = NULL;
        if (pci_names_open(&names) < 0)
                return client_error("out of memory");

        ClientExit status = make_rows(report, selection, policy, names);
        if (status == CLIENT_EXIT_FINE)
                status = find_shared_pages(report);
        if (status == CLIENT_EXIT_FINE)
                status = print_report(report);
        for (size_t i = 0; i < report->n_rows; i++)
                status = client_exit_worse(status, machine_exit_status(report->rows[i].report->verdict));
        return status;
}

static ClientExit exit_status_of(const DaemonFunction *function)
{
        if (strcmp(function->verdict, function_verdict_name(FUNCTION_OK)) == 0)
                return CLIENT_EXIT_FINE;
        return strcmp(function->verdict, function_verdict_name(FUNCTION_CANNOT)) == 0
                               ? CLIENT_EXIT_CANNOT
                               : CLIENT_EXIT_NEEDS_REALIGN;
}

/* Leaves those that are named; says which are not known there. */
static ClientExit keep_named(DaemonFacts *facts, const PciAddress *addresses, size_t n)
{
        ClientExit status = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++)
                if (!daemon_facts_of(facts, addresses[i]))
                        status = client_error("%s: it is no function on a VFIO driver there",
                                              PCI_ADDRESS_TEXT(addresses[i]));
        daemon_facts_keep(facts, addresses, n);
        return status;
}

static ClientExit show_remote(const ClientContext *context, const DaemonFacts *facts, const Columns *columns)
{
        ClientExit status = CLIENT_EXIT_FINE;
        if (context->json != CLIENT_JSON_OFF) {
                _cleanup_json_ JsonObject *object = json_object_new_object();
                _cleanup_json_ JsonObject *functions = json_object_new_array();
                for (size_t i = 0; functions && i < facts->n_functions; i++)
                        if (json_append(functions, columns_row_to_json(columns, &facts->functions[i])) < 0)
                                return client_error("out of memory");
                if (!object || json_add_text(object, "daemon", facts->status) < 0 ||
                    json_add(object, "functions", TAKE_PTR(functions)) < 0)
                        return client_error("out of memory");
                status = client_print_json(context, object);
        } else {
                if (facts->n_functions > 0)
                        status = columns_print(context, columns, facts->functions, sizeof(*facts->functions),
                                               facts->n_functions);
                if (!context->no_legend)
                        printf("vfio-realignd: %s\n", facts->status);
        }
        for (size_t i = 0; i < facts->n_functions; i++)
                status = client_exit_worse(status, exit_status_of(&facts->functions[i]));
        return status;
}

/* Of another machine there is what its daemon says. */
static ClientExit remote_status(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(daemon_facts_freep) DaemonFacts *facts = NULL;
        _cleanup_free_ PciAddress *addresses = NULL;
        Columns columns = { 0 };
        size_t n_addresses = 0;

        ClientExit status = columns_choose(&remote_status_columns, context->columns, &columns);
        if (status == CLIENT_EXIT_FINE && n > 0)
                status = selection_parse_addresses(context, n, arguments, &addresses, &n_addresses);
        if (status == CLIENT_EXIT_FINE)
                status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = daemon_facts_read(bus, &facts, &error);
        if (r < 0)
                return bus_client_complain(context, &error, r);
        if (n > 0)
                status = keep_named(facts, addresses, n_addresses);
        return client_exit_worse(status, show_remote(context, facts, &columns));
}

ClientExit verb_status(const ClientContext *context, size_t n, char *const *arguments)
{
        if (context->host)
                return remote_status(context, n, arguments);
        _cleanup_(status_report_clear) StatusReport report = { .context = context };
        _cleanup_(machine_freep) Machine *machine = NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_(selection_clear) Selection selection = { 0 };

        ClientExit status = columns_choose(&status_columns, context->columns, &report.columns);
        if (status == CLIENT_EXIT_FINE)
                status = machine_read(context, &machine);
        if (status != CLIENT_EXIT_FINE)
                return status;
        report.machine = machine;
        ask_daemon(&report);

        /* A policy with errors hides its own column, not what VFIO says. */
        status = client_load_policy(context, &policy);
        status = client_exit_worse(status,
                                   n > 0 ? selection_add_named(&selection, machine->topology, n, arguments)
                                         : selection_add_on_vfio(&selection, machine->topology));
        if (n > 0 && selection.n_functions == 0)
                return status;
        if (selection.n_functions == 0 && context->json == CLIENT_JSON_OFF)
                puts("No function is on a VFIO driver.");
        return client_exit_worse(status, show(&report, &selection, policy));
}
