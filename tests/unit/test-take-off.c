/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A native driver was quicker than the hold: it is taken off again, but only if nothing of the host uses what it has made
 * of the function meanwhile (design §4 rule 1).
 */

#include "act/step.h"
#include "base/text.h"
#include "host-tree.h"
#include "reason-given.h"
#include "topology-builder.h"
#include "tree.h"

#include <dirent.h>

#define FUNCTION "0000:00:08.0"
#define TREE_PATH "pci0000:00/" FUNCTION
#define SYSFS_PATH "sys/devices/" TREE_PATH
#define GROUP_FILE "dev/vfio/7"
#define DISK SYSFS_PATH "/nvme/nvme0/nvme0n1"
#define TAKEN_OFF                                                                                           \
        "sys/bus/pci/devices/" FUNCTION "/driver_override\n"                                                \
        "sys/bus/pci/drivers/nvme/unbind\n"

static const char *folder;
static Root *root;
static World world;
static Transaction *transaction;
static Finding finding;
static char *writes;       /* each written path and a line end */
static bool is_group_open; /* while the function was unbound from VFIO */

int __wrap_root_write_attribute(const Root *at, const char *path, const char *value);

/* This process has a file open whose path ends in NAME. */
static bool has_open(const char *name)
{
        DIR *directory = opendir("/proc/self/fd");
        bool found = false;

        ck_assert_ptr_nonnull(directory);
        for (struct dirent *entry; (entry = readdir(directory));) {
                char target[512] = "";
                ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
                found |= n > (ssize_t) strlen(name) && strcmp(target + n - strlen(name), name) == 0;
        }
        closedir(directory);
        return found;
}

int __wrap_root_write_attribute(const Root *at, const char *path, const char *value)
{
        text_replace(&writes, "%s%s\n", writes ? writes : "", path);
        if (strcmp(path, "sys/bus/pci/drivers/nvme/unbind") == 0)
                tree_unlink(folder, TREE_PATH, "driver");
        if (strcmp(path, "sys/bus/pci/drivers/vfio-pci/unbind") == 0) {
                is_group_open = has_open("/" GROUP_FILE);
                tree_unbind(folder, TREE_PATH);
        }
        return 0;
}

static void report(JsonObject *document, void *userdata)
{
}

static const TransactionOptions options = { .report = report };

static void setup(void)
{
        folder = suite_folder();
        tree_add(folder, TREE_PATH, 0x010802, 13);
        tree_bind(folder, TREE_PATH, "nvme", false);
        tree_write(folder, TREE_PATH, "enable", "1\n"); /* by the driver */
        tree_write(folder, TREE_PATH, "driver_override", "\n");
        host_device(folder, SYSFS_PATH "/nvme/nvme0", "nvme", "nvme0");
        host_block(folder, DISK, "259:0", false);
        ck_assert_int_eq(root_open(folder, &root), 0);
        world_init(&world);
        (void) world_add_small(&world, FUNCTION, NULL, 0x90000100);
        ck_assert_int_eq(transaction_new(root, &options, world_only_plan(&world, FUNCTION), &transaction),
                         0);
        transaction->journal.stage = STAGE_REMOVING;
        finding = (Finding){ 0 };
}

static void teardown(void)
{
        transaction = transaction_free(transaction);
        root = root_free(root);
        free(TAKE_PTR(writes));
        suite_folder_remove(folder);
}

static int take_off(void)
{
        return step_take_off(transaction, &transaction->journal.plan->functions[0], &finding);
}

static void expect_left_alone(const char *detail)
{
        ck_assert_int_eq(take_off(), FINDING_MADE);
        assert_reason(finding.reason, REASON_USE_BEGAN);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), FUNCTION);
        ck_assert_str_eq(finding.detail, detail);
        ck_assert_ptr_null(writes);
}

static void expect_taken_off(void)
{
        ck_assert_int_eq(take_off(), FINDING_NONE);
        ck_assert_str_eq(writes, TAKEN_OFF);
}

START_TEST(test_idle)
{
        expect_taken_off();
}
END_TEST

START_TEST(test_mounted)
{
        suite_write(folder, "proc/self/mountinfo", "29 1 259:0 / /srv rw - ext4 /dev/nvme0n1 rw\n");
        expect_left_alone("in use by the host: it carries /dev/nvme0n1, mounted on /srv (ext4)");
}
END_TEST

