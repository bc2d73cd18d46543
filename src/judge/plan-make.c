/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "judge/plan-part.h"
#include "judge/rebind.h"
#include "judge/window-fit.h"

#include <errno.h>
#include <string.h>

/* What is being decided about one bus. */
typedef struct BusCase {
        const PlanInput *input;
        PlanSet *set;
        const PciAddress *addresses; /* that were asked for */
        size_t n_addresses;
        const PciFunction **targets;
        size_t n_targets;
        PolicySettings settings; /* of all targets together */
        Obstacle narrowed;
} BusCase;

static int refuse(BusCase *bus, const PciFunction *function, const Obstacle *obstacle)
{
        return plan_set_refuse(bus->set, bus->input->usage, function->address, obstacle);
}

static bool is_target(const BusCase *bus, const PciFunction *function)
{
        for (size_t i = 0; i < bus->n_targets; i++)
                if (bus->targets[i] == function)
                        return true;
        return false;
}

static bool is_named(const BusCase *bus, const PciFunction *function)
{
        for (size_t i = 0; i < bus->n_addresses; i++)
                if (pci_address_equal(bus->addresses[i], function->address))
                        return true;
        return false;
}

/* Not on VFIO, and about to be, in a guest's hands. */
static bool is_promised(const BusCase *bus, const PciFunction *function)
{
        return bus->input->goal == PLAN_GOAL_PREPARE && !function->on_vfio && !function->is_bridge &&
               is_named(bus, function);
}

static uint64_t largest_bar(const PciFunction *function)
{
        uint64_t largest = 0;
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                const PciResource *resource = &function->resources.lines[line];
                if (resource_is_assigned_memory(resource) && resource_size(resource) > largest)
                        largest = resource_size(resource);
        }
        return largest;
}

/* What FUNCTION's BARs are to be aligned to, by policy. */
static uint64_t wanted_alignment(const PlanInput *input, const PciFunction *function)
{
        PolicySettings settings;
        policy_settings(input->policy, function, &settings);
        return settings.alignment > input->verdicts->page ? settings.alignment : input->verdicts->page;
}

/*
 * The alignment of its entry: also what is grown already gets one, or it would come back in its own size. What is to do just
 * that has the entry that is taken out, and put back should that fail, whether a driver has it or not.
 */
static uint64_t alignment_of(const BusCase *bus, const PciFunction *function, const OwnSizes *own)
{
        uint64_t alignment = wanted_alignment(bus->input, function);
        bool is_given_back = bus->input->goal == PLAN_GOAL_RESTORE && is_target(bus, function);
        bool is_due = (function->on_vfio && !function->is_bridge) || is_given_back ||
                      is_promised(bus, function);
        return is_due && own_sizes_have_below(own, alignment) ? alignment : 0;
}

static Reason policy_refusal(const PlanInput *input, const PolicySettings *settings)
{
        if (settings->realign == POLICY_REALIGN_NEVER)
                return REASON_POLICY_NEVER;
        if (settings->realign == POLICY_REALIGN_REPORT && !input->by_request)
                return REASON_POLICY_REPORT;
        return REASON_NONE;
}

/* All BARs of FUNCTION that VFIO refuses are the one that holds its MSI-X table. */
static bool refuses_msix_table_only(const PlanInput *input, const PciFunction *function)
{
        const FunctionReport *report = verdict_of(input->verdicts, function);
        int msix_bar = input->msix_bars ? input->msix_bars[function - input->topology->functions] : -1;

        for (int line = 0; line < (int) RESOURCE_BARS; line++) {
                BarVerdict verdict = report->bars[line].verdict;
                if ((verdict == BAR_SHARED || verdict == BAR_MISALIGNED) && line != msix_bar)
                        return false;
        }
        return msix_bar >= 0;
}

