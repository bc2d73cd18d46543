/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/plan-part.h"

#include <errno.h>
#include <string.h>

int plan_set_refuse(PlanSet *set, const Usage *usage, PciAddress address, const Obstacle *obstacle)
{
        PlanRefusal *more = reallocarray(set->refusals, set->n_refusals + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        set->refusals = more;

        PlanRefusal refusal = {
                .address = address,
                .reason = obstacle->reason,
                .culprit = obstacle->culprit,
        };
        int r = obstacle_text(obstacle, usage, &refusal.detail);
        if (r < 0)
                return r;
        set->refusals[set->n_refusals++] = refusal;
        return 0;
}

int plan_set_add(PlanSet *set, Plan *plan)
{
        Plan **more = reallocarray(set->plans, set->n_plans + 1, sizeof(more[0]));
        if (!more) {
                plan_free(plan);
                return -ENOMEM;
        }
        set->plans = more;
        set->plans[set->n_plans++] = plan;
        return 0;
}

int plan_function_from(const PciFunction *function, const Grown *grown, bool is_target, PlanFunction *ret)
{
        *ret = (PlanFunction){
                .address = function->address,
                .path = topology_path(function),
                .class = function->class,
                .vendor = function->vendor,
                .device = function->device,
                .subvendor = function->subvendor,
                .subdevice = function->subdevice,
                .driver = function->driver ? strdup(function->driver) : NULL,
                .on_vfio = function->on_vfio,
                .is_bridge = function->is_bridge,
                .is_target = is_target,
                .iommu_group = function->iommu_group,
                .resources = function->resources,
        };
        if (!ret->path || (function->driver && !ret->driver))
                return -ENOMEM;
        return grown_own_sizes(grown, function, &ret->own);
}
