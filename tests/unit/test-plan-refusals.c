/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Why functions are in no plan. */

#include "base/text.h"
#include "plan-cases.h"

/* The window has two pages, and the sibling that stays takes a part of one of them. */
START_TEST(test_no_room)
{
        world_line(port, WORLD_MEMORY_WINDOW, WINDOW_START, 2 * WORLD_PAGE, WORLD_BAR_WINDOW);
        world_hold(&world, third, HOLDER_GROUP);
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 3);
        expect_refused(set, FIRST, REASON_NO_ROOM, THIRD);
        expect_refused(set, SECOND, REASON_NO_ROOM, THIRD);
        expect_refused(set, THIRD, REASON_IN_USE, THIRD);
        ck_assert_str_eq(find_refusal(set, FIRST)->detail, "open in qemu (pid 812)");
}
END_TEST

START_TEST(test_refused_in_use)
{
        static const struct {
                HolderKind kind;
                Reason reason;
        } cases[] = {
                { HOLDER_GROUP, REASON_IN_USE },        { HOLDER_CDEV, REASON_IN_USE },
                { HOLDER_RESOURCE, REASON_IN_USE },     { HOLDER_ENABLE, REASON_ENABLE_COUNT },
                { HOLDER_UNSEEN, REASON_USERS_UNSEEN },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                setup();
                world_hold(&world, first, cases[i].kind);
                _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
                ck_assert_uint_eq(set->n_refusals, 1);
                expect_refused(set, FIRST, cases[i].reason, FIRST);
                _cleanup_free_ char *holder = holder_text(&world.holders[0]);
                ck_assert_str_eq(find_refusal(set, FIRST)->detail, holder);
                /* the others of the bus are done without it */
                ck_assert_uint_eq(set->n_plans, 1);
                ck_assert_int_eq(set->plans[0]->scope, PLAN_SCOPE_FUNCTION);
                ck_assert_uint_eq(set->plans[0]->n_functions, 2);
                ck_assert_ptr_null(find_planned(set->plans[0], FIRST));
        }
}
END_TEST

/* A refusal names the host driver that keeps the bus from being taken out. */
START_TEST(test_holder_is_host_driver)
{
        world_line(port, WORLD_MEMORY_WINDOW, WINDOW_START, WORLD_PAGE, WORLD_BAR_WINDOW);
        world_bind_host(&world, third, "e1000e");
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        expect_refused(set, FIRST, REASON_NO_ROOM, THIRD);
        ck_assert_str_eq(find_refusal(set, FIRST)->detail, "on the host driver e1000e");
}
END_TEST

START_TEST(test_users_unseen)
{
        world.usage.complete = false;
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 3);
        expect_refused(set, SECOND, REASON_USERS_UNSEEN, SECOND);
}
END_TEST

START_TEST(test_no_group_files)
{
        world.usage.group_files = false;
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        expect_refused(set, FIRST, REASON_NO_GROUP_FILES, FIRST);
}
END_TEST

START_TEST(test_refused_by_policy)
{
        world_settings(&world, first)->realign = POLICY_REALIGN_NEVER;
        world_settings(&world, second)->realign = POLICY_REALIGN_REPORT;
        world_bind(third, NULL, false);
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        expect_refused(set, FIRST, REASON_POLICY_NEVER, FIRST);
        expect_refused(set, SECOND, REASON_POLICY_REPORT, SECOND);

        world.by_request = true;
        _cleanup_(plan_set_freep) PlanSet *asked = world_plan(&world, FIRST);
        ck_assert_uint_eq(asked->n_plans, 1);
        ck_assert_uint_eq(asked->n_refusals, 1);
        expect_refused(asked, FIRST, REASON_POLICY_NEVER, FIRST);
        ck_assert_ptr_nonnull(find_planned(asked->plans[0], SECOND));
}
END_TEST

