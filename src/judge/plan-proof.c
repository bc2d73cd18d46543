/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/plan-proof.h"

#include "base/text.h"
#include "judge/rebind.h"

#include <errno.h>
#include <string.h>

static const PlanFunction *planned_at(const Plan *plan, PciAddress address)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (pci_address_equal(plan->functions[i].address, address))
                        return &plan->functions[i];
        return NULL;
}

bool plan_function_is(const PlanFunction *planned, const PciFunction *function)
{
        _cleanup_free_ char *path = topology_path(function);

        return path && strcmp(path, planned->path) == 0 && function->vendor == planned->vendor &&
               function->device == planned->device && function->subvendor == planned->subvendor &&
               function->subdevice == planned->subdevice && function->class == planned->class;
}

static bool is_unchanged(const Plan *plan, const PlanFunction *planned, const PciFunction *function)
{
        const ResourceTable *before = &planned->resources, *now = &function->resources;

        return plan_function_is(planned, function) && text_equal(planned->driver, function->driver) &&
               planned->on_vfio == function->on_vfio && planned->is_bridge == function->is_bridge &&
               planned->iommu_group == function->iommu_group && before->n_lines == now->n_lines &&
               memcmp(before->lines, now->lines, now->n_lines * sizeof(now->lines[0])) == 0 &&
               (plan->scope == PLAN_SCOPE_NONE || pci_address_equal(plan->root_bus, function->root_bus));
}

/* Design §4 rule 4: functions on VFIO with something small by itself have an entry, and nothing else has one. */
static bool has_due_entry(const Plan *plan, const PlanFunction *planned)
{
        uint64_t alignment = planned->alignment > 0 ? planned->alignment : plan->page;
        bool is_due = (plan_is_for_vfio(plan, planned) || plan_gives_back(plan, planned)) &&
                      !planned->is_bridge && own_sizes_have_below(&planned->own, alignment);
        return is_due == (planned->alignment > 0);
}

/* 1: what the plan takes for the function's own sizes are what is known of them; 0: they are not; -ENOMEM. */
static int has_own_sizes(const PlanFunction *planned, const PciFunction *function, const Grown *grown)
{
        OwnSizes own;
        int r = grown_own_sizes(grown, function, &own);
        return r < 0 ? r : memcmp(&own, &planned->own, sizeof(own)) == 0;
}

/* All that the plan's removals take out. */
static int removed_radius(const Plan *plan, const Topology *topology, BlastRadius *radius)
{
        for (size_t i = 0; i < plan->n_steps; i++) {
                if (plan->steps[i].kind != PLAN_STEP_REMOVE)
                        continue;
                const PciFunction *removed =
                                topology_find(topology, plan->functions[plan->steps[i].function].address);
                int r = removed ? blast_radius_add(radius, topology, removed) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int prove_radius(const Plan *plan, const BlastRadius *radius, const Usage *usage, const Grown *grown,
                        Obstacle *ret)
{
        for (size_t i = 0; i < radius->n_functions; i++) {
                const PciFunction *function = radius->functions[i];
                const PlanFunction *planned = planned_at(plan, function->address);
                Obstacle obstacle = { .reason = REASON_WORLD_CHANGED, .culprit = function->address };

                int r = planned ? has_own_sizes(planned, function, grown) : 0;
                if (r < 0)
                        return r;
                if (r > 0 && is_unchanged(plan, planned, function) && has_due_entry(plan, planned))
                        obstacle = plan_is_for_vfio(plan, planned) && !planned->on_vfio
                                                   ? rebind_lending_obstacle(function, usage)
                                                   : obstacle_of(function, usage, planned->is_target);
                if (obstacle.reason != REASON_NONE) {
                        *ret = obstacle;
                        return 0;
                }
        }
        *ret = (Obstacle){ 0 };
        return 0;
}

/* Functions of a plan that removes nothing: only their drivers change. */
static Obstacle prove_rebind(const Plan *plan, const Topology *topology, const Usage *usage)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *planned = &plan->functions[i];
                const PciFunction *function = topology_find(topology, planned->address);
                Obstacle obstacle = { .reason = REASON_WORLD_CHANGED, .culprit = planned->address };

                if (!function || !is_unchanged(plan, planned, function) ||
                    rebind_is_done(plan->goal, function))
                        return obstacle;
                obstacle = rebind_obstacle(plan->goal, function, usage);
                if (obstacle.reason != REASON_NONE)
                        return obstacle;
        }
        return (Obstacle){ 0 };
}

int plan_prove(const Plan *plan, const Topology *topology, const Usage *usage, const Grown *grown,
               Obstacle *ret)
{
        BlastRadius radius = { 0 };
        Obstacle obstacle;

        if (plan->scope == PLAN_SCOPE_NONE) {
                *ret = prove_rebind(plan, topology, usage);
                return 0;
        }
        int r = removed_radius(plan, topology, &radius);
        if (r == 0)
                r = prove_radius(plan, &radius, usage, grown, &obstacle);
        if (r < 0) {
                blast_radius_clear(&radius);
                return r;
        }
        /* Equal numbers and every function of the radius planned: the sets are equal. */
        if (obstacle.reason == REASON_NONE && radius.n_functions != plan->n_functions)
                obstacle = (Obstacle){ .reason = REASON_WORLD_CHANGED,
                                       .culprit = plan->functions[0].address };
        blast_radius_clear(&radius);
        *ret = obstacle;
        return 0;
}
