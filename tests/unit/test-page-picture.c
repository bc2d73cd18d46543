/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/page-picture.h"
#include "judge/page-view.h"
#include "suite.h"

#define PAGE ((uint64_t) 4096)
#define LARGE_PAGE ((uint64_t) 65536)
#define BASE UINT64_C(0x34480000)
#define MEMORY RESOURCE_MEMORY

static PciFunction functions[3];
static Topology topology = { .functions = functions, .n_functions = ELEMENTSOF(functions) };
static Iomem iomem;

static void setup(void)
{
        for (unsigned i = 0; i < ELEMENTSOF(functions); i++)
                functions[i] = (PciFunction){ .address = { .bus = 3, .function = (uint8_t) i },
                                              .iommu_group = 9,
                                              .resources = { .n_lines = 13 } };
        iomem = (Iomem){ .visible = true };
}

static void add(unsigned function, unsigned line, uint64_t offset, uint64_t size, uint64_t flags)
{
        functions[function].resources.lines[line] = (PciResource){ .start = BASE + offset,
                                                                   .end = BASE + offset + size - 1,
                                                                   .flags = flags };
}

static PageView *view_of(uint64_t page)
{
        _cleanup_(page_index_freep) PageIndex *index = NULL;
        PageView *view = NULL;
        ck_assert_int_eq(page_index_make(&topology, &iomem, page, &index), 0);
        ck_assert_int_eq(page_view_make(index, BASE + 0x180, &view), 0);
        ck_assert_uint_eq(view->start, BASE);
        ck_assert_uint_eq(view->end, BASE + page - 1);
        return view;
}

/* The picture of the page is EXPECTED. */
static void expect(uint64_t page, Style style, const StyleColor *colors, const char *expected)
{
        _cleanup_(page_view_freep) PageView *view = view_of(page);
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        ck_assert_ptr_nonnull(out);
        ck_assert_int_eq(page_picture_draw(out, view, page, style, colors), 0);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_str_eq(text, expected);
}

START_TEST(test_to_scale)
{
        add(0, 1, 0x000, 0x100, MEMORY);
        add(1, 0, 0x100, 0x400, MEMORY);
        add(2, 6, 0x800, 0x800, MEMORY); /* a ROM owns bytes too */
        expect(PAGE, (Style){ 0 }, NULL,
               "  +----+---------------+-----------+-------------------------------+\n"
               "  | A  |       B       |           |      C  0000:03:00.2 ROM      |\n"
               "  +----+---------------+-----------+-------------------------------+\n");
        expect(PAGE, (Style){ .boxes = true }, NULL,
               "  ┌────┬───────────────┬───────────┬───────────────────────────────┐\n"
               "  │ A  │       B       │           │      C  0000:03:00.2 ROM      │\n"
               "  └────┴───────────────┴───────────┴───────────────────────────────┘\n");
}
END_TEST

START_TEST(test_colors)
{
        const StyleColor colors[] = { STYLE_BAD, STYLE_PLAIN };
        add(0, 1, 0x000, 0x800, MEMORY);
        add(1, 1, 0x800, 0x800, MEMORY);
        expect(PAGE, (Style){ .colors = true }, colors,
               "  +--------------------------------+-------------------------------+\n"
               "  |     \033[31mA  0000:03:00.0 BAR 1\033[0m      |     B  0000:03:00.1 BAR 1     |\n"
               "  +--------------------------------+-------------------------------+\n");
}
END_TEST

/* Too small to be seen in one line: several, and those that say nothing new are left out. */
START_TEST(test_small)
{
        add(0, 0, 0x000, 0x10, MEMORY);
        add(1, 0, 0x100, 0x10, MEMORY);
        add(2, 0, 0xc00, 0x400, MEMORY);
        expect(PAGE, (Style){ 0 }, NULL,
               "  +--+-----------------------------+-+-----------------------------+\n"
               "  |A |                             |B|                             |\n"
               "  +--+-----------------------------+-+-----------------------------+\n"
               "  |                        2560 more, free                         |\n"
               "  +----------------------------------------------------------------+\n"
               "  |                     C  0000:03:00.2 BAR 0                      |\n"
               "  +----------------------------------------------------------------+\n"
               "  |                         512 more of C                          |\n"
               "  +----------------------------------------------------------------+\n");
}
END_TEST

