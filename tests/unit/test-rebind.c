/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Plans that change drivers: who is in them, who is refused, and that a plan which was forged or is out of date is not followed. */

#include "judge/plan-document.h"
#include "judge/plan-proof.h"
#include "judge/rebind.h"
#include "reason-given.h"
#include "topology-builder.h"

#include <errno.h>

#define PORT "0000:00:1c.0"
#define NIC "0000:01:00.0"
#define DISK "0000:01:00.1"
#define GUEST "0000:01:00.2"
#define FREE "0000:02:00.0"
#define WINDOW_START UINT64_C(0xfe800000)

static World world;
static PciFunction *nic, *disk, *guest;
static PlanSet *set;
static bool has_vfio_driver;

/* Two functions on host drivers, one on VFIO, one without driver on another root bus. */
static void setup(void)
{
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        nic = world_add(&world, NIC, port);
        disk = world_add(&world, DISK, port);
        guest = world_add_small(&world, GUEST, port, WINDOW_START);
        world_add(&world, FREE, NULL);
        world_bind_host(&world, nic, "8139cp");
        world_bind_host(&world, disk, "nvme");
        nic->enable = disk->enable = 1;
        has_vfio_driver = true;
}

static void teardown(void)
{
        set = plan_set_free(set);
}

static void ask(PlanGoal goal, const char *const *names, size_t n)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        const Policy policy = { .world = &world };
        const PlanInput input = {
                .topology = &world.topology,
                .verdicts = verdicts,
                .usage = &world.usage,
                .policy = &policy,
                .has_vfio_driver = has_vfio_driver,
        };
        PciAddress addresses[8];
        for (size_t i = 0; i < n; i++)
                addresses[i] = world_address(names[i]);
        set = plan_set_free(set);
        ck_assert_int_eq(rebind_plan(&input, goal, addresses, n, &set), 0);
}
#define ASK(goal, ...)                                                                                      \
        ask(goal, (const char *const[]){ __VA_ARGS__ },                                                     \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void carries(PciFunction *function, HolderKind kind, const char *object)
{
        world_hold(&world, function, kind);
        for (size_t i = 0; i < world.usage.n_holders; i++)
                if (world.holders[i].kind == kind)
                        world.holders[i].object = (char *) object;
}

/* Nothing is planned, and the only refusal says so. */
static void expect_refused(const char *address, Reason reason, const char *detail)
{
        ck_assert_uint_eq(set->n_plans, 0);
        ck_assert_uint_eq(set->n_refusals, 1);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(set->refusals[0].address), address);
        assert_reason(set->refusals[0].reason, reason);
        if (detail)
                ck_assert_str_eq(set->refusals[0].detail, detail);
}

static void expect_steps(const Plan *plan, const char *wanted)
{
        char text[512] = "";
        size_t size = 0;
        for (size_t i = 0; i < plan->n_steps; i++)
                size += (size_t) snprintf(
                                text + size, sizeof(text) - size, "%s%s %s", i ? ", " : "",
                                plan_step_name(plan->steps[i].kind),
                                PCI_ADDRESS_TEXT(plan->functions[plan->steps[i].function].address));
        ck_assert_str_eq(text, wanted);
}

/* --- who is in a plan --- */

START_TEST(test_detach_together)
{
        world_settings(&world, disk)->step_timeout_usec = 30000000;
        ASK(PLAN_GOAL_DETACH, NIC, DISK, NIC, GUEST, FREE);
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert_uint_eq(set->n_plans, 1);
        const Plan *plan = set->plans[0];
        ck_assert_int_eq(plan->goal, PLAN_GOAL_DETACH);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_NONE);
        ck_assert_uint_eq(plan->step_timeout_usec, 30000000);
        expect_steps(plan, "unbind " NIC ", unbind " DISK ", bind " NIC ", bind " DISK ", bind " FREE
                           ", restore " NIC ", restore " DISK ", restore " FREE);
}
END_TEST

START_TEST(test_reattach_each)
{
        ASK(PLAN_GOAL_REATTACH, GUEST, NIC, FREE);
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert_uint_eq(set->n_plans, 2);
        expect_steps(set->plans[0], "unbind " GUEST ", bind " GUEST ", restore " GUEST);
        expect_steps(set->plans[1], "bind " FREE ", restore " FREE);
}
END_TEST

