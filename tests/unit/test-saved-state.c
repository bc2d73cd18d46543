/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/hold.h"
#include "act/saved-state.h"
#include "base/text.h"
#include "reason-given.h"
#include "topology-builder.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define FIRST_PATH PORT "/00.0"
#define MOVED "0000:07:00.0"

static const char *folder;
static Root *root;
static World world;
static Plan *plan;
static Finding finding;

/* What is written, "NAME=VALUE …" of functions' attributes, and the attribute that the kernel does not take. */
static char *writes;
static const char *refused;

int __real_root_write_attribute(const Root *at, const char *path, const char *value);
int __wrap_root_write_attribute(const Root *at, const char *path, const char *value);

int __wrap_root_write_attribute(const Root *at, const char *path, const char *value)
{
        static const char devices[] = "sys/bus/pci/devices/0000:00:00.0/";
        const char *name = path + strlen(devices);
        char full[512];

        ck_assert(text_starts_with(path, "sys/bus/pci/devices/"));
        if (text_equal(name, refused))
                return -EINVAL;
        ck_assert_ptr_nonnull(strchr(value, '\n'));
        text_replace(&writes, "%s%s=%.*s ", writes ? writes : "", name, (int) strcspn(value, "\n"), value);
        snprintf(full, sizeof(full), "%s/%s", folder, path);
        ck_assert(truncate(full, 0) == 0 || errno == ENOENT);
        return __real_root_write_attribute(at, path, value);
}

static void set(const char *address, const char *name, const char *value)
{
        char path[256], line[256];
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
        snprintf(line, sizeof(line), "%s\n", value);
        suite_write(folder, path, line);
}

static void expect(const char *address, const char *name, const char *value)
{
        char path[256];
        _cleanup_free_ char *text = NULL;
        snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", address, name);
        ck_assert_int_eq(root_read_attribute(root, path, &text), 0);
        ck_assert_str_eq(text, value);
}

static void set_defaults(const char *address)
{
        set(address, "driver_override", "(null)");
        set(address, "power/control", "on");
        set(address, "d3cold_allowed", "1");
        set(address, "reset_method", "flr bus");
        set(address, "numa_node", "-1");
        set(address, "msi_bus", "1");
}

static void setup(void)
{
        folder = suite_folder();
        ck_assert_int_eq(root_open(folder, &root), 0);
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, PORT, NULL, 0xfe800000, 0x100000);
        world_add_small(&world, FIRST, port, 0xfe800000);
        world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        plan = world_only_plan(&world, FIRST);
        set_defaults(PORT);
        set_defaults(FIRST);
        set_defaults("0000:01:00.1");
        finding = (Finding){ 0 };
        refused = NULL;
}

static void teardown(void)
{
        free(TAKE_PTR(writes));
        plan = plan_free(plan);
        root = root_free(root);
        suite_folder_remove(folder);
}

static SavedState *save(void)
{
        SavedState *state;
        ck_assert_int_eq(saved_state_read(root, plan, &state), 0);
        return state;
}

static int restore(const SavedState *state, const char *path, const char *address)
{
        return saved_state_restore(state, root, path, world_address(address), SAVED_STATE_ALL, &finding);
}

/* After the rescan: the kernel's defaults, and our hold. */
static void come_back(const char *address)
{
        set_defaults(address);
        set(address, "driver_override", HOLD_DRIVER);
}

START_TEST(test_nothing_to_do)
{
        _cleanup_(saved_state_freep) SavedState *state = save();
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_NONE);
        ck_assert_ptr_null(writes);
}
END_TEST

/* Only what differs is written, the override first and what lets the function sleep last. */
START_TEST(test_restore)
{
        set(FIRST, "driver_override", "vfio-pci");
        set(FIRST, "power/control", "auto");
        set(FIRST, "reset_method", "bus");
        set(FIRST, "numa_node", "1");
        _cleanup_(saved_state_freep) SavedState *state = save();
        come_back(FIRST);
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_NONE);
        ck_assert_str_eq(writes,
                         "driver_override=vfio-pci reset_method=bus numa_node=1 power/control=auto ");
        expect(FIRST, "driver_override", "vfio-pci");
        expect(FIRST, "power/control", "auto");
        expect(FIRST, "d3cold_allowed", "1");
}
END_TEST

