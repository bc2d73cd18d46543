/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is said of the state that a transaction leaves: the world before is in memory, what is there now a tree. */

#include "act/aftermath.h"
#include "act/outcome.h"
#include "reason-given.h"
#include "topology-builder.h"
#include "tree.h"

#define PORT "pci0000:00/0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"
#define FIRST_PATH PORT "/" FIRST
#define SECOND_PATH PORT "/" SECOND
#define WINDOW_START UINT64_C(0xfe800000)
#define ROM_SIZE UINT64_C(0x10000)

static const char *folder;
static Root *root;
static World world;
static Transaction *transaction;

static void report(JsonObject *document, void *userdata)
{
}

static const TransactionOptions options = { .report = report };

/* As it was before, or with BAR 1 of FIRST at START and its ROM, if HAS_ROM. */
static void write_resources(uint64_t start, bool has_rom)
{
        PciResource first[WORLD_LINES] = { 0 }, second[WORLD_LINES] = { 0 };
        first[1] = (PciResource){ start, start + 0xff, WORLD_BAR };
        if (has_rom)
                first[RESOURCE_ROM] = (PciResource){ WINDOW_START + 0x20000,
                                                     WINDOW_START + 0x20000 + ROM_SIZE - 1, WORLD_BAR_ROM };
        second[1] = (PciResource){ WINDOW_START + 0x1000, WINDOW_START + 0x10ff, WORLD_BAR };
        tree_resources(folder, FIRST_PATH, first, WORLD_LINES);
        tree_resources(folder, SECOND_PATH, second, WORLD_LINES);
}

/* FIRST is off its page's start, SECOND mappable. */
static void setup(void)
{
        folder = suite_folder();
        tree_add(folder, PORT, 0x060400, WORLD_BRIDGE_LINES);
        tree_bind(folder, PORT, "pcieport", false);
        tree_add(folder, FIRST_PATH, 0x020000, WORLD_LINES);
        tree_add(folder, SECOND_PATH, 0x020000, WORLD_LINES);
        tree_bind(folder, FIRST_PATH, "vfio-pci", true);
        tree_bind(folder, SECOND_PATH, "vfio-pci", true);
        tree_group(folder, FIRST_PATH, 1);
        tree_group(folder, SECOND_PATH, 2);
        write_resources(WINDOW_START + 0x10, true);
        tree_write(folder, FIRST_PATH, "driver_override", "vfio-pci\n");
        tree_write(folder, SECOND_PATH, "driver_override", "vfio-pci\n");
        suite_write(folder, "proc/1/comm", "init\n");
        suite_write(folder, "sys/bus/pci/resource_alignment", "");
        suite_write(folder, RUN_DIRECTORY "/entries.json", "[\"0000:00:1c.0/00.0\", \"0000:00:1c.0/00.1\"]");
        ck_assert_int_eq(root_open(folder, &root), 0);

        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, WINDOW_START, 0x100000);
        PciFunction *first = world_add_small(&world, FIRST, port, WINDOW_START + 0x10);
        PciFunction *second = world_add_small(&world, SECOND, port, WINDOW_START + 0x1000);
        world_line(first, RESOURCE_ROM, WINDOW_START + 0x20000, ROM_SIZE, WORLD_BAR_ROM);
        first->iommu_group = 1;
        second->iommu_group = 2;
        ck_assert_int_eq(transaction_new(root, &options, world_only_plan(&world, FIRST), &transaction), 0);
        ck_assert_int_eq(transaction_look(transaction), 0);
}

static void teardown(void)
{
        transaction = transaction_free(transaction);
        root = root_free(root);
        suite_folder_remove(folder);
}

static void expect_in(const Finding *list, size_t n, Reason reason, const char *address, const char *detail)
{
        for (size_t i = 0; i < n; i++)
                if (list[i].reason == reason && strstr(list[i].detail, detail) &&
                    strcmp(PCI_ADDRESS_TEXT(list[i].culprit), address) == 0) {
                        reason_was_given(reason);
                        return;
                }
        for (size_t i = 0; i < n; i++)
                fprintf(stderr, "%s %s: %s\n", PCI_ADDRESS_TEXT(list[i].culprit),
                        reason_name(list[i].reason), list[i].detail);
        ck_abort_msg("no %s about %s: %s", reason_name(reason), address, detail);
}

static void expect_state(Reason reason, const char *address, const char *detail)
{
        expect_in(transaction->result.state, transaction->result.n_state, reason, address, detail);
}

static void describe(size_t n_expected)
{
        ck_assert_int_eq(transaction_look(transaction), 0);
        ck_assert_int_eq(aftermath_describe(transaction), 0);
        ck_assert_uint_eq(transaction->result.n_state, n_expected);
}

static void warn(size_t n_expected)
{
        ck_assert_int_eq(transaction_look(transaction), 0);
        ck_assert_int_eq(aftermath_warn(transaction), 0);
        ck_assert_uint_eq(transaction->result.n_warnings, n_expected);
}

START_TEST(test_as_before)
{
        describe(0);
        warn(0);
}
END_TEST

/* Each thing that differs, of each function. */
START_TEST(test_all_that_differs)
{
        write_resources(WINDOW_START + 0x500, false);
        tree_unlink(folder, FIRST_PATH, "driver");
        tree_write(folder, FIRST_PATH, "driver_override", "vfio-realign-hold\n");
        tree_unlink(folder, SECOND_PATH, "driver");
        tree_bind(folder, SECOND_PATH, "8139cp", false);
        suite_write(folder, "sys/bus/pci/resource_alignment", "pci:0:0;0000:00:1c.0/00.1\n");
        describe(5);
        expect_state(REASON_WRONG_DRIVER, FIRST, "on no driver, was on vfio-pci");
        expect_state(REASON_STATE_NOT_RESTORED, FIRST, "driver_override is vfio-realign-hold");
        expect_state(REASON_BAR_LOST, FIRST, "ROM, 65536 bytes");
        expect_state(REASON_WRONG_DRIVER, SECOND, "on 8139cp, was on vfio-pci");
        expect_state(REASON_STATE_NOT_RESTORED, "0000:00:1c.0", "\"0000:00:1c.0/00.1\" of ours is still in");
}
END_TEST

START_TEST(test_missing_and_in_use)
{
        char list[] = "sys/bus/pci/devices/" SECOND, full[512];
        snprintf(full, sizeof(full), "%s/%s", folder, list);
        ck_assert_int_eq(unlink(full), 0);
        suite_write(folder, "proc/812/comm", "qemu-system-x86\n");
        suite_write(folder, "proc/812/stat", "812 (qemu-system-x86) S 1\n");
        suite_link(folder, "proc/812/fd/7", "/dev/vfio/1");
        suite_write(folder, "dev/vfio/1", "");
        describe(2);
        expect_state(REASON_FUNCTION_MISSING, SECOND, "nothing is at 0000:00:1c.0/00.1");
        expect_state(REASON_USE_BEGAN, FIRST, "open in qemu-system-x86 (pid 812)");
}
END_TEST

/* A rollback may give other addresses; when VFIO then refuses more than it did, that is said. */
START_TEST(test_verdict_worse)
{
        write_resources(WINDOW_START + 0x1100, true);
        warn(1);
        expect_in(transaction->result.warnings, 1, REASON_VERDICT_WORSE, SECOND,
                  "1 of its BARs now, 0 before");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("aftermath");
        TCase *cases = tcase_create("aftermath");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_as_before);
        tcase_add_test(cases, test_all_that_differs);
        tcase_add_test(cases, test_missing_and_in_use);
        tcase_add_test(cases, test_verdict_worse);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
