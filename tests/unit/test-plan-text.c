/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plans of other goals than to realign, in words; those have their expected texts in test-verbs. */

#include "base/text.h"
#include "client/plan-text.h"
#include "suite.h"

#define PATH_FIRST "0000:00:1c.0/00.0"

static PlanFunction function;
static Plan plan;
static char *text;

static void setup(void)
{
        function = (PlanFunction){
                .address = { .bus = 1 },
                .path = (char *) (uintptr_t) PATH_FIRST,
                .driver = (char *) (uintptr_t) "vfio-pci",
                .on_vfio = true,
                .is_target = true,
                .iommu_group = 12,
                .alignment = 4096,
        };
        function.resources.n_lines = 13;
        function.resources.lines[1] = (PciResource){ 0xfe800000, 0xfe800fff, 0x40200 };
        function.own.lines[1] = 256;
        plan = (Plan){ .page = 4096, .keep_entry = true, .functions = &function, .n_functions = 1 };
}

static void teardown(void)
{
        free(plan.steps);
        free(TAKE_PTR(text));
}

static void print(PlanGoal goal, PlanScope scope)
{
        size_t size;
        FILE *out;
        plan.goal = goal;
        plan.scope = scope;
        ck_assert_int_eq(plan_derive_steps(&plan), 0);
        free(TAKE_PTR(text));
        out = open_memstream(&text, &size);
        ck_assert_ptr_nonnull(out);
        ck_assert_int_eq(plan_text_print(out, &plan), 0);
        fclose(out);
}

static void expect(const char *words)
{
        ck_assert_msg(strstr(text, words), "no \"%s\" in\n%s", words, text);
}

START_TEST(test_restore)
{
        print(PLAN_GOAL_RESTORE, PLAN_SCOPE_FUNCTION);
        expect("Plan to restore the own BAR sizes of 1 function, scope function: 1 function would disappear for a while.");
        expect("gets its own size back: BAR 1 (256)");
        expect("taken out of the kernel's resource_alignment (in the form they have there):\n  " PATH_FIRST
               "\n");
        expect(" 1. take these functions' alignment entries out");
        expect("verify: every BAR is back, and has its own size where it is to have it");
        expect("bind 0000:01:00.0 to vfio-pci");
        ck_assert_ptr_null(strstr(text, "in front of what others wrote"));
        ck_assert_ptr_null(strstr(text, "ivshmem"));
}
END_TEST

START_TEST(test_detach)
{
        function.driver = (char *) (uintptr_t) "8139cp";
        function.on_vfio = false;
        function.alignment = 0;
        print(PLAN_GOAL_DETACH, PLAN_SCOPE_NONE);
        expect("Plan to detach 1 function from the host: only drivers would change, nothing would disappear.");
        expect("goes to vfio-pci");
        expect(" 1. unbind 0000:01:00.0 from 8139cp");
        expect(" 2. bind 0000:01:00.0 to vfio-pci");
        ck_assert_ptr_null(strstr(text, "resource_alignment"));
}
END_TEST

START_TEST(test_reattach)
{
        function.alignment = 0;
        plan.narrowed = REASON_BAR_TOO_LARGE;
        plan.narrowed_by = function.address;
        print(PLAN_GOAL_REATTACH, PLAN_SCOPE_NONE);
        expect("Plan to reattach 1 function to the host: only drivers would change");
        expect("The BARs do not get their own sizes back because of 0000:01:00.0 (bar-too-large)");
        expect("goes to the host's driver");
        expect("have the kernel find the host's driver of 0000:01:00.0");

        plan.narrowed = REASON_NONE;
        function.alignment = 4096;
        print(PLAN_GOAL_REATTACH, PLAN_SCOPE_FUNCTION);
        expect("gets its own size back: BAR 1 (256); goes to the host's driver");
}
END_TEST

START_TEST(test_refusals)
{
        static const struct {
                PlanGoal goal;
                const char *words;
        } cases[] = {
                { PLAN_GOAL_REALIGN, "0000:01:00.0 is not realigned (in-use)" },
                { PLAN_GOAL_RESTORE, "0000:01:00.0 does not get its own BAR sizes back (in-use)" },
                { PLAN_GOAL_DETACH, "0000:01:00.0 is not detached (in-use)" },
                { PLAN_GOAL_REATTACH, "0000:01:00.0 is not reattached (in-use)" },
        };
        const PlanRefusal refusal = { .address = function.address,
                                      .culprit = function.address,
                                      .reason = REASON_IN_USE,
                                      .detail = (char *) (uintptr_t) "open in qemu (pid 812)" };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                size_t size;
                free(TAKE_PTR(text));
                FILE *out = open_memstream(&text, &size);
                ck_assert_ptr_nonnull(out);
                plan_text_print_refusal(out, cases[i].goal, &refusal);
                fclose(out);
                expect(cases[i].words);
                expect("0000:01:00.0 is open in qemu (pid 812)");
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan-text");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_restore);
        tcase_add_test(cases, test_detach);
        tcase_add_test(cases, test_reattach);
        tcase_add_test(cases, test_refusals);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