/* The kernel takes a group's type only while nothing of the group is bound: it is written apart, before that. */
/* All that the kernel's new object does not have any more and takes back (KF §4). */
START_TEST(test_every_attribute)
{
        static const struct {
                const char *name, *fresh, *before;
        } attributes[] = {
                { "driver_override", HOLD_DRIVER, "vfio-pci" },
                { "power/control", "on", "auto" },
                { "power/autosuspend_delay_ms", "0", "5000" },
                { "power/wakeup", "disabled", "enabled" },
                { "d3cold_allowed", "1", "0" },
                { "reset_method", "flr bus", "bus" },
                { "numa_node", "-1", "1" },
                { "msi_bus", "1", "0" },
                { "sriov_drivers_autoprobe", "1", "0" },
                { "broken_parity_status", "0", "1" },
                { "link/clkpm", "1", "0" },
                { "link/l0s_aspm", "1", "0" },
                { "link/l1_aspm", "1", "0" },
                { "link/l1_1_aspm", "1", "0" },
                { "link/l1_2_aspm", "1", "0" },
                { "link/l1_1_pcipm", "1", "0" },
                { "link/l1_2_pcipm", "1", "0" },
        };
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                set(FIRST, attributes[i].name, attributes[i].before);
                set(PORT, attributes[i].name, attributes[i].before);
        }
        _cleanup_(saved_state_freep) SavedState *state = save();
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                set(FIRST, attributes[i].name, attributes[i].fresh);
                set(PORT, attributes[i].name, attributes[i].fresh);
        }
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_NONE);
        ck_assert_int_eq(restore(state, PORT, PORT), FINDING_NONE);
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                expect(FIRST, attributes[i].name, attributes[i].before);
                expect(PORT, attributes[i].name, attributes[i].before);
        }
}
END_TEST

START_TEST(test_group_type)
{
        set(FIRST, "driver_override", "vfio-pci");
        set(FIRST, "iommu_group/type", "identity");
        _cleanup_(saved_state_freep) SavedState *state = save();
        come_back(FIRST);
        set(FIRST, "iommu_group/type", "DMA-FQ");
        ck_assert_int_eq(saved_state_restore(state, root, FIRST_PATH, world_address(FIRST),
                                             SAVED_STATE_OF_GROUP, &finding),
                         FINDING_NONE);
        ck_assert_str_eq(writes, "iommu_group/type=identity ");
        expect(FIRST, "iommu_group/type", "identity");
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_NONE);
        ck_assert_str_eq(writes, "iommu_group/type=identity driver_override=vfio-pci ");
}
END_TEST

/* A function is known by its path: it may have another bus number now. */
START_TEST(test_moved)
{
        set(FIRST, "numa_node", "1");
        _cleanup_(saved_state_freep) SavedState *state = save();
        set_defaults(MOVED);
        ck_assert_int_eq(restore(state, FIRST_PATH, MOVED), FINDING_NONE);
        expect(MOVED, "numa_node", "1");
        ck_assert_int_eq(restore(state, PORT "/1f.7", MOVED), FINDING_NONE); /* nothing is known of it */
}
END_TEST

/* The hold is ours: it goes, and one that was left behind is not taken for anybody's. */
START_TEST(test_hold)
{
        _cleanup_(saved_state_freep) SavedState *state = save();
        ck_assert_ptr_null(saved_state_override(state, FIRST_PATH));
        come_back(FIRST);
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_NONE);
        expect(FIRST, "driver_override", "");
        ck_assert_str_eq(writes, "driver_override= ");

        set(FIRST, "driver_override", HOLD_DRIVER);
        _cleanup_(saved_state_freep) SavedState *left_behind = save();
        ck_assert_ptr_null(saved_state_override(left_behind, FIRST_PATH));
        set(FIRST, "driver_override", "(null)");
        ck_assert_int_eq(restore(left_behind, FIRST_PATH, FIRST), FINDING_NONE);
        expect(FIRST, "driver_override", "");
}
END_TEST

START_TEST(test_override)
{
        set(FIRST, "driver_override", "mlx5_vfio_pci");
        _cleanup_(saved_state_freep) SavedState *state = save();
        ck_assert_str_eq(saved_state_override(state, FIRST_PATH), "mlx5_vfio_pci");
        ck_assert_ptr_null(saved_state_override(state, PORT));
        ck_assert_ptr_null(saved_state_override(state, "0000:77:00.0"));
}
END_TEST

