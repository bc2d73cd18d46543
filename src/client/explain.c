/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `explain`: what VFIO sees of a function, what would be done, what stands against it, in plain words. */

#include "base/page.h"
#include "base/text.h"
#include "client/document.h"
#include "client/machine.h"
#include "client/pci-names.h"
#include "client/print.h"
#include "client/prospect.h"
#include "client/selection.h"
#include "client/verb.h"
#include "judge/page-view.h"
#include "model/msix-table.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* All that one run explains with. */
typedef struct Explanation {
        const ClientContext *context;
        const Machine *machine;
        const Policy *policy; /* NULL: cannot be read */
        const PciNames *names;
        Style style;
} Explanation;

static void heading(const Explanation *e, const char *text)
{
        printf("\n%s%s%s\n", style_color(e->style, STYLE_BOLD), text, style_color(e->style, STYLE_PLAIN));
}

static ClientExit introduce(const Explanation *e, const PciFunction *function)
{
        _cleanup_free_ char *name = pci_names_of(e->names, function);
        char group[24] = "no IOMMU group";

        if (!name)
                return client_error("out of memory");
        if (function->iommu_group != IOMMU_GROUP_NONE)
                snprintf(group, sizeof(group), "IOMMU group %d", function->iommu_group);
        return client_print_wrapped(0, "%s is %s, %s %s, in %s.", PCI_ADDRESS_TEXT(function->address), name,
                                    function->driver ? "on the driver" : "on no driver",
                                    function->driver ? function->driver : "at all", group);
}

/* "0000:03:00.0 BAR 1, its own BAR 2, IOAPIC 0": who else is in the page of line LINE. NULL: no memory. */
static char *others_text(const PageView *view, const PciFunction *function, unsigned line)
{
        _cleanup_free_ char *all = strdup("");
        for (size_t i = 0; i < view->n_owners && all; i++) {
                const PageOwner *owner = &view->owners[i];
                if (owner->function == function && owner->line == line)
                        continue;
                const char *whose = !owner->function ? ""
                                    : owner->function == function
                                                    ? "its own "
                                                    : PCI_ADDRESS_TEXT(owner->function->address);
                char *more = text_format("%s%s%s%s%s", all, *all ? ", " : "", whose,
                                         owner->function && owner->function != function ? " " : "",
                                         page_owner_label(owner));
                free(all);
                all = more;
        }
        return TAKE_PTR(all);
}

static ClientExit explain_shared(const Explanation *e, const PciFunction *function, unsigned line)
{
        _cleanup_(page_view_freep) PageView *view = NULL;
        char size[TEXT_BYTES_MAX];
        const PciResource *resource = &function->resources.lines[line];
        int r = page_view_make(e->machine->pages, resource->start, &view);
        _cleanup_free_ char *others = r < 0 ? NULL : others_text(view, function, line);
        if (!others)
                return client_error("out of memory");

        ClientExit status = client_print_wrapped(
                        4, "VFIO does not map it: its page (%s at 0x%" PRIx64 ") also holds %s.",
                        text_from_bytes(e->context->page, size), view->start, others);
        if (status == CLIENT_EXIT_FINE && page_view_crosses_groups(view))
                status = client_print_wrapped(4,
                                              "They belong to several IOMMU groups: whoever has one of them "
                                              "reaches the registers of the others (XSA-461).");
        return status;
}

/* A BAR that has grown to a page is said to be so: drivers may insist on the size of before. */
static ClientExit explain_size(uint64_t before)
{
        char size[TEXT_BYTES_MAX];
        if (before == 0)
                return CLIENT_EXIT_FINE;
        text_from_bytes(before, size);
        return client_print_wrapped(
                        4,
                        "By itself it has %s%s: the kernel has grown it to realign it. \"vfio-realign "
                        "restore\" gives it its own size back.",
                        size, size[strspn(size, "0123456789")] == '\0' ? " bytes" : "");
}

