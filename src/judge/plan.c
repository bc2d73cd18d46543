/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/plan.h"

#include "base/page.h"
#include "model/alignment-param.h"

#include <errno.h>
#include <string.h>

static const struct {
        const char *name;
        bool has_function;
} step_kinds[PLAN_STEP_COUNT_] = {
        [PLAN_STEP_ENTRIES] = { "entries", false }, [PLAN_STEP_UNBIND] = { "unbind", true },
        [PLAN_STEP_REMOVE] = { "remove", true },    [PLAN_STEP_RESCAN] = { "rescan", false },
        [PLAN_STEP_VERIFY] = { "verify", false },   [PLAN_STEP_BIND] = { "bind", true },
        [PLAN_STEP_RESTORE] = { "restore", true },  [PLAN_STEP_DROP_ENTRIES] = { "drop-entries", false },
};

const char *plan_step_name(PlanStepKind kind)
{
        return step_kinds[kind].name;
}

bool plan_step_has_function(PlanStepKind kind)
{
        return step_kinds[kind].has_function;
}

static const char *const scope_names[PLAN_SCOPE_COUNT_] = {
        [PLAN_SCOPE_FUNCTION] = "function",
        [PLAN_SCOPE_BUS] = "bus",
        [PLAN_SCOPE_NONE] = "none",
};

static const char *const goal_names[PLAN_GOAL_COUNT_] = {
        [PLAN_GOAL_REALIGN] = "realign",   [PLAN_GOAL_RESTORE] = "restore", [PLAN_GOAL_DETACH] = "detach",
        [PLAN_GOAL_REATTACH] = "reattach", [PLAN_GOAL_PREPARE] = "prepare",
};

const char *plan_scope_name(PlanScope scope)
{
        return scope_names[scope];
}

int plan_scope_parse(const char *name, PlanScope *ret)
{
        for (PlanScope scope = 0; scope < PLAN_SCOPE_COUNT_; scope++)
                if (strcmp(name, scope_names[scope]) == 0) {
                        *ret = scope;
                        return 0;
                }
        return -EINVAL;
}

const char *plan_goal_name(PlanGoal goal)
{
        return goal_names[goal];
}

int plan_goal_parse(const char *name, PlanGoal *ret)
{
        for (PlanGoal goal = 0; goal < PLAN_GOAL_COUNT_; goal++)
                if (strcmp(name, goal_names[goal]) == 0) {
                        *ret = goal;
                        return 0;
                }
        return -EINVAL;
}

bool plan_gives_back(const Plan *plan, const PlanFunction *function)
{
        bool is_given_back = plan->goal == PLAN_GOAL_RESTORE ||
                             (plan->goal == PLAN_GOAL_REATTACH && plan->scope != PLAN_SCOPE_NONE);
        return is_given_back && function->is_target &&
               own_sizes_are_exceeded(&function->own, &function->resources);
}

bool plan_is_for_vfio(const Plan *plan, const PlanFunction *function)
{
        bool is_promised = plan->goal == PLAN_GOAL_PREPARE && function->is_target;
        return (function->on_vfio || is_promised) && !function->is_bridge;
}

bool plan_climbs(Reason reason)
{
        static const Reason reasons[] = { REASON_BAR_LOST, REASON_BAR_UNASSIGNED, REASON_PAGE_SHARED };
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (reasons[i] == reason)
                        return true;
        return false;
}

bool plan_changes_driver(const Plan *plan, const PlanFunction *function)
{
        return (plan->goal == PLAN_GOAL_DETACH || plan->goal == PLAN_GOAL_REATTACH) && function->is_target;
}

Plan *plan_free(Plan *plan)
{
        if (!plan)
                return NULL;
        for (size_t i = 0; i < plan->n_functions; i++) {
                free(plan->functions[i].path);
                free(plan->functions[i].driver);
        }
        free(plan->functions);
        free(plan->narrowed_detail);
        free(plan->steps);
        free(plan);
        return NULL;
}

PlanSet *plan_set_free(PlanSet *set)
{
        if (!set)
                return NULL;
        for (size_t i = 0; i < set->n_plans; i++)
                plan_free(set->plans[i]);
        for (size_t i = 0; i < set->n_refusals; i++)
                free(set->refusals[i].detail);
        free(set->plans);
        free(set->refusals);
        free(set);
        return NULL;
}

/* Steps about one function apply to it when … */
static bool step_applies(const Plan *plan, PlanStepKind kind, size_t index)
{
        const PlanFunction *function = &plan->functions[index];

        switch (kind) {
        case PLAN_STEP_UNBIND:
                return function->driver && !function->is_bridge;
        case PLAN_STEP_BIND:
                return (function->driver || plan_changes_driver(plan, function)) && !function->is_bridge;
        case PLAN_STEP_REMOVE:
                return plan->scope == PLAN_SCOPE_BUS
                                       ? index == 0
                                       : plan->scope == PLAN_SCOPE_FUNCTION && function->is_target;
        case PLAN_STEP_DROP_ENTRIES:
                return plan->scope != PLAN_SCOPE_NONE && !plan->keep_entry;
        case PLAN_STEP_ENTRIES:
        case PLAN_STEP_RESCAN:
        case PLAN_STEP_VERIFY:
                return plan->scope != PLAN_SCOPE_NONE;
        case PLAN_STEP_RESTORE:
        case PLAN_STEP_COUNT_:
                break;
        }
        return true;
}

int plan_derive_steps(Plan *plan)
{
        PlanStep *steps = calloc(PLAN_STEP_COUNT_ * (plan->n_functions + 1), sizeof(*steps));
        size_t n = 0;
        if (!steps)
                return -ENOMEM;

        for (PlanStepKind kind = 0; kind < PLAN_STEP_COUNT_; kind++) {
                size_t times = plan_step_has_function(kind) ? plan->n_functions : 1;
                for (size_t i = 0; i < times; i++)
                        if (step_applies(plan, kind, i))
                                steps[n++] = (PlanStep){ .kind = kind, .function = i };
        }
        free(plan->steps);
        plan->steps = steps;
        plan->n_steps = n;
        return 0;
}

char *plan_entry(const Plan *plan, const PlanFunction *function)
{
        return alignment_entry_format(function->path, page_order(function->alignment),
                                      page_order(plan->page));
}
