/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/window-fit.h"
#include "layout.h"
#include "suite.h"

#include <inttypes.h>
#include <time.h>

#define PAGE (UINT64_C(1) << 12)
#define MEGABYTE (UINT64_C(1) << 20)
#define HIGH (UINT64_C(1) << 36)
#define LINE_MEMORY 14u
#define LINE_PREFETCH 15u

#define PREFETCH_64 (RESOURCE_PREFETCH | RESOURCE_MEM_64)

/* A bridge with a memory window of 1 MiB at LAYOUT_BASE, and what a test puts below it. */
static Layout machine;
static PciFunction *bridge;

static void set_line(PciFunction *function, unsigned line, uint64_t start, uint64_t size, uint64_t flags)
{
        function->resources.lines[line] = (PciResource){ start, start + size - 1, flags };
}

static void setup(void)
{
        machine.topology = (Topology){ .functions = machine.functions };
        bridge = layout_add(&machine, NULL, 17);
        set_line(bridge, LINE_MEMORY, LAYOUT_BASE, MEGABYTE, RESOURCE_MEMORY | RESOURCE_WINDOW);
}

static PciFunction *add(uint64_t start, uint64_t size)
{
        PciFunction *function = layout_add(&machine, bridge, 13);
        set_line(function, 0, start, size, RESOURCE_MEMORY);
        return function;
}

static bool fits(const PciFunction *function, uint64_t alignment)
{
        return window_fit(&machine.topology, bridge, &function, 1, alignment);
}

START_TEST(test_plain)
{
        PciFunction *small = add(LAYOUT_BASE, 0x100);
        add(LAYOUT_BASE + 0x100, 0x100);
        ck_assert(fits(small, PAGE));
        ck_assert(fits(small, MEGABYTE / 2));
        ck_assert(!fits(small, MEGABYTE)); /* the sibling is in the way */
        ck_assert(window_fit(&machine.topology, NULL, (const PciFunction *const[]){ small }, 1, MEGABYTE));
        ck_assert(window_fit(&machine.topology, bridge, (const PciFunction *const[]){ small }, 0, MEGABYTE));
}
END_TEST

START_TEST(test_exact)
{
        PciFunction *small = add(LAYOUT_BASE + MEGABYTE - PAGE, 0x100), *other;
        add(LAYOUT_BASE, MEGABYTE / 2);
        add(LAYOUT_BASE + MEGABYTE / 2, MEGABYTE / 2 - PAGE);
        ck_assert(fits(small, PAGE)); /* alone in the last page */
        other = add(LAYOUT_BASE + MEGABYTE - 0x100, 0x100);
        ck_assert(!fits(small, PAGE)); /* it shares the page with one that stays */
        const PciFunction *both[] = { small, other };
        ck_assert(!window_fit(&machine.topology, bridge, both, 2, PAGE));
        ck_assert(window_fit(&machine.topology, bridge, both, 2, PAGE / 2));
}
END_TEST

START_TEST(test_child_bridge)
{
        PciFunction *small = add(LAYOUT_BASE, 0x100);
        PciFunction *child = layout_add(&machine, bridge, 17);
        set_line(child, LINE_MEMORY, LAYOUT_BASE + PAGE, MEGABYTE - PAGE, RESOURCE_MEMORY | RESOURCE_WINDOW);
        ck_assert(fits(small, PAGE));
        ck_assert(!fits(small, 2 * PAGE)); /* the window of a bridge beside it stays */

        PciFunction *inner = layout_add(&machine, child, 13);
        set_line(inner, 0, LAYOUT_BASE + PAGE, 0x100, RESOURCE_MEMORY);
        const PciFunction *both[] = { small, child };
        ck_assert(!window_fit(&machine.topology, bridge, both, 2, 2 * PAGE));
        set_line(child, LINE_MEMORY, LAYOUT_BASE + MEGABYTE / 2, MEGABYTE / 2,
                 RESOURCE_MEMORY | RESOURCE_WINDOW);
        ck_assert(window_fit(&machine.topology, bridge, both, 2,
                             2 * PAGE)); /* and takes what is below it along */
}
END_TEST

