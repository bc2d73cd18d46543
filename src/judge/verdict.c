/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Neighbours are found in one sorted array of fragments: what a resource owns of a page that it does not fill. A
 * resource that fills the page is, for every other one there, a container (a physical function's VF BARs, a VMD
 * controller's BAR, a "Reserved" region) and hinders VFIO as little as a bridge's window does: the rest of the page can
 * still be reserved inside it. Every other owner, also a container that ends within the page, makes the
 * request_resource() of vfio_pci_probe_mmaps() fail (KF §5).
 */

#include "judge/verdict.h"

#include "base/page.h"

#include <errno.h>

#define LINES_JUDGED 13u          /* BARs, ROM, VF BARs; no windows */
#define FRAGMENTS_PER_RESOURCE 2u /* in its first and in its last page */

#define CLASS_BRIDGE_HOST 0x0600u
#define CLASS_BRIDGE_ISA 0x0601u
#define CLASS_SYSTEM_PIC 0x0800u

typedef struct Fragment {
        uint64_t page;               /* address */
        uint64_t start, end;         /* of the whole resource */
        const PciFunction *function; /* NULL: of /proc/iomem */
        unsigned line;
        const char *name; /* of /proc/iomem */
} Fragment;

typedef struct Fragments {
        uint64_t page_size;
        Fragment *items; /* sorted by compare_fragments() */
        size_t n;
} Fragments;

static int compare_numbers(uint64_t a, uint64_t b)
{
        return (a > b) - (a < b);
}

static int compare_fragments(const void *left, const void *right)
{
        const Fragment *a = left, *b = right;
        int order = compare_numbers(a->page, b->page);
        if (order == 0)
                order = compare_numbers(a->start, b->start);
        if (order == 0)
                order = compare_numbers(a->end, b->end);
        if (order == 0) /* functions are sorted by address; NULL comes first */
                order = compare_numbers((uintptr_t) a->function, (uintptr_t) b->function);
        return order == 0 ? compare_numbers(a->line, b->line) : order;
}

static bool fills_page(const Fragment *fragment, uint64_t page_size)
{
        return fragment->start <= fragment->page && fragment->end >= page_end(fragment->page, page_size);
}

/* OWNER without its page, which is filled in for each page that it owns a part of. */
static void add_fragments(Fragments *fragments, Fragment owner)
{
        uint64_t first = page_start(owner.start, fragments->page_size),
                 last = page_start(owner.end, fragments->page_size);

        owner.page = first;
        if (!fills_page(&owner, fragments->page_size))
                fragments->items[fragments->n++] = owner;
        owner.page = last;
        if (last != first && !fills_page(&owner, fragments->page_size))
                fragments->items[fragments->n++] = owner;
}

/* Lines that can own bytes of a page (KF §6): a shadow ROM is a copy in RAM. */
static bool is_owner(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        ResourceKind kind = resource_kind(function->resources.n_lines, line);
        if (kind == RESOURCE_KIND_WINDOW || !resource_is_assigned_memory(resource))
                return false;
        return kind != RESOURCE_KIND_ROM || !(resource->flags & RESOURCE_ROM_SHADOW);
}

static Fragment function_fragment(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        return (Fragment){
                .start = resource->start, .end = resource->end, .function = function, .line = line
        };
}

static int collect_fragments(const Topology *topology, const Iomem *iomem, Fragments *fragments)
{
        size_t n_ranges = iomem && iomem->visible ? iomem->n_ranges : 0;
        size_t most = FRAGMENTS_PER_RESOURCE * (topology->n_functions * LINES_JUDGED + n_ranges);
        fragments->items = reallocarray(NULL, most + 1, sizeof(Fragment));
        if (!fragments->items)
                return -ENOMEM;

        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                for (unsigned line = 0; line < function->resources.n_lines; line++)
                        if (is_owner(function, line))
                                add_fragments(fragments, function_fragment(function, line));
        }
        for (size_t i = 0; i < n_ranges; i++)
                add_fragments(fragments, (Fragment){ .start = iomem->ranges[i].start,
                                                     .end = iomem->ranges[i].end,
                                                     .name = iomem->ranges[i].name });
        qsort(fragments->items, fragments->n, sizeof(Fragment), compare_fragments);
        return 0;
}

