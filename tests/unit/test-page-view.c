/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The owners of a page as the index finds them, against those found by looking at everything. */

#include "judge/page-view.h"
#include "topology-builder.h"

#define LAYOUTS 2000
#define SEED 20261201
#define BASE UINT64_C(0xe0000000)
#define PAGES 16u
#define RANGES_MAX 6u

static World world;
static IomemRange ranges[RANGES_MAX];
static Iomem iomem;
static uint64_t state = SEED;

/* xorshift64: the same layouts on every machine. */
static uint64_t next(uint64_t below)
{
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (state >> 11) % below;
}

static uint64_t random_size(void)
{
        static const uint64_t sizes[] = { 16, 256, 0x800, 0x1000, 0x2000, 0x8000, 0x10000, 0x100000 };
        return sizes[next(ELEMENTSOF(sizes))];
}

/* Nothing keeps them apart here: what lies within, across and upon each other must come out right as well. */
static void random_layout(void)
{
        static char names[RANGES_MAX][8] = { "a", "b", "c", "d", "e", "f" };
        char address[PCI_ADDRESS_TEXT_MAX];

        world_init(&world);
        for (unsigned i = 0; i < 1 + next(12); i++) {
                snprintf(address, sizeof(address), "0000:%02x:00.0", i + 1);
                PciFunction *function = world_add(&world, address, NULL);
                for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                        if (next(100) < 40)
                                world_line(function, line, BASE + (next(PAGES * 16) << 8), random_size(),
                                           next(100) < 10 ? WORLD_BAR_IO : WORLD_BAR);
        }
        iomem = (Iomem){ .visible = true, .ranges = ranges, .n_ranges = next(RANGES_MAX + 1) };
        for (size_t i = 0; i < iomem.n_ranges; i++) {
                uint64_t start = BASE + (next(PAGES * 16) << 8);
                ranges[i] = (IomemRange){ start, start + random_size() - 1, names[i] };
        }
}

/* --- what there is, one after another */

static PageOwner everything[WORLD_FUNCTIONS_MAX * WORLD_LINES + RANGES_MAX];
static size_t n_everything;

static void look_at_everything(void)
{
        n_everything = 0;
        for (size_t i = 0; i < world.topology.n_functions; i++)
                for (unsigned line = 0; line <= RESOURCE_ROM; line++) {
                        const PciResource *resource = &world.functions[i].resources.lines[line];
                        if (resource_is_assigned_memory(resource))
                                everything[n_everything++] = (PageOwner){ .start = resource->start,
                                                                          .end = resource->end,
                                                                          .function = &world.functions[i],
                                                                          .line = line };
                }
        for (size_t i = 0; i < iomem.n_ranges; i++)
                everything[n_everything++] = (PageOwner){ .start = ranges[i].start,
                                                          .end = ranges[i].end,
                                                          .name = ranges[i].name };
}

static bool is_in(const PageOwner *owner, const PageView *view)
{
        return owner->start <= view->end && owner->end >= view->start;
}

/* It fills the page, and a smaller one that has a part of the page lies within it. */
static bool is_container(const PageOwner *owner, const PageView *view)
{
        if (owner->start > view->start || owner->end < view->end)
                return false;
        for (size_t i = 0; i < n_everything; i++)
                if (is_in(&everything[i], view) && everything[i].start >= owner->start &&
                    everything[i].end <= owner->end &&
                    everything[i].end - everything[i].start < owner->end - owner->start)
                        return true;
        return false;
}

static bool is_same(const PageOwner *a, const PageOwner *b)
{
        return a->start == b->start && a->end == b->end && a->function == b->function &&
               a->line == b->line && a->name == b->name;
}

static bool is_found(const PageOwner *owner, const PageView *view)
{
        for (size_t i = 0; i < view->n_owners; i++)
                if (is_same(&view->owners[i], owner))
                        return true;
        return false;
}

static void check_view(const PageView *view)
{
        size_t n = 0;
        for (size_t i = 0; i < n_everything; i++) {
                bool is_owner = is_in(&everything[i], view) && !is_container(&everything[i], view);
                ck_assert(is_found(&everything[i], view) == is_owner);
                n += is_owner;
        }
        ck_assert_uint_eq(view->n_owners, n);
        for (size_t i = 1; i < n; i++)
                ck_assert_uint_le(view->owners[i - 1].start, view->owners[i].start);
}

START_TEST(test_index_finds_what_a_look_finds)
{
        size_t n_seen = 0;
        for (unsigned layout = 0; layout < LAYOUTS; layout++) {
                _cleanup_(page_index_freep) PageIndex *index = NULL;
                random_layout();
                look_at_everything();
                ck_assert_int_eq(page_index_make(&world.topology, &iomem, WORLD_PAGE, &index), 0);
                /* also pages before and behind all */
                for (uint64_t page = BASE - WORLD_PAGE; page < BASE + (PAGES + 300) * WORLD_PAGE;
                     page += (1 + next(20)) * WORLD_PAGE) {
                        _cleanup_(page_view_freep) PageView *view = NULL;
                        ck_assert_int_eq(page_view_make(index, page + next(WORLD_PAGE), &view), 0);
                        ck_assert_uint_eq(view->start, page);
                        check_view(view);
                        n_seen += view->n_owners;
                }
        }
        ck_assert_uint_gt(n_seen, LAYOUTS);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("page-view");
        TCase *tests = tcase_create("index");
        tcase_add_test(tests, test_index_finds_what_a_look_finds);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
