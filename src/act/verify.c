/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/verify.h"

#include "judge/plan-proof.h"

#include <string.h>

/* A shadowed ROM is a copy in main memory, not a resource of the function. */
static bool must_come_back(const PciResource *before, unsigned line)
{
        return resource_is_assigned(before) &&
               !(line == RESOURCE_ROM && before->flags & RESOURCE_ROM_SHADOW);
}

/*
 * An entry that is gone now may have grown it (KF §2): then it comes back in its own size. Where that is not known (it was
 * somebody else's entry), a size below a page is taken for its own.
 */
static bool has_shrunk(const PciResource *before, const PciResource *now, uint64_t own, uint64_t page)
{
        bool was_grown = own != 0 && own < resource_size(before);
        if (resource_size(now) >= resource_size(before))
                return false;
        return was_grown ? resource_size(now) < own : resource_size(now) >= page;
}

int verify_line(const PlanFunction *planned, const PciFunction *function, unsigned line, uint64_t page,
                Finding *finding)
{
        const PciResource *before = &planned->resources.lines[line], *now = &function->resources.lines[line];
        bool is_same_type = ((before->flags ^ now->flags) & RESOURCE_TYPE_MASK) == 0;

        if (!must_come_back(before, line) || (resource_is_assigned(now) && is_same_type &&
                                              !has_shrunk(before, now, planned->own.lines[line], page)))
                return FINDING_NONE;
        return finding_make(finding, REASON_BAR_LOST, function->address, "%s, %llu bytes, was at 0x%llx",
                            resource_line_name(planned->resources.n_lines, line),
                            (unsigned long long) resource_size(before), (unsigned long long) before->start);
}

/* VF BARs belong to virtual functions, and with those on no plan is made; BARs and the ROM are what counts. */
static int verify_assigned(const PlanFunction *planned, const PciFunction *function, uint64_t page,
                           Finding *finding)
{
        int r = FINDING_NONE;
        for (unsigned line = 0; line <= RESOURCE_ROM && r == FINDING_NONE; line++)
                r = verify_line(planned, function, line, page, finding);
        return r;
}

static int verify_present(const PlanFunction *planned, const Topology *topology, const PciFunction **ret,
                          Finding *finding)
{
        const PciFunction *function = topology_find_path(topology, planned->path);
        if (!function)
                return finding_make(finding, REASON_FUNCTION_MISSING, planned->address, "nothing is at %s",
                                    planned->path);
        if (!plan_function_is(planned, function))
                return finding_make(finding, REASON_IDS_CHANGED, function->address,
                                    "%04x:%04x class %06x was there, now %04x:%04x class %06x",
                                    planned->vendor, planned->device, planned->class, function->vendor,
                                    function->device, function->class);
        *ret = function;
        return FINDING_NONE;
}

static int verify_mappable(const Plan *plan, const PlanFunction *planned, const Verdicts *verdicts,
                           const PciFunction *function, Finding *finding)
{
        const FunctionReport *report = verdict_of(verdicts, function);

        for (unsigned line = 0; plan_is_for_vfio(plan, planned) && line < RESOURCE_BARS; line++) {
                const BarReport *bar = &report->bars[line];
                if (bar->verdict == BAR_NONE || (bar->verdict == BAR_MAPPABLE && bar->n_neighbours == 0))
                        continue;
                /* What had no address before may do without one still. */
                if (bar->verdict == BAR_UNASSIGNED && !resource_is_assigned(&planned->resources.lines[line]))
                        continue;
                return finding_make(finding, REASON_PAGE_SHARED, function->address,
                                    "BAR %u at 0x%llx is %s%s%s", line,
                                    (unsigned long long) function->resources.lines[line].start,
                                    bar_verdict_text(bar), bar->neighbour ? ", its neighbour is " : "",
                                    bar->neighbour ? PCI_ADDRESS_TEXT(bar->neighbour->address) : "");
        }
        return FINDING_NONE;
}

/* A BAR that an entry was to grow has grown, or none was to. */
static bool has_effect(const Plan *plan, const Topology *topology)
{
        bool is_due = false;

        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *planned = &plan->functions[i];
                const PciFunction *function = topology_find_path(topology, planned->path);
                bool has_entry = function && planned->alignment > 0 && !plan_gives_back(plan, planned);
                for (unsigned line = 0; has_entry && line <= RESOURCE_ROM; line++) {
                        uint64_t before = resource_size(&planned->resources.lines[line]);
                        if (planned->own.lines[line] == 0 || before >= planned->alignment)
                                continue;
                        if (resource_size(&function->resources.lines[line]) > before)
                                return true;
                        is_due = true;
                }
        }
        return !is_due;
}

