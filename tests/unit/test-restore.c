/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Giving BARs their own sizes back: who is in such a plan, that it holds under the lock, and when it has come out as planned. */

#include "act/verify.h"
#include "judge/plan-document.h"
#include "judge/plan-proof.h"
#include "judge/rebind.h"
#include "reason-given.h"
#include "topology-builder.h"

#include <errno.h>

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"
#define HOST "0000:01:00.2"
#define WINDOW_START UINT64_C(0xfe800000)
#define OWN_SIZE 256u

static World world;
static PciFunction *first, *second, *host;
static PlanSet *set;
static Finding finding;
static Grown *grown;

/* Two functions on VFIO that were realigned, a page each, and one on a host driver that was not. */
static void setup(void)
{
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        first = world_add_small(&world, FIRST, port, WINDOW_START);
        second = world_add_small(&world, SECOND, port, WINDOW_START);
        host = world_add_small(&world, HOST, port, WINDOW_START + 0x2000);
        world_line(first, 1, WINDOW_START, WORLD_PAGE, WORLD_BAR);
        world_line(second, 1, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        world_bind_host(&world, host, "8139cp");
        ck_assert_int_eq(grown_new(&grown), 0);
        world_record_grown(grown, first, 1, OWN_SIZE);
        world_record_grown(grown, second, 1, OWN_SIZE);
        world.grown = grown;
        finding = (Finding){ 0 };
}

static void teardown(void)
{
        set = plan_set_free(set);
        grown = grown_free(grown);
}

static void ask(PlanGoal goal, unsigned rung, bool keep_sizes, const char *const *names, size_t n)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        const Policy policy = { .world = &world };
        const PlanInput input = {
                .topology = &world.topology,
                .verdicts = verdicts,
                .usage = &world.usage,
                .policy = &policy,
                .grown = world.grown,
                .goal = goal,
                .lowest_rung = rung,
                .keep_sizes = keep_sizes,
                .has_vfio_driver = true,
        };
        PciAddress addresses[8];
        for (size_t i = 0; i < n; i++)
                addresses[i] = world_address(names[i]);
        set = plan_set_free(set);
        ck_assert_int_eq(goal == PLAN_GOAL_RESTORE ? plan_make(&input, addresses, n, &set)
                                                   : rebind_plan(&input, goal, addresses, n, &set),
                         0);
}
#define NAMES(...)                                                                                          \
        (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)
#define RESTORE(...) ask(PLAN_GOAL_RESTORE, 0, false, NAMES(__VA_ARGS__))
#define REATTACH(...) ask(PLAN_GOAL_REATTACH, 0, false, NAMES(__VA_ARGS__))

static const Plan *only_plan(void)
{
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert_uint_eq(set->n_plans, 1);
        return set->plans[0];
}

static void expect_refused(const char *address, Reason reason, const char *culprit)
{
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 1);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(set->refusals[0].address), address);
        assert_reason(set->refusals[0].reason, reason);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(set->refusals[0].culprit), culprit);
}

/* --- who is in a plan --- */

/* What gets smaller fits where it is: it alone is taken out. */
START_TEST(test_alone)
{
        RESTORE(FIRST, FIRST);
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->goal, PLAN_GOAL_RESTORE);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        ck_assert_uint_eq(plan->n_functions, 1);
        ck_assert(plan_gives_back(plan, &plan->functions[0]));
        ck_assert(!plan_changes_driver(plan, &plan->functions[0]));
        ck_assert_uint_eq(plan->functions[0].alignment, WORLD_PAGE);
}
END_TEST

START_TEST(test_two_of_a_bus)
{
        RESTORE(FIRST, SECOND);
        ck_assert_uint_eq(only_plan()->n_functions, 2);
}
END_TEST

START_TEST(test_unbound)
{
        world_bind(first, NULL, false);
        RESTORE(FIRST);
        const Plan *plan = only_plan();
        ck_assert(plan_gives_back(plan, &plan->functions[0]));
        ck_assert_uint_eq(plan->functions[0].alignment, WORLD_PAGE); /* the entry that is taken out */
}
END_TEST

