/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/plan-part.h"
#include "judge/plan-proof.h"
#include "reason-given.h"
#include "topology-builder.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"
#define UNBOUND "0000:01:00.2"
#define HOST "0000:02:00.0"
#define WINDOW_START UINT64_C(0xfe800000)

/* Of the plan's functions, in its order. */
enum {
        PLANNED_PORT,
        PLANNED_FIRST,
        PLANNED_SECOND,
        PLANNED_UNBOUND,
};

static World world;
static PciFunction *port, *first, *second, *unbound, *host;
static Plan *plan;

/* Two functions that share a page, and an unbound one, below a port; a function of the host elsewhere. */
static void setup(void)
{
        world_init(&world);
        port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        PciFunction *other =
                        world_add_bridge(&world, "0000:00:1d.0", NULL, WINDOW_START + 0x100000, 0x100000);
        first = world_add_small(&world, FIRST, port, WINDOW_START);
        second = world_add_small(&world, SECOND, port, WINDOW_START + 0x100);
        unbound = world_add(&world, UNBOUND, port);
        host = world_add(&world, HOST, other);
        world_bind_host(&world, host, "nvme");
        plan = world_only_plan(&world, FIRST);
        ck_assert_uint_eq(plan->n_functions, 4);
}

static void teardown(void)
{
        plan = plan_free(plan);
}

static Obstacle prove(void)
{
        Obstacle obstacle;
        ck_assert_int_eq(plan_prove(plan, &world.topology, &world.usage, world.grown, &obstacle), 0);
        return obstacle;
}

static void expect(Reason reason, const char *culprit)
{
        Obstacle obstacle = prove();
        assert_reason(obstacle.reason, reason);
        if (culprit)
                ck_assert_str_eq(PCI_ADDRESS_TEXT(obstacle.culprit), culprit);
}

/* Appends a function of the machine to the plan, as if it had been planned. */
static PlanFunction *forge_function(const PciFunction *function)
{
        PlanFunction *more = reallocarray(plan->functions, plan->n_functions + 1, sizeof(*more));
        ck_assert_ptr_nonnull(more);
        plan->functions = more;
        PlanFunction *forged = &more[plan->n_functions++];
        ck_assert_int_eq(plan_function_from(function, world.grown, false, forged), 0);
        return forged;
}

static void forge_removal(size_t index)
{
        free(plan->functions[index].path);
        free(plan->functions[index].driver);
        plan->n_functions--;
        memmove(&plan->functions[index], &plan->functions[index + 1],
                (plan->n_functions - index) * sizeof(plan->functions[0]));
        ck_assert_int_eq(plan_derive_steps(plan), 0);
}

START_TEST(test_holds)
{
        expect(REASON_NONE, NULL);
        /* What happens outside of the radius does not matter. */
        world_line(host, 0, WINDOW_START + 0x100000, 0x1000, WORLD_BAR);
        world_hold(&world, host, HOLDER_RESOURCE);
        world_add_small(&world, "0000:03:00.0", NULL, 0x90000000);
        expect(REASON_NONE, NULL);
}
END_TEST

