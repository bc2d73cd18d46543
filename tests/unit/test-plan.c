/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "plan-cases.h"
#include "reason-given.h"

/* "entries unbind:01:00.0 …", all steps of PLAN. */
static char *steps_text(const Plan *plan)
{
        char *text = NULL;
        for (size_t i = 0; i < plan->n_steps; i++) {
                const PlanStep *step = &plan->steps[i];
                text_replace(&text, "%s%s%s", text ? text : "", i ? " " : "", plan_step_name(step->kind));
                if (plan_step_has_function(step->kind))
                        text_replace(&text, "%s:%s", text,
                                     PCI_ADDRESS_TEXT(plan->functions[step->function].address) + 5);
        }
        return text;
}

static void expect_steps(const Plan *plan, const char *expected)
{
        _cleanup_free_ char *text = steps_text(plan);
        ck_assert_str_eq(text, expected);
}

/* The plan for FIRST is narrowed to the targets alone, for REASON about CULPRIT. */
static void expect_narrowed(Reason reason, const char *culprit)
{
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 1);
        const Plan *plan = set->plans[0];
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        assert_reason(plan->narrowed, reason);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(plan->narrowed_by), culprit);
        ck_assert_ptr_null(find_planned(plan, PORT));
        ck_assert_ptr_null(find_planned(plan, culprit));
        ck_assert_ptr_nonnull(find_planned(plan, FIRST));
}

START_TEST(test_bus)
{
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);

        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
        assert_reason(plan->narrowed, REASON_NONE);
        ck_assert_uint_eq(plan->page, WORLD_PAGE);
        ck_assert_uint_eq(plan->n_functions, 4);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(plan->root_bus), "0000:00:00.0");
        expect_steps(plan,
                     "entries unbind:01:00.0 unbind:01:00.1 unbind:01:00.2 remove:00:1c.0 rescan verify "
                     "bind:01:00.0 bind:01:00.1 bind:01:00.2 "
                     "restore:00:1c.0 restore:01:00.0 restore:01:00.1 restore:01:00.2");
        ck_assert_str_eq(planned(plan, SECOND)->path, PORT "/00.1");
        ck_assert_str_eq(planned(plan, SECOND)->driver, "vfio-pci");
        ck_assert(planned(plan, SECOND)->is_target);
        ck_assert(!planned(plan, PORT)->is_target);
        ck_assert_int_eq(planned(plan, THIRD)->iommu_group, third->iommu_group);
}
END_TEST

START_TEST(test_settings)
{
        world_settings(&world, second)->keep_entry = false;
        world_settings(&world, third)->step_timeout_usec = 77000000;
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);

        ck_assert(!plan->keep_entry);
        ck_assert_uint_eq(plan->step_timeout_usec, 77000000);
        ck_assert_int_eq(plan->steps[plan->n_steps - 1].kind, PLAN_STEP_DROP_ENTRIES);
}
END_TEST

/* Rule 4: functions of the radius on VFIO with a memory BAR or ROM below a page; no other and no bridge. */
START_TEST(test_entries)
{
        world_line(first, 1, WINDOW_START, 16, WORLD_BAR);
        world_line(second, 1, WINDOW_START + 0x10000, 0x4000, WORLD_BAR); /* not small … */
        world_line(second, RESOURCE_ROM, WINDOW_START + 0x800, 0x800, WORLD_BAR_ROM);
        world_line(third, 1, WINDOW_START + 0x20000, WORLD_PAGE, WORLD_BAR); /* not small at all */
        PciFunction *ports = world_add(&world, "0000:01:00.3", port);        /* small I/O only */
        world_bind(ports, "vfio-pci", true);
        world_line(ports, 0, 0xc000, 0x20, WORLD_BAR_IO);
        PciFunction *unbound = world_add(&world, "0000:01:00.4", port);
        world_line(unbound, 0, WINDOW_START + 0x10, 16, WORLD_BAR);
        PciFunction *shadowed = world_add(&world, "0000:01:00.5", port);
        world_bind(shadowed, "vfio-pci", true);
        world_line(shadowed, RESOURCE_ROM, 0xc0000, 0x800, WORLD_BAR_ROM | RESOURCE_ROM_SHADOW);
        PciFunction *unset = world_add(&world, "0000:01:00.6", port);
        world_bind(unset, "vfio-pci", true);
        world_line(unset, RESOURCE_ROM, 0, 0x800, WORLD_BAR_ROM | RESOURCE_UNSET);
        world_line(port, 0, WINDOW_START + 0x100, 0x100, WORLD_BAR); /* the bridge's own */

        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_uint_eq(plan->n_functions, 8);
        ck_assert_uint_eq(planned(plan, FIRST)->alignment, WORLD_PAGE);
        ck_assert_uint_eq(planned(plan, SECOND)->alignment, WORLD_PAGE);
        ck_assert(!planned(plan, SECOND)->is_target);
        ck_assert_uint_eq(planned(plan, THIRD)->alignment, 0);
        ck_assert_uint_eq(planned(plan, "0000:01:00.3")->alignment, 0);
        ck_assert_uint_eq(planned(plan, "0000:01:00.4")->alignment, 0);
        ck_assert_uint_eq(planned(plan, "0000:01:00.5")->alignment, 0);
        ck_assert_uint_eq(planned(plan, "0000:01:00.6")->alignment, 0);
        ck_assert_uint_eq(planned(plan, PORT)->alignment, 0);

        _cleanup_free_ char *entry = plan_entry(plan, planned(plan, FIRST));
        ck_assert_str_eq(entry, PORT "/00.0");
}
END_TEST