/* What stands against FUNCTION as a target, whatever the scope. */
static Obstacle target_obstacle(const BusCase *bus, const PciFunction *function)
{
        const PlanInput *input = bus->input;
        const FunctionReport *report = verdict_of(input->verdicts, function);
        Obstacle obstacle = { .culprit = function->address };
        PolicySettings settings;

        policy_settings(input->policy, function, &settings);
        if (report->verdict == FUNCTION_CANNOT)
                obstacle.reason = report->reason;
        else if (!input->usage->group_files)
                obstacle.reason = REASON_NO_GROUP_FILES;
        else
                obstacle.reason = policy_refusal(input, &settings);
        if (obstacle.reason == REASON_NONE && settings.msix_table_bar == POLICY_MSIX_SKIP &&
            refuses_msix_table_only(input, function))
                obstacle.reason = REASON_POLICY_MSIX;
        if (obstacle.reason == REASON_NONE && largest_bar(function) > settings.max_move)
                obstacle.reason = REASON_BAR_TOO_LARGE;
        if (obstacle.reason != REASON_NONE)
                return obstacle;
        return is_promised(bus, function) ? rebind_lending_obstacle(function, input->usage)
                                          : obstacle_of(function, input->usage, true);
}

/* What stands against disturbing FUNCTION for the sake of another one. */
static Obstacle bystander_obstacle(const BusCase *bus, const PciFunction *function)
{
        const PlanInput *input = bus->input;
        Obstacle obstacle = is_promised(bus, function) ? rebind_lending_obstacle(function, input->usage)
                                                       : obstacle_of(function, input->usage, false);
        PolicySettings settings;

        if (obstacle.reason != REASON_NONE || function->is_bridge)
                return obstacle;
        policy_settings(input->policy, function, &settings);
        obstacle.reason = policy_refusal(input, &settings);
        if (obstacle.reason == REASON_NONE && largest_bar(function) > settings.max_move)
                obstacle.reason = REASON_BAR_TOO_LARGE;
        return obstacle;
}

static int restore_obstacle(const PlanInput *input, const PciFunction *function, Obstacle *ret)
{
        Obstacle obstacle = { .culprit = function->address };
        PolicySettings settings;
        OwnSizes own;

        int r = grown_own_sizes(input->grown, function, &own);
        if (r < 0)
                return r;
        policy_settings(input->policy, function, &settings);
        if (!own_sizes_are_exceeded(&own, &function->resources))
                obstacle.reason = REASON_NOT_GROWN;
        else if (function->on_vfio && !input->usage->group_files)
                obstacle.reason = REASON_NO_GROUP_FILES;
        else if (largest_bar(function) > settings.max_move)
                obstacle.reason = REASON_BAR_TOO_LARGE;
        *ret = obstacle.reason != REASON_NONE ? obstacle : obstacle_of(function, input->usage, true);
        return 0;
}

/* A function that the request may be about: it is judged by itself. */
static bool is_candidate(const BusCase *bus, const PciFunction *function)
{
        if (bus->input->goal == PLAN_GOAL_RESTORE)
                return is_named(bus, function) && (function->on_vfio || !function->driver);
        return (function->on_vfio || is_promised(bus, function)) &&
               verdict_of(bus->input->verdicts, function)->verdict != FUNCTION_OK;
}

/* Sorts the candidates of FIRST's bus into targets and refusals. */
static int find_targets(BusCase *bus, const PciFunction *first)
{
        const Topology *topology = bus->input->topology;
        int r = 0;

        bus->targets = calloc(topology->n_functions, sizeof(bus->targets[0]));
        if (!bus->targets)
                return -ENOMEM;
        for (size_t i = 0; i < topology->n_functions && r == 0; i++) {
                const PciFunction *function = &topology->functions[i];
                Obstacle obstacle;
                if (!topology_same_bus(function, first) || !is_candidate(bus, function))
                        continue;
                if (bus->input->goal == PLAN_GOAL_RESTORE)
                        r = restore_obstacle(bus->input, function, &obstacle);
                else
                        obstacle = target_obstacle(bus, function);
                if (r == 0 && obstacle.reason == REASON_NONE)
                        bus->targets[bus->n_targets++] = function;
                else if (r == 0)
                        r = refuse(bus, function, &obstacle);
        }
        return r;
}