static ClientExit explain_verdict(const Explanation *e, const PciFunction *function, unsigned line)
{
        const BarReport *bar = &verdict_of(e->machine->verdicts, function)->bars[line];

        switch (bar->verdict) {
        case BAR_MAPPABLE:
                return client_print_wrapped(
                                4,
                                bar->small ? "VFIO maps it: it begins at a page's start and is alone there. A guest "
                                             "maps it only if the guest's firmware puts it at a page's start too."
                                           : "VFIO maps it: nobody else can be in its pages.");
        case BAR_MISALIGNED:
                return client_print_wrapped(
                                4, "VFIO does not map it: it is alone in its page, but does not begin at "
                                   "the page's start.");
        case BAR_SHARED:
                return explain_shared(e, function, line);
        case BAR_UNASSIGNED:
                return client_print_wrapped(4, "The kernel has given it no address.");
        case BAR_NONE:
                break;
        }
        return CLIENT_EXIT_FINE;
}

/* Of what VFIO maps, QEMU does not hand on the page of this table (KF §5). */
static ClientExit explain_table(const Explanation *e, const PciResource *resource)
{
        char size[TEXT_BYTES_MAX];
        if (resource_size(resource) > e->context->page)
                return client_print_wrapped(
                                4,
                                "It holds the MSI-X table: QEMU with KVM keeps trapping the page (%s) "
                                "that the table is in, and maps the others.",
                                text_from_bytes(e->context->page, size));
        return client_print_wrapped(
                        4,
                        "It holds the MSI-X table: QEMU with KVM keeps trapping the page of that table, which is "
                        "all of this BAR, mapped or not, unless QEMU moves the table elsewhere (\"-device "
                        "vfio-pci,…,x-msix-relocation=auto\", or bar0 to bar5). User-space drivers, and monitors "
                        "that move the table, gain.");
}

static ClientExit explain_bar(const Explanation *e, const PciFunction *function, unsigned line,
                              uint64_t before, bool has_table)
{
        const BarReport *bar = &verdict_of(e->machine->verdicts, function)->bars[line];
        const PciResource *resource = &function->resources.lines[line];
        char size[TEXT_BYTES_MAX];

        if (bar->verdict == BAR_NONE)
                return CLIENT_EXIT_FINE;
        text_from_bytes(resource_size(resource), size);
        printf("  %s, %s%s at 0x%" PRIx64 ": %s\n", resource_line_name(function->resources.n_lines, line),
               size, size[strspn(size, "0123456789")] == '\0' ? " bytes" : "", resource->start,
               bar_verdict_text(bar));
        ClientExit status = explain_verdict(e, function, line);
        status = client_exit_worse(status, explain_size(before));
        return has_table ? client_exit_worse(status, explain_table(e, resource)) : status;
}

static ClientExit explain_bars(const Explanation *e, const PciFunction *function)
{
        OwnSizes before;
        const FunctionReport *report = verdict_of(e->machine->verdicts, function);
        bool trapped = false;
        int8_t table = MSIX_TABLE_NONE;

        ClientExit status = machine_sizes_before(e->machine, function, &before);
        if (status != CLIENT_EXIT_FINE)
                return status;
        (void) !msix_table_read(e->context->root, function->address, &table); /* is said where it matters */
        heading(e, function->on_vfio ? "What VFIO sees" : "What VFIO would see");
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                status = explain_bar(e, function, line, before.lines[line], table == (int8_t) line);
                if (status != CLIENT_EXIT_FINE)
                        return status;
                trapped = trapped || report->bars[line].verdict == BAR_SHARED ||
                          report->bars[line].verdict == BAR_MISALIGNED;
        }
        if (!trapped)
                return CLIENT_EXIT_FINE;
        return client_print_wrapped(
                        2, "Each access to a BAR that is not mapped is trapped and emulated: where that was "
                           "measured, one register read took about 2 us instead of 0.1 us.");
}

static const char *alignment_text(const PolicySettings *settings, uint64_t page, char *buffer)
{
        return text_from_bytes(settings->alignment ? settings->alignment : page, buffer);
}

