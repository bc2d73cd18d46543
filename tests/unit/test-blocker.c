/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/blocker.h"
#include "base/text.h"
#include "tree.h"

#define PORT "pci0000:00/0000:00:1c.0"
#define OURS PORT "/0000:01:00.0"
#define OTHER_PORT "pci0000:00/0000:00:1d.0"
#define OTHER OTHER_PORT "/0000:02:00.0"

static const PciAddress ours = { .bus = 1 };
static const char *folder;
static Root *root;

static void add(const char *path, uint32_t class, unsigned group)
{
        tree_add(folder, path, class, 13);
        tree_write(folder, path, "remove", "");
        tree_group(folder, path, group);
}

static void setup(void)
{
        folder = suite_folder();
        add(PORT, 0x060400, 1);
        add(OTHER_PORT, 0x060400, 2);
        add(OURS, 0x020000, 12);
        add(OTHER, 0x020000, 13);
        suite_write(folder, "dev/vfio/13", "");
        suite_write(folder, "proc/812/comm", "qemu-system-x86\n");
        suite_write(folder, "proc/812/maps", "");
        suite_link(folder, "proc/812/fd/0", "/dev/null");
        suite_write(folder, "proc/sys/kernel/pid_max", "4194304\n");
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

static void expect(const PciAddress *function, bool needs_lock, const char *text)
{
        _cleanup_free_ char *found = blocker_find(root, function, needs_lock);
        if (text)
                ck_assert_pstr_eq(found, text);
        else
                ck_assert_ptr_null(found);
}

START_TEST(test_nobody)
{
        expect(&ours, true, NULL);
        /* In use, but nobody removes it. */
        tree_bind(folder, OTHER, "vfio-pci", true);
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/13");
        expect(&ours, true, NULL);
        expect(NULL, true, NULL);
}
END_TEST

START_TEST(test_own_user)
{
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/12");
        expect(&ours, false, "open in qemu-system-x86 (pid 812)");
        expect(&ours, true, "open in qemu-system-x86 (pid 812)");
}
END_TEST

START_TEST(test_removal_of_another)
{
        static const char text[] =
                        "somebody is removing 0000:02:00.0, which is open in qemu-system-x86 (pid 812)";
        tree_bind(folder, OTHER, "vfio-pci", true);
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/13");
        tree_unlink(folder, OTHER, "remove");
        expect(&ours, true, text);
        expect(NULL, true, text);
        expect(&ours, false, NULL); /* an unbind does not wait for that */
}
END_TEST

/* Newer kernels take the VFIO device away before they wait: that directory is not there. */
START_TEST(test_removal_of_bridge)
{
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/13");
        tree_unlink(folder, OTHER_PORT, "remove");
        expect(&ours, true, "somebody is removing 0000:02:00.0, which is open in qemu-system-x86 (pid 812)");
}
END_TEST

/* What has the character device alone open is found when nothing in sysfs tells of it any more. */
START_TEST(test_device_gone)
{
        static const char text[] =
                        "perhaps open in qemu-system-x86 (pid 812), which has a VFIO device that is being taken away";
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/devices/vfio3 (deleted)");
        expect(&ours, false, text);
        tree_bind(folder, OURS, "e1000e", false);
        tree_unlink(folder, OTHER, "remove");
        _cleanup_free_ char *removed = text_format("somebody is removing 0000:02:00.0, which is %s", text);
        expect(NULL, true, removed);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("blocker");
        TCase *tests = tcase_create("blocker");

        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, test_nobody);
        tcase_add_test(tests, test_own_user);
        tcase_add_test(tests, test_removal_of_another);
        tcase_add_test(tests, test_removal_of_bridge);
        tcase_add_test(tests, test_device_gone);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