/* The others of the bus keep their entries, and are no targets. */
START_TEST(test_wider)
{
        world_bind(host, NULL, false);
        world.usage.n_holders = 0;
        ask(PLAN_GOAL_RESTORE, 1, false, NAMES(FIRST));
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
        ck_assert_uint_eq(plan->n_functions, 4);
        ck_assert(plan_gives_back(plan, &plan->functions[1]));
        ck_assert(!plan_gives_back(plan, &plan->functions[2]));
        ck_assert_uint_eq(plan->functions[2].alignment, WORLD_PAGE);
        ck_assert_uint_eq(plan->functions[3].alignment, 0);
}
END_TEST

START_TEST(test_wider_disturbs_nobody)
{
        ask(PLAN_GOAL_RESTORE, 1, false, NAMES(FIRST));
        expect_refused(FIRST, REASON_SIBLING_ON_HOST_DRIVER, HOST);
}
END_TEST

START_TEST(test_refused)
{
        RESTORE(HOST);
        expect_refused(HOST, REASON_NOT_VFIO, HOST);
        RESTORE("0000:77:00.0");
        expect_refused("0000:77:00.0", REASON_NOT_FOUND, "0000:77:00.0");
        world_hold(&world, first, HOLDER_GROUP);
        RESTORE(FIRST);
        expect_refused(FIRST, REASON_IN_USE, FIRST);
        world_settings(&world, second)->max_move = WORLD_PAGE / 2;
        RESTORE(SECOND);
        expect_refused(SECOND, REASON_BAR_TOO_LARGE, SECOND);
        world.usage.group_files = false;
        RESTORE(SECOND);
        expect_refused(SECOND, REASON_NO_GROUP_FILES, SECOND);
        world.grown = NULL;
        RESTORE(SECOND);
        expect_refused(SECOND, REASON_NOT_GROWN, SECOND);
}
END_TEST

/* By name, an administrator asks: that a function is never to be realigned does not keep it grown. */
START_TEST(test_policy_never)
{
        world_settings(&world, first)->realign = POLICY_REALIGN_NEVER;
        RESTORE(FIRST);
        (void) only_plan();
}
END_TEST

/* --- on the way to the host --- */

START_TEST(test_reattach)
{
        REATTACH(FIRST);
        ck_assert_int_eq(only_plan()->scope, PLAN_SCOPE_NONE); /* after-reattach = keep */
        world_settings(&world, first)->after_reattach = POLICY_AFTER_REATTACH_RESTORE;
        REATTACH(FIRST);
        const Plan *plan = only_plan();
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        ck_assert_uint_eq(plan->n_functions, 1);
        ck_assert(plan_gives_back(plan, &plan->functions[0]));
        ck_assert(plan_changes_driver(plan, &plan->functions[0]));
        ask(PLAN_GOAL_REATTACH, 0, true, NAMES(FIRST));
        ck_assert_int_eq(only_plan()->scope, PLAN_SCOPE_NONE);
        world.grown = NULL;
        REATTACH(FIRST);
        ck_assert_int_eq(only_plan()->scope, PLAN_SCOPE_NONE);
        assert_reason(only_plan()->narrowed, REASON_NONE);
}
END_TEST

/* What stands against that does not stand against reattaching it: it is said. */
START_TEST(test_reattach_kept)
{
        world_settings(&world, first)->after_reattach = POLICY_AFTER_REATTACH_RESTORE;
        world_settings(&world, first)->max_move = WORLD_PAGE / 2;
        REATTACH(FIRST);
        ck_assert_int_eq(only_plan()->scope, PLAN_SCOPE_NONE);
        assert_reason(only_plan()->narrowed, REASON_BAR_TOO_LARGE);
}
END_TEST

/* --- the proof and the document --- */

static void expect_document(void)
{
        _cleanup_json_ JsonObject *document = plan_to_json(set->plans[0]), *again = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_msg(plan_from_json(document, &plan, &problem) == 0, "%s", problem);
        again = plan_to_json(plan);
        ck_assert(json_object_equal(document, again));
}

START_TEST(test_proof)
{
        RESTORE(FIRST);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        expect_document();
        world_hold(&world, first, HOLDER_GROUP);
        assert_reason(world_prove(&world, set->plans[0]), REASON_IN_USE);
}
END_TEST

