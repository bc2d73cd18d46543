/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/rebind.h"

#include "judge/plan-part.h"

#include <errno.h>

bool rebind_is_done(PlanGoal goal, const PciFunction *function)
{
        return goal == PLAN_GOAL_DETACH ? function->on_vfio : function->driver && !function->on_vfio;
}

/* What the board itself rests upon is no guest's. */
static Reason own_refusal(const PciFunction *function)
{
        Reason reason = verdict_refusal(function);

        if (function->is_bridge)
                return REASON_BRIDGE;
        if (reason == REASON_PF_WITH_VFS || reason == REASON_HOST_BRIDGE || reason == REASON_ISA_BRIDGE ||
            reason == REASON_IOAPIC)
                return reason;
        return REASON_NONE;
}

/* A host driver itself enables its function, and is what is to be taken off: what it carries counts. */
static bool is_use(const PciFunction *function, const Holder *holder)
{
        return !function->driver || function->on_vfio || holder_is_use_of_host(holder);
}

/* The users of FUNCTION, and its driver's own holder, whose text names all that the function carries. */
static Obstacle find_use(const PciFunction *function, const Usage *usage)
{
        Obstacle obstacle = { .culprit = function->address };
        const Holder *driver = NULL;
        size_t n;
        const Holder *holders = usage_find(usage, function->address, &n);

        for (size_t i = 0; i < n; i++) {
                if (holders[i].kind == HOLDER_HOST_DRIVER)
                        driver = &holders[i];
                if (obstacle.reason != REASON_NONE || !is_use(function, &holders[i]))
                        continue;
                obstacle.reason = obstacle_reason(&holders[i], true);
                obstacle.holder = &holders[i];
        }
        /* A process is named by itself; what the driver's function carries is told together. */
        if (obstacle.holder && obstacle.holder->kind > HOLDER_HOST_DRIVER && driver)
                obstacle.holder = driver;
        return obstacle;
}

Obstacle rebind_obstacle(PlanGoal goal, const PciFunction *function, const Usage *usage)
{
        Obstacle obstacle = { .reason = own_refusal(function), .culprit = function->address };

        if (obstacle.reason != REASON_NONE || rebind_is_done(goal, function))
                return obstacle;
        obstacle = find_use(function, usage);
        if (obstacle.reason == REASON_NONE && !usage->complete)
                obstacle.reason = REASON_USERS_UNSEEN;
        if (obstacle.reason == REASON_NONE && function->on_vfio && !usage->group_files)
                obstacle.reason = REASON_NO_GROUP_FILES;
        return obstacle;
}

Obstacle rebind_lending_obstacle(const PciFunction *function, const Usage *usage)
{
        Obstacle obstacle = { .reason = verdict_refusal(function), .culprit = function->address };

        if (obstacle.reason == REASON_NONE && verdict_has_fixed_bar(function))
                obstacle.reason = REASON_FIXED_BAR;
        return obstacle.reason != REASON_NONE ? obstacle
                                              : rebind_obstacle(PLAN_GOAL_DETACH, function, usage);
}

static Obstacle obstacle_at(const PlanInput *input, PlanGoal goal, PciAddress address,
                            const PciFunction *function)
{
        Obstacle obstacle = { .reason = REASON_NOT_FOUND, .culprit = address };

        if (!function)
                return obstacle;
        obstacle = rebind_obstacle(goal, function, input->usage);
        if (obstacle.reason == REASON_NONE && goal == PLAN_GOAL_DETACH && !input->has_vfio_driver &&
            !rebind_is_done(goal, function))
                obstacle.reason = REASON_NO_VFIO_DRIVER;
        return obstacle;
}

