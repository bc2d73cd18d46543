/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The kernel places what a rescan found largest alignment first, each at the lowest fitting address of the first window
 * that takes its type (pdev_sort_resources(), __pci_assign_resource()). A bridge that stayed keeps its windows, and
 * nothing that stayed is moved (KF §3), so doing the same here tells beforehand whether all will find a place.
 */

#include "judge/window-fit.h"

typedef struct Span {
        uint64_t start, end; /* inclusive */
} Span;

/* What is taken, sorted by start; spans may lie within others. */
typedef struct Spans {
        Span *items;
        size_t n;
} Spans;

typedef struct Request {
        uint64_t size, alignment;
        uint64_t flags;
        size_t order; /* of the functions and lines: equal alignments keep it */
} Request;

typedef struct Requests {
        Request *items;
        size_t n;
} Requests;

static void spans_free(Spans *spans)
{
        free(spans->items);
}

static void requests_free(Requests *requests)
{
        free(requests->items);
}

static int compare_spans(const void *left, const void *right)
{
        const Span *a = left, *b = right;
        return (a->start > b->start) - (a->start < b->start);
}

static int compare_requests(const void *left, const void *right)
{
        const Request *a = left, *b = right;
        if (a->alignment != b->alignment)
                return a->alignment > b->alignment ? -1 : 1;
        return (a->order > b->order) - (a->order < b->order);
}

static bool is_moving(const PciFunction *function, const PciFunction *const *moving, size_t n_moving)
{
        for (size_t i = 0; i < n_moving; i++)
                if (function == moving[i] || topology_is_below(function, moving[i]))
                        return true;
        return false;
}

/* What stays below BRIDGE, child bridges' windows included; room for N_MORE spans is left. */
static bool collect_spans(const Topology *topology, const PciFunction *bridge,
                          const PciFunction *const *moving, size_t n_moving, size_t n_more, Spans *spans)
{
        spans->items = reallocarray(NULL, topology->n_functions * RESOURCE_LINES + n_more + 1, sizeof(Span));
        if (!spans->items)
                return false;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (!topology_is_below(function, bridge) || is_moving(function, moving, n_moving))
                        continue;
                for (unsigned line = 0; line < function->resources.n_lines; line++) {
                        const PciResource *resource = &function->resources.lines[line];
                        if (resource_is_assigned_memory(resource))
                                spans->items[spans->n++] = (Span){ resource->start, resource->end };
                }
        }
        qsort(spans->items, spans->n, sizeof(Span), compare_spans);
        return true;
}

/* The largest power of two that divides SIZE: at least the alignment that a VF BAR or window needs. */
static uint64_t divisor(uint64_t size)
{
        return size & -size;
}

static bool is_request(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        bool shadow = resource_kind(function->resources.n_lines, line) == RESOURCE_KIND_ROM &&
                      (resource->flags & RESOURCE_ROM_SHADOW);
        return resource_is_assigned_memory(resource) && !shadow;
}

static bool collect_requests(const PciFunction *const *moving, size_t n_moving, uint64_t alignment,
                             Requests *requests)
{
        requests->items = reallocarray(NULL, n_moving * RESOURCE_LINES + 1, sizeof(Request));
        if (!requests->items)
                return false;
        for (size_t i = 0; i < n_moving; i++)
                for (unsigned line = 0; line < moving[i]->resources.n_lines; line++) {
                        const PciResource *resource = &moving[i]->resources.lines[line];
                        uint64_t size = resource_size(resource);
                        if (!is_request(moving[i], line))
                                continue;
                        if (line <= RESOURCE_ROM && size < alignment)
                                size = alignment; /* grown by our entry (KF §2) */
                        requests->items[requests->n] = (Request){ .size = size,
                                                                  .alignment = divisor(size),
                                                                  .flags = resource->flags,
                                                                  .order = requests->n };
                        requests->n++;
                }
        qsort(requests->items, requests->n, sizeof(Request), compare_requests);
        return true;
}

/* The lowest free place in WINDOW. */
static bool find_place(const Spans *spans, Span window, const Request *request, uint64_t *ret_start)
{
        uint64_t at = window.start;
        for (size_t i = 0; i <= spans->n; i++) {
                uint64_t start = at + (-at & (request->alignment - 1)), end;
                if (start < at || __builtin_add_overflow(start, request->size - 1, &end) || end > window.end)
                        return false;
                if (i == spans->n || end < spans->items[i].start) {
                        *ret_start = start;
                        return true;
                }
                if (spans->items[i].end >= at) {
                        if (spans->items[i].end >= window.end)
                                return false;
                        at = spans->items[i].end + 1;
                }
        }
        return false;
}

static void insert_span(Spans *spans, Span span)
{
        size_t at = spans->n++;
        for (; at > 0 && spans->items[at - 1].start > span.start; at--)
                spans->items[at] = spans->items[at - 1];
        spans->items[at] = span;
}

static bool window_takes(const PciResource *window, const Request *request, uint64_t mask)
{
        if (!resource_is_assigned_memory(window) || ((window->flags ^ request->flags) & mask))
                return false;
        /* reading ahead is safe only where the BAR says so */
        return !(window->flags & RESOURCE_PREFETCH) || (request->flags & RESOURCE_PREFETCH);
}

/* Into the first window that agrees with the request in the flags of MASK. */
static bool place_in_windows(Spans *spans, const ResourceTable *bridge, const Request *request,
                             uint64_t mask)
{
        for (unsigned line = 0; line < bridge->n_lines; line++) {
                const PciResource *window = &bridge->lines[line];
                uint64_t start;
                if (resource_kind(bridge->n_lines, line) != RESOURCE_KIND_WINDOW ||
                    !window_takes(window, request, mask))
                        continue;
                Span reach = { window->start, window->end };
                if (!(request->flags & RESOURCE_MEM_64) && reach.end > UINT32_MAX)
                        reach.end = UINT32_MAX;
                if (!find_place(spans, reach, request, &start))
                        continue;
                insert_span(spans, (Span){ start, start + request->size - 1 });
                return true;
        }
        return false;
}

/* The order in which __pci_assign_resource() tries the kinds of window. */
static bool place_request(Spans *spans, const ResourceTable *bridge, const Request *request)
{
        const uint64_t both = RESOURCE_PREFETCH | RESOURCE_MEM_64;

        if (place_in_windows(spans, bridge, request, both))
                return true;
        if ((request->flags & both) == both && place_in_windows(spans, bridge, request, RESOURCE_PREFETCH))
                return true;
        return (request->flags & both) && place_in_windows(spans, bridge, request, 0);
}

bool window_fit(const Topology *topology, const PciFunction *bridge, const PciFunction *const *moving,
                size_t n_moving, uint64_t alignment)
{
        _cleanup_(requests_free) Requests requests = { 0 };
        _cleanup_(spans_free) Spans spans = { 0 };

        if (!bridge)
                return true;
        if (!collect_requests(moving, n_moving, alignment, &requests) ||
            !collect_spans(topology, bridge, moving, n_moving, requests.n, &spans))
                return false; /* no memory: nothing is proven */
        for (size_t i = 0; i < requests.n; i++)
                if (!place_request(&spans, &bridge->resources, &requests.items[i]))
                        return false;
        return true;
}