/* What the policy says of the BAR with the MSI-X table, if it is one of those that are to grow; §6. */
static ClientExit explain_table_policy(const Explanation *e, const PciFunction *function, unsigned line,
                                       const PolicySettings *settings)
{
        const PciResource *resource = &function->resources.lines[line];
        const char *source = e->policy ? policy_source(e->policy, function, "msix-table-bar") : "built in";
        if (!resource_is_assigned_memory(resource) || resource_size(resource) >= e->context->page)
                return client_print_wrapped(
                                2,
                                "Its MSI-X table is in %s, none of the BARs that would grow: what they "
                                "gain is not lessened by it.",
                                resource_line_name(function->resources.n_lines, line));
        return client_print_wrapped(
                        2,
                        settings->msix_table_bar == POLICY_MSIX_SKIP
                                        ? "%s holds the MSI-X table and would be realigned with the others: "
                                          "msix-table-bar = skip (%s) keeps from it only where no other BAR needs it."
                                        : "%s holds the MSI-X table and would be realigned with the others; if only "
                                          "QEMU uses the function, and does not move the table, set msix-table-bar = "
                                          "skip in the policy (now: realign, %s).",
                        resource_line_name(function->resources.n_lines, line), source);
}

static ClientExit explain_table_consequence(const Explanation *e, const PciFunction *function,
                                            const PolicySettings *settings)
{
        int8_t line = MSIX_TABLE_NONE;
        int r = msix_table_read(e->context->root, function->address, &line);
        if (r < 0 || line == MSIX_TABLE_UNSEEN)
                return client_print_wrapped(
                                2,
                                "Whether one of its BARs holds an MSI-X table is not seen (%s). QEMU with KVM keeps "
                                "trapping the page of that table; user-space drivers, and monitors that move the "
                                "table, gain.",
                                r < 0 ? strerror(-r) : "only root sees it");
        if (line == MSIX_TABLE_NONE)
                return client_print_wrapped(2, "It has no MSI-X table, of which a page would stay trapped.");
        return explain_table_policy(e, function, (unsigned) line, settings);
}

/* Design §9: what users have to hear. */
static ClientExit explain_consequences(const Explanation *e, const PciFunction *function)
{
        PolicySettings settings = { 0 };
        char size[TEXT_BYTES_MAX];

        heading(e, "What changes by it");
        if (e->policy)
                policy_settings(e->policy, function, &settings);
        ClientExit status = client_print_wrapped(
                        2,
                        "The kernel realigns a BAR by growing it to %s: sysfs, VFIO and guests then see that size. A "
                        "driver that insists on the exact size (Windows' ivshmem) breaks; for such a function set "
                        "realign = never in the policy.",
                        alignment_text(&settings, e->context->page, size));
        return client_exit_worse(status, explain_table_consequence(e, function, &settings));
}

static ClientExit explain_plan(const Explanation *e, const Plan *plan)
{
        heading(e, "What would be done");
        ClientExit status =
                        plan->scope == PLAN_SCOPE_BUS
                                        ? client_print_wrapped(
                                                          2,
                                                          "The bridge %s and all below it would be removed and found "
                                                          "again by a rescan, in which the kernel gives each small BAR "
                                                          "a page of its own.",
                                                          PCI_ADDRESS_TEXT(plan->functions[0].address))
                                        : client_print_wrapped(
                                                          2,
                                                          "It would be removed alone and found again by a rescan, in "
                                                          "which the kernel gives each of its small BARs a page of its "
                                                          "own.");
        if (status == CLIENT_EXIT_FINE && plan->narrowed != REASON_NONE)
                status = client_print_wrapped(2, "Not the whole bus, because of %s: %s.",
                                              PCI_ADDRESS_TEXT(plan->narrowed_by),
                                              reason_text(plan->narrowed));

        heading(e, "What that would disturb");
        client_print_wrapped(
                        2,
                        "These functions would be gone for about a second, and then be back on their drivers:");
        for (size_t i = 0; i < plan->n_functions; i++)
                printf("    %s %s\n", PCI_ADDRESS_TEXT(plan->functions[i].address),
                       plan->functions[i].driver ? plan->functions[i].driver : "(no driver)");
        return status;
}

static ClientExit explain_refusal(const Explanation *e, Reason reason, PciAddress culprit,
                                  const char *detail)
{
        heading(e, "What stands against realigning it");
        ClientExit status = client_print_wrapped(2, "%s: %s%s%s.", PCI_ADDRESS_TEXT(culprit),
                                                 reason_text(reason), detail ? "; it is " : "",
                                                 detail ? detail : "");
        heading(e, "What you can do");
        const char *remedy = reason_remedy(reason);
        return client_exit_worse(status, client_print_wrapped(2, "%c%s.", toupper((unsigned char) remedy[0]),
                                                              remedy + 1));
}