static int verify_own_sizes(const PlanFunction *planned, const PciFunction *function, Finding *finding)
{
        for (unsigned line = 0; line <= RESOURCE_ROM; line++) {
                const PciResource *now = &function->resources.lines[line];
                uint64_t own = planned->own.lines[line];
                if (own != 0 && resource_is_assigned(now) && resource_size(now) != own)
                        return finding_make(finding, REASON_SIZE_KEPT, function->address,
                                            "%s has %llu bytes, %llu by itself",
                                            resource_line_name(planned->resources.n_lines, line),
                                            (unsigned long long) resource_size(now),
                                            (unsigned long long) own);
        }
        return FINDING_NONE;
}

static bool have_common_page(const PciResource *a, const PciResource *b, uint64_t page)
{
        return resource_is_assigned_memory(a) && resource_is_assigned_memory(b) &&
               a->start / page <= b->end / page && b->start / page <= a->end / page;
}

static int verify_apart_from(const Plan *plan, const PciFunction *function, const PciFunction *other,
                             Finding *finding)
{
        for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                for (unsigned theirs = 0; theirs <= RESOURCE_ROM; theirs++)
                        if (have_common_page(&function->resources.lines[line],
                                             &other->resources.lines[theirs], plan->page))
                                return finding_make(
                                                finding, REASON_PAGE_SHARED, function->address,
                                                "%s at its own size would share a page with %s, which is on VFIO",
                                                resource_line_name(function->resources.n_lines, line),
                                                PCI_ADDRESS_TEXT(other->address));
        return FINDING_NONE;
}

static bool is_given_back(const Plan *plan, const Topology *topology, const PciFunction *function)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (plan_gives_back(plan, &plan->functions[i]) &&
                    topology_find_path(topology, plan->functions[i].path) == function)
                        return true;
        return false;
}

/* What was on VFIO before and is not bound yet counts as well. */
static bool is_of_vfio(const Plan *plan, const Topology *topology, const PciFunction *function)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (topology_find_path(topology, plan->functions[i].path) == function)
                        return plan->functions[i].on_vfio;
        return function->on_vfio;
}

/* Functions that were given back may share pages among each other, as they did before. */
static int verify_apart(const Plan *plan, const Topology *topology, const PciFunction *function,
                        Finding *finding)
{
        int r = FINDING_NONE;
        for (size_t i = 0; i < topology->n_functions && r == FINDING_NONE; i++) {
                const PciFunction *other = &topology->functions[i];
                if (other != function && is_of_vfio(plan, topology, other) &&
                    !is_given_back(plan, topology, other))
                        r = verify_apart_from(plan, function, other, finding);
        }
        return r;
}

static int verify_goal(const Plan *plan, const PlanFunction *planned, const Topology *topology,
                       const Verdicts *verdicts, const PciFunction *function, Finding *finding)
{
        if (!plan_gives_back(plan, planned))
                return verify_mappable(plan, planned, verdicts, function, finding);
        int r = verify_own_sizes(planned, function, finding);
        return r == FINDING_NONE ? verify_apart(plan, topology, function, finding) : r;
}

int verify_shares(const Plan *plan, size_t index, const Topology *topology, const Verdicts *verdicts,
                  Finding *finding)
{
        const PlanFunction *planned = &plan->functions[index];
        const PciFunction *function = topology_find_path(topology, planned->path);
        if (!function || !plan_gives_back(plan, planned))
                return FINDING_NONE;
        return verify_mappable(plan, planned, verdicts, function, finding);
}

int verify_function(const Plan *plan, size_t index, const Topology *topology, Finding *finding)
{
        const PlanFunction *planned = &plan->functions[index];
        const PciFunction *function = NULL;
        int r = verify_present(planned, topology, &function, finding);
        return r == FINDING_NONE ? verify_assigned(planned, function, plan->page, finding) : r;
}

int verify_all_back(const Plan *plan, const Topology *topology, Finding *finding)
{
        int r = FINDING_NONE;
        for (size_t i = 0; i < plan->n_functions && r == FINDING_NONE; i++)
                r = verify_function(plan, i, topology, finding);
        return r;
}