/* msix-table-bar = skip: a function that has nothing else to gain is left alone. */
START_TEST(test_msix_table)
{
        world.msix_bars[first - world.functions] = 1;
        _cleanup_(plan_freep) Plan *realigned = world_only_plan(&world, FIRST); /* the default */
        ck_assert(planned(realigned, FIRST)->is_target);

        world_settings(&world, first)->msix_table_bar = POLICY_MSIX_SKIP;
        _cleanup_(plan_set_freep) PlanSet *skipped = world_plan(&world, FIRST);
        ck_assert_uint_eq(skipped->n_refusals, 1);
        expect_refused(skipped, FIRST, REASON_POLICY_MSIX, FIRST);
        ck_assert_uint_eq(skipped->n_plans, 1);
        ck_assert(!planned(skipped->plans[0], FIRST)->is_target);
        ck_assert_uint_eq(planned(skipped->plans[0], FIRST)->alignment, WORLD_PAGE); /* rule 4 */

        world_line(first, 3, WINDOW_START + 0x800, 0x100, WORLD_BAR); /* another one to gain by */
        _cleanup_(plan_freep) Plan *other = world_only_plan(&world, FIRST);
        ck_assert(planned(other, FIRST)->is_target);

        world_line(first, 3, WINDOW_START + 0x10000, 0x100, WORLD_BAR); /* which is mappable as it is */
        _cleanup_(plan_set_freep) PlanSet *again = world_plan(&world, FIRST);
        expect_refused(again, FIRST, REASON_POLICY_MSIX, FIRST);

        world.msix_bars[first - world.functions] = 3; /* the table is elsewhere */
        _cleanup_(plan_freep) Plan *elsewhere = world_only_plan(&world, FIRST);
        ck_assert(planned(elsewhere, FIRST)->is_target);

        world.msix_bars[first - world.functions] = -1; /* or nowhere */
        _cleanup_(plan_freep) Plan *nowhere = world_only_plan(&world, FIRST);
        ck_assert(planned(nowhere, FIRST)->is_target);
}
END_TEST

START_TEST(test_refused_max_move)
{
        world_line(first, 2, UINT64_C(0x4000000000), UINT64_C(0x20000000), WORLD_BAR_64);
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_refusals, 1);
        expect_refused(set, FIRST, REASON_BAR_TOO_LARGE, FIRST);
        ck_assert_int_eq(set->plans[0]->scope, PLAN_SCOPE_FUNCTION);
        ck_assert_ptr_null(find_planned(set->plans[0], FIRST));
}
END_TEST

START_TEST(test_refused_itself)
{
        first->class = 0;
        second->resources.lines[1].flags |= RESOURCE_PCI_FIXED;
        world_line(third, 2, 0, 0x1000, WORLD_BAR | RESOURCE_UNSET);
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        expect_refused(set, FIRST, REASON_CLASS_UNDEFINED, FIRST);
        expect_refused(set, SECOND, REASON_FIXED_BAR, SECOND);
        expect_refused(set, THIRD, REASON_BAR_UNASSIGNED, THIRD);
}
END_TEST

START_TEST(test_refused_odd)
{
        world_bind_host(&world, third, "e1000e");
        const PciAddress asked[] = { world_address("0000:77:00.0"), third->address };
        _cleanup_(plan_set_freep) PlanSet *set = world_plan_for(&world, asked, ELEMENTSOF(asked));
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 2);
        expect_refused(set, "0000:77:00.0", REASON_NOT_FOUND, "0000:77:00.0");
        expect_refused(set, THIRD, REASON_NOT_VFIO, THIRD);
}
END_TEST

START_TEST(test_nothing_to_do)
{
        world_line(first, 1, WINDOW_START, 0x1000, WORLD_BAR);
        world_line(second, 1, WINDOW_START + 0x1000, 0x1000, WORLD_BAR);
        world_line(third, 1, WINDOW_START + 0x2000, 0x100, WORLD_BAR); /* alone in its page */
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 0);
        _cleanup_(plan_set_freep) PlanSet *none = world_plan_for(&world, NULL, 0);
        ck_assert_uint_eq(none->n_plans, 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan-refusals");
        TCase *cases = tcase_create("plan-refusals");

        tcase_add_checked_fixture(cases, setup, NULL);
        tcase_add_test(cases, test_no_room);
        tcase_add_test(cases, test_refused_in_use);
        tcase_add_test(cases, test_holder_is_host_driver);
        tcase_add_test(cases, test_users_unseen);
        tcase_add_test(cases, test_no_group_files);
        tcase_add_test(cases, test_refused_by_policy);
        tcase_add_test(cases, test_msix_table);
        tcase_add_test(cases, test_refused_max_move);
        tcase_add_test(cases, test_refused_itself);
        tcase_add_test(cases, test_refused_odd);
        tcase_add_test(cases, test_nothing_to_do);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