START_TEST(test_held)
{
        host_block(folder, "sys/devices/virtual/block/md0", "9:0", false);
        host_hold(folder, DISK, "sys/devices/virtual/block/md0");
        expect_left_alone("in use by the host: it carries /dev/nvme0n1, part of /dev/md0");
}
END_TEST

START_TEST(test_open)
{
        suite_write(folder, "proc/812/comm", "dd\n");
        suite_write(folder, "proc/812/maps", "");
        suite_link(folder, "proc/812/fd/0", "/dev/nvme0n1");
        expect_left_alone("in use by the host: it carries /dev/nvme0n1, open in dd (pid 812)");
}
END_TEST

/* udev looks at each new disk by itself: nobody loses anything. */
START_TEST(test_open_in_udev)
{
        suite_write(folder, "proc/812/comm", "(udev-worker)\n");
        suite_write(folder, "proc/812/maps", "");
        suite_link(folder, "proc/812/fd/9", "/dev/nvme0n1");
        expect_taken_off();
}
END_TEST

START_TEST(test_unreadable)
{
        suite_write(folder, "proc/self/mountinfo", "garbage\n");
        ck_assert_int_eq(take_off(), FINDING_MADE);
        assert_reason(finding.reason, REASON_USE_BEGAN);
        ck_assert_ptr_null(writes);
}
END_TEST

/* It is on VFIO, in group 7, whose file is there if HAS_FILE. */
static void put_on_vfio(bool has_file)
{
        tree_unlink(folder, TREE_PATH, "driver");
        tree_bind(folder, TREE_PATH, "vfio-pci", true);
        tree_group(folder, TREE_PATH, 7);
        tree_write(folder, TREE_PATH, "enable", "0\n");
        if (has_file)
                suite_write(folder, GROUP_FILE, "");
}

/* Nobody can begin to use it between the last look and the unbind. */
START_TEST(test_group_is_kept)
{
        put_on_vfio(true);
        is_group_open = false;
        ck_assert_int_eq(take_off(), FINDING_NONE);
        ck_assert_str_eq(writes, "sys/bus/pci/devices/" FUNCTION "/driver_override\n"
                                 "sys/bus/pci/drivers/vfio-pci/unbind\n");
        ck_assert(is_group_open);
        ck_assert(!has_open("/" GROUP_FILE));
}
END_TEST

START_TEST(test_group_cannot_be_kept)
{
        put_on_vfio(false);
        ck_assert_int_eq(take_off(), FINDING_MADE);
        assert_reason(finding.reason, REASON_NO_GROUP_FILES);
        ck_assert_ptr_null(writes);
}
END_TEST

/* Whatever the step finds then: what came later than the look behind the rescan is off it, and told. */
static void expect_late_one_off(PlanStepKind kind, JournalStage stage)
{
        suite_write(folder, RUN_DIRECTORY "/lock", "");
        transaction->journal.stage = stage;
        transaction->journal.plan->functions[0].class = 0x010802;
        ck_assert_int_eq(transaction_look(transaction), 0);
        ck_assert_int_eq(step_run(transaction, kind, 0, 0, 1, &finding), FINDING_MADE);
        /* The tree's function has no address: nothing may be bound to it, whoever was first (KF §7). */
        assert_reason(finding.reason, REASON_BAR_LOST);
        ck_assert_str_eq(writes, TAKEN_OFF);
}

START_TEST(test_verified_bare)
{
        expect_late_one_off(PLAN_STEP_VERIFY, STAGE_REMOVING);
        ck_assert_uint_eq(transaction->result.n_warnings, 1);
        assert_reason(transaction->result.warnings[0].reason, REASON_SLIPPED_THROUGH);
}
END_TEST

START_TEST(test_half_assigned)
{
        expect_late_one_off(PLAN_STEP_BIND, STAGE_UNDONE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("take-off");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_idle);
        tcase_add_test(cases, test_mounted);
        tcase_add_test(cases, test_held);
        tcase_add_test(cases, test_open);
        tcase_add_test(cases, test_open_in_udev);
        tcase_add_test(cases, test_unreadable);
        tcase_add_test(cases, test_group_is_kept);
        tcase_add_test(cases, test_group_cannot_be_kept);
        tcase_add_test(cases, test_verified_bare);
        tcase_add_test(cases, test_half_assigned);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