/* The first fragment that is not before KEY, or the number of all. */
static size_t lower_bound(const Fragments *fragments, const Fragment *key)
{
        size_t low = 0, high = fragments->n;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (compare_fragments(&fragments->items[middle], key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static const Fragment *find_fragment(const Fragments *fragments, const Fragment *key)
{
        size_t at = lower_bound(fragments, key);
        return at < fragments->n && compare_fragments(&fragments->items[at], key) == 0
                               ? &fragments->items[at]
                               : NULL;
}

/* All fragments of the page at PAGE: from *RET_BEGIN up to *RET_END. */
static void find_page(const Fragments *fragments, uint64_t page, const Fragment **ret_begin,
                      const Fragment **ret_end)
{
        size_t begin = lower_bound(fragments, &(Fragment){ .page = page });
        Fragment after = { .page = page + fragments->page_size };
        size_t end = after.page == 0 ? fragments->n : lower_bound(fragments, &after);
        *ret_begin = fragments->items + begin;
        *ret_end = fragments->items + end;
}

/* Adds the neighbours in the page at PAGE to REPORT. KEY is the BAR. */
static void judge_page(const Fragments *fragments, Fragment key, uint64_t page, BarReport *report)
{
        key.page = page;
        const Fragment *own = find_fragment(fragments, &key), *begin, *end;
        if (!own)
                return; /* the BAR fills the page */
        find_page(fragments, page, &begin, &end);
        if (end - begin == 1)
                return;

        if (report->n_neighbours == 0) {
                /* the one that comes next in memory, else the one before */
                const Fragment *neighbour = own + 1 < end ? own + 1 : own - 1;
                report->neighbour = neighbour->function;
                report->neighbour_line = neighbour->line;
                report->neighbour_name = neighbour->name;
        }
        report->n_neighbours += (unsigned) (end - begin) - 1;
}

static void judge_bar(const Fragments *fragments, const PciFunction *function, unsigned line,
                      BarReport *report)
{
        const PciResource *resource = &function->resources.lines[line];
        uint64_t page = fragments->page_size;

        if ((resource->flags & RESOURCE_TYPE_MASK) != RESOURCE_MEMORY)
                return;
        if (!resource_is_assigned_memory(resource)) {
                report->verdict = BAR_UNASSIGNED;
                return;
        }
        uint64_t first = page_start(resource->start, page), last = page_start(resource->end, page);
        Fragment key = function_fragment(function, line);
        judge_page(fragments, key, first, report);
        if (last != first)
                judge_page(fragments, key, last, report);

        report->small = resource_size(resource) < page;
        if (!report->small)
                report->verdict = BAR_MAPPABLE; /* vfio_pci_probe_mmaps() asks nothing else then */
        else if (report->n_neighbours > 0)
                report->verdict = BAR_SHARED;
        else
                report->verdict = resource->start == first ? BAR_MAPPABLE : BAR_MISALIGNED;
}

bool verdict_has_fixed_bar(const PciFunction *function)
{
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                const PciResource *resource = &function->resources.lines[line];
                if (resource_is_assigned_memory(resource) &&
                    (resource->flags & (RESOURCE_PCI_FIXED | RESOURCE_PCI_EA)))
                        return true;
        }
        return false;
}

static void judge_function(const Fragments *fragments, const PciFunction *function, FunctionReport *report)
{
        BarVerdict worst = BAR_NONE;
        bool needs = false;

        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                BarReport *bar = &report->bars[line];
                judge_bar(fragments, function, line, bar);
                if (bar->verdict > worst)
                        worst = bar->verdict;
                needs |= bar->verdict == BAR_MISALIGNED || bar->verdict == BAR_SHARED;
        }
        if (needs) {
                report->reason = verdict_refusal(function);
                if (report->reason == REASON_NONE && verdict_has_fixed_bar(function))
                        report->reason = REASON_FIXED_BAR;
        }
        if (report->reason == REASON_NONE && worst == BAR_UNASSIGNED)
                report->reason = REASON_BAR_UNASSIGNED;

        if (report->reason != REASON_NONE)
                report->verdict = FUNCTION_CANNOT;
        else
                report->verdict = needs ? FUNCTION_NEEDS_REALIGN : FUNCTION_OK;
}

int verdict_compute(const Topology *topology, const Iomem *iomem, uint64_t page, Verdicts **ret)
{
        Fragments fragments = { .page_size = page };
        _cleanup_(verdict_freep) Verdicts *verdicts = calloc(1, sizeof(*verdicts));
        if (!verdicts)
                return -ENOMEM;
        verdicts->topology = topology;
        verdicts->page = page;
        verdicts->functions = calloc(topology->n_functions + 1, sizeof(FunctionReport));
        if (!verdicts->functions)
                return -ENOMEM;

        int r = collect_fragments(topology, iomem, &fragments);
        if (r < 0)
                return r;
        for (size_t i = 0; i < topology->n_functions; i++)
                judge_function(&fragments, &topology->functions[i], &verdicts->functions[i]);
        free(fragments.items);
        *ret = TAKE_PTR(verdicts);
        return 0;
}

Verdicts *verdict_free(Verdicts *verdicts)
{
        if (!verdicts)
                return NULL;
        free(verdicts->functions);
        free(verdicts);
        return NULL;
}

const FunctionReport *verdict_of(const Verdicts *verdicts, const PciFunction *function)
{
        return &verdicts->functions[function - verdicts->topology->functions];
}

unsigned verdict_n_refused(const FunctionReport *report)
{
        unsigned n = 0;
        for (unsigned line = 0; line < RESOURCE_BARS; line++)
                n += report->bars[line].verdict > BAR_MAPPABLE;
        return n;
}

bool verdict_is_target(const Verdicts *verdicts, const PciFunction *function)
{
        return function->on_vfio && !function->is_bridge &&
               verdict_of(verdicts, function)->verdict == FUNCTION_NEEDS_REALIGN;
}

Reason verdict_refusal(const PciFunction *function)
{
        const struct {
                bool applies;
                Reason reason;
        } refusals[] = {
                { function->zpci, REASON_PLATFORM },
                { function->is_virtual, REASON_VIRTUAL_FUNCTION },
                { function->has_virtual, REASON_PF_WITH_VFS },
                { function->class >> 8 == CLASS_BRIDGE_HOST, REASON_HOST_BRIDGE },
                { function->class >> 8 == PCI_CLASS_UNDEFINED >> 8, REASON_CLASS_UNDEFINED },
                { function->class >> 8 == CLASS_SYSTEM_PIC, REASON_IOAPIC },
                { function->class >> 8 == CLASS_BRIDGE_ISA, REASON_ISA_BRIDGE },
                { function->boot_display, REASON_BOOT_DISPLAY },
                { function->removable, REASON_EXTERNAL },
                { function->vmd, REASON_VMD },
                { function->probe_only, REASON_FIRMWARE_ASSIGNMENT },
        };
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                if (refusals[i].applies)
                        return refusals[i].reason;
        return REASON_NONE;
}

const char *bar_verdict_text(const BarReport *bar)
{
        switch (bar->verdict) {
        case BAR_NONE:
                return "";
        case BAR_MAPPABLE:
                return bar->small ? "mappable (small)" : "mappable";
        case BAR_MISALIGNED:
                return "misaligned";
        case BAR_SHARED:
                return "shared";
        case BAR_UNASSIGNED:
                return "unassigned";
        }
        return "";
}

const char *function_verdict_name(FunctionVerdict verdict)
{
        switch (verdict) {
        case FUNCTION_OK:
                return "ok";
        case FUNCTION_NEEDS_REALIGN:
                return "needs-realign";
        case FUNCTION_CANNOT:
                return "cannot";
        }
        return "";
}
