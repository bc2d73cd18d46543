/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/iomem.h"
#include "suite.h"

static const char *const typical = "00000000-00000fff : Reserved\n"
                                   "000a0000-000bffff : PCI Bus 0000:00\n"
                                   "30000000-afffffff : PCI Bus 0000:00\n"
                                   "  30000000-301fffff : PCI Bus 0000:01\n"
                                   "    30000000-300000ff : 0000:01:00.0\n"
                                   "      30000000-300000ff : 8139cp\n"
                                   "        30000010-3000001f : inner\n"
                                   "    30000100-300001ff : 0000:01:00.1\n"
                                   "    30000200-30000fff : vfio sub-page reserved\n"
                                   "    30001000-300010ff : HPET 3\n"
                                   "  30200000-303fffff : PCI CardBus 0000:02\n"
                                   "  30400000-3043ffff : 10000:e1:00.0\n"
                                   "    30400000-3040ffff : VMD MEMBAR1\n"
                                   "b0000000-bfffffff : PCI ECAM 0000 [bus 00-ff]\n"
                                   "  b0000000-bfffffff : Reserved\n"
                                   "fec00000-fec003ff : IOAPIC 0\n"
                                   "100000000-1ffffffff : System RAM";

START_TEST(test_typical)
{
        const IomemRange expected[] = {
                { 0, 0xfff, (char[]){ "Reserved" } },
                { 0x30001000, 0x300010ff, (char[]){ "HPET 3" } },
                { 0xb0000000, 0xbfffffff, (char[]){ "PCI ECAM 0000 [bus 00-ff]" } },
                { 0xb0000000, 0xbfffffff, (char[]){ "Reserved" } },
                { 0xfec00000, 0xfec003ff, (char[]){ "IOAPIC 0" } },
                { 0x100000000, 0x1ffffffff, (char[]){ "System RAM" } },
        };
        _cleanup_(iomem_freep) Iomem *iomem = NULL;
        ck_assert_int_eq(iomem_parse(typical, &iomem), 0);
        ck_assert(iomem->visible);
        ck_assert_uint_eq(iomem->n_ranges, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_uint_eq(iomem->ranges[i].start, expected[i].start);
                ck_assert_uint_eq(iomem->ranges[i].end, expected[i].end);
                ck_assert_str_eq(iomem->ranges[i].name, expected[i].name);
        }
}
END_TEST

/* What everybody but root gets: the tree without its addresses. */
START_TEST(test_hidden)
{
        _cleanup_(iomem_freep) Iomem *iomem = NULL, *empty = NULL;
        ck_assert_int_eq(iomem_parse("00000000-00000000 : Reserved\n  00000000-00000000 : System RAM\n",
                                     &iomem),
                         0);
        ck_assert(!iomem->visible);
        ck_assert_uint_eq(iomem->n_ranges, 0);
        ck_assert_int_eq(iomem_parse("", &empty), 0);
        ck_assert(!empty->visible);
}
END_TEST

START_TEST(test_garbage)
{
        static const char *const texts[] = {
                "garbage\n",
                "\n",
                "1000-2000\n",
                "1000-2000 :Reserved\n",
                "1000 - 2000 : Reserved\n",
                "2000-1000 : Reserved\n",
                "-1000 : Reserved\n",
                "1000- : Reserved\n",
                "0x1000-0x2000 : Reserved\n",
                "10000000000000000-20000000000000000 : Reserved\n",
                "1000-1111111111111111111111111111111111111111 : Reserved\n",
                "\t1000-2000 : Reserved\n",
                "1000-2000 : Reserved\n\n3000-4000 : Reserved\n",
                "1000-2000 : Reserved\n  0-",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Iomem *iomem = NULL;
                ck_assert_msg(iomem_parse(texts[i], &iomem) == -EBADMSG, "%s", texts[i]);
                ck_assert_ptr_null(iomem);
        }
}
END_TEST

START_TEST(test_reads)
{
        const char *folder = suite_folder();
        _cleanup_(root_freep) Root *root = NULL;
        Iomem *iomem = NULL;
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_eq(iomem_read(root, &iomem), 0); /* no file */
        ck_assert(!iomem->visible);
        iomem_free(iomem);

        suite_write(folder, "proc/iomem", typical);
        ck_assert_int_eq(iomem_read(root, &iomem), 0);
        ck_assert(iomem->visible);
        ck_assert_uint_eq(iomem->n_ranges, 6);
        iomem_free(iomem);

        suite_write(folder, "proc/iomem", "garbage");
        ck_assert_int_eq(iomem_read(root, &iomem), -EBADMSG);
        suite_link(folder, "proc/iomem", "/proc/version"); /* there is none in this root */
        ck_assert_int_eq(iomem_read(root, &iomem), 0);
        ck_assert(!iomem->visible);
        iomem_free(iomem);
        suite_folder_remove(folder);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("iomem");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_typical);
        tcase_add_test(tcase, test_hidden);
        tcase_add_test(tcase, test_garbage);
        tcase_add_test(tcase, test_reads);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