/* What cannot be written back is named, and the rest is written all the same. */
START_TEST(test_not_restored)
{
        char full[512];
        set(FIRST, "driver_override", "vfio-pci");
        set(FIRST, "numa_node", "1");
        set(FIRST, "msi_bus", "0");
        set(FIRST, "power/control", "auto");
        _cleanup_(saved_state_freep) SavedState *state = save();
        come_back(FIRST);
        refused = "numa_node";
        snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/" FIRST "/msi_bus", folder);
        ck_assert_int_eq(unlink(full), 0);
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_MADE);
        assert_reason(finding.reason, REASON_STATE_NOT_RESTORED);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), FIRST);
        ck_assert_str_eq(
                        finding.detail,
                        "numa_node was \"1\" (Invalid argument), msi_bus was \"0\" (No such file or directory)");
        expect(FIRST, "driver_override", "vfio-pci");
        expect(FIRST, "power/control", "auto");
}
END_TEST

/* More losses than a detail has room for. */
START_TEST(test_all_lost)
{
        char full[512];
        _cleanup_(saved_state_freep) SavedState *state = save();
        snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/" FIRST, folder);
        suite_folder_remove(full);
        ck_assert_int_eq(restore(state, FIRST_PATH, FIRST), FINDING_MADE);
        assert_reason(finding.reason, REASON_STATE_NOT_RESTORED);
        ck_assert_uint_lt(strlen(finding.detail), FINDING_DETAIL_MAX);
        ck_assert_ptr_nonnull(strstr(finding.detail, "driver_override was"));
}
END_TEST

/* What is not there is not saved; what is there and cannot be read stops the transaction before it begins. */
START_TEST(test_unreadable)
{
        char path[256];
        SavedState *state = NULL;
        snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/" FIRST "/numa_node", folder);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        ck_assert_int_eq(saved_state_read(root, plan, &state), -EISDIR);
        ck_assert_ptr_null(state);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(saved_state_read(root, plan, &state), 0);
        saved_state_free(state);
}
END_TEST

START_TEST(test_round_trip)
{
        set(FIRST, "driver_override", "vfio-pci");
        _cleanup_(saved_state_freep) SavedState *state = save(), *again = NULL;
        _cleanup_json_ JsonObject *document = saved_state_to_json(state), *parsed = NULL, *twice = NULL;
        _cleanup_free_ char *problem = NULL;

        ck_assert_int_eq(json_document_parse(json_object_to_json_string(document), &parsed, &problem), 0);
        ck_assert_int_eq(saved_state_from_json(parsed, &again, &problem), 0);
        twice = saved_state_to_json(again);
        ck_assert(json_object_equal(document, twice));
        ck_assert_str_eq(saved_state_override(again, FIRST_PATH), "vfio-pci");
        ck_assert_ptr_null(saved_state_free(NULL));
}
END_TEST

/* Its names become names of files. */
START_TEST(test_forged)
{
        static const char *const texts[] = {
                "[]",
                "12",
                "\"x\"",
                "{\"a\": []}",
                "{\"a\": null}",
                "{\"a\": {\"driver_override\": null}}",
                "{\"a\": {\"driver_override\": {}}}",
                "{\"a\": {\"driver_override\": 1}}",
                "{\"a\": {\"remove\": \"1\"}}",
                "{\"a\": {\"../../../../rescan\": \"1\"}}",
                "{\"a\": {\"\": \"1\"}}",
                "{\"a\": {\"numa_node\": \"1\", \"Numa_node\": \"1\"}}",
                "{\"a\": {\"numa_node\": \"1\\u0000\"}}",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_json_ JsonObject *document = json_tokener_parse(texts[i]);
                _cleanup_free_ char *problem = NULL;
                SavedState *state = NULL;
                ck_assert_msg(saved_state_from_json(document, &state, &problem) == -EBADMSG, "%s", texts[i]);
                ck_assert_ptr_null(state);
                ck_assert_ptr_nonnull(problem);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("saved-state");
        TCase *cases = tcase_create("saved-state");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_nothing_to_do);
        tcase_add_test(cases, test_restore);
        tcase_add_test(cases, test_every_attribute);
        tcase_add_test(cases, test_group_type);
        tcase_add_test(cases, test_moved);
        tcase_add_test(cases, test_hold);
        tcase_add_test(cases, test_override);
        tcase_add_test(cases, test_not_restored);
        tcase_add_test(cases, test_all_lost);
        tcase_add_test(cases, test_unreadable);
        tcase_add_test(cases, test_round_trip);
        tcase_add_test(cases, test_forged);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
