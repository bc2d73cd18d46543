/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Realigning for a guest what is still the host's: who takes part, what keeps one from it, and that it holds under the lock. */

#include "act/verify.h"
#include "judge/plan-document.h"
#include "judge/plan-proof.h"
#include "plan-cases.h"
#include "reason-given.h"

static PlanSet *set;

/* The first two are the host's and on a driver; the third is on VFIO. */
static void setup_host(void)
{
        setup();
        world_bind_host(&world, first, "8139cp");
        world_bind_host(&world, second, "8139cp");
        first->enable = second->enable = 1;
}

static void teardown(void)
{
        set = plan_set_free(set);
}

static void ask(const char *const *names, size_t n)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        const Policy policy = { .world = &world };
        const PlanInput input = {
                .topology = &world.topology,
                .verdicts = verdicts,
                .usage = &world.usage,
                .policy = &policy,
                .msix_bars = world.msix_bars,
                .goal = PLAN_GOAL_PREPARE,
        };
        PciAddress addresses[8];
        for (size_t i = 0; i < n; i++)
                addresses[i] = world_address(names[i]);
        set = plan_set_free(set);
        ck_assert_int_eq(plan_make(&input, addresses, n, &set), 0);
}
#define PREPARE(...)                                                                                        \
        ask((const char *const[]){ __VA_ARGS__ },                                                           \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static const Plan *only_plan(void)
{
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert_uint_eq(set->n_plans, 1);
        return set->plans[0];
}

static bool has_step(const Plan *plan, PlanStepKind kind, const char *address)
{
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].kind == kind &&
                    pci_address_equal(plan->functions[plan->steps[i].function].address,
                                      world_address(address)))
                        return true;
        return false;
}

/* --- who takes part --- */

/* Both are named: the bus can be taken out, and each comes back to the driver that it had. */
START_TEST(test_both)
{
        PREPARE(FIRST, SECOND);
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
        const char *const names[] = { FIRST, SECOND, THIRD };
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const PlanFunction *function = planned(plan, names[i]);
                ck_assert(function->is_target);
                ck_assert(plan_is_for_vfio(plan, function));
                ck_assert(!plan_changes_driver(plan, function));
                ck_assert_uint_eq(function->alignment, WORLD_PAGE);
                ck_assert(has_step(plan, PLAN_STEP_UNBIND, names[i]));
                ck_assert(has_step(plan, PLAN_STEP_BIND, names[i]));
        }
        ck_assert_str_eq(planned(plan, FIRST)->driver, "8139cp");
        ck_assert(!plan_is_for_vfio(plan, planned(plan, PORT)));
}
END_TEST

/* Nobody has named the second: it stays on its driver, and keeps the bus from being taken out. */
START_TEST(test_one)
{
        PREPARE(FIRST);
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        assert_reason(plan->narrowed, REASON_SIBLING_ON_HOST_DRIVER);
        ck_assert_ptr_nonnull(find_planned(plan, FIRST));
        ck_assert_ptr_null(find_planned(plan, SECOND));
}
END_TEST

/* One whose BARs are fine is no reason to do anything, but what is taken out with it gets an entry all the same. */
START_TEST(test_fine_one)
{
        world_line(second, 1, WINDOW_START + 0x4000, 256, WORLD_BAR);
        PREPARE(SECOND);
        ck_assert_uint_eq(set->n_plans, 1); /* that of the third, which is on VFIO and shares a page */
        ck_assert(planned(set->plans[0], THIRD)->is_target);
        world_bind(third, NULL, false);
        PREPARE(SECOND);
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 0);
        PREPARE(FIRST, SECOND);
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
        ck_assert_uint_eq(planned(plan, SECOND)->alignment, WORLD_PAGE);
        ck_assert_uint_eq(planned(plan, THIRD)->alignment, 0);
}
END_TEST

START_TEST(test_unbound)
{
        world_bind(third, NULL, false);
        PREPARE(THIRD);
        const Plan *plan = only_plan();
        ck_assert_uint_eq(planned(plan, THIRD)->alignment, WORLD_PAGE);
        ck_assert(!has_step(plan, PLAN_STEP_BIND, THIRD));
}
END_TEST

/* --- who does not --- */

static void carries(const PciFunction *function, HolderKind kind, const char *what)
{
        world_hold(&world, function, kind);
        for (size_t i = 0; i < world.usage.n_holders; i++)
                if (pci_address_equal(world.holders[i].address, function->address) &&
                    world.holders[i].kind == kind)
                        world.holders[i].object = (char *) what;
}

