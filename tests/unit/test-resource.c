/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "model/resource.h"
#include "suite.h"

#define EMPTY_LINE "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

/* FIRST and then empty lines, N in all. */
static char *table_text(const char *first, unsigned n)
{
        char *text = strdup(n ? first : "");
        for (unsigned i = 1; i < n; i++)
                text_replace(&text, "%s" EMPTY_LINE, text);
        ck_assert_ptr_nonnull(text);
        return text;
}

START_TEST(test_counts)
{
        for (unsigned n = 0; n < 20; n++) {
                _cleanup_free_ char *text =
                                table_text("0x00000000febd1000 0x00000000febd10ff 0x0000000000040200\n", n);
                _cleanup_free_ char *problem = NULL;
                ResourceTable table = { .n_lines = 99 };
                int r = resource_table_parse(text, &table, &problem);
                if (n == 7 || n == 11 || n == 13 || n == 17) {
                        ck_assert_int_eq(r, 0);
                        ck_assert_ptr_null(problem);
                        ck_assert_uint_eq(table.n_lines, n);
                        ck_assert_uint_eq(table.lines[0].start, 0xfebd1000);
                        ck_assert_uint_eq(table.lines[0].end, 0xfebd10ff);
                        ck_assert_uint_eq(table.lines[0].flags, 0x40200);
                } else {
                        ck_assert_int_eq(r, -EBADMSG);
                        ck_assert_uint_eq(table.n_lines, 99);
                        ck_assert_ptr_nonnull(strstr(problem, "expected 7 or 13 lines"));
                }
        }
}
END_TEST

START_TEST(test_last_newline_missing)
{
        _cleanup_free_ char *text = table_text(EMPTY_LINE, 13);
        _cleanup_free_ char *problem = NULL;
        ResourceTable table;
        text[strlen(text) - 1] = '\0';
        ck_assert_int_eq(resource_table_parse(text, &table, &problem), 0);
        ck_assert_uint_eq(table.n_lines, 13);
}
END_TEST

START_TEST(test_garbage)
{
        static const char *const lines[] = {
                "\n",
                "garbage\n",
                "0x1 0x2\n",
                "0x1 0x2 \n",
                "0x1 0x2 0x200 0x3\n",
                "0x1  0x2 0x200\n",
                " 0x1 0x2 0x200\n",
                "0x1 0x2 0x200 \n",
                "1 2 200\n",
                "0x1 0xg 0x200\n",
                "0x 0x2 0x200\n",
                "0x1 -0x2 0x200\n",
                "0x10000000000000000 0x2 0x200\n",
                "0x1 0x2 0x200\r\n",
                "0x00000000000000000000000000000001 0x00000000000000000000000000000002 0x0000000000000200\n",
        };
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_free_ char *rest = table_text(lines[i], 12), *text = NULL, *problem = NULL;
                ResourceTable table;
                text = text_format(EMPTY_LINE "%s", rest);
                ck_assert_msg(resource_table_parse(text, &table, &problem) == -EBADMSG, "%s", lines[i]);
                ck_assert_ptr_nonnull(strstr(problem, "line 2: expected three hexadecimal numbers"));
        }
}
END_TEST

START_TEST(test_kinds)
{
        ck_assert_int_eq(resource_kind(7, 5), RESOURCE_KIND_BAR);
        ck_assert_int_eq(resource_kind(7, 6), RESOURCE_KIND_ROM);
        ck_assert_int_eq(resource_kind(11, 7), RESOURCE_KIND_WINDOW);
        ck_assert_int_eq(resource_kind(13, 7), RESOURCE_KIND_VF_BAR);
        ck_assert_int_eq(resource_kind(17, 12), RESOURCE_KIND_VF_BAR);
        ck_assert_int_eq(resource_kind(17, 13), RESOURCE_KIND_WINDOW);
        ck_assert_str_eq(resource_line_name(13, 1), "BAR 1");
        ck_assert_str_eq(resource_line_name(13, 6), "ROM");
        ck_assert_str_eq(resource_line_name(13, 7), "VF BAR 0");
        ck_assert_str_eq(resource_line_name(11, 7), "I/O window");
        ck_assert_str_eq(resource_line_name(17, 14), "memory window");
        ck_assert_str_eq(resource_line_name(17, 15), "prefetchable window");
        ck_assert_str_eq(resource_line_name(17, 16), "CardBus window");
        ck_assert_str_eq(resource_line_name(17, 17), "no resource");
}
END_TEST

START_TEST(test_states)
{
        static const struct {
                PciResource resource;
                uint64_t size;
                bool memory, assigned, unset;
        } cases[] = {
                { { 0, 0, 0 }, 0, false, false, false },
                { { 0xfebd1000, 0xfebd10ff, 0x40200 }, 0x100, true, true, false },
                { { 0x800000000, 0x800003fff, 0x14220c }, 0x4000, true, true, false },
                { { 0xc000, 0xc0ff, 0x40101 }, 0x100, false, true, false },
                { { 0, 0xff, 0x20040200 }, 0x100, false, false, true },      /* UNSET */
                { { 0, 0, 0x30000000 | 0x14220c }, 0, false, false, true },  /* DISABLED, too large a BAR */
                { { 0, 0, 0x40200 }, 0, false, false, true },                /* flags only */
                { { 0, UINT64_MAX, 0x200 }, UINT64_MAX, true, true, false }, /* no overflow to 0 */
                { { 0x2000, 0x1fff, 0x200 }, 0, false, false, true },        /* end before start */
                { { 0xfebd1000, 0xfebd10ff, 0x400 }, 0x100, false, false, false }, /* an interrupt line */
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ck_assert_uint_eq(resource_size(&cases[i].resource), cases[i].size);
                ck_assert_int_eq(resource_is_assigned_memory(&cases[i].resource), cases[i].memory);
                ck_assert_int_eq(resource_is_assigned(&cases[i].resource), cases[i].assigned);
                ck_assert_int_eq(resource_is_unset(&cases[i].resource), cases[i].unset);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("resource");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_counts);
        tcase_add_test(tcase, test_last_newline_missing);
        tcase_add_test(tcase, test_garbage);
        tcase_add_test(tcase, test_kinds);
        tcase_add_test(tcase, test_states);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
