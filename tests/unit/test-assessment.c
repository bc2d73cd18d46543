/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/page.h"
#include "daemon/assessment.h"
#include "reason-given.h"
#include "tree.h"

#define PORT "pci0000:00/0000:00:1c.0"
#define FIRST PORT "/0000:01:00.0"
#define SECOND PORT "/0000:01:00.1"
#define ELSEWHERE "pci0000:00/0000:00:08.0"
#define KEY "0000:00:1c.0"
#define SIZE UINT64_C(0x100)

static const char *folder;
static Root *root;
static Attempts *attempts;
static Restored *restored;
static const FunctionKey first_key = { "0000:00:1c.0/00.0", 0x10ec, 0x8139 };
static const FunctionKey second_key = { "0000:00:1c.0/00.1", 0x10ec, 0x8139 };

/* One BAR of 256 bytes, the Nth of its page. */
static void add_small(const char *path, unsigned n)
{
        PciResource lines[13] = { 0 };
        uint64_t start = UINT64_C(0xfe000000) + n * SIZE;
        lines[1] = (PciResource){ .start = start, .end = start + SIZE - 1, .flags = RESOURCE_MEMORY };
        tree_add(folder, path, 0x020000, 13);
        tree_resources(folder, path, lines, ELEMENTSOF(lines));
}

static void setup(void)
{
        folder = suite_folder();
        tree_add(folder, PORT, 0x060400, 17);
        add_small(FIRST, 0);
        add_small(SECOND, 1);
        add_small(ELSEWHERE, 2);
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_eq(attempts_new(&attempts), 0);
        ck_assert_int_eq(restored_new(&restored), 0);
}

static void teardown(void)
{
        attempts_free(attempts);
        restored_free(restored);
        root_free(root);
        suite_folder_remove(folder);
}

static Survey *survey(void)
{
        _cleanup_free_ char *problem = NULL;
        Survey *survey;
        ck_assert_msg(survey_read(root, &survey, &problem) == 0, "%s", problem);
        return survey;
}

/* What is made of the bus under a policy of these lines. */
static Assessment *assess(const char *key, const char *policy_text)
{
        _cleanup_(survey_freep) Survey *now = survey();
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *problems = NULL;
        Assessment *assessment;

        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", policy_text);
        ck_assert_msg(policy_load(root, NULL, &policy, &problems) == 0, "%s", problems);
        Bus bus = { .key = (char *) key };
        ck_assert_int_eq(assessment_make(now, policy, attempts, restored, &bus, &assessment), 0);
        return assessment;
}

static void assert_targets(const Assessment *assessment, AssessmentAnswer answer, const char *targets)
{
        _cleanup_free_ char *text = assessment_targets_text(assessment);
        ck_assert_int_eq(assessment->answer, answer);
        ck_assert_str_eq(text, targets);
}

START_TEST(what_is_not_on_vfio_is_no_target)
{
        _cleanup_(assessment_freep) Assessment *assessment = assess(KEY, "");
        assert_targets(assessment, ASSESSMENT_NOTHING, "");
        assert_reason(assessment->reason, REASON_NONE);
        ck_assert_ptr_null(assessment->remarks);
}
END_TEST

START_TEST(all_targets_of_the_bus_are_planned_together)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        tree_bind(folder, SECOND, "vfio-pci", true);
        tree_bind(folder, ELSEWHERE, "vfio-pci", true);
        _cleanup_(assessment_freep) Assessment *assessment =
                        assess(KEY, "[default]\nsettle-delay = 2s\n[function 0000:01:00.1]\n"
                                    "settle-delay = 7s\n");
        assert_targets(assessment, ASSESSMENT_PLAN, "0000:01:00.0, 0000:01:00.1");
        ck_assert_uint_eq(assessment->settle_delay_usec, 7000000);
        _cleanup_(assessment_freep) Assessment *other = assess("0000:00", "");
        assert_targets(other, ASSESSMENT_PLAN, "0000:00:08.0");
}
END_TEST

START_TEST(the_policy_is_asked_per_function)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        tree_bind(folder, SECOND, "vfio-pci", true);
        _cleanup_(assessment_freep) Assessment *never = assess(KEY, "[default]\nrealign = never\n");
        assert_targets(never, ASSESSMENT_NOTHING, "");
        ck_assert_ptr_null(never->remarks);
        _cleanup_(assessment_freep) Assessment *report = assess(
                        KEY, "[default]\nrealign = never\n[function 0000:01:00.1]\nrealign = report\n");
        assert_targets(report, ASSESSMENT_REPORT, "0000:01:00.1");
        _cleanup_(assessment_freep) Assessment *both =
                        assess(KEY, "[function 0000:01:00.1]\nrealign = report\n");
        assert_targets(both, ASSESSMENT_PLAN, "0000:01:00.0");
}
END_TEST

START_TEST(what_is_enabled_is_waited_for)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        tree_bind(folder, SECOND, "vfio-pci", true);
        tree_write(folder, FIRST, "enable", "1\n");
        _cleanup_(assessment_freep) Assessment *one = assess(KEY, "");
        assert_targets(one, ASSESSMENT_PLAN, "0000:01:00.1");
        tree_write(folder, SECOND, "enable", "2\n");
        _cleanup_(assessment_freep) Assessment *all = assess(KEY, "");
        assert_targets(all, ASSESSMENT_IN_USE, "0000:01:00.0, 0000:01:00.1");
}
END_TEST