START_TEST(test_gone)
{
        world.topology.n_functions = 4; /* UNBOUND and what follows */
        expect(REASON_WORLD_CHANGED, NULL);
        world.topology.n_functions = 0;
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

START_TEST(test_appeared)
{
        teardown();
        setup();
        world_init(&world); /* the same, and another function on the bus */
        port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        world_add_bridge(&world, "0000:00:1d.0", NULL, WINDOW_START + 0x100000, 0x100000);
        first = world_add_small(&world, FIRST, port, WINDOW_START);
        second = world_add_small(&world, SECOND, port, WINDOW_START + 0x100);
        world_add(&world, UNBOUND, port);
        expect(REASON_NONE, NULL);
        world_add(&world, "0000:01:00.3", port);
        expect(REASON_WORLD_CHANGED, "0000:01:00.3");
}
END_TEST

START_TEST(test_changed_identity)
{
        first->vendor++;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->vendor--;
        first->device++;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->device--;
        first->subvendor++;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->subvendor--;
        first->subdevice++;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->subdevice--;
        first->class ++;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->class --;
        expect(REASON_NONE, NULL);
}
END_TEST

START_TEST(test_changed_state)
{
        first->iommu_group = 77;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->iommu_group = plan->functions[PLANNED_FIRST].iommu_group;
        first->driver = (char *) "mlx5_vfio_pci";
        expect(REASON_WORLD_CHANGED, FIRST);
        first->driver = NULL;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->driver = (char *) "vfio-pci";
        first->on_vfio = false;
        expect(REASON_WORLD_CHANGED, FIRST);
        first->on_vfio = true;
        unbound->driver = (char *) "e1000e";
        expect(REASON_WORLD_CHANGED, UNBOUND);
        unbound->driver = NULL;
        port->is_bridge = false;
        expect(REASON_WORLD_CHANGED, PORT);
        port->is_bridge = true;
        expect(REASON_NONE, NULL);
}
END_TEST

START_TEST(test_changed_resources)
{
        for (unsigned line = 0; line < WORLD_LINES; line++) {
                PciResource before = second->resources.lines[line];
                second->resources.lines[line].end += 0x100;
                expect(REASON_WORLD_CHANGED, SECOND);
                second->resources.lines[line] = before;
                second->resources.lines[line].flags ^= RESOURCE_PREFETCH;
                expect(REASON_WORLD_CHANGED, SECOND);
                second->resources.lines[line] = before;
        }
        second->resources.n_lines = 7;
        expect(REASON_WORLD_CHANGED, SECOND);
        second->resources.n_lines = WORLD_LINES;
        port->resources.lines[WORLD_MEMORY_WINDOW].end += 0x100000;
        expect(REASON_WORLD_CHANGED, PORT);
}
END_TEST

START_TEST(test_moved)
{
        port->root_bus.bus = 0x40;
        expect(REASON_WORLD_CHANGED, PORT);
        port->root_bus.bus = 0;
        first->bridge = host->bridge; /* the path is another one, the address is not */
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

START_TEST(test_in_use)
{
        static const struct {
                HolderKind kind;
                Reason of_target, of_sibling;
        } cases[] = {
                { HOLDER_GROUP, REASON_IN_USE, REASON_SIBLING_IN_USE },
                { HOLDER_CDEV, REASON_IN_USE, REASON_SIBLING_IN_USE },
                { HOLDER_RESOURCE, REASON_IN_USE, REASON_SIBLING_IN_USE },
                { HOLDER_ENABLE, REASON_ENABLE_COUNT, REASON_ENABLE_COUNT },
                { HOLDER_UNSEEN, REASON_USERS_UNSEEN, REASON_USERS_UNSEEN },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                world.usage.n_holders = 0;
                world_hold(&world, second, cases[i].kind);
                expect(cases[i].of_target, SECOND);
                ck_assert_ptr_eq(prove().holder, &world.holders[0]);
                world.usage.n_holders = 0;
                world_hold(&world, unbound, cases[i].kind);
                expect(cases[i].of_sibling, UNBOUND);
        }
}
END_TEST

START_TEST(test_users_unseen)
{
        world.usage.complete = false;
        expect(REASON_USERS_UNSEEN, FIRST);
}
END_TEST

/* Whoever made the plan: what may not be removed may not be removed. */
START_TEST(test_refused_itself)
{
        unbound->has_virtual = true;
        expect(REASON_PF_WITH_VFS, UNBOUND);
        unbound->has_virtual = false;
        port->removable = true;
        expect(REASON_EXTERNAL, PORT);
}
END_TEST

START_TEST(test_radius_too_small)
{
        forge_removal(PLANNED_UNBOUND);
        expect(REASON_WORLD_CHANGED, UNBOUND);
}
END_TEST

START_TEST(test_radius_too_large)
{
        forge_function(host);
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

/* A function that no removal takes out would be unbound all the same. */
START_TEST(test_foreign_function_behind_nested_targets)
{
        plan->scope = PLAN_SCOPE_FUNCTION;
        plan->functions[PLANNED_PORT].is_target = true; /* and FIRST, which is below it */
        plan->functions[PLANNED_SECOND].is_target = false;
        PlanFunction *forged = forge_function(host);
        ck_assert_str_eq(forged->driver, "nvme");
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

START_TEST(test_twice_the_same)
{
        forge_removal(PLANNED_UNBOUND);
        forge_function(second);
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, UNBOUND);
        teardown();
        setup();
        forge_function(second); /* all of the radius, and one of it again */
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

START_TEST(test_host_driver_marked_as_vfio)
{
        free(plan->functions[PLANNED_UNBOUND].driver);
        plan->functions[PLANNED_UNBOUND].driver = strdup("e1000e");
        plan->functions[PLANNED_UNBOUND].on_vfio = true;
        unbound->driver = (char *) "e1000e";
        expect(REASON_WORLD_CHANGED, UNBOUND);
        plan->functions[PLANNED_UNBOUND].on_vfio = false; /* honest, and still a host driver */
        expect(REASON_SIBLING_ON_HOST_DRIVER, UNBOUND);
        plan->functions[PLANNED_UNBOUND].is_target = true;
        expect(REASON_SIBLING_ON_HOST_DRIVER, UNBOUND);
        plan->functions[PLANNED_UNBOUND].is_bridge = true; /* so that it would not be unbound */
        expect(REASON_WORLD_CHANGED, UNBOUND);
}
END_TEST

START_TEST(test_removal_of_a_leaf)
{
        plan->scope = PLAN_SCOPE_FUNCTION; /* the port is no target: FIRST and SECOND are removed */
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, NULL);
}
END_TEST

START_TEST(test_nothing_removed)
{
        plan->scope = PLAN_SCOPE_FUNCTION;
        for (size_t i = 0; i < plan->n_functions; i++)
                plan->functions[i].is_target = false;
        ck_assert_int_eq(plan_derive_steps(plan), 0);
        expect(REASON_WORLD_CHANGED, PORT);
}
END_TEST

START_TEST(test_path_forged)
{
        free(plan->functions[PLANNED_FIRST].path);
        plan->functions[PLANNED_FIRST].path = strdup(PORT "/00.1");
        expect(REASON_WORLD_CHANGED, FIRST);
}
END_TEST

/* Rule 4 holds for whoever wrote the plan. */
START_TEST(test_entries_forged)
{
        plan->functions[PLANNED_FIRST].alignment = 0;
        expect(REASON_WORLD_CHANGED, FIRST);
        plan->functions[PLANNED_FIRST].alignment = 2 * WORLD_PAGE; /* the policy may say so */
        expect(REASON_NONE, NULL);
        plan->functions[PLANNED_PORT].alignment = WORLD_PAGE;
        expect(REASON_WORLD_CHANGED, PORT);
        plan->functions[PLANNED_PORT].alignment = 0;
        plan->functions[PLANNED_UNBOUND].alignment = WORLD_PAGE;
        expect(REASON_WORLD_CHANGED, UNBOUND);
}
END_TEST

/* Somebody has grown a BAR since, or the plan takes for its own what is not: it would come back smaller. */
START_TEST(test_grown_since)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        ck_assert_int_eq(grown_new(&grown), 0);
        world_line(unbound, 1, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        plan_free(plan);
        plan = world_only_plan(&world, FIRST);
        expect(REASON_NONE, NULL);
        world_record_grown(grown, unbound, 1, 256);
        world.grown = grown;
        expect(REASON_WORLD_CHANGED, UNBOUND);
        plan_free(plan);
        plan = world_only_plan(&world, FIRST);
        expect(REASON_NONE, NULL);
        world.grown = NULL;
}
END_TEST

/* An entry that is due may not be left out, also where only the record tells that it is due. */
START_TEST(test_grown_without_entry)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        ck_assert_int_eq(grown_new(&grown), 0);
        world_line(second, 1, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        world_record_grown(grown, second, 1, 256);
        world_line(first, 1, WINDOW_START + 0x10, 256, WORLD_BAR); /* misaligned */
        world.grown = grown;
        plan_free(plan);
        plan = world_only_plan(&world, FIRST);
        expect(REASON_NONE, NULL);
        plan->functions[PLANNED_SECOND].alignment = 0;
        expect(REASON_WORLD_CHANGED, SECOND);
        world.grown = NULL;
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan-proof");
        TCase *changed = tcase_create("changed"), *forged = tcase_create("forged");

        tcase_add_checked_fixture(changed, setup, teardown);
        tcase_add_test(changed, test_holds);
        tcase_add_test(changed, test_gone);
        tcase_add_test(changed, test_appeared);
        tcase_add_test(changed, test_changed_identity);
        tcase_add_test(changed, test_changed_state);
        tcase_add_test(changed, test_changed_resources);
        tcase_add_test(changed, test_moved);
        tcase_add_test(changed, test_grown_since);
        tcase_add_test(changed, test_in_use);
        tcase_add_test(changed, test_users_unseen);
        tcase_add_test(changed, test_refused_itself);
        suite_add_tcase(suite, changed);

        tcase_add_checked_fixture(forged, setup, teardown);
        tcase_add_test(forged, test_radius_too_small);
        tcase_add_test(forged, test_radius_too_large);
        tcase_add_test(forged, test_foreign_function_behind_nested_targets);
        tcase_add_test(forged, test_twice_the_same);
        tcase_add_test(forged, test_grown_without_entry);
        tcase_add_test(forged, test_host_driver_marked_as_vfio);
        tcase_add_test(forged, test_removal_of_a_leaf);
        tcase_add_test(forged, test_nothing_removed);
        tcase_add_test(forged, test_path_forged);
        tcase_add_test(forged, test_entries_forged);
        suite_add_tcase(suite, forged);
        return suite_run(suite);
}
