/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The kernel's command line and its alignment option, against what the kernel's own parser does (KF §1). */

#include "base/text.h"
#include "model/boot-option.h"
#include "suite.h"

#include <string.h>

START_TEST(test_find)
{
        static const struct {
                const char *line;
                const char *value; /* NULL: there is none */
        } cases[] = {
                { "", NULL },
                { "root=/dev/vda quiet", NULL },
                { "pci=noaer", NULL },
                { "pci=resource_alignment=00:1f.0", "00:1f.0" },
                { "  pci=resource_alignment=12@0000:00:1f.0;pci:1:2\n", "12@0000:00:1f.0;pci:1:2" },
                { "quiet pci=noaer,resource_alignment=00:1f.0,realloc x=1", "00:1f.0" },
                { "pci=resource_alignment=00:1f.0,00:1e.0", "00:1f.0" },
                { "pci=resource_alignment=00:1f.0 pci=resource_alignment=00:1e.0", "00:1e.0" },
                { "pci=resource_alignment=00:1f.0,resource_alignment=00:1e.0", "00:1e.0" },
                { "pci=resource_alignment=00:1f.0 pci=noaer", "00:1f.0" },
                { "pci=resource_alignment=", "" },
                { "pci=\"resource_alignment=00:1f.0; 00:1e.0\" quiet", "00:1f.0; 00:1e.0" },
                { "\"pci=resource_alignment=00:1f.0\" quiet", "00:1f.0" },
                { "xpci=resource_alignment=00:1f.0", NULL },
                { "x=\"a pci=resource_alignment=00:1f.0\"", NULL },
                { "quiet -- pci=resource_alignment=00:1f.0", NULL },
                { "pci=", NULL },
                { "pci=\"", NULL },
                { "\"", NULL },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *value = NULL;
                ck_assert_int_eq(boot_option_find(cases[i].line, &value), 0);
                ck_assert_msg(text_equal(value, cases[i].value), "\"%s\" gives \"%s\"", cases[i].line,
                              value ? value : "(none)");
        }
}
END_TEST

START_TEST(test_entries)
{
        static const struct {
                const char *attribute, *option, *left_out;
        } cases[] = {
                { "", "", NULL },
                { "0000:00:1c.0/00.0", "0000:00:1c.0/00.0", NULL },
                { "16@0000:00:1c.0/00.0;00:1f.0;", "16@0000:00:1c.0/00.0;00:1f.0", NULL },
                { "pci:8086:1234,pci:10ec:8139,00:1f.0", "pci:8086:1234;pci:10ec:8139;00:1f.0", NULL },
                { " 00:1f.0; 0000:00: 1e.0", "00:1f.0;0000:00:1e.0", NULL },
                { "00:1f.0;bogus;00:1e.0", "00:1f.0", "bogus;00:1e.0" },
                { "00:1f.0,00:1e.0;00:1d.0", "", "00:1f.0,00:1e.0;00:1d.0" },
                /* the kernel looks at the last component first: the others go on to the next entry */
                { "00:1f.0,x/00.0;00:1d.0", "00:1d.0", "00:1f.0,x/00.0" },
                { "00:1f.0,x/00.0;00:1d.0;;", "00:1d.0", "00:1f.0,x/00.0;;" },
                { ";00:1f.0", "", ";00:1f.0" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(text_list_freep) char **entries = NULL;
                _cleanup_free_ char *left_out = NULL;
                ck_assert_int_eq(boot_option_entries(cases[i].attribute, &entries, &left_out), 0);
                _cleanup_free_ char *option = boot_option_format(entries);
                ck_assert_msg(text_starts_with(option, BOOT_OPTION_PREFIX), "%s", option);
                ck_assert_str_eq(option + strlen(BOOT_OPTION_PREFIX), cases[i].option);
                ck_assert_msg(text_equal(left_out, cases[i].left_out), "\"%s\" leaves \"%s\" out",
                              cases[i].attribute, left_out ? left_out : "(nothing)");
                /* What was made is what the kernel finds. */
                _cleanup_free_ char *found = NULL;
                _cleanup_free_ char *line = text_format("quiet %s panic=1\n", option);
                ck_assert_int_eq(boot_option_find(line, &found), 0);
                ck_assert_str_eq(found, cases[i].option);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("boot-option");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_find);
        tcase_add_test(tcase, test_entries);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