/* The bridge that is removed on RUNG of the ladder; NULL: there are not so many above. */
static const PciFunction *bridge_of_rung(const BusCase *bus, unsigned rung)
{
        const PciFunction *bridge = bus->targets[0]->bridge;
        for (unsigned i = 1; i < rung && bridge; i++)
                bridge = bridge->bridge;
        return bridge;
}

/* What stands against removing the bridge of RUNG: the first thing found, in the order of the radius. */
static int bridge_obstacle(const BusCase *bus, unsigned rung, Obstacle *ret)
{
        const PciFunction *bridge = bridge_of_rung(bus, rung);
        Obstacle obstacle = { .reason = REASON_BRIDGE_STAYS, .culprit = bus->targets[0]->address };

        if (bridge && !bridge->device_tree) {
                BlastRadius radius = { 0 };
                int r = blast_radius_add(&radius, bus->input->topology, bridge);
                if (r < 0) {
                        blast_radius_clear(&radius);
                        return r;
                }
                obstacle.reason = REASON_NONE;
                for (size_t i = 0; i < radius.n_functions && obstacle.reason == REASON_NONE; i++)
                        if (!is_target(bus, radius.functions[i]))
                                obstacle = bystander_obstacle(bus, radius.functions[i]);
                blast_radius_clear(&radius);
        }
        *ret = obstacle;
        return 0;
}

static int plan_function_fill(const BusCase *bus, const PciFunction *function, PlanFunction *ret)
{
        bool is_ours = is_target(bus, function) || is_promised(bus, function);
        int r = plan_function_from(function, bus->input->grown, is_ours, ret);
        ret->n_refused = verdict_n_refused(verdict_of(bus->input->verdicts, function));
        ret->alignment = r == 0 ? alignment_of(bus, function, &ret->own) : 0;
        return r;
}

static int plan_fill(const BusCase *bus, unsigned rung, const BlastRadius *radius, Plan *plan)
{
        *plan = (Plan){
                .goal = bus->input->goal,
                .scope = rung > 0 ? PLAN_SCOPE_BUS : PLAN_SCOPE_FUNCTION,
                .rung = rung,
                .narrowed = bus->narrowed.reason,
                .narrowed_by = bus->narrowed.culprit,
                .page = bus->input->verdicts->page,
                .root_bus = bus->targets[0]->root_bus,
                .keep_entry = bus->settings.keep_entry,
                .step_timeout_usec = bus->settings.step_timeout_usec,
                .functions = calloc(radius->n_functions, sizeof(plan->functions[0])),
        };
        if (!plan->functions)
                return -ENOMEM;
        if (bus->narrowed.reason != REASON_NONE) {
                int r = obstacle_text(&bus->narrowed, bus->input->usage, &plan->narrowed_detail);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < radius->n_functions; i++) {
                int r = plan_function_fill(bus, radius->functions[i], &plan->functions[plan->n_functions++]);
                if (r < 0)
                        return r;
        }
        return plan_derive_steps(plan);
}