START_TEST(test_nothing_to_do)
{
        ASK(PLAN_GOAL_DETACH, GUEST);
        ck_assert_uint_eq(set->n_plans + set->n_refusals, 0);
        ASK(PLAN_GOAL_REATTACH, NIC, DISK);
        ck_assert_uint_eq(set->n_plans + set->n_refusals, 0);
}
END_TEST

/* --- who is refused --- */

START_TEST(test_what_the_host_uses)
{
        carries(disk, HOLDER_MOUNT, "/dev/nvme0n1p1, mounted on /srv (ext4)");
        ASK(PLAN_GOAL_DETACH, NIC, DISK);
        expect_refused(DISK, REASON_IN_USE,
                       "on the host driver nvme and carries /dev/nvme0n1p1, mounted on /srv (ext4)");
}
END_TEST

/* Devices behind a USB controller are told elsewhere; by themselves they are no use. */
START_TEST(test_what_it_only_carries)
{
        carries(disk, HOLDER_USB, "USB device 1-1");
        ASK(PLAN_GOAL_DETACH, DISK);
        ck_assert_uint_eq(set->n_plans, 1);
}
END_TEST

START_TEST(test_process_that_maps_it)
{
        world_hold(&world, nic, HOLDER_RESOURCE);
        ASK(PLAN_GOAL_DETACH, NIC);
        expect_refused(NIC, REASON_IN_USE, NULL);
        ck_assert_ptr_nonnull(strstr(set->refusals[0].detail, "open in qemu (pid 812)"));
}
END_TEST

START_TEST(test_what_cannot_be_seen)
{
        carries(disk, HOLDER_UNSEEN, "what it carries could not be looked at");
        ASK(PLAN_GOAL_DETACH, DISK);
        expect_refused(DISK, REASON_USERS_UNSEEN, NULL);
        world.usage.n_holders = 0;
        world.usage.complete = false;
        ASK(PLAN_GOAL_DETACH, NIC);
        expect_refused(NIC, REASON_USERS_UNSEEN, NULL);
        ASK(PLAN_GOAL_REATTACH, GUEST);
        expect_refused(GUEST, REASON_USERS_UNSEEN, NULL);
}
END_TEST

START_TEST(test_guest_that_has_it)
{
        world_hold(&world, guest, HOLDER_GROUP);
        ASK(PLAN_GOAL_REATTACH, GUEST);
        expect_refused(GUEST, REASON_IN_USE, "open in qemu (pid 812)");
}
END_TEST

/* What is refused keeps no other from going back to the host. */
START_TEST(test_reattach_the_rest)
{
        world_hold(&world, guest, HOLDER_GROUP);
        ASK(PLAN_GOAL_REATTACH, GUEST, FREE);
        ck_assert_uint_eq(set->n_refusals, 1);
        ck_assert_uint_eq(set->n_plans, 1);
}
END_TEST

START_TEST(test_no_group_files)
{
        world.usage.group_files = false;
        ASK(PLAN_GOAL_REATTACH, GUEST);
        expect_refused(GUEST, REASON_NO_GROUP_FILES, NULL);
        ASK(PLAN_GOAL_DETACH, NIC);
        ck_assert_uint_eq(set->n_plans, 1);
}
END_TEST

START_TEST(test_what_it_is)
{
        ASK(PLAN_GOAL_DETACH, "0000:77:00.0");
        expect_refused("0000:77:00.0", REASON_NOT_FOUND, NULL);
        ASK(PLAN_GOAL_DETACH, PORT);
        expect_refused(PORT, REASON_BRIDGE, NULL);
        ASK(PLAN_GOAL_REATTACH, PORT);
        expect_refused(PORT, REASON_BRIDGE, NULL);
        nic->has_virtual = true;
        ASK(PLAN_GOAL_DETACH, NIC);
        expect_refused(NIC, REASON_PF_WITH_VFS, NULL);
        nic->has_virtual = false;
        nic->class = 0x060100;
        ASK(PLAN_GOAL_DETACH, NIC);
        expect_refused(NIC, REASON_ISA_BRIDGE, NULL);
        /* What stands against realigning it does not stand against handing it out. */
        nic->class = 0x020000;
        nic->is_virtual = nic->removable = true;
        ASK(PLAN_GOAL_DETACH, NIC);
        ck_assert_uint_eq(set->n_plans, 1);
}
END_TEST

