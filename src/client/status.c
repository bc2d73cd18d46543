/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `status`: what VFIO would say of the functions on VFIO drivers, or of those that were named. */

#include "base/text.h"
#include "client/page-view.h"
#include "client/print.h"
#include "client/status-column.h"
#include "client/status-table.h"
#include "client/verb.h"

#include <inttypes.h>
#include <string.h>

/* All that one run shows. */
typedef struct StatusReport {
        const ClientContext *context;
        const Machine *machine;
        StatusColumns columns;
        StatusRow *rows;
        PolicySettings *settings; /* parallel to the rows */
        size_t n_rows;
        PageView **shared; /* pages that functions of several IOMMU groups are in */
        size_t n_shared;
} StatusReport;

static void status_report_clear(StatusReport *report)
{
        for (size_t i = 0; i < report->n_shared; i++)
                page_view_free(report->shared[i]);
        free(report->shared);
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

static bool is_listed(const StatusReport *report, uint64_t start)
{
        for (size_t i = 0; i < report->n_shared; i++)
                if (report->shared[i]->start <= start && start <= report->shared[i]->end)
                        return true;
        return false;
}

static ClientExit add_page(StatusReport *report, uint64_t address)
{
        if (is_listed(report, address))
                return CLIENT_EXIT_FINE;
        _cleanup_(page_view_freep)
        PageView *view = NULL;
        if (page_view_make(report->machine->topology, report->machine->iomem, report->context->page, address,
                           &view) < 0)
                return client_error("out of memory");
        if (!page_view_crosses_groups(view))
                return CLIENT_EXIT_FINE;

        PageView **more = reallocarray((void *) report->shared, report->n_shared + 1, sizeof(PageView *));
        if (!more)
                return client_error("out of memory");
        more[report->n_shared++] = TAKE_PTR(view);
        report->shared = more;
        return CLIENT_EXIT_FINE;
}

/* Pages that belong to two owners are a matter of security, not of speed alone (design §1). */
static ClientExit find_shared_pages(StatusReport *report)
{
        for (size_t i = 0; i < report->n_rows; i++)
                for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                        const PciResource *resource = &report->rows[i].function->resources.lines[line];
                        if (report->rows[i].report->bars[line].verdict != BAR_SHARED)
                                continue;
                        ClientExit status = add_page(report, resource->start);
                        if (status != CLIENT_EXIT_FINE)
                                return status;
                }
        return CLIENT_EXIT_FINE;
}

static void warn_of_shared_page(const PageView *view)
{
        fprintf(stderr, "vfio-realign: warning: the page at 0x%" PRIx64 " belongs to several IOMMU groups:",
                view->start);
        for (size_t i = 0; i < view->n_owners; i++) {
                const PageOwner *owner = &view->owners[i];
                if (!owner->function || owner->function->iommu_group == IOMMU_GROUP_NONE)
                        continue;
                fprintf(stderr, "%s %s %s (group %d)", i ? "," : "",
                        PCI_ADDRESS_TEXT(owner->function->address), page_owner_label(owner),
                        owner->function->iommu_group);
        }
        fputs("; who has one of them reaches the registers of the others (XSA-461)\n", stderr);
}

static JsonObject *shared_page_to_json(const PageView *view)
{
        char start[24];
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *owners = json_object_new_array();

        snprintf(start, sizeof(start), "0x%" PRIx64, view->start);
        if (!object || !owners || json_add_text(object, "start", start) < 0)
                return NULL;
        for (size_t i = 0; i < view->n_owners; i++) {
                const PageOwner *owner = &view->owners[i];
                _cleanup_json_ JsonObject *one = json_object_new_object();
                if (!owner->function || owner->function->iommu_group == IOMMU_GROUP_NONE)
                        continue;
                if (!one || json_add_address(one, "function", owner->function->address) < 0 ||
                    json_add_text(one, "line", page_owner_label(owner)) < 0 ||
                    json_add_u64(one, "group", (uint64_t) owner->function->iommu_group) < 0 ||
                    json_append(owners, TAKE_PTR(one)) < 0)
                        return NULL;
        }
        if (json_add(object, "owners", TAKE_PTR(owners)) < 0)
                return NULL;
        return TAKE_PTR(object);
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
                if (json_append(functions, status_row_to_json(&report->rows[i], &report->columns)) < 0)
                        return NULL;
        for (size_t i = 0; i < report->n_shared; i++)
                if (json_append(shared, shared_page_to_json(report->shared[i])) < 0)
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
                status = status_table_print(report->context, &report->columns, report->rows, report->n_rows);
        fflush(stdout);
        for (size_t i = 0; i < report->n_shared; i++)
                warn_of_shared_page(report->shared[i]);
        machine_say_unseen(report->machine);
        return status;
}

static ClientExit show(StatusReport *report, const Selection *selection, const Policy *policy)
{
        _cleanup_(pci_names_closep)
        PciNames *names = NULL;
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
        _cleanup_(status_report_clear)
        StatusReport report = { .context = context };
        _cleanup_(machine_freep)
        Machine *machine = NULL;
        _cleanup_(policy_freep)
        Policy *policy = NULL;
        _cleanup_(selection_clear)
        Selection selection = { 0 };

        ClientExit status = status_columns_choose(context->columns, &report.columns);
        if (status == CLIENT_EXIT_FINE)
                status = machine_read(context, &machine);
        if (status != CLIENT_EXIT_FINE)
                return status;
        report.machine = machine;

        /* A policy with errors hides its own column, not what VFIO says. */
        status = client_load_policy(context, &policy);
        status = client_exit_worse(status, n > 0 ? machine_select(machine, n, arguments, &selection)
                                                 : machine_select_on_vfio(machine, &selection));
        if (n > 0 && selection.n_functions == 0)
                return status;
        if (selection.n_functions == 0 && context->json == CLIENT_JSON_OFF)
                puts("No function is on a VFIO driver.");
        return client_exit_worse(status, show(&report, &selection, policy));
}