static int add_plan(BusCase *bus, unsigned rung, const BlastRadius *radius)
{
        _cleanup_(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        int r = plan_fill(bus, rung, radius, plan);
        return r < 0 ? r : plan_set_add(bus->set, TAKE_PTR(plan));
}

static int make_on_rung(BusCase *bus, unsigned rung)
{
        BlastRadius radius = { 0 };
        int r = 0;

        if (rung > 0)
                r = blast_radius_add(&radius, bus->input->topology, bridge_of_rung(bus, rung));
        else
                for (size_t i = 0; i < bus->n_targets && r == 0; i++)
                        r = blast_radius_add(&radius, bus->input->topology, bus->targets[i]);
        if (r == 0)
                r = add_plan(bus, rung, &radius);
        blast_radius_clear(&radius);
        return r;
}

/* What is taken out with scope `function` finds room in the windows beside what stays. */
static bool targets_fit(const BusCase *bus)
{
        uint64_t alignment = bus->input->verdicts->page;

        for (size_t i = 0; i < bus->n_targets; i++) {
                uint64_t wanted = wanted_alignment(bus->input, bus->targets[i]);
                alignment = wanted > alignment ? wanted : alignment;
        }
        return window_fit(bus->input->topology, bus->targets[0]->bridge, bus->targets, bus->n_targets,
                          alignment);
}

static int refuse_no_room(BusCase *bus)
{
        for (size_t i = 0; i < bus->n_targets; i++) {
                /* What kept the whole bus from being taken out is what the administrator can change. */
                Obstacle obstacle = { .reason = REASON_NO_ROOM, .culprit = bus->narrowed.culprit };
                if (bus->narrowed.reason == REASON_NONE)
                        obstacle.culprit = bus->targets[i]->address;
                else
                        obstacle.holder = bus->narrowed.holder;
                int r = refuse(bus, bus->targets[i], &obstacle);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * What is narrower has failed. One rung higher the radius only grows, so what stands against a rung stands against all
 * above it as well.
 */
static int climb(BusCase *bus)
{
        Obstacle obstacle = { .reason = REASON_NO_WIDER, .culprit = bus->targets[0]->address };
        int r = 0;

        if (bus->settings.scope != POLICY_SCOPE_FUNCTION)
                r = bridge_obstacle(bus, bus->input->lowest_rung, &obstacle);
        if (r == 0 && obstacle.reason == REASON_NONE)
                return make_on_rung(bus, bus->input->lowest_rung);
        for (size_t i = 0; i < bus->n_targets && r == 0; i++)
                r = refuse(bus, bus->targets[i], &obstacle);
        return r;
}

/* The more that is to stay in place, the stricter. */
static unsigned strictness(PolicyScope scope)
{
        switch (scope) {
        case POLICY_SCOPE_BUS:
                return 0;
        case POLICY_SCOPE_SMALLEST:
                return 1;
        case POLICY_SCOPE_FUNCTION:
                break;
        }
        return 2;
}

/* The strictest settings of all targets hold for the plan. */
static void merge_settings(BusCase *bus)
{
        policy_settings(bus->input->policy, bus->targets[0], &bus->settings);
        for (size_t i = 1; i < bus->n_targets; i++) {
                PolicySettings other;
                policy_settings(bus->input->policy, bus->targets[i], &other);
                if (strictness(other.scope) > strictness(bus->settings.scope))
                        bus->settings.scope = other.scope;
                bus->settings.keep_entry = bus->settings.keep_entry && other.keep_entry;
                if (other.step_timeout_usec > bus->settings.step_timeout_usec)
                        bus->settings.step_timeout_usec = other.step_timeout_usec;
        }
}

static int plan_bus(BusCase *bus, const PciFunction *first)
{
        int r = find_targets(bus, first);
        if (r < 0 || bus->n_targets == 0)
                return r;

        merge_settings(bus);
        if (bus->input->lowest_rung > 0)
                return climb(bus);
        /* What gets smaller fits where it is: nothing else has to move. */
        if (bus->input->goal == PLAN_GOAL_RESTORE)
                return make_on_rung(bus, 0);
        PolicyScope wanted = bus->settings.scope;
        bool fits = targets_fit(bus);
        if (fits && wanted != POLICY_SCOPE_BUS)
                return make_on_rung(bus, 0);
        if (wanted != POLICY_SCOPE_FUNCTION) {
                r = bridge_obstacle(bus, 1, &bus->narrowed);
                if (r < 0)
                        return r;
                if (bus->narrowed.reason == REASON_NONE)
                        return make_on_rung(bus, 1);
        }
        return fits ? make_on_rung(bus, 0) : refuse_no_room(bus);
}

static PlanFunction *find_planned(const Plan *plan, PciAddress address)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (pci_address_equal(plan->functions[i].address, address))
                        return &plan->functions[i];
        return NULL;
}

/* OUTER takes out everything that INNER would: its targets become OUTER's. */
static int absorb(Plan *outer, const Plan *inner)
{
        for (size_t i = 0; i < inner->n_functions; i++) {
                PlanFunction *planned = find_planned(outer, inner->functions[i].address);
                if (!planned || !inner->functions[i].is_target)
                        continue;
                planned->is_target = true;
                planned->alignment = inner->functions[i].alignment;
        }
        outer->keep_entry = outer->keep_entry && inner->keep_entry;
        if (inner->step_timeout_usec > outer->step_timeout_usec)
                outer->step_timeout_usec = inner->step_timeout_usec;
        return plan_derive_steps(outer);
}

/* The plan of SET that takes out a bridge above all that PLAN takes out, or NULL. */
static Plan *find_outer(const PlanSet *set, const Plan *plan)
{
        for (size_t i = 0; i < set->n_plans; i++)
                if (set->plans[i] != plan && find_planned(set->plans[i], plan->functions[0].address))
                        return set->plans[i];
        return NULL;
}

/* Buses may be asked for of which one is below the other: no function is in two plans. */
static int absorb_inner_plans(PlanSet *set)
{
        int r = 0;

        for (size_t i = 0; i < set->n_plans && r == 0;) {
                Plan *outer = find_outer(set, set->plans[i]);
                if (!outer) {
                        i++;
                        continue;
                }
                r = absorb(outer, set->plans[i]);
                plan_free(set->plans[i]);
                set->n_plans--;
                memmove(&set->plans[i], &set->plans[i + 1], (set->n_plans - i) * sizeof(set->plans[0]));
        }
        return r;
}

/* Plans are made of the bus that FUNCTION is on. */
static bool is_asked_of_bus(const PlanInput *input, const PciFunction *function)
{
        return function && (function->on_vfio || input->goal == PLAN_GOAL_PREPARE ||
                            (input->goal == PLAN_GOAL_RESTORE && !function->driver));
}

/* Notes in DONE, parallel to the topology's functions, that the bus of FUNCTION has been looked at. */
static void note_bus(const Topology *topology, const PciFunction *function, bool *done)
{
        for (size_t i = 0; i < topology->n_functions; i++)
                done[i] = done[i] || topology_same_bus(&topology->functions[i], function);
}

/* A function that is asked for by its address and is not on VFIO, or not there at all. */
static int refuse_odd(BusCase *bus, PciAddress address, const PciFunction *function)
{
        PciFunction named = { .address = address };
        Obstacle obstacle = { .reason = function ? REASON_NOT_VFIO : REASON_NOT_FOUND, .culprit = address };
        return refuse(bus, &named, &obstacle);
}

int plan_make(const PlanInput *input, const PciAddress *addresses, size_t n_addresses, PlanSet **ret)
{
        const Topology *topology = input->topology;
        _cleanup_(plan_set_freep) PlanSet *set = calloc(1, sizeof(*set));
        _cleanup_free_ bool *done = calloc(topology->n_functions + 1, sizeof(*done));
        if (!set || !done)
                return -ENOMEM;

        for (size_t i = 0; i < n_addresses; i++) {
                BusCase bus = {
                        .input = input, .set = set, .addresses = addresses, .n_addresses = n_addresses
                };
                const PciFunction *function = topology_find(topology, addresses[i]);
                int r = 0;
                if (!is_asked_of_bus(input, function)) {
                        r = refuse_odd(&bus, addresses[i], function);
                } else if (!done[function - topology->functions]) {
                        r = plan_bus(&bus, function);
                        note_bus(topology, function, done);
                }
                free(bus.targets);
                if (r < 0)
                        return r;
        }
        int r = absorb_inner_plans(set);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}