START_TEST(test_largest_first)
{
        PciFunction *function = add(LAYOUT_BASE, 0x100);
        set_line(function, 1, LAYOUT_BASE, MEGABYTE / 2, RESOURCE_MEMORY);
        add(LAYOUT_BASE + 3 * MEGABYTE / 4, MEGABYTE / 4);
        ck_assert(fits(function, PAGE)); /* the small one in front would leave no place for the large one */
}
END_TEST

/* What is below a bridge that is taken out does not stay either. */
START_TEST(test_below_moving)
{
        PciFunction *small = add(LAYOUT_BASE + MEGABYTE / 2, 0x100);
        PciFunction *child = layout_add(&machine, bridge, 17);
        PciFunction *inner = layout_add(&machine, child, 13);
        set_line(child, LINE_MEMORY, LAYOUT_BASE, MEGABYTE / 2, RESOURCE_MEMORY | RESOURCE_WINDOW);
        set_line(inner, 0, LAYOUT_BASE + PAGE, 0x100, RESOURCE_MEMORY);
        add(LAYOUT_BASE + 3 * MEGABYTE / 4, MEGABYTE / 4);
        const PciFunction *both[] = { small, child };
        ck_assert(window_fit(&machine.topology, bridge, both, 2, PAGE));
}
END_TEST

/* A VF BAR lies within that of its physical function, and must not hide what is taken behind it. */
START_TEST(test_nested)
{
        PciFunction *small = add(LAYOUT_BASE, 0x100);
        PciFunction *physical = layout_add(&machine, bridge, 13);
        set_line(physical, 7, LAYOUT_BASE, MEGABYTE - PAGE, RESOURCE_MEMORY);
        add(LAYOUT_BASE + PAGE, PAGE);
        add(LAYOUT_BASE + MEGABYTE - PAGE, PAGE);
        ck_assert(!fits(small, PAGE));
}
END_TEST

START_TEST(test_roms)
{
        PciFunction *small = add(LAYOUT_BASE, 0x100);
        add(LAYOUT_BASE + PAGE, MEGABYTE - PAGE);
        ck_assert(fits(small, PAGE));
        set_line(small, RESOURCE_ROM, LAYOUT_BASE + 0x800, 0x800, RESOURCE_MEMORY);
        ck_assert(!fits(small, PAGE)); /* the ROM grows as well */
        small->resources.lines[RESOURCE_ROM].flags |= RESOURCE_ROM_SHADOW;
        ck_assert(fits(small, PAGE));
        small->resources.lines[RESOURCE_ROM].flags |= RESOURCE_UNSET;
        ck_assert(fits(small, PAGE));
}
END_TEST

/* VF BARs of what is taken out need their place back, in their own size. */
START_TEST(test_virtual_bars)
{
        PciFunction *small = add(LAYOUT_BASE, 0x100);
        set_line(small, 7, LAYOUT_BASE + MEGABYTE / 2, MEGABYTE / 2, RESOURCE_MEMORY);
        ck_assert(fits(small, PAGE));
        add(LAYOUT_BASE + PAGE, PAGE);
        ck_assert(fits(small, MEGABYTE / 4));
        ck_assert(!fits(small, MEGABYTE / 2));

        set_line(small, 7, LAYOUT_BASE + PAGE, PAGE, RESOURCE_MEMORY);
        set_line(&machine.functions[2], 0, LAYOUT_BASE + 3 * PAGE, MEGABYTE - 3 * PAGE, RESOURCE_MEMORY);
        ck_assert(fits(small, 2 * PAGE)); /* 8 KiB for the BAR, and one page that no entry makes larger */
}
END_TEST