static void carries_no_more(HolderKind kind)
{
        size_t n = 0;
        for (size_t i = 0; i < world.usage.n_holders; i++)
                if (world.holders[i].kind != kind)
                        world.holders[n++] = world.holders[i];
        world.usage.n_holders = n;
}

/* The host uses it: it is refused, and the other one does without it. */
START_TEST(test_used_by_host)
{
        carries(first, HOLDER_NET, "network interface eth0 (up)");
        PREPARE(FIRST, SECOND);
        expect_refused(set, FIRST, REASON_IN_USE, FIRST);
        ck_assert_uint_eq(set->n_plans, 1);
        ck_assert_int_eq(set->plans[0]->scope, PLAN_SCOPE_FUNCTION);
        ck_assert_ptr_null(find_planned(set->plans[0], FIRST));
}
END_TEST

START_TEST(test_refused)
{
        carries(first, HOLDER_BLOCK, "block device sda, open in dd (pid 5)");
        PREPARE(FIRST);
        expect_refused(set, FIRST, REASON_IN_USE, FIRST);
        carries_no_more(HOLDER_BLOCK);
        world_settings(&world, second)->realign = POLICY_REALIGN_NEVER;
        PREPARE(SECOND);
        expect_refused(set, SECOND, REASON_POLICY_NEVER, SECOND);
        PREPARE("0000:07:00.0");
        expect_refused(set, "0000:07:00.0", REASON_NOT_FOUND, "0000:07:00.0");
        world.usage.complete = false;
        PREPARE(FIRST);
        expect_refused(set, FIRST, REASON_USERS_UNSEEN, FIRST);
}
END_TEST

/* --- under the lock, and afterwards --- */

START_TEST(test_proof)
{
        PREPARE(FIRST, SECOND);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        carries(second, HOLDER_NET, "network interface eth1 (up)");
        assert_reason(world_prove(&world, set->plans[0]), REASON_IN_USE);
        carries_no_more(HOLDER_NET);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        /* One that nobody has named is not taken off its driver, whatever the document says. */
        for (size_t i = 0; i < set->plans[0]->n_functions; i++)
                if (pci_address_equal(set->plans[0]->functions[i].address, second->address))
                        set->plans[0]->functions[i].is_target = false;
        ck_assert_int_ne(world_prove(&world, set->plans[0]), REASON_NONE);
}
END_TEST

START_TEST(test_document)
{
        PREPARE(FIRST, SECOND);
        _cleanup_json_ JsonObject *document = plan_to_json(set->plans[0]), *again = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL, *forged = NULL;
        _cleanup_free_ char *problem = NULL, *forgery = NULL;
        ck_assert_msg(plan_from_json(document, &plan, &problem) == 0, "%s", problem);
        again = plan_to_json(plan);
        ck_assert(json_object_equal(document, again));
        ck_assert_int_eq(json_add_text(document, "scope", "none"), 0);
        ck_assert_int_lt(plan_from_json(document, &forged, &forgery), 0);
}
END_TEST

/* Success is that VFIO would map them, whatever driver they are on. */
START_TEST(test_verify)
{
        Finding finding = { 0 };
        PREPARE(FIRST, SECOND);
        world_line(first, 1, WINDOW_START, WORLD_PAGE, WORLD_BAR);
        world_line(second, 1, WINDOW_START + 0x1000, 256, WORLD_BAR);
        world_line(third, 1, WINDOW_START + 0x1100, 256, WORLD_BAR);
        _cleanup_(verdict_freep) Verdicts *shared = world_verdicts(&world);
        ck_assert_int_eq(verify_world(set->plans[0], &world.topology, shared, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
        world_line(second, 1, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        world_line(third, 1, WINDOW_START + 0x2000, WORLD_PAGE, WORLD_BAR);
        _cleanup_(verdict_freep) Verdicts *apart = world_verdicts(&world);
        ck_assert_int_eq(verify_world(set->plans[0], &world.topology, apart, &finding), FINDING_NONE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("prepare");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup_host, teardown);
        tcase_add_test(cases, test_both);
        tcase_add_test(cases, test_one);
        tcase_add_test(cases, test_fine_one);
        tcase_add_test(cases, test_unbound);
        tcase_add_test(cases, test_used_by_host);
        tcase_add_test(cases, test_refused);
        tcase_add_test(cases, test_proof);
        tcase_add_test(cases, test_document);
        tcase_add_test(cases, test_verify);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