START_TEST(test_proof_of_others)
{
        world_bind(first, NULL, false);
        RESTORE(FIRST);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        expect_document();
        set->plans[0]->functions[0].alignment = 0;
        assert_reason(world_prove(&world, set->plans[0]), REASON_WORLD_CHANGED);
        world_bind(first, "vfio-pci", true);
        world_settings(&world, first)->after_reattach = POLICY_AFTER_REATTACH_RESTORE;
        REATTACH(FIRST);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        expect_document();
}
END_TEST

/* A plan that says another goal than it was made for does not hold. */
START_TEST(test_forged_goal)
{
        static const char *const goals[] = { "detach", "nonsense" };
        RESTORE(FIRST);
        for (size_t i = 0; i < ELEMENTSOF(goals); i++) {
                _cleanup_json_ JsonObject *document = plan_to_json(set->plans[0]);
                _cleanup_(plan_freep) Plan *plan = NULL;
                _cleanup_free_ char *problem = NULL;
                ck_assert_int_eq(json_add_text(document, "goal", goals[i]), 0);
                ck_assert_int_eq(plan_from_json(document, &plan, &problem), -EBADMSG);
        }
}
END_TEST

/* --- what comes of it --- */

static int verify(void)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        finding = (Finding){ 0 };
        return verify_world(set->plans[0], &world.topology, verdicts, &finding);
}

static int verify_back(void)
{
        finding = (Finding){ 0 };
        return verify_all_back(set->plans[0], &world.topology, &finding);
}

static int shares(void)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        finding = (Finding){ 0 };
        return verify_shares(set->plans[0], 0, &world.topology, verdicts, &finding);
}

START_TEST(test_verified)
{
        RESTORE(FIRST);
        ck_assert_int_eq(verify(), FINDING_MADE); /* nothing has happened yet */
        assert_reason(finding.reason, REASON_SIZE_KEPT);
        ck_assert_int_eq(verify_back(), FINDING_NONE);
        world_line(first, 1, WINDOW_START, OWN_SIZE, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_NONE);
        ck_assert_int_eq(shares(), FINDING_NONE);
        world_line(first, 1, WINDOW_START, OWN_SIZE / 2, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_BAR_LOST);
}
END_TEST

/* With a function of the host: as it was before it was realigned, and said. */
START_TEST(test_shares_with_host)
{
        RESTORE(FIRST);
        world_line(first, 1, WINDOW_START + 0x2100, OWN_SIZE, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_NONE);
        ck_assert_int_eq(shares(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
}
END_TEST

/* Whoever has the other one's page mapped would reach this one. */
START_TEST(test_shares_with_guest)
{
        world_line(second, 1, WINDOW_START + 0x1000, OWN_SIZE, WORLD_BAR); /* small, but alone in its page */
        RESTORE(FIRST);
        world_line(first, 1, WINDOW_START + 0x1100, OWN_SIZE, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
        ck_assert_ptr_nonnull(strstr(finding.detail, SECOND));
}
END_TEST

START_TEST(test_share_each_other)
{
        RESTORE(FIRST, SECOND);
        world_line(first, 1, WINDOW_START, OWN_SIZE, WORLD_BAR);
        world_line(second, 1, WINDOW_START + OWN_SIZE, OWN_SIZE, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_NONE);
        ck_assert_int_eq(shares(), FINDING_MADE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("restore");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_alone);
        tcase_add_test(cases, test_two_of_a_bus);
        tcase_add_test(cases, test_unbound);
        tcase_add_test(cases, test_wider);
        tcase_add_test(cases, test_wider_disturbs_nobody);
        tcase_add_test(cases, test_refused);
        tcase_add_test(cases, test_policy_never);
        tcase_add_test(cases, test_reattach);
        tcase_add_test(cases, test_reattach_kept);
        tcase_add_test(cases, test_proof);
        tcase_add_test(cases, test_proof_of_others);
        tcase_add_test(cases, test_forged_goal);
        tcase_add_test(cases, test_verified);
        tcase_add_test(cases, test_shares_with_host);
        tcase_add_test(cases, test_shares_with_guest);
        tcase_add_test(cases, test_share_each_other);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