START_TEST(test_window_types)
{
        PciFunction *small = add(HIGH, 0x100);
        add(LAYOUT_BASE, MEGABYTE);
        set_line(bridge, LINE_PREFETCH, HIGH, MEGABYTE, RESOURCE_MEMORY | RESOURCE_WINDOW | PREFETCH_64);

        small->resources.lines[0].flags = RESOURCE_MEMORY | PREFETCH_64;
        ck_assert(fits(small, PAGE));
        small->resources.lines[0].flags = RESOURCE_MEMORY | RESOURCE_MEM_64; /* must not be read ahead */
        ck_assert(!fits(small, PAGE));
        small->resources.lines[0].flags = RESOURCE_MEMORY;
        ck_assert(!fits(small, PAGE));
        small->resources.lines[0].flags =
                        RESOURCE_MEMORY | RESOURCE_PREFETCH; /* does not reach above 4 GiB */
        ck_assert(!fits(small, PAGE));
        set_line(bridge, LINE_PREFETCH, LAYOUT_BASE + MEGABYTE, MEGABYTE,
                 RESOURCE_MEMORY | RESOURCE_PREFETCH);
        ck_assert(fits(small, PAGE));
        small->resources.lines[0].flags = RESOURCE_MEMORY | PREFETCH_64;
        ck_assert(fits(small, PAGE));

        /* any memory BAR may use the plain window, if there is room */
        machine.functions[2].resources.lines[0].end -= PAGE;
        set_line(bridge, LINE_PREFETCH, HIGH, 0, 0);
        ck_assert(fits(small, PAGE));
        set_line(bridge, LINE_MEMORY, LAYOUT_BASE, MEGABYTE,
                 RESOURCE_MEMORY | RESOURCE_WINDOW | RESOURCE_UNSET);
        ck_assert(!fits(small, PAGE));
}
END_TEST

/* LF, "Full windows": ROMs from 1 MiB down to 4 KiB and all small BARs in the one page that is left. */
START_TEST(test_full_window)
{
        uint64_t at = LAYOUT_BASE, packed = LAYOUT_BASE + 2 * MEGABYTE - PAGE;
        set_line(bridge, LINE_MEMORY, LAYOUT_BASE, 2 * MEGABYTE, RESOURCE_MEMORY | RESOURCE_WINDOW);
        for (uint64_t size = MEGABYTE; size >= PAGE; size /= 2) {
                PciFunction *function = add(packed, 0x100);
                set_line(function, RESOURCE_ROM, at, size, RESOURCE_MEMORY);
                at += size;
                packed += 0x100;
        }
        ck_assert_uint_eq(at, LAYOUT_BASE + 2 * MEGABYTE - PAGE);
        for (size_t i = 1; i < machine.topology.n_functions; i++)
                ck_assert(!fits(&machine.functions[i], PAGE));
        set_line(bridge, LINE_MEMORY, LAYOUT_BASE, 3 * MEGABYTE, RESOURCE_MEMORY | RESOURCE_WINDOW);
        for (size_t i = 1; i < machine.topology.n_functions; i++)
                ck_assert(fits(&machine.functions[i], PAGE));
}
END_TEST

START_TEST(test_edges)
{
        PciFunction *small = add(0, 0x100);
        set_line(bridge, LINE_MEMORY, UINT64_MAX - PAGE + 1, PAGE, RESOURCE_MEMORY | RESOURCE_WINDOW);
        small->resources.lines[0] =
                        (PciResource){ UINT64_MAX - 0xff, UINT64_MAX, RESOURCE_MEMORY | RESOURCE_MEM_64 };
        ck_assert(fits(small, PAGE));
        ck_assert(!fits(small, 2 * PAGE));
        ck_assert(!fits(small, UINT64_C(1) << 63));
        add(UINT64_MAX - PAGE + 1, PAGE);
        ck_assert(!fits(small, 0x100));
}
END_TEST

/* --- the same by counting cells --- */

#define CELL UINT64_C(0x10)
#define CELLS (LAYOUT_WINDOW / CELL)

static bool cells_take(bool *taken, uint64_t n)
{
        for (uint64_t at = 0; at + n <= CELLS; at += n) {
                uint64_t i = 0;
                while (i < n && !taken[at + i])
                        i++;
                if (i < n)
                        continue;
                memset(taken + at, true, n);
                return true;
        }
        return false;
}

