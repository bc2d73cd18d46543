/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Undoing a transaction (design §4 rule 6). Every function that is removed again is proven idle first; what came into use
 * meanwhile stays as it is, and what has lost an address stays unbound.
 */

#include "act/step.h"
#include "act/verify.h"

/* Keeps the first finding; later ones are warnings. */
static int keep(Transaction *transaction, int answer, const Finding *fresh, Finding *first)
{
        if (answer != FINDING_MADE)
                return answer;
        if (first->reason == REASON_NONE) {
                *first = *fresh;
                return 0;
        }
        return transaction_warn(transaction, fresh);
}

/* For every function of the plan, whatever happens to one of them. */
static int for_each(Transaction *transaction, PlanStepKind kind, Finding *first)
{
        const Plan *plan = transaction->journal.plan;
        int r = 0;

        for (size_t i = 0; i < plan->n_steps && r == 0; i++) {
                Finding fresh = { 0 };
                if (plan->steps[i].kind == kind)
                        r = keep(transaction,
                                 step_run(transaction, kind, plan->steps[i].function, i, plan->n_steps,
                                          &fresh),
                                 &fresh, first);
        }
        return r;
}

/* On hold and off every driver, bound before or not, so that nothing can bind while it is gone. */
static int take_all_off(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        int r = FINDING_NONE;

        for (size_t i = 0; i < plan->n_functions && r == FINDING_NONE; i++)
                if (!plan->functions[i].is_bridge)
                        r = step_run(transaction, PLAN_STEP_UNBIND, i, i, plan->n_steps, finding);
        return r;
}

/* What is gone comes back, also when a removal failed half-way; how, is looked at then. */
static int remove_and_rescan(Transaction *transaction, Finding *finding)
{
        Finding fresh = { 0 };

        int r = take_all_off(transaction, finding);
        if (r != FINDING_NONE)
                return r;
        r = step_run_all(transaction, PLAN_STEP_REMOVE, finding);
        int rescan = step_run_all(transaction, PLAN_STEP_RESCAN, &fresh);
        if (r != FINDING_NONE || rescan == FINDING_NONE)
                return r;
        *finding = fresh;
        return rescan;
}

static int drop_entries(Transaction *transaction, EntriesWhich which, Finding *first)
{
        Finding fresh = { 0 };
        transaction->entries = which;
        return keep(transaction,
                    step_run(transaction, PLAN_STEP_DROP_ENTRIES, 0, 0, transaction->journal.plan->n_steps,
                             &fresh),
                    &fresh, first);
}

static bool gives_back(const Plan *plan)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (plan_gives_back(plan, &plan->functions[i]))
                        return true;
        return false;
}

int transaction_undo(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        JournalStage stage = transaction->journal.stage;
        Finding first = { 0 }, fresh = { 0 };

        transaction->is_undoing = true;
        int r = transaction_look(transaction);
        if (r == 0 && plan->scope != PLAN_SCOPE_NONE)
                r = drop_entries(transaction, ENTRIES_OF_UNGROWN, &first);
        if (r == 0 && gives_back(plan))
                r = keep(transaction, step_run(transaction, PLAN_STEP_ENTRIES, 0, 0, plan->n_steps, &fresh),
                         &fresh, &first);
        if (r == 0 && stage != STAGE_TAKING && stage != STAGE_UNDONE) {
                transaction->journal.stage = STAGE_UNDOING;
                if (plan->scope != PLAN_SCOPE_NONE && !verify_untouched(plan, transaction->now))
                        r = keep(transaction, remove_and_rescan(transaction, &fresh), &fresh, &first);
                /* What the kernel refused once may be tried again from here. */
                if (r == 0 && first.reason != REASON_STEP_FAILED)
                        transaction->journal.stage = STAGE_UNDONE;
        }
        if (r == 0)
                r = transaction_look(transaction);
        /* Whichever way it went: rolled back means that all are there, with every address of before. */
        if (r == 0 && first.reason == REASON_NONE)
                r = keep(transaction, verify_all_back(plan, transaction->now, &fresh), &fresh, &first);
        if (r == 0)
                r = for_each(transaction, PLAN_STEP_BIND, &first);
        if (r == 0)
                r = for_each(transaction, PLAN_STEP_RESTORE, &first);
        if (r == 0 && !plan->keep_entry)
                r = drop_entries(transaction, ENTRIES_ALL, &first);
        if (r < 0)
                return r;
        *finding = first;
        return first.reason == REASON_NONE ? FINDING_NONE : FINDING_MADE;
}