START_TEST(test_large_page)
{
        add(0, 1, 0x000, 0x100, MEMORY);
        add(1, 1, 0x100, 0x100, MEMORY);
        expect(LARGE_PAGE, (Style){ 0 }, NULL,
               "  +--+-+-----------------------------------------------------------+\n"
               "  |A |B|                                                           |\n"
               "  +--+-+-----------------------------------------------------------+\n"
               "  |                         56K more, free                         |\n"
               "  +----------------------------------------------------------------+\n");
}
END_TEST

START_TEST(test_whole_page)
{
        add(0, 1, 0, PAGE, MEMORY);
        expect(PAGE, (Style){ 0 }, NULL,
               "  +----------------------------------------------------------------+\n"
               "  |                     A  0000:03:00.0 BAR 1                      |\n"
               "  +----------------------------------------------------------------+\n");
}
END_TEST

/* A range that begins before the page and ends in it; more owners than letters. */
START_TEST(test_ranges)
{
        IomemRange range = { .start = BASE - 0x100, .end = BASE + 0x7f, .name = (char *) "Reserved" };
        iomem.ranges = &range;
        iomem.n_ranges = 1;
        add(0, 1, 0x800, 0x800, MEMORY);
        expect(PAGE, (Style){ 0 }, NULL,
               "  +--+-----------------------------+-------------------------------+\n"
               "  |A |                             |     B  0000:03:00.0 BAR 1     |\n"
               "  +--+-----------------------------+-------------------------------+\n");
        ck_assert_int_eq(page_picture_letter(0), 'A');
        ck_assert_int_eq(page_picture_letter(26), 'a');
        ck_assert_int_eq(page_picture_letter(51), 'z');
        ck_assert_int_eq(page_picture_letter(52), '*');
}
END_TEST

/* What counts as an owner of the page, and what does not. */
START_TEST(test_owners)
{
        IomemRange ranges[] = { { .start = BASE - PAGE, .end = BASE + PAGE, .name = (char *) "Reserved" },
                                { .start = BASE + PAGE, .end = BASE + PAGE, .name = (char *) "behind" } };
        iomem.ranges = ranges;
        iomem.n_ranges = ELEMENTSOF(ranges);
        add(0, 0, 0x000, 0x100, RESOURCE_IO);
        add(0, 1, 0x100, 0x100, MEMORY);
        add(0, 2, 0x200, 0x100, MEMORY | RESOURCE_UNSET);
        add(0, 6, 0x300, 0x100, MEMORY | RESOURCE_ROM_SHADOW);
        add(0, 7, 0x000, 4 * PAGE, MEMORY); /* virtual functions' BARs: one is there */
        add(1, 0, PAGE, PAGE, MEMORY);      /* in the next page */
        functions[0].has_virtual = true;
        functions[2].resources.n_lines = 17;
        functions[2].is_bridge = true;
        add(2, 0, 0x400, 0x100, MEMORY);      /* a bridge's BAR */
        add(2, 14, 0x000, 16 * PAGE, MEMORY); /* its window */

        _cleanup_(page_view_freep) PageView *view = view_of(PAGE);
        ck_assert_uint_eq(view->n_owners, 2);
        ck_assert_ptr_eq(view->owners[0].function, &functions[0]);
        ck_assert_str_eq(page_owner_label(&view->owners[0]), "BAR 1");
        ck_assert_ptr_eq(view->owners[1].function, &functions[2]);

        ck_assert(!page_view_crosses_groups(view));
        functions[2].iommu_group = IOMMU_GROUP_NONE;
        ck_assert(!page_view_crosses_groups(view));
        functions[2].iommu_group = 10;
        ck_assert(page_view_crosses_groups(view));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("page-picture");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, test_to_scale);
        tcase_add_test(tcase, test_colors);
        tcase_add_test(tcase, test_small);
        tcase_add_test(tcase, test_large_page);
        tcase_add_test(tcase, test_whole_page);
        tcase_add_test(tcase, test_ranges);
        tcase_add_test(tcase, test_owners);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