/* Powers of two, largest first, each in the lowest free cells. */
static bool cells_fit(const Layout *layout, const PciFunction *above, const PciFunction *const *moving,
                      size_t n_moving, uint64_t alignment)
{
        static bool taken[CELLS];
        memset(taken, 0, sizeof(taken));
        uint64_t base = above->resources.lines[above->resources.n_lines - 3].start;
        for (size_t i = 0; i < layout->topology.n_functions; i++) {
                const PciFunction *function = &layout->functions[i];
                bool stays = function->bridge == above;
                for (size_t j = 0; j < n_moving; j++)
                        stays &= function != moving[j];
                for (unsigned line = 0; stays && line < function->resources.n_lines; line++) {
                        const PciResource *resource = &function->resources.lines[line];
                        if (resource_is_assigned_memory(resource))
                                memset(taken + (resource->start - base) / CELL, true,
                                       resource_size(resource) / CELL);
                }
        }
        for (uint64_t size = LAYOUT_WINDOW; size >= CELL; size /= 2)
                for (size_t i = 0; i < n_moving; i++)
                        for (unsigned line = 0; line <= RESOURCE_ROM; line++) {
                                const PciResource *resource = &moving[i]->resources.lines[line];
                                uint64_t wanted = resource_size(resource);
                                if (!resource_is_assigned_memory(resource) ||
                                    (line == RESOURCE_ROM && (resource->flags & RESOURCE_ROM_SHADOW)))
                                        continue;
                                wanted = wanted < alignment ? alignment : wanted;
                                if (wanted == size && !cells_take(taken, size / CELL))
                                        return false;
                        }
        return true;
}

START_TEST(test_random)
{
        static Layout layout;
        uint64_t seed = (uint64_t) time(NULL), n_fit = 0, n_full = 0;
        const char *text = getenv("REALIGN_TEST_SEED");
        if (text)
                seed = strtoull(text, NULL, 10);
        for (uint64_t i = 0; i < 3000; i++) {
                const PciFunction *moving[LAYOUT_FUNCTIONS];
                size_t n_moving = 0;
                layout_make(&layout, seed * 1000003 + i);
                const PciFunction *above = &layout.functions[0];
                if (!above->is_bridge)
                        continue;
                for (size_t j = 0; j < layout.topology.n_functions; j++) {
                        const PciFunction *function = &layout.functions[j];
                        if (function->bridge == above && !function->is_virtual && !function->has_virtual &&
                            layout_below(&layout, 2))
                                moving[n_moving++] = function;
                }
                uint64_t alignment = PAGE << layout_below(&layout, 8);
                bool expected = cells_fit(&layout, above, moving, n_moving, alignment);
                bool result = window_fit(&layout.topology, above, moving, n_moving, alignment);
                ck_assert_msg(result == expected, "seed %" PRIu64 ", layout %" PRIu64 ": %d, expected %d",
                              seed, i, result, expected);
                n_fit += result;
                n_full += !result;
        }
        printf("seed %" PRIu64 ": %" PRIu64 " fit, %" PRIu64 " do not\n", seed, n_fit, n_full);
        fflush(stdout);
        ck_assert_uint_gt(n_fit, 100);
        ck_assert_uint_gt(n_full, 20);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("window-fit");
        TCase *tcase = tcase_create("cases");
        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, test_plain);
        tcase_add_test(tcase, test_exact);
        tcase_add_test(tcase, test_child_bridge);
        tcase_add_test(tcase, test_largest_first);
        tcase_add_test(tcase, test_below_moving);
        tcase_add_test(tcase, test_nested);
        tcase_add_test(tcase, test_roms);
        tcase_add_test(tcase, test_virtual_bars);
        tcase_add_test(tcase, test_window_types);
        tcase_add_test(tcase, test_full_window);
        tcase_add_test(tcase, test_edges);
        suite_add_tcase(suite, tcase);
        TCase *random = tcase_create("random");
        tcase_set_timeout(random, 120);
        tcase_add_test(random, test_random);
        suite_add_tcase(suite, random);
        return suite_run(suite);
}