/* All that stands against any of them is told. */
static int refuse_all(const PlanInput *input, PlanGoal goal, const PciAddress *addresses, size_t n,
                      PlanSet *set)
{
        for (size_t i = 0; i < n; i++) {
                const PciFunction *function = topology_find(input->topology, addresses[i]);
                Obstacle obstacle = obstacle_at(input, goal, addresses[i], function);
                int r = obstacle.reason != REASON_NONE
                                        ? plan_set_refuse(set, input->usage, addresses[i], &obstacle)
                                        : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool has_function(const PlanSet *set, PciAddress address)
{
        for (size_t i = 0; i < set->n_plans; i++)
                for (size_t j = 0; j < set->plans[i]->n_functions; j++)
                        if (pci_address_equal(set->plans[i]->functions[j].address, address))
                                return true;
        return false;
}

/* A plan without functions, which has room for N. */
static Plan *plan_begin(const PlanInput *input, PlanGoal goal, const PciFunction *function, size_t n)
{
        Plan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return NULL;
        *plan = (Plan){
                .goal = goal,
                .scope = PLAN_SCOPE_NONE,
                .page = input->verdicts->page,
                .root_bus = function->root_bus,
                .keep_entry = true,
                .functions = calloc(n, sizeof(plan->functions[0])),
        };
        return plan->functions ? plan : plan_free(plan);
}

/* The plan that FUNCTION is to be in: guests get all or nothing, the host gets back what there is. */
static int plan_for(const PlanInput *input, PlanGoal goal, const PciFunction *function, size_t n,
                    PlanSet *set, Plan **ret)
{
        int r = 0;
        if (goal == PLAN_GOAL_REATTACH || set->n_plans == 0) {
                Plan *plan = plan_begin(input, goal, function, n);
                r = plan ? plan_set_add(set, plan) : -ENOMEM;
        }
        if (r == 0)
                *ret = set->plans[set->n_plans - 1];
        return r;
}

/* What stands against giving FUNCTION, which is grown, its own sizes back before the host gets it. */
static Obstacle restore_obstacle(const PlanInput *input, const PciFunction *function,
                                 const PolicySettings *settings)
{
        Obstacle obstacle = obstacle_of(function, input->usage, true);
        for (unsigned line = 0; line < RESOURCE_BARS && obstacle.reason == REASON_NONE; line++) {
                const PciResource *resource = &function->resources.lines[line];
                if (resource_is_assigned_memory(resource) && resource_size(resource) > settings->max_move)
                        obstacle.reason = REASON_BAR_TOO_LARGE;
        }
        return obstacle;
}

/* On the way to the host FUNCTION is removed by itself and found again, smaller: it fits where it is. */
static int add_restore(const PlanInput *input, const PciFunction *function, const PolicySettings *settings,
                       Plan *plan)
{
        PlanFunction *planned = &plan->functions[0];
        Obstacle obstacle = restore_obstacle(input, function, settings);

        if (obstacle.reason != REASON_NONE) {
                plan->narrowed = obstacle.reason;
                plan->narrowed_by = obstacle.culprit;
                return obstacle_text(&obstacle, input->usage, &plan->narrowed_detail);
        }
        plan->scope = PLAN_SCOPE_FUNCTION;
        plan->keep_entry = settings->keep_entry;
        planned->alignment = settings->alignment > plan->page ? settings->alignment : plan->page;
        return 0;
}

static int plan_add(const PlanInput *input, const PciFunction *function, Plan *plan)
{
        PolicySettings settings;
        PlanFunction *planned = &plan->functions[plan->n_functions++];
        int r = plan_function_from(function, input->grown, true, planned);

        policy_settings(input->policy, function, &settings);
        if (settings.step_timeout_usec > plan->step_timeout_usec)
                plan->step_timeout_usec = settings.step_timeout_usec;
        if (r == 0 && plan->goal == PLAN_GOAL_REATTACH && !input->keep_sizes &&
            settings.after_reattach == POLICY_AFTER_REATTACH_RESTORE &&
            own_sizes_are_exceeded(&planned->own, &planned->resources))
                r = add_restore(input, function, &settings, plan);
        return r == 0 ? plan_derive_steps(plan) : r;
}

int rebind_plan(const PlanInput *input, PlanGoal goal, const PciAddress *addresses, size_t n_addresses,
                PlanSet **ret)
{
        _cleanup_(plan_set_freep) PlanSet *set = calloc(1, sizeof(*set));
        if (!set)
                return -ENOMEM;

        int r = refuse_all(input, goal, addresses, n_addresses, set);
        bool is_refused = goal == PLAN_GOAL_DETACH && set->n_refusals > 0;
        for (size_t i = 0; r == 0 && !is_refused && i < n_addresses; i++) {
                const PciFunction *function = topology_find(input->topology, addresses[i]);
                Obstacle obstacle = obstacle_at(input, goal, addresses[i], function);
                Plan *plan;
                if (obstacle.reason != REASON_NONE || rebind_is_done(goal, function) ||
                    has_function(set, addresses[i]))
                        continue;
                r = plan_for(input, goal, function, n_addresses, set, &plan);
                if (r == 0)
                        r = plan_add(input, function, plan);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}