/* What an earlier transaction has grown gets its entry again: without one it would come back in its own size. */
START_TEST(test_entry_of_grown)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        ck_assert_int_eq(grown_new(&grown), 0);
        world_line(first, 1, WINDOW_START + 0x10, 256, WORLD_BAR); /* misaligned */
        world_line(second, 1, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        world_line(third, 1, WINDOW_START + 0x2000, WORLD_PAGE, WORLD_BAR);
        world_record_grown(grown, second, 1, 256);
        world.grown = grown;

        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_uint_eq(planned(plan, SECOND)->alignment, WORLD_PAGE);
        ck_assert_uint_eq(planned(plan, SECOND)->own.lines[1], 256);
        ck_assert(!planned(plan, SECOND)->is_target);
        ck_assert_uint_eq(planned(plan, THIRD)->alignment, 0); /* a page by itself */
        ck_assert_uint_eq(planned(plan, THIRD)->own.lines[1], WORLD_PAGE);
}
END_TEST

START_TEST(test_alignment_of_policy)
{
        world_settings(&world, second)->alignment = 0x10000;
        world_settings(&world, third)->alignment = 512; /* below a page: the page it is */
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_uint_eq(planned(plan, FIRST)->alignment, WORLD_PAGE);
        ck_assert_uint_eq(planned(plan, SECOND)->alignment, 0x10000);
        ck_assert_uint_eq(planned(plan, THIRD)->alignment, WORLD_PAGE);

        _cleanup_free_ char *entry = plan_entry(plan, planned(plan, SECOND));
        ck_assert_str_eq(entry, "16@" PORT "/00.1");
}
END_TEST

/* Whichever function of the bus is asked for, or how many of them, there is one plan with all targets. */
START_TEST(test_one_plan_a_bus)
{
        const PciAddress all[] = { third->address, first->address, second->address, third->address };
        _cleanup_(plan_set_freep) PlanSet *set = world_plan_for(&world, all, ELEMENTSOF(all));
        ck_assert_uint_eq(set->n_plans, 1);
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert(planned(set->plans[0], FIRST)->is_target);
        ck_assert(planned(set->plans[0], SECOND)->is_target);
        ck_assert(planned(set->plans[0], THIRD)->is_target);
}
END_TEST

START_TEST(test_several_buses)
{
        PciFunction *far = world_add_small(&world, "0001:00:02.0", NULL, 0x90000100);
        PciFunction *fine = world_add_small(&world, "0002:00:02.0", NULL, 0x91000000);
        const PciAddress all[] = { far->address, first->address, fine->address };
        _cleanup_(plan_set_freep) PlanSet *set = world_plan_for(&world, all, ELEMENTSOF(all));
        ck_assert_uint_eq(set->n_plans, 2);
        ck_assert_uint_eq(set->n_refusals, 0); /* what needs nothing is not refused */
        ck_assert_int_eq(set->plans[0]->scope, PLAN_SCOPE_FUNCTION);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(set->plans[0]->root_bus), "0001:00:00.0");
        ck_assert_int_eq(set->plans[1]->scope, PLAN_SCOPE_BUS);
}
END_TEST

