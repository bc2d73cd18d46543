/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/page.h"
#include "judge/verdict.h"
#include "layout.h"
#include "tree.h"

#include <time.h>

/* --- what the kernel does, step by step and without any cleverness --- */

/* A node of the kernel's resource tree. */
typedef struct Node {
        uint64_t start, end;
        size_t parent;
        const PciFunction *function;
        unsigned line;
        bool window;
} Node;

typedef struct Tree {
        Node nodes[2 * LAYOUT_TAKEN];
        size_t n;
} Tree;

#define ROOT_NODE 0u

static void tree_node(Tree *tree, Node node)
{
        ck_assert_uint_lt(tree->n, ELEMENTSOF(tree->nodes));
        tree->nodes[tree->n++] = node;
}

static bool in_resource_tree(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        if ((resource->flags & 0x1f00) != 0x200 || (resource->flags & 0x30000000))
                return false;
        return !(line == 6 && (resource->flags & 2)) && resource->start + resource->end > 0;
}

static bool is_window(const PciFunction *function, unsigned line)
{
        return line >= (function->resources.n_lines > 12 ? 13 : 7);
}

/* Every resource below the smallest one that it lies in. */
static void build_tree(const Topology *topology, const Iomem *iomem, Tree *tree)
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
static bool request_resource(const Tree *tree, size_t parent, uint64_t start, uint64_t end)
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
static bool vfio_maps(const Tree *tree, size_t at, uint64_t page)
{
        const Node *bar = &tree->nodes[at];
        if (bar->end - bar->start + 1 >= page)
                return true;
        if (bar->start % page != 0)
                return false;
        return request_resource(tree, bar->parent, bar->end + 1, bar->start + page - 1);
}

/* Whether OTHER owns some, but not all bytes of the pages that BAR is in, looking at each page. */
static bool owns_part(const Node *other, const Node *bar, uint64_t page)
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

static BarVerdict expected_verdict(const Tree *tree, size_t at, uint64_t page, unsigned *ret_neighbours)
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

static bool neighbour_is_one(const Tree *tree, const Iomem *iomem, size_t at, const BarReport *report,
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
static void compare_all(const Topology *topology, const Iomem *iomem, const Tree *tree, uint64_t page,
                        const char *origin, Tally *tally)
{
        _cleanup_(verdict_freep)
        Verdicts *verdicts = NULL;
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

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
        const char *text = getenv(name);
        uint64_t value = otherwise;
        if (text)
                ck_assert_msg(text_to_u64(text, 10, UINT64_MAX, &value) == 0, "%s is not a number", name);
        return value;
}

/* REALIGN_TEST_SEED repeats a run, REALIGN_TEST_LAYOUTS makes it longer. */
START_TEST(test_random_layouts)
{
        static Layout layout;
        static Tree tree;
        static const uint64_t pages[] = { UINT64_C(1) << 12, UINT64_C(1) << 14, UINT64_C(1) << 16 };
        Tally tally = { 0 };
        uint64_t seed = number_from_environment("REALIGN_TEST_SEED", (uint64_t) time(NULL));
        uint64_t n = number_from_environment("REALIGN_TEST_LAYOUTS", 100000);

        for (uint64_t i = 0; i < n; i++) {
                char origin[64];
                snprintf(origin, sizeof(origin), "seed %" PRIu64 ", layout %" PRIu64, seed, i);
                layout_make(&layout, seed * 1000003 + i);
                build_tree(&layout.topology, &layout.iomem, &tree);
                for (size_t p = 0; p < ELEMENTSOF(pages); p++)
                        compare_all(&layout.topology, &layout.iomem, &tree, pages[p], origin, &tally);
        }
        printf("seed %" PRIu64 ": %" PRIu64 " layouts, %" PRIu64 " BARs: %" PRIu64 " mappable, %" PRIu64
               " misaligned, %" PRIu64 " shared\n",
               seed, n, tally.bars, tally.verdicts[BAR_MAPPABLE], tally.verdicts[BAR_MISALIGNED],
               tally.verdicts[BAR_SHARED]);
        fflush(stdout);
        /* a generator that makes no such BARs would prove nothing */
        ck_assert_uint_gt(tally.verdicts[BAR_MAPPABLE], n);
        ck_assert_uint_gt(tally.verdicts[BAR_MISALIGNED], n / 100);
        ck_assert_uint_gt(tally.verdicts[BAR_SHARED], n);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("verdict");
        TCase *tcase = tcase_create("random");
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, test_random_layouts);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