START_TEST(test_no_driver)
{
        has_vfio_driver = false;
        ASK(PLAN_GOAL_DETACH, NIC);
        expect_refused(NIC, REASON_NO_VFIO_DRIVER, NULL);
        ASK(PLAN_GOAL_DETACH, GUEST);
        ck_assert_uint_eq(set->n_plans + set->n_refusals, 0);
        ASK(PLAN_GOAL_REATTACH, GUEST);
        ck_assert_uint_eq(set->n_plans, 1);
}
END_TEST

/* --- the proof under the lock --- */

START_TEST(test_proof)
{
        ASK(PLAN_GOAL_DETACH, NIC, FREE);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        carries(nic, HOLDER_NET, "network interface eth0 (up)");
        assert_reason(world_prove(&world, set->plans[0]), REASON_IN_USE);
}
END_TEST

/* Where the goal leads to there is nothing to unbind: it may be a guest's by now. */
START_TEST(test_proof_of_what_is_done)
{
        ASK(PLAN_GOAL_DETACH, NIC);
        world.usage.n_holders = 0;
        world_bind(nic, "vfio-pci", true);
        set->plans[0]->functions[0].on_vfio = true;
        free(set->plans[0]->functions[0].driver);
        set->plans[0]->functions[0].driver = strdup("vfio-pci");
        assert_reason(world_prove(&world, set->plans[0]), REASON_WORLD_CHANGED);
}
END_TEST

START_TEST(test_proof_of_another)
{
        ASK(PLAN_GOAL_REATTACH, GUEST);
        assert_reason(world_prove(&world, set->plans[0]), REASON_NONE);
        guest->device = 0x1234;
        assert_reason(world_prove(&world, set->plans[0]), REASON_WORLD_CHANGED);
}
END_TEST

/* --- the document --- */

static void expect_unreadable(const char *field, const char *value, const char *about)
{
        _cleanup_json_ JsonObject *document = plan_to_json(set->plans[0]);
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(json_add_text(document, field, value), 0);
        ck_assert_int_eq(plan_from_json(document, &plan, &problem), -EBADMSG);
        ck_assert_msg(strstr(problem, about), "\"%s\" does not say \"%s\"", problem, about);
}

START_TEST(test_document)
{
        ASK(PLAN_GOAL_DETACH, NIC, FREE);
        _cleanup_json_ JsonObject *document = plan_to_json(set->plans[0]), *again = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(plan_from_json(document, &plan, &problem), 0);
        again = plan_to_json(plan);
        ck_assert(json_object_equal(document, again));

        expect_unreadable("goal", "realign", "scope");
        expect_unreadable("goal", "destroy", "goal");
        expect_unreadable("goal", "", "goal");
        expect_unreadable("scope", "bus", "scope");
        expect_unreadable("scope", "function", "scope");
        expect_unreadable("scope", "all", "scope");
}
END_TEST

/* A plan to realign cannot say that it removes nothing; one that removes nothing has no bystanders. */
START_TEST(test_document_forged)
{
        ASK(PLAN_GOAL_REATTACH, GUEST);
        set->plans[0]->functions[0].is_target = false;
        expect_unreadable("goal", "reattach", "does nothing");
        set->plans[0]->functions[0].is_target = true;
        set->plans[0]->functions[0].is_bridge = true;
        expect_unreadable("goal", "reattach", "does nothing");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("rebind");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_detach_together);
        tcase_add_test(cases, test_reattach_each);
        tcase_add_test(cases, test_nothing_to_do);
        tcase_add_test(cases, test_what_the_host_uses);
        tcase_add_test(cases, test_what_it_only_carries);
        tcase_add_test(cases, test_process_that_maps_it);
        tcase_add_test(cases, test_what_cannot_be_seen);
        tcase_add_test(cases, test_guest_that_has_it);
        tcase_add_test(cases, test_reattach_the_rest);
        tcase_add_test(cases, test_no_group_files);
        tcase_add_test(cases, test_what_it_is);
        tcase_add_test(cases, test_no_driver);
        tcase_add_test(cases, test_proof);
        tcase_add_test(cases, test_proof_of_what_is_done);
        tcase_add_test(cases, test_proof_of_another);
        tcase_add_test(cases, test_document);
        tcase_add_test(cases, test_document_forged);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
