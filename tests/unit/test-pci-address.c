/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/pci-address.h"
#include "suite.h"

START_TEST(test_round_trip)
{
        static const char *const texts[] = { "0000:00:00.0", "0000:03:1f.7", "ffff:ff:1f.7",
                                             "10000:e0:01.0" };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                PciAddress address;
                ck_assert_int_eq(pci_address_parse(texts[i], &address), 0);
                ck_assert_str_eq(PCI_ADDRESS_TEXT(address), texts[i]);
        }
}
END_TEST

START_TEST(test_rejects)
{
        static const char *const texts[] = {
                "",
                "0000",
                "00:03.0",
                "0000:03:00",
                "0000:03:20.0",
                "0000:03:00.8",
                "0:03:00.0",
                "0000:03:00.0 ",
                " 0000:03:00.0",
                "0000:3:00.0",
                "0000:03:00.00",
                "0000-03:00.0",
                "xxxx:03:00.0",
                "0000:03:00.0/00.0",
                "123456789:00:00.0",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                PciAddress address = { .bus = 77 };
                ck_assert_int_eq(pci_address_parse(texts[i], &address), -EINVAL);
                ck_assert_uint_eq(address.bus, 77); /* written only on success */
        }
}
END_TEST

START_TEST(test_loose)
{
        PciAddress a, b, c;
        ck_assert_int_eq(pci_address_parse_loose("0000:03:00.1", &a), 0);
        ck_assert_int_eq(pci_address_parse_loose("pci_0000_03_00_1", &b), 0);
        ck_assert_int_eq(pci_address_parse_loose("03:00.1", &c), 0);
        ck_assert(pci_address_equal(a, b));
        ck_assert(pci_address_equal(a, c));
        ck_assert_int_eq(pci_address_parse_loose("pci_0000:03:00.1", &a), -EINVAL);
        ck_assert_int_eq(pci_address_parse_loose("3:0.1", &a), -EINVAL);
}
END_TEST

START_TEST(test_order)
{
        static const char *const sorted[] = { "0000:00:1f.7", "0000:01:00.0", "0000:01:00.1",
                                              "0000:01:01.0", "0001:00:00.0", "10000:00:00.0" };
        for (size_t i = 0; i + 1 < ELEMENTSOF(sorted); i++) {
                PciAddress a, b;
                ck_assert_int_eq(pci_address_parse(sorted[i], &a), 0);
                ck_assert_int_eq(pci_address_parse(sorted[i + 1], &b), 0);
                ck_assert_int_lt(pci_address_compare(a, b), 0);
                ck_assert_int_gt(pci_address_compare(b, a), 0);
                ck_assert_int_eq(pci_address_compare(a, a), 0);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("pci-address");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_round_trip);
        tcase_add_test(tcase, test_rejects);
        tcase_add_test(tcase, test_loose);
        tcase_add_test(tcase, test_order);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