/* Who would do it, and when. */
static ClientExit explain_policy(const Explanation *e, const PciFunction *function)
{
        PolicySettings settings;
        if (!e->policy)
                return CLIENT_EXIT_ERROR;
        policy_settings(e->policy, function, &settings);
        const char *source = policy_source(e->policy, function, "realign");

        heading(e, "What you can do");
        switch (settings.realign) {
        case POLICY_REALIGN_AUTO:
                return client_print_wrapped(
                                2,
                                "Run the service vfio-realign: it does this by itself once the bus is "
                                "quiet (realign = auto, %s).",
                                source);
        case POLICY_REALIGN_REPORT:
                return client_print_wrapped(
                                2,
                                "The policy says realign = report (%s): the service only reports it. Set "
                                "realign = auto to have it done.",
                                source);
        case POLICY_REALIGN_NEVER:
                break;
        }
        return client_print_wrapped(
                        2, "The policy says realign = never (%s). Set realign = auto to have it done.",
                        source);
}

static ClientExit explain_what_would_be_done(const Explanation *e, const PciFunction *function,
                                             const Prospect *prospect)
{
        const FunctionReport *report = verdict_of(e->machine->verdicts, function);

        if (prospect->reason != REASON_NONE)
                return explain_refusal(e, prospect->reason, prospect->culprit, prospect->detail);
        if (!prospect->plan) {
                heading(e, "What would be done");
                return client_print_wrapped(2, report->verdict == FUNCTION_OK
                                                               ? "Nothing: there is nothing to gain."
                                                               : "Nothing: it was realigned meanwhile.");
        }
        ClientExit status = explain_plan(e, prospect->plan);
        status = client_exit_worse(status, explain_consequences(e, function));
        return client_exit_worse(status, explain_policy(e, function));
}

static ClientExit explain(const Explanation *e, const PciFunction *function)
{
        _cleanup_(prospect_clear) Prospect prospect = { 0 };

        ClientExit status = introduce(e, function);
        status = client_exit_worse(status, explain_bars(e, function));
        fflush(stdout);
        status = client_exit_worse(status, prospect_make(e->context, e->machine, function, &prospect));
        return client_exit_worse(status, explain_what_would_be_done(e, function, &prospect));
}

/* {"realign", "source"}; null when the policy cannot be read. */
static int add_policy(const Explanation *e, const PciFunction *function, JsonObject *object)
{
        _cleanup_json_ JsonObject *policy = json_object_new_object();
        PolicySettings settings;

        if (!e->policy)
                return json_object_object_add(object, "policy", NULL);
        policy_settings(e->policy, function, &settings);
        if (!policy || json_add_text(policy, "realign", policy_realign_name(settings.realign)) < 0 ||
            json_add_text(policy, "source", policy_source(e->policy, function, "realign")) < 0)
                return -ENOMEM;
        return json_add(object, "policy", TAKE_PTR(policy));
}

static bool is_in_page_of_earlier(const Explanation *e, const PciFunction *function, unsigned line)
{
        const FunctionReport *report = verdict_of(e->machine->verdicts, function);
        const uint64_t page = e->context->page;
        const PciResource *lines = function->resources.lines;

        for (unsigned i = 0; i < line; i++)
                if (report->bars[i].small &&
                    page_start(lines[i].start, page) == page_start(lines[line].start, page))
                        return true;
        return false;
}

/* The number of the BAR with the MSI-X table; null: it has none, or (msix-table-seen = false) it is not seen. */
static int add_table(const Explanation *e, const PciFunction *function, JsonObject *object)
{
        int8_t line = MSIX_TABLE_NONE;
        int r = msix_table_read(e->context->root, function->address, &line);
        if (json_add_bool(object, "msix-table-seen", r == 0 && line != MSIX_TABLE_UNSEEN) < 0)
                return -ENOMEM;
        return line < 0 ? json_object_object_add(object, "msix-table-bar", NULL)
                        : json_add_u64(object, "msix-table-bar", (uint64_t) line);
}