int verify_world(const Plan *plan, const Topology *topology, const Verdicts *verdicts, Finding *finding)
{
        int r = FINDING_NONE;

        for (size_t i = 0; i < plan->n_functions && r == FINDING_NONE; i++) {
                const PlanFunction *planned = &plan->functions[i];
                const PciFunction *function = NULL;
                r = verify_present(planned, topology, &function, finding);
                if (r == FINDING_NONE)
                        r = verify_assigned(planned, function, plan->page, finding);
                if (r == FINDING_NONE)
                        r = verify_goal(plan, planned, topology, verdicts, function, finding);
        }
        /* Nothing at all came of the entries: a wider scope would not change that. */
        if (r == FINDING_MADE && finding->reason == REASON_PAGE_SHARED && !has_effect(plan, topology))
                finding->reason = REASON_FIRMWARE_ASSIGNMENT;
        return r;
}

bool verify_untouched(const Plan *plan, const Topology *topology)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *planned = &plan->functions[i];
                const PciFunction *function = topology_find_path(topology, planned->path);
                if (!function || !plan_function_is(planned, function) ||
                    function->resources.n_lines != planned->resources.n_lines ||
                    memcmp(function->resources.lines, planned->resources.lines,
                           planned->resources.n_lines * sizeof(planned->resources.lines[0])) != 0)
                        return false;
        }
        return true;
}

static bool is_planned(const Plan *plan, const Topology *topology, const PciFunction *function)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (topology_find_path(topology, plan->functions[i].path) == function)
                        return true;
        return false;
}

static int group_finding(const PciFunction *function, const PciFunction *other, bool has_joined,
                         Finding *finding)
{
        return finding_make(finding, REASON_GROUP_CHANGED, function->address, "%s %s its group %d%s",
                            PCI_ADDRESS_TEXT(other->address), has_joined ? "has joined" : "has left",
                            function->iommu_group,
                            has_joined ? ": the two are no longer isolated from each other" : "");
}

/* Functions of the plan that have joined PLANNED's group, or have left it. */
static int compare_planned(const Plan *plan, const PlanFunction *planned, const Topology *topology,
                           const PciFunction *function, bool joined, Finding *finding)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *other = &plan->functions[i];
                const PciFunction *now = topology_find_path(topology, other->path);
                if (other == planned || !now || other->iommu_group == IOMMU_GROUP_NONE ||
                    now->iommu_group == IOMMU_GROUP_NONE)
                        continue;
                bool was_together = other->iommu_group == planned->iommu_group;
                bool is_together = now->iommu_group == function->iommu_group;
                if (was_together != is_together && is_together == joined)
                        return group_finding(function, now, joined, finding);
        }
        return FINDING_NONE;
}

static bool was_there(const KnownFunctions *known, const PciFunction *function)
{
        for (size_t i = 0; known && i < known->n; i++)
                if (pci_address_equal(known->addresses[i], function->address))
                        return true;
        return !known;
}

/* What was not removed is in the group that it was in before; what the rescan has brought in was in none. */
static int compare_others(const Plan *plan, const PlanFunction *planned, const Topology *topology,
                          const KnownFunctions *known, const PciFunction *function, bool joined,
                          Finding *finding)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *other = &topology->functions[i];
                bool was_together = other->iommu_group == planned->iommu_group && was_there(known, other);
                bool is_together = other->iommu_group == function->iommu_group;
                if (was_together != is_together && is_together == joined &&
                    !is_planned(plan, topology, other))
                        return group_finding(function, other, joined, finding);
        }
        return FINDING_NONE;
}

int verify_group(const Plan *plan, size_t index, const Topology *topology, const KnownFunctions *known,
                 Finding *finding)
{
        const PlanFunction *planned = &plan->functions[index];
        const PciFunction *function = topology_find_path(topology, planned->path);

        if (!function || planned->iommu_group == IOMMU_GROUP_NONE ||
            function->iommu_group == IOMMU_GROUP_NONE)
                return FINDING_NONE;
        /* Who has joined is told first: that weakens isolation. */
        int r = compare_planned(plan, planned, topology, function, true, finding);
        if (r == FINDING_NONE)
                r = compare_others(plan, planned, topology, known, function, true, finding);
        if (r == FINDING_NONE)
                r = compare_planned(plan, planned, topology, function, false, finding);
        if (r == FINDING_NONE)
                r = compare_others(plan, planned, topology, known, function, false, finding);
        if (r == FINDING_NONE && function->iommu_group != planned->iommu_group)
                r = finding_make(finding, REASON_GROUP_RENUMBERED, function->address,
                                 "group %d is now group %d", planned->iommu_group, function->iommu_group);
        return r;
}