START_TEST(attempts_run_out)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        tree_bind(folder, SECOND, "vfio-pci", true);
        ck_assert_int_eq(attempts_add(attempts, first_key, REASON_BAR_LOST), 0);
        _cleanup_(assessment_freep) Assessment *one = assess(KEY, "");
        assert_targets(one, ASSESSMENT_PLAN, "0000:01:00.1");
        ck_assert_ptr_nonnull(strstr(one->remarks, "0000:01:00.0"));
        _cleanup_(assessment_freep) Assessment *more = assess(KEY, "[default]\nattempts = 2\n");
        assert_targets(more, ASSESSMENT_PLAN, "0000:01:00.0, 0000:01:00.1");

        ck_assert_int_eq(attempts_add(attempts, second_key, REASON_STEP_FAILED), 0);
        _cleanup_(assessment_freep) Assessment *none = assess(KEY, "");
        assert_targets(none, ASSESSMENT_NOTHING, "");
        assert_reason(none->reason, REASON_ATTEMPTS);
        ck_assert_ptr_nonnull(strstr(none->remarks, reason_text(REASON_BAR_LOST)));
        ck_assert_ptr_nonnull(strstr(none->remarks, "\n0000:01:00.1"));
}
END_TEST

START_TEST(a_host_bridge_that_keeps_addresses_is_remarked)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        tree_bind(folder, ELSEWHERE, "vfio-pci", true);
        ck_assert_int_eq(attempts_keep_host(attempts, "0000:00:1c.0/00.0"), 0);
        _cleanup_(assessment_freep) Assessment *here = assess(KEY, ""), *there = assess("0000:00", "");
        assert_targets(here, ASSESSMENT_NOTHING, "");
        assert_reason(here->reason, REASON_FIRMWARE_ASSIGNMENT);
        ck_assert_ptr_nonnull(strstr(here->remarks, reason_text(REASON_FIRMWARE_ASSIGNMENT)));
        ck_assert_ptr_nonnull(strstr(here->remarks, reason_remedy(REASON_FIRMWARE_ASSIGNMENT)));
        assert_reason(there->reason, REASON_FIRMWARE_ASSIGNMENT);
        _cleanup_(assessment_freep) Assessment *never = assess(KEY, "[default]\nrealign = never\n");
        assert_reason(never->reason, REASON_NONE);
}
END_TEST

START_TEST(what_cannot_be_realigned_is_remarked)
{
        PciResource lines[13] = { 0 };
        lines[0] = (PciResource){ .start = 0xfe000800,
                                  .end = 0xfe0008ff,
                                  .flags = RESOURCE_MEMORY | RESOURCE_PCI_FIXED };
        tree_resources(folder, FIRST, lines, ELEMENTSOF(lines));
        tree_bind(folder, FIRST, "vfio-pci", true);
        _cleanup_(assessment_freep) Assessment *assessment = assess(KEY, "");
        assert_targets(assessment, ASSESSMENT_NOTHING, "");
        assert_reason(assessment->reason, REASON_FIXED_BAR);
        ck_assert_ptr_nonnull(strstr(assessment->remarks, reason_text(REASON_FIXED_BAR)));
        _cleanup_(assessment_freep) Assessment *never = assess(KEY, "[default]\nrealign = never\n");
        ck_assert_ptr_null(never->remarks);
}
END_TEST

START_TEST(the_whole_radius_is_watched)
{
        _cleanup_(enable_watch_freep) EnableWatch *watch = NULL;
        _cleanup_(survey_freep) Survey *now = survey();
        ck_assert_int_eq(assessment_watch(now, KEY, &watch), 0);
        ck_assert(!enable_watch_changed(watch, root));
        tree_write(folder, ELSEWHERE, "enable", "1\n");
        tree_write(folder, PORT, "enable", "3\n");
        ck_assert(!enable_watch_changed(watch, root));
        tree_write(folder, SECOND, "enable", "1\n");
        ck_assert(enable_watch_changed(watch, root));
        ck_assert(!enable_watch_changed(watch, root));
        tree_write(folder, SECOND, "enable", "garbage\n");
        ck_assert(enable_watch_changed(watch, root));
        tree_unlink(folder, SECOND, "enable");
        ck_assert(!enable_watch_changed(watch, root));
        tree_write(folder, SECOND, "enable", "0\n");
        ck_assert(enable_watch_changed(watch, root));
}
END_TEST

START_TEST(what_was_restored_is_left_so)
{
        tree_bind(folder, FIRST, "vfio-pci", true);
        ck_assert_int_eq(restored_mark(restored, first_key), 0);
        _cleanup_(assessment_freep) Assessment *alone = assess(KEY, "");
        assert_targets(alone, ASSESSMENT_NOTHING, "");
        assert_reason(alone->reason, REASON_RESTORED);
        ck_assert_ptr_null(alone->remarks);
        tree_bind(folder, SECOND, "vfio-pci", true);
        _cleanup_(assessment_freep) Assessment *beside = assess(KEY, "");
        assert_targets(beside, ASSESSMENT_PLAN, "0000:01:00.1");
        ck_assert(restored_clear(restored, first_key));
        _cleanup_(assessment_freep) Assessment *both = assess(KEY, "");
        assert_targets(both, ASSESSMENT_PLAN, "0000:01:00.0, 0000:01:00.1");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("assessment");
        TCase *tests = tcase_create("assessment");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, what_is_not_on_vfio_is_no_target);
        tcase_add_test(tests, all_targets_of_the_bus_are_planned_together);
        tcase_add_test(tests, the_policy_is_asked_per_function);
        tcase_add_test(tests, what_is_enabled_is_waited_for);
        tcase_add_test(tests, attempts_run_out);
        tcase_add_test(tests, a_host_bridge_that_keeps_addresses_is_remarked);
        tcase_add_test(tests, what_cannot_be_realigned_is_remarked);
        tcase_add_test(tests, what_was_restored_is_left_so);
        tcase_add_test(tests, the_whole_radius_is_watched);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