/* The pages that its small BARs are in. */
static int add_pages(const Explanation *e, const PciFunction *function, JsonObject *object)
{
        const FunctionReport *report = verdict_of(e->machine->verdicts, function);
        _cleanup_json_ JsonObject *pages = json_object_new_array();

        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                const PciResource *resource = &function->resources.lines[line];
                _cleanup_(page_view_freep) PageView *view = NULL;
                if (!report->bars[line].small || is_in_page_of_earlier(e, function, line))
                        continue;
                int r = page_view_make(e->machine->pages, resource->start, &view);
                if (r < 0)
                        return r;
                if (!pages || json_append(pages, document_page(e->machine->verdicts, view)) < 0)
                        return -ENOMEM;
        }
        return json_add(object, "pages", TAKE_PTR(pages));
}

static JsonObject *to_json(const Explanation *e, const PciFunction *function, const Prospect *prospect)
{
        const FunctionReport *report = verdict_of(e->machine->verdicts, function);
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_free_ char *name = pci_names_of(e->names, function);
        OwnSizes before;

        if (!object || !name || machine_sizes_before(e->machine, function, &before) != CLIENT_EXIT_FINE ||
            json_add_address(object, "function", function->address) < 0 ||
            json_add_text(object, "model", name) < 0 ||
            document_add_text_or_null(object, "driver", function->driver) < 0 ||
            document_add_group(object, "group", function) < 0 ||
            json_add_bool(object, "on-vfio", function->on_vfio) < 0 ||
            json_add_text(object, "verdict", function_verdict_name(report->verdict)) < 0 ||
            json_add(object, "bars", document_bars(e->machine, function, &before)) < 0 ||
            add_table(e, function, object) < 0 || add_pages(e, function, object) < 0 ||
            add_policy(e, function, object) < 0 || prospect_add_json(prospect, object) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static ClientExit explain_as_json(const Explanation *e, const Selection *selection)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *functions = json_object_new_array();
        ClientExit worst = CLIENT_EXIT_FINE;

        for (size_t i = 0; i < selection->n_functions; i++) {
                _cleanup_(prospect_clear) Prospect prospect = { 0 };
                ClientExit status =
                                prospect_make(e->context, e->machine, selection->functions[i], &prospect);
                worst = client_exit_worse(worst, status);
                if (!functions || json_append(functions, to_json(e, selection->functions[i], &prospect)) < 0)
                        return client_error("out of memory");
        }
        if (!object || json_add_u64(object, "page", e->context->page) < 0 ||
            json_add_bool(object, "iomem-seen", e->machine->iomem->visible) < 0 ||
            json_add(object, "functions", TAKE_PTR(functions)) < 0)
                return client_error("out of memory");
        return client_exit_worse(worst, client_print_json(e->context, object));
}

static ClientExit explain_all(const Explanation *e, const Selection *selection)
{
        ClientExit worst = CLIENT_EXIT_FINE;

        for (size_t i = 0; i < selection->n_functions; i++) {
                if (i > 0)
                        putchar('\n');
                worst = client_exit_worse(worst, explain(e, selection->functions[i]));
        }
        return worst;
}

ClientExit verb_explain(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(machine_freep) Machine *machine = NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_(pci_names_closep) PciNames *names = NULL;
        _cleanup_(selection_clear) Selection selection = { 0 };

        ClientExit status = machine_read(context, &machine);
        if (status != CLIENT_EXIT_FINE)
                return status;
        if (pci_names_open(&names) < 0)
                return client_error("out of memory");
        status = client_load_policy(context, &policy);
        status = client_exit_worse(status, selection_add_named(&selection, machine->topology, n, arguments));

        const Explanation e = { .context = context,
                                .machine = machine,
                                .policy = policy,
                                .names = names,
                                .style = context->style };
        if (selection.n_functions > 0)
                status = client_exit_worse(status, context->json != CLIENT_JSON_OFF
                                                                   ? explain_as_json(&e, &selection)
                                                                   : explain_all(&e, &selection));
        for (size_t i = 0; i < selection.n_functions; i++)
                status = client_exit_worse(status, machine_exit_status(verdict_of(machine->verdicts,
                                                                                  selection.functions[i])
                                                                                       ->verdict));
        fflush(stdout);
        machine_say_unseen(machine);
        return status;
}
