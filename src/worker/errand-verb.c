/* SPDX-License-Identifier: GPL-2.0-or-later */

/* --restore, --detach, --reattach and --prepare: plans and executes in one process, and says what came of it as --execute does. */

#include "act/outcome.h"
#include "base/json-document.h"
#include "judge/plan-document.h"
#include "worker/worker.h"

#include <errno.h>

/* A result without a transaction: all is as wanted already, or something stands against it. */
static JsonObject *result_without_transaction(PlanGoal goal, const PlanSet *set)
{
        Outcome outcome = set->n_refusals > 0 ? OUTCOME_REFUSED : OUTCOME_VERIFIED;
        const PlanRefusal *first = set->n_refusals > 0 ? &set->refusals[0] : NULL;
        Reason reason = first ? first->reason : REASON_NONE;
        _cleanup_json_ JsonObject *object = json_object_new_object();

        if (!object || json_add_text(object, "transaction", "") < 0 ||
            json_add_text(object, "goal", plan_goal_name(goal)) < 0 ||
            json_add_text(object, "outcome", outcome_name(outcome)) < 0 ||
            json_add_text(object, "reason", reason_name(reason)) < 0 ||
            json_add_text(object, "text", reason_text(reason)) < 0 ||
            json_add_text(object, "remedy", reason_remedy(reason)) < 0 ||
            json_add_bool(object, "attempted", false) < 0 ||
            json_add(object, "functions", json_object_new_array()) < 0 ||
            json_add(object, "warnings", json_object_new_array()) < 0 ||
            json_add(object, "refusals", plan_refusals_to_json(set)) < 0)
                return NULL;
        if (first && (json_add_address(object, "culprit", first->culprit) < 0 ||
                      json_add_text(object, "detail", first->detail) < 0))
                return NULL;
        return TAKE_PTR(object);
}

static int say_without_transaction(PlanGoal goal, const PlanSet *set)
{
        _cleanup_json_ JsonObject *document = result_without_transaction(goal, set);
        if (!document) {
                worker_complain("out of memory");
                return WORKER_EXIT_ERROR;
        }
        worker_print(document);
        return set->n_refusals > 0 ? WORKER_EXIT_REFUSED : WORKER_EXIT_VERIFIED;
}

/* That its BARs did not get their own sizes back keeps no function from the host. */
static int reattach_as_it_is(const WorkerContext *context, PciAddress address)
{
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        char text[PCI_ADDRESS_TEXT_MAX];
        char *name = (char *) (uintptr_t) pci_address_format(address, text);
        WorkerContext keeping = *context;

        keeping.keep_sizes = true;
        int status = worker_make_plans(&keeping, 1, &name, &set);
        if (status == 0 && set->n_plans > 0)
                return worker_execute_plan(&keeping, TAKE_PTR(set->plans[0]), NULL);
        return status == 0 ? say_without_transaction(context->goal, set) : status;
}

/* The names of the targets of PLAN, in one piece of memory with the list of them. */
static char **target_names(const Plan *plan, size_t *ret_n)
{
        char **names = malloc(plan->n_functions * (sizeof(names[0]) + PCI_ADDRESS_TEXT_MAX));
        char *text = (char *) (names + plan->n_functions);
        size_t n = 0;

        for (size_t i = 0; names && i < plan->n_functions; i++, text += PCI_ADDRESS_TEXT_MAX)
                if (plan->functions[i].is_target)
                        names[n++] = (char *) (uintptr_t) pci_address_format(plan->functions[i].address,
                                                                             text);
        *ret_n = n;
        return names;
}

/* The next wider scope, at once, as long as that may help (design §4 rule 6). */
static int execute_on_ladder(const WorkerContext *context, Plan *first)
{
        _cleanup_(plan_freep) Plan *plan = first;

        for (;;) {
                _cleanup_(plan_set_freep) PlanSet *set = NULL;
                size_t n;
                _cleanup_free_ char **names = target_names(plan, &n);
                WorkerContext wider = *context;
                Reason reason = REASON_NONE;
                if (!names)
                        return WORKER_EXIT_ERROR;
                wider.lowest_rung = plan->rung + 1;

                int status = worker_execute_plan(context, TAKE_PTR(plan), &reason);
                if (status != WORKER_EXIT_ROLLED_BACK || !plan_climbs(reason) || worker_is_to_stop() ||
                    worker_make_plans(&wider, n, names, &set) != 0 || set->n_plans == 0)
                        return status;
                plan = TAKE_PTR(set->plans[0]);
        }
}

static int execute(const WorkerContext *context, Plan *plan)
{
        bool restores = plan->goal == PLAN_GOAL_REATTACH && plan->scope != PLAN_SCOPE_NONE;
        PciAddress address = plan->functions[0].address;

        if (plan->goal == PLAN_GOAL_PREPARE || plan->goal == PLAN_GOAL_RESTORE)
                return execute_on_ladder(context, plan);
        int status = worker_execute_plan(context, plan, NULL);
        return restores && status == WORKER_EXIT_ROLLED_BACK ? reattach_as_it_is(context, address) : status;
}

int worker_errand(const WorkerContext *context, size_t n, char *const *functions)
{
        _cleanup_(plan_set_freep) PlanSet *set = NULL;

        worker_ignore_signals();
        if (!worker_may_write(context))
                return WORKER_EXIT_ERROR;
        int status = worker_make_plans(context, n, functions, &set);
        if (status != 0)
                return status;
        /* Each plan is executed by itself: the first that went wrong is told by the exit status. */
        for (size_t i = 0; i < set->n_plans; i++) {
                if (i > 0 && worker_is_to_stop())
                        break;
                int own = execute(context, TAKE_PTR(set->plans[i]));
                status = status == 0 ? own : status;
        }
        if (set->n_plans == 0 || set->n_refusals > 0) {
                int own = say_without_transaction(context->goal, set);
                status = status == 0 ? own : status;
        }
        return status;
}
