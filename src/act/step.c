/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/step.h"

#include "act/blocker.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

typedef struct StepCall {
        Transaction *transaction;
        PlanStepKind kind;
        const PlanFunction *planned; /* NULL where the kind has no function */
        JournalStep step;
        Finding *finding;
        bool is_late;
} StepCall;

static int add_step_fields(JsonObject *object, const StepCall *call, const char *state)
{
        int r = json_add_text(object, "transaction", call->transaction->journal.id);
        if (r == 0)
                r = json_add_text(object, "step", call->step.name);
        if (r == 0 && call->step.has_function)
                r = json_add_address(object, "function", call->step.function);
        if (r == 0)
                r = json_add_u64(object, "index", call->step.index);
        if (r == 0)
                r = json_add_u64(object, "of", call->step.of);
        if (r == 0 && call->step.detail)
                r = json_add_text(object, "detail", call->step.detail);
        return r == 0 ? json_add_text(object, "state", state) : r;
}

/* Progress is for whoever watches: without memory for it the transaction goes on. */
static void report(const StepCall *call, const char *state, uint64_t usec)
{
        const TransactionOptions *options = call->transaction->options;
        _cleanup_json_ JsonObject *object = json_object_new_object();

        if (object && add_step_fields(object, call, state) == 0 &&
            (usec == 0 || json_add_u64(object, "usec", usec) == 0))
                options->report(object, options->userdata);
}

static int work(void *argument)
{
        StepCall *call = argument;
        return step_work(call->kind)(call->transaction, call->planned, call->finding);
}

/* The deadline has passed and the step is still in the kernel, which cannot be called back (design §4 rule 8). */
static void late(void *argument)
{
        StepCall *call = argument;
        Transaction *transaction = call->transaction;
        bool needs_lock = call->kind == PLAN_STEP_REMOVE || call->kind == PLAN_STEP_RESCAN;
        _cleanup_free_ char *holder =
                        blocker_find(transaction->root,
                                     call->step.has_function ? &call->step.function : NULL, needs_lock);

        call->is_late = true;
        /* Nothing more will be taken out, so let others in again. */
        if (transaction->journal.stage == STAGE_TAKING)
                group_guard_close(&transaction->guard);
        call->step.state = "late";
        call->step.detail = holder;
        if (journal_progress(transaction->root, &transaction->journal, &call->step) < 0)
                call->step.detail = NULL; /* the report still tells it */
        report(call, "late", 0);
        call->step.detail = NULL;
}

/* Before anything is removed, and not when what was taken is being put back. */
static bool is_taking(const StepCall *call)
{
        return call->transaction->journal.stage == STAGE_TAKING && !call->transaction->is_undoing &&
               (call->kind == PLAN_STEP_ENTRIES || call->kind == PLAN_STEP_UNBIND);
}

/* What the step left, as an answer. */
static int conclude(StepCall *call, int r)
{
        Transaction *transaction = call->transaction;
        PciAddress about = call->step.has_function ? call->step.function
                                                   : transaction->journal.plan->functions[0].address;
        if (r < 0)
                r = finding_make(call->finding, REASON_STEP_FAILED, about, "%s: %s", call->step.name,
                                 strerror(-r));
        if (r == FINDING_NONE && call->is_late && is_taking(call))
                r = finding_make(call->finding, REASON_STEP_LATE, about, "%s", call->step.name);
        return r;
}

int step_run(Transaction *transaction, PlanStepKind kind, size_t index, size_t position, size_t count,
             Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        StepCall call = {
                .transaction = transaction,
                .kind = kind,
                .planned = plan_step_has_function(kind) ? &plan->functions[index] : NULL,
                .finding = finding,
                .step = {
                        .name = plan_step_name(kind),
                        .has_function = plan_step_has_function(kind),
                        .index = position,
                        .of = count,
                        .state = "begin",
                },
        };
        if (call.planned)
                call.step.function = transaction_address(transaction, call.planned);

        uint64_t began = deadline_now();
        int r = journal_progress(transaction->root, &transaction->journal, &call.step);
        /* Putting things back does not depend on what this step would have noted: recovery would do all of it again. */
        if (r < 0 && !transaction->is_undoing)
                return conclude(&call, r);
        report(&call, "begin", 0);

        transaction->kernel_usec = 0;
        r = conclude(&call, deadline_run(transaction->deadline, plan->step_timeout_usec, work, late, &call));

        ResultStep timing = {
                .name = call.step.name,
                .function = call.step.function,
                .has_function = call.step.has_function,
                .usec = deadline_now() - began,
                .kernel_usec = transaction->kernel_usec,
        };
        report(&call, r == FINDING_NONE ? "done" : "failed", timing.usec);
        return result_add_step(&transaction->result, &timing) < 0 ? conclude(&call, -ENOMEM) : r;
}

int step_run_all(Transaction *transaction, PlanStepKind kind, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        int r = FINDING_NONE;

        for (size_t i = 0; i < plan->n_steps && r == FINDING_NONE; i++)
                if (plan->steps[i].kind == kind)
                        r = step_run(transaction, kind, plan->steps[i].function, i, plan->n_steps, finding);
        return r;
}