/* A root port with a bridge behind it: scope `bus` takes out the direct bridge, not the port. */
START_TEST(test_nested)
{
        PciFunction *bridge = world_add_bridge(&world, "0000:01:01.0", port, WINDOW_START, 0x80000);
        world_add_small(&world, "0000:02:03.0", bridge, WINDOW_START + 0x300);
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, "0000:02:03.0");
        ck_assert_uint_eq(plan->n_functions, 2);
        ck_assert_str_eq(planned(plan, "0000:02:03.0")->path, PORT "/01.0/03.0");
        expect_steps(plan,
                     "entries unbind:02:03.0 remove:01:01.0 rescan verify bind:02:03.0 restore:01:01.0 restore:02:03.0");
        _cleanup_free_ char *entry = plan_entry(plan, planned(plan, "0000:02:03.0"));
        ck_assert_str_eq(entry, PORT "/01.0/03.0");
}
END_TEST

/* What is below another bridge of the bus disappears too: it gets its entries, and its users count. */
START_TEST(test_nested_below)
{
        PciFunction *bridge = world_add_bridge(&world, "0000:01:01.0", port, WINDOW_START, 0x80000);
        PciFunction *deep = world_add_small(&world, "0000:02:03.0", bridge, WINDOW_START + 0x300);
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_uint_eq(plan->n_functions, 6);
        ck_assert_ptr_nonnull(find_planned(plan, "0000:01:01.0"));
        ck_assert_uint_eq(planned(plan, "0000:02:03.0")->alignment, WORLD_PAGE);

        world_hold(&world, deep, HOLDER_GROUP);
        expect_narrowed(REASON_SIBLING_IN_USE, "0000:02:03.0");
}
END_TEST

/* One request for two buses, one below the other: the outer plan takes the inner bus out as well. */
START_TEST(test_nested_plans_are_one)
{
        PciFunction *bridge = world_add_bridge(&world, "0000:01:01.0", port, WINDOW_START, 0x80000);
        PciFunction *deep = world_add_small(&world, "0000:02:03.0", bridge, WINDOW_START + 0x300);
        world_settings(&world, deep)->step_timeout_usec = 77000000;
        world_settings(&world, deep)->keep_entry = false;
        const PciAddress orders[2][2] = { { first->address, deep->address },
                                          { deep->address, first->address } };
        for (size_t i = 0; i < ELEMENTSOF(orders); i++) {
                _cleanup_(plan_set_freep) PlanSet *set = world_plan_for(&world, orders[i], 2);
                ck_assert_uint_eq(set->n_plans, 1);
                ck_assert_uint_eq(set->n_refusals, 0);
                ck_assert_uint_eq(set->plans[0]->n_functions, 6);
                ck_assert(planned(set->plans[0], "0000:02:03.0")->is_target);
                ck_assert_uint_eq(set->plans[0]->step_timeout_usec, 77000000);
                ck_assert(!set->plans[0]->keep_entry);
                ck_assert_int_eq(set->plans[0]->steps[set->plans[0]->n_steps - 1].kind,
                                 PLAN_STEP_DROP_ENTRIES);
        }
}
END_TEST

/* Each rung of the ladder takes out a bridge more; narrower ones are not tried again. */
START_TEST(test_ladder)
{
        PciFunction *bridge = world_add_bridge(&world, "0000:01:01.0", port, WINDOW_START, 0x80000);
        PciFunction *deep = world_add_small(&world, "0000:02:03.0", bridge, WINDOW_START + 0x300);
        world_line(bridge, WORLD_MEMORY_WINDOW, WINDOW_START, WORLD_PAGE, WORLD_BAR_WINDOW);
        static const struct {
                unsigned lowest_rung;
                const char *removed;
        } rungs[] = { { 0, "0000:01:01.0" }, { 1, "0000:01:01.0" }, { 2, PORT } };

        for (size_t i = 0; i < ELEMENTSOF(rungs); i++) {
                world.lowest_rung = rungs[i].lowest_rung;
                _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, "0000:02:03.0");
                ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
                ck_assert_str_eq(PCI_ADDRESS_TEXT(plan->functions[0].address), rungs[i].removed);
                ck_assert(planned(plan, "0000:02:03.0")->is_target);
        }
        world.lowest_rung = 3;
        _cleanup_(plan_set_freep) PlanSet *above = world_plan(&world, "0000:02:03.0");
        ck_assert_uint_eq(above->n_plans, 0);
        expect_refused(above, "0000:02:03.0", REASON_BRIDGE_STAYS, "0000:02:03.0");

        world.lowest_rung = 1; /* the function alone would fit, and has failed */
        world_hold(&world, second, HOLDER_GROUP);
        _cleanup_(plan_set_freep) PlanSet *failed = world_plan(&world, FIRST);
        ck_assert_uint_eq(failed->n_plans, 0);
        expect_refused(failed, FIRST, REASON_SIBLING_IN_USE, SECOND);

        world_settings(&world, deep)->scope = POLICY_SCOPE_FUNCTION;
        _cleanup_(plan_set_freep) PlanSet *no_wider = world_plan(&world, "0000:02:03.0");
        expect_refused(no_wider, "0000:02:03.0", REASON_NO_WIDER, "0000:02:03.0");
}
END_TEST

