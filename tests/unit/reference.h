/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel does, step by step and without any cleverness: the resource tree, request_resource() in it, and what
 * vfio_pci_probe_mmaps() makes of that. Verdicts are compared with it.
 */

#include "base/text.h"
#include "judge/verdict.h"

#include <check.h>
#include <inttypes.h>

/* A node of the kernel's resource tree. */
typedef struct Node {
        uint64_t start, end;
        size_t parent;
        const PciFunction *function;
        unsigned line;
        bool window;
} Node;

#define TREE_NODES 2000u

typedef struct Tree {
        Node nodes[TREE_NODES];
        size_t n;
} Tree;

#define ROOT_NODE 0u

static inline void tree_node(Tree *tree, Node node)
{
        ck_assert_uint_lt(tree->n, ELEMENTSOF(tree->nodes));
        tree->nodes[tree->n++] = node;
}

static inline bool in_resource_tree(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        if ((resource->flags & 0x1f00) != 0x200 || (resource->flags & 0x30000000))
                return false;
        return !(line == 6 && (resource->flags & 2)) && resource->start + resource->end > 0;
}

static inline bool is_window(const PciFunction *function, unsigned line)
{
        return line >= (function->resources.n_lines > 12 ? 13 : 7);
}

/* Every resource below the smallest one that it lies in. */
static inline void build_tree(const Topology *topology, const Iomem *iomem, Tree *tree)
{
        tree->n = 0;
        tree_node(tree, (Node){ .end = UINT64_MAX });
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                for (unsigned line = 0; line < function->resources.n_lines; line++)
                        if (in_resource_tree(function, line))
                                tree_node(tree, (Node){ .start = function->resources.lines[line].start,
                                                        .end = function->resources.lines[line].end,
                                                        .function = function,
                                                        .line = line,
                                                        .window = is_window(function, line) });
        }
        for (size_t i = 0; i < iomem->n_ranges; i++)
                tree_node(tree, (Node){ .start = iomem->ranges[i].start, .end = iomem->ranges[i].end });

        for (size_t i = 1; i < tree->n; i++) {
                Node *node = &tree->nodes[i];
                for (size_t j = 1; j < tree->n; j++) {
                        const Node *other = &tree->nodes[j], *parent = &tree->nodes[node->parent];
                        bool equal = other->start == node->start && other->end == node->end;
                        if (i == j || other->start > node->start || other->end < node->end ||
                            (equal && j > i))
                                continue; /* of two equal ones the first is above */
                        if (other->start >= parent->start && other->end <= parent->end)
                                node->parent = j;
                }
        }
}

/* __request_resource() */
static inline bool request_resource(const Tree *tree, size_t parent, uint64_t start, uint64_t end)
{
        if (end < start || start < tree->nodes[parent].start || end > tree->nodes[parent].end)
                return false;
        for (size_t i = 1; i < tree->n; i++)
                if (tree->nodes[i].parent == parent && tree->nodes[i].start <= end &&
                    tree->nodes[i].end >= start)
                        return false;
        return true;
}

/* vfio_pci_probe_mmaps() for the BAR at node AT */
static inline bool vfio_maps(const Tree *tree, size_t at, uint64_t page)
{
        const Node *bar = &tree->nodes[at];
        if (bar->end - bar->start + 1 >= page)
                return true;
        if (bar->start % page != 0)
                return false;
        return request_resource(tree, bar->parent, bar->end + 1, bar->start + page - 1);
}

/* Whether OTHER owns some, but not all bytes of the pages that BAR is in, looking at each page. */
static inline bool owns_part(const Node *other, const Node *bar, uint64_t page)
{
        for (uint64_t at = bar->start - bar->start % page; at <= bar->end; at += page) {
                bool touches = other->start < at + page && other->end >= at;
                bool fills = other->start <= at && other->end >= at + page - 1;
                bool bar_fills = bar->start <= at && bar->end >= at + page - 1;
                if (touches && !fills && !bar_fills)
                        return true;
        }
        return false;
}

static inline BarVerdict expected_verdict(const Tree *tree, size_t at, uint64_t page,
                                          unsigned *ret_neighbours)
{
        const Node *bar = &tree->nodes[at];
        *ret_neighbours = 0;
        for (size_t i = 1; i < tree->n; i++)
                if (i != at && !tree->nodes[i].window && owns_part(&tree->nodes[i], bar, page))
                        (*ret_neighbours)++;
        if (vfio_maps(tree, at, page))
                return BAR_MAPPABLE;
        return *ret_neighbours > 0 ? BAR_SHARED : BAR_MISALIGNED;
}

static inline bool neighbour_is_one(const Tree *tree, const Iomem *iomem, size_t at, const BarReport *report,
                                    uint64_t page)
{
        if (!report->neighbour && !report->neighbour_name)
                return report->n_neighbours == 0;
        for (size_t i = 1; i < tree->n; i++) {
                const Node *node = &tree->nodes[i];
                if (i == at || node->window || !owns_part(node, &tree->nodes[at], page))
                        continue;
                if (report->neighbour ? node->function == report->neighbour &&
                                                        node->line == report->neighbour_line
                                      : !node->function && text_equal(report->neighbour_name,
                                                                      iomem->ranges[0].name))
                        return true;
        }
        return false;
}

typedef struct Tally {
        uint64_t bars, verdicts[BAR_UNASSIGNED + 1];
} Tally;

/* Compares every BAR of TOPOLOGY with the reference. ORIGIN says in a message where the layout came from. */
static inline void compare_all(const Topology *topology, const Iomem *iomem, const Tree *tree, uint64_t page,
                               const char *origin, Tally *tally)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        ck_assert_int_eq(verdict_compute(topology, iomem, page, &verdicts), 0);

        for (size_t i = 1; i < tree->n; i++) {
                const Node *node = &tree->nodes[i];
                unsigned n_neighbours;
                if (!node->function || node->line >= RESOURCE_BARS)
                        continue;
                const BarReport *report = &verdict_of(verdicts, node->function)->bars[node->line];
                BarVerdict expected = expected_verdict(tree, i, page, &n_neighbours);
                if (report->verdict != expected || report->n_neighbours != n_neighbours ||
                    report->small != (node->end - node->start + 1 < page) ||
                    !neighbour_is_one(tree, iomem, i, report, page))
                        ck_abort_msg("%s, page %" PRIu64 ": %s line %u at %" PRIx64 "-%" PRIx64
                                     ": verdict %d (%u neighbours), expected %d (%u)",
                                     origin, page, PCI_ADDRESS_TEXT(node->function->address), node->line,
                                     node->start, node->end, (int) report->verdict, report->n_neighbours,
                                     (int) expected, n_neighbours);
                tally->bars++;
                tally->verdicts[expected]++;
        }
}
