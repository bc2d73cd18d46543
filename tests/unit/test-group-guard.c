/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The group files that are kept open: what each answer of the kernel means. */

#include "act/group-guard.h"
#include "base/text.h"
#include "reason-given.h"
#include "topology-builder.h"

#define FUNCTION "0000:00:08.0"

static const char *folder;
static Root *root;
static PciFunction function;
static GroupGuard guard;
static Finding finding;

/* What the kernel answers to an open of this file. */
static const char *answered;
static int answer;

int __real_root_open_file(const Root *at, const char *path, int flags, mode_t mode, int *ret);
int __wrap_root_open_file(const Root *at, const char *path, int flags, mode_t mode, int *ret);

int __wrap_root_open_file(const Root *at, const char *path, int flags, mode_t mode, int *ret)
{
        return text_equal(path, answered) ? answer : __real_root_open_file(at, path, flags, mode, ret);
}

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, "dev/vfio/vfio", "");
        ck_assert_int_eq(root_open(folder, &root), 0);
        function = (PciFunction){ .address = world_address(FUNCTION), .on_vfio = true, .iommu_group = 7 };
        finding = (Finding){ 0 };
        answered = NULL;
}

static void teardown(void)
{
        group_guard_close(&guard);
        root = root_free(root);
        suite_folder_remove(folder);
}

static void expect(Reason reason)
{
        ck_assert_int_eq(group_guard_open_one(&guard, root, &function, &finding),
                         reason == REASON_NONE ? FINDING_NONE : FINDING_MADE);
        assert_reason(finding.reason, reason);
        ck_assert_uint_eq(guard.n_fds, reason == REASON_NONE);
}

/* Each of these files is kept open, and what the kernel may answer instead is a reason of its own. */
static const struct {
        const char *file;
        int answer;
        Reason reason;
        const char *remedy; /* words of it */
} groups[] = {
        { "dev/vfio/7", -EBUSY, REASON_USE_BEGAN, "" },
        /* The service is not given CAP_SYS_RAWIO: that is a reason with a remedy, and no error. */
        { "dev/vfio/noiommu-7", -EPERM, REASON_NO_IOMMU, "CAP_SYS_RAWIO" },
};

START_TEST(test_groups)
{
        suite_write(folder, groups[_i].file, "");
        expect(REASON_NONE);
        group_guard_close(&guard);
        answered = groups[_i].file;
        answer = groups[_i].answer;
        expect(groups[_i].reason);
        ck_assert_ptr_nonnull(strstr(reason_remedy(finding.reason), groups[_i].remedy));
}
END_TEST

START_TEST(test_no_group)
{
        expect(REASON_NO_GROUP_FILES);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("group-guard");
        TCase *tests = tcase_create("all");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_loop_test(tests, test_groups, 0, ELEMENTSOF(groups));
        tcase_add_test(tests, test_no_group);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