START_TEST(test_root_bus)
{
        world_add_small(&world, "0001:00:08.0", NULL, 0x90000100);
        world_add_small(&world, "0001:00:09.0", NULL, 0x90000200);
        world_add_small(&world, "0001:00:0a.0", NULL, 0x91000000); /* fine as it is */
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, "0001:00:08.0");
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        assert_reason(plan->narrowed, REASON_BRIDGE_STAYS);
        ck_assert_uint_eq(plan->n_functions, 2);
        expect_steps(plan,
                     "entries unbind:00:08.0 unbind:00:09.0 remove:00:08.0 remove:00:09.0 rescan verify "
                     "bind:00:08.0 bind:00:09.0 restore:00:08.0 restore:00:09.0");
}
END_TEST

START_TEST(test_device_tree)
{
        first->device_tree = second->device_tree = third->device_tree = port->device_tree = true;
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        assert_reason(plan->narrowed, REASON_BRIDGE_STAYS);
        ck_assert_uint_eq(plan->n_functions, 3);
}
END_TEST

START_TEST(test_narrowed_by_host_driver)
{
        world_bind_host(&world, third, "e1000e");
        expect_narrowed(REASON_SIBLING_ON_HOST_DRIVER, THIRD);
}
END_TEST

/* A bridge may be driverless or on a port driver, and nothing else. */
START_TEST(test_bridge_driver)
{
        world_bind(port, "pci-stub", false);
        expect_narrowed(REASON_SIBLING_ON_HOST_DRIVER, PORT);
        world_bind(port, NULL, false);
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
}
END_TEST

/* Who it was travels with the plan, for whoever asks why the bus stays. */
START_TEST(test_narrowed_names_holder)
{
        world_bind_host(&world, third, "e1000e");
        _cleanup_(plan_freep) Plan *by_driver = world_only_plan(&world, FIRST);
        ck_assert_str_eq(by_driver->narrowed_detail, "on the host driver e1000e");
        setup();
        world_bind(third, NULL, false);
        world_hold(&world, third, HOLDER_RESOURCE);
        world.holders[0].object = (char *) "resource0";
        _cleanup_(plan_freep) Plan *by_use = world_only_plan(&world, FIRST);
        ck_assert_str_eq(by_use->narrowed_detail, "open in qemu (pid 812) through resource0");
}
END_TEST

START_TEST(test_narrowed_by_use)
{
        static const HolderKind kinds[] = { HOLDER_GROUP, HOLDER_CDEV, HOLDER_RESOURCE };
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                setup();
                world_hold(&world, second, kinds[i]);
                expect_narrowed(REASON_SIBLING_IN_USE, SECOND);
        }
}
END_TEST

/* An unbound sibling may be in use too, through its resourceN files. */
START_TEST(test_narrowed_by_use_of_unbound)
{
        world_bind(third, NULL, false);
        world_hold(&world, third, HOLDER_RESOURCE);
        expect_narrowed(REASON_SIBLING_IN_USE, THIRD);
}
END_TEST

START_TEST(test_narrowed_by_enable_count)
{
        world_bind(third, NULL, false);
        world_hold(&world, third, HOLDER_ENABLE);
        expect_narrowed(REASON_ENABLE_COUNT, THIRD);
}
END_TEST

START_TEST(test_narrowed_by_policy)
{
        world_settings(&world, second)->realign = POLICY_REALIGN_NEVER;
        expect_narrowed(REASON_POLICY_NEVER, SECOND);
        world_settings(&world, second)->realign = POLICY_REALIGN_REPORT;
        expect_narrowed(REASON_POLICY_REPORT, SECOND);
}
END_TEST

