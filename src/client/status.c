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
} StatusReport;

static void status_report_clear(StatusReport *report)
{
        shared_pages_clear(&report->shared);
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
                report->rows[report->n_rows++] = (StatusRow){
                        .function = function,
                        .report = verdict_of(report->machine->verdicts, function),
                        .settings = policy ? &report->settings[i] : NULL,
                        .names = names,
                };
        }
        return CLIENT_EXIT_FINE;
}

static ClientExit find_shared_pages(StatusReport *report)
{
        for (size_t i = 0; i < report->n_rows; i++)
                if (shared_pages_add(&report->shared, report->machine->verdicts, report->machine->iomem,
                                     report->rows[i].function) < 0)
                        return client_error("out of memory");
        return CLIENT_EXIT_FINE;
}

static void warn_of_shared_page(const PageView *page)
{
        _cleanup_free_ char *text = shared_page_text(page);
        fprintf(stderr, "vfio-realign: warning: %s\n", text ? text : "out of memory");
}

/* {"page", "iomem-seen", "functions": […], "shared-pages": […]} */
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
            json_add(object, "functions", TAKE_PTR(functions)) < 0 ||
            json_add(object, "shared-pages", TAKE_PTR(shared)) < 0)
                return NULL;
        return TAKE_PTR(object);
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

ClientExit verb_status(const ClientContext *context, size_t n, char *const *arguments)
{
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
