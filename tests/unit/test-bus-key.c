/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/bus-key.h"
#include "suite.h"

static void assert_key(const char *path, const char *wanted)
{
        _cleanup_free_ char *key = NULL;
        ck_assert_int_eq(bus_key_from_path(path, &key), 0);
        ck_assert_str_eq(key, wanted);
}

START_TEST(names_the_bus_of_a_function)
{
        assert_key("sys/devices/pci0000:00/0000:00:08.0", "0000:00");
        assert_key("/devices/pci0000:00/0000:00:1c.0/0000:01:00.0", "0000:00:1c.0");
        assert_key("sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:1f.3", "0000:00:1c.0/00.0");
        assert_key("/devices/platform/4010000000.pcie/pci0000:00/0000:00:01.0/0000:01:00.1", "0000:00:01.0");
        /* VMD: another hierarchy below a function */
        assert_key("/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
                   "10000:e0:06.0");
        assert_key("/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0", "10000:e0");
}
END_TEST

START_TEST(names_it_from_a_topology_path_too)
{
        static const char *const keys[][2] = {
                { "0000:00:08.0", "0000:00" },
                { "0000:00:1c.0/00.0", "0000:00:1c.0" },
                { "0000:00:1c.0/00.0/1f.3", "0000:00:1c.0/00.0" },
                { "10000:e0:06.0/00.0", "10000:e0:06.0" },
        };
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_free_ char *key = bus_key_from_topology_path(keys[i][0]);
                ck_assert_str_eq(key, keys[i][1]);
        }
}
END_TEST

START_TEST(says_it_in_words)
{
        _cleanup_free_ char *below = bus_key_describe("0000:00:1c.0"),
                            *root_bus = bus_key_describe("0000:00");
        ck_assert_str_eq(below, "the bus below 0000:00:1c.0");
        ck_assert_str_eq(root_bus, "the root bus 0000:00");
}
END_TEST

START_TEST(refuses_what_is_no_function)
{
        static const char *const paths[] = {
                "",
                "/",
                "/devices/pci0000:00",
                "/devices/pci0000:00/pci_bus/0000:00",
                "/devices/pci0000:00/0000:00:1c.0/0000:00:1c.0:pcie002",
                "/devices/virtual/vfio/12",
                "/devices/0000:00:1c.0",
                "/devices/pci0000:00/0000:00:1c.0/net/eth0",
        };
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                char *key = NULL;
                ck_assert_int_eq(bus_key_from_path(paths[i], &key), -EINVAL);
                ck_assert_ptr_null(key);
        }
}
END_TEST

START_TEST(climbs_below_bridges_only)
{
        char key[] = "0000:00:1c.0/00.0/1f.7";
        ck_assert(bus_key_ascend(key));
        ck_assert_str_eq(key, "0000:00:1c.0/00.0");
        ck_assert(bus_key_ascend(key));
        ck_assert_str_eq(key, "0000:00:1c.0");
        ck_assert(!bus_key_ascend(key));
        ck_assert_str_eq(key, "0000:00:1c.0");
}
END_TEST

START_TEST(knows_related_buses)
{
        ck_assert(bus_key_related("0000:00:1c.0", "0000:00:1c.0"));
        ck_assert(bus_key_related("0000:00:1c.0", "0000:00:1c.0/00.0"));
        ck_assert(bus_key_related("0000:00:1c.0/00.0", "0000:00:1c.0"));
        ck_assert(!bus_key_related("0000:00:1c.0", "0000:00:1c.1"));
        ck_assert(!bus_key_related("0000:00:1c.0/00.0", "0000:00:1c.0/00.1"));
        ck_assert(!bus_key_related("0000:00", "0000:00:1c.0"));
        ck_assert(!bus_key_related("0000:00:01.1", "0000:00:01.10"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("bus-key");
        TCase *tests = tcase_create("bus-key");
        tcase_add_test(tests, names_the_bus_of_a_function);
        tcase_add_test(tests, names_it_from_a_topology_path_too);
        tcase_add_test(tests, says_it_in_words);
        tcase_add_test(tests, refuses_what_is_no_function);
        tcase_add_test(tests, climbs_below_bridges_only);
        tcase_add_test(tests, knows_related_buses);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