START_TEST(test_narrowed_by_large_bar)
{
        world_line(third, 1, UINT64_C(0x4000000000), UINT64_C(0x20000000), WORLD_BAR_64);
        expect_narrowed(REASON_BAR_TOO_LARGE, THIRD);
        world_settings(&world, third)->max_move = UINT64_C(0x20000000); /* just that may move */
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_BUS);
}
END_TEST

/* What the kernel would not move, or would not bring back, keeps the bus in place. */
START_TEST(test_narrowed_by_sibling_itself)
{
        world_bind(third, NULL, false);
        third->class = 0;
        expect_narrowed(REASON_CLASS_UNDEFINED, THIRD);
        third->class = 0x060000;
        expect_narrowed(REASON_HOST_BRIDGE, THIRD);
        third->class = 0x060100;
        expect_narrowed(REASON_ISA_BRIDGE, THIRD);
        third->class = 0x080020;
        expect_narrowed(REASON_IOAPIC, THIRD);
        third->class = 0x030000;
        third->boot_display = true;
        expect_narrowed(REASON_BOOT_DISPLAY, THIRD);
        third->boot_display = false;
        third->has_virtual = true;
        expect_narrowed(REASON_PF_WITH_VFS, THIRD);
        third->has_virtual = false;
        world_bind(third, "vfio-pci", true);
        third->resources.lines[1].flags |= RESOURCE_PCI_EA;
        expect_narrowed(REASON_FIXED_BAR, THIRD);
}
END_TEST

START_TEST(test_scope_of_policy)
{
        world_settings(&world, second)->scope = POLICY_SCOPE_FUNCTION;
        _cleanup_(plan_freep) Plan *plan = world_only_plan(&world, FIRST);
        ck_assert_int_eq(plan->scope, PLAN_SCOPE_FUNCTION);
        assert_reason(plan->narrowed, REASON_NONE);
        ck_assert_uint_eq(plan->n_functions, 3);
}
END_TEST

/* `smallest` begins with the function alone and widens where that does not fit. */
START_TEST(test_scope_smallest)
{
        for (size_t i = 0; i < world.topology.n_functions; i++)
                world.settings[i].scope = POLICY_SCOPE_SMALLEST;
        _cleanup_(plan_freep) Plan *narrow = world_only_plan(&world, FIRST);
        ck_assert_int_eq(narrow->scope, PLAN_SCOPE_FUNCTION);

        world_line(port, WORLD_MEMORY_WINDOW, WINDOW_START, 2 * WORLD_PAGE, WORLD_BAR_WINDOW);
        _cleanup_(plan_freep) Plan *wide = world_only_plan(&world, FIRST);
        ck_assert_int_eq(wide->scope, PLAN_SCOPE_BUS);
        assert_reason(wide->narrowed, REASON_NONE);

        world_settings(&world, third)->scope = POLICY_SCOPE_FUNCTION; /* which is stricter */
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(&world, FIRST);
        ck_assert_uint_eq(set->n_plans, 0);
        expect_refused(set, FIRST, REASON_NO_ROOM, FIRST);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan");
        TCase *cases = tcase_create("plan");

        tcase_add_checked_fixture(cases, setup, NULL);
        tcase_add_test(cases, test_bus);
        tcase_add_test(cases, test_settings);
        tcase_add_test(cases, test_entries);
        tcase_add_test(cases, test_entry_of_grown);
        tcase_add_test(cases, test_alignment_of_policy);
        tcase_add_test(cases, test_one_plan_a_bus);
        tcase_add_test(cases, test_several_buses);
        tcase_add_test(cases, test_nested);
        tcase_add_test(cases, test_nested_below);
        tcase_add_test(cases, test_nested_plans_are_one);
        tcase_add_test(cases, test_ladder);
        tcase_add_test(cases, test_root_bus);
        tcase_add_test(cases, test_device_tree);
        tcase_add_test(cases, test_narrowed_by_host_driver);
        tcase_add_test(cases, test_bridge_driver);
        tcase_add_test(cases, test_narrowed_names_holder);
        tcase_add_test(cases, test_narrowed_by_use);
        tcase_add_test(cases, test_narrowed_by_use_of_unbound);
        tcase_add_test(cases, test_narrowed_by_enable_count);
        tcase_add_test(cases, test_narrowed_by_policy);
        tcase_add_test(cases, test_narrowed_by_large_bar);
        tcase_add_test(cases, test_narrowed_by_sibling_itself);
        tcase_add_test(cases, test_scope_of_policy);
        tcase_add_test(cases, test_scope_smallest);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
