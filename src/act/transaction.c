/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/transaction.h"

#include "act/aftermath.h"
#include "act/entries.h"
#include "act/growth.h"
#include "act/kernel-log.h"
#include "act/step.h"
#include "act/verify.h"
#include "base/text.h"
#include "judge/host-use.h"
#include "judge/plan-proof.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-id128.h>

#define KERNEL_LOG_USEC UINT64_C(500000) /* how long a result may wait for the kernel's lines */

/* What is not known in time, or not at all, is left out: the result does not hang on it. */
static void ask_kernel(Transaction *transaction)
{
        const Plan *plan = transaction->journal.plan;
        _cleanup_free_ PciAddress *addresses = calloc(plan->n_functions, sizeof(*addresses));
        if (!addresses || !root_is_host(transaction->root))
                return;
        for (size_t i = 0; i < plan->n_functions; i++)
                addresses[i] = plan->functions[i].address;
        if (kernel_log_read(NULL, addresses, plan->n_functions, transaction->began, KERNEL_LOG_USEC,
                            &transaction->result.kernel) < 0)
                transaction->result.kernel = NULL;
}

Transaction *transaction_free(Transaction *transaction)
{
        if (!transaction)
                return NULL;
        deadline_free(transaction->deadline);
        group_guard_close(&transaction->guard);
        udev_wait_free(transaction->udev);
        topology_free(transaction->now);
        journal_clear(&transaction->journal);
        result_clear(&transaction->result);
        free(transaction->known.addresses);
        free(transaction);
        return NULL;
}

static int transaction_alloc(const Root *root, const TransactionOptions *options, Transaction **ret)
{
        _cleanup_(transaction_freep) Transaction *transaction = calloc(1, sizeof(*transaction));
        if (!transaction)
                return -ENOMEM;
        transaction->root = root;
        transaction->options = options;
        transaction->began = deadline_now();
        int r = deadline_new(&transaction->deadline);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(transaction);
        return 0;
}

int transaction_new(const Root *root, const TransactionOptions *options, Plan *plan, Transaction **ret)
{
        _cleanup_(transaction_freep) Transaction *transaction = NULL;
        sd_id128_t id;

        int r = transaction_alloc(root, options, &transaction);
        if (r < 0)
                return r;
        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        sd_id128_to_string(id, transaction->journal.id);
        transaction->journal.plan = plan;
        transaction->journal.stage = STAGE_TAKING;
        *ret = TAKE_PTR(transaction);
        return 0;
}

int transaction_new_from_journal(const Root *root, const TransactionOptions *options, Journal *journal,
                                 Transaction **ret)
{
        Transaction *transaction;
        int r = transaction_alloc(root, options, &transaction);
        if (r < 0)
                return r;
        transaction->journal = *journal;
        *journal = (Journal){ 0 };
        *ret = transaction;
        return 0;
}

int transaction_look(Transaction *transaction)
{
        _cleanup_free_ char *problem = NULL;
        Topology *topology;
        int r = topology_read(transaction->root, &topology, &problem);
        if (r < 0)
                return r;
        topology_free(transaction->now);
        transaction->now = topology;
        transaction->is_as_rescanned = false;
        return 0;
}

PciAddress transaction_address(const Transaction *transaction, const PlanFunction *planned)
{
        const PciFunction *function =
                        transaction->now ? topology_find_path(transaction->now, planned->path) : NULL;
        return function ? function->address : planned->address;
}

int transaction_warn(Transaction *transaction, const Finding *finding)
{
        return result_add_warning(&transaction->result, finding);
}

int transaction_warn_about(Transaction *transaction, int answer, const Finding *finding)
{
        return answer == FINDING_MADE ? transaction_warn(transaction, finding) : answer;
}

/* Which functions the machine has, so that those which appear because of the rescan can be told. */
static int remember_known(Transaction *transaction)
{
        const Topology *now = transaction->now;
        KnownFunctions *known = &transaction->known;
        known->addresses = calloc(now->n_functions, sizeof(known->addresses[0]));
        if (!known->addresses)
                return -ENOMEM;
        for (size_t i = 0; i < now->n_functions; i++)
                known->addresses[i] = now->functions[i].address;
        known->n = now->n_functions;
        return 0;
}

/* What the host does with functions that are to be taken off its drivers. */
static int add_host_use(const Transaction *transaction, Usage *usage)
{
        const Plan *plan = transaction->journal.plan;
        const PciFunction **functions = calloc(plan->n_functions, sizeof(functions[0]));
        size_t n = 0;
        if (!functions)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PciFunction *function = topology_find_path(transaction->now, plan->functions[i].path);
                if (function && function->driver && !function->on_vfio && !function->is_bridge)
                        functions[n++] = function;
        }
        int r = n > 0 ? host_use_add(transaction->root, functions, n, usage) : 0;
        free((void *) functions);
        return r;
}

static bool is_planned(const Plan *plan, PciAddress address)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (pci_address_equal(plan->functions[i].address, address))
                        return true;
        return false;
}

/* When that cannot be seen, less is told; it is no reason to go back. */
static bool is_gone(const Transaction *transaction, PciAddress address)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s", PCI_ADDRESS_TEXT(address));
        return path && root_exists(transaction->root, path) == 0;
}

void transaction_forget_gone(Transaction *transaction)
{
        KnownFunctions *known = &transaction->known;
        size_t n = 0;
        for (size_t i = 0; i < known->n; i++)
                if (is_planned(transaction->journal.plan, known->addresses[i]) ||
                    !is_gone(transaction, known->addresses[i]))
                        known->addresses[n++] = known->addresses[i];
        known->n = n;
}

/* Rule 1, again and under the lock. Opening the group files is the last test. */
static int prove(Transaction *transaction, Finding *finding)
{
        _cleanup_(usage_freep) Usage *usage = NULL;
        _cleanup_(grown_freep) Grown *grown = NULL;
        _cleanup_free_ char *problem = NULL, *grown_problem = NULL;
        const Plan *plan = transaction->journal.plan;
        Obstacle obstacle;

        int r = transaction_look(transaction);
        if (r == 0)
                r = remember_known(transaction);
        if (r == 0)
                r = usage_read(transaction->root, transaction->now, &usage, &problem);
        if (r == 0)
                r = add_host_use(transaction, usage);
        if (r == 0)
                r = grown_load(transaction->root, &grown, &grown_problem);
        if (r == 0)
                r = plan_prove(plan, transaction->now, usage, grown, &obstacle);
        if (r < 0)
                return r;
        if (obstacle.reason != REASON_NONE) {
                _cleanup_free_ char *holder = obstacle.holder ? usage_text(usage, obstacle.holder) : NULL;
                return finding_make(finding, obstacle.reason, obstacle.culprit, "%s", holder ? holder : "");
        }
        r = plan->scope == PLAN_SCOPE_NONE ? FINDING_NONE : entries_check(transaction->root, plan, finding);
        return r == FINDING_NONE ? group_guard_open(&transaction->guard, transaction->root, plan, finding)
                                 : r;
}

/* What may block is done under the deadline as well. */
typedef struct SaveCall {
        Transaction *transaction;
        bool is_late;
} SaveCall;

static int save_work(void *argument)
{
        SaveCall *call = argument;
        Transaction *transaction = call->transaction;
        int r = saved_state_read(transaction->root, transaction->journal.plan, &transaction->journal.state);
        return r < 0 ? r : udev_wait_new(transaction->root, &transaction->udev);
}

static void save_late(void *argument)
{
        SaveCall *call = argument;
        call->is_late = true;
        group_guard_close(&call->transaction->guard);
}

static int save(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        SaveCall call = { .transaction = transaction };

        int r = deadline_run(transaction->deadline, plan->step_timeout_usec, save_work, save_late, &call);
        if (r == 0 && call.is_late)
                return finding_make(finding, REASON_STEP_LATE, plan->functions[0].address,
                                    "reading what has to be restored");
        return r == 0 ? journal_begin(transaction->root, &transaction->journal) : r;
}

/* The result is written before the journal goes: a crash in between is recovered to the same end. */
static int finish(Transaction *transaction, Outcome outcome, const Finding *finding)
{
        Result *result = &transaction->result;
        const Journal *journal = &transaction->journal;

        result->outcome = outcome;
        result->finding = *finding;
        result->usec = deadline_now() - transaction->began;
        if (outcome != OUTCOME_STALE && transaction_look(transaction) == 0) {
                int r = aftermath_warn(transaction);
                if (r == 0 && outcome == OUTCOME_FAILED)
                        r = aftermath_describe(transaction);
                if (r < 0)
                        return r;
                /* A record that is not needed any more does no harm. */
                (void) !growth_tidy(transaction->root, transaction->now);
        }
        if (outcome != OUTCOME_STALE)
                ask_kernel(transaction);
        _cleanup_json_ JsonObject *document =
                        result_to_json(result, journal->id, journal->plan, transaction->now);
        if (!document)
                return -ENOMEM;
        int r = result_write(transaction->root, journal->id, document);
        if (r == 0)
                r = journal_end(transaction->root);
        transaction->options->report(document, transaction->options->userdata);
        return r < 0 ? r : (int) outcome;
}

/* Whoever waits for it waits no longer: that is heard as long as all can still be put back without a rescan. */
static int check_stop(const Transaction *transaction, PlanStepKind next, Finding *finding)
{
        const TransactionOptions *options = transaction->options;
        if (transaction->journal.stage != STAGE_TAKING || !options->is_to_stop ||
            !options->is_to_stop(options->userdata))
                return FINDING_NONE;
        return finding_make(finding, REASON_STOPPED, transaction->journal.plan->functions[0].address,
                            "before the first step %s", plan_step_name(next));
}

/* From the first entry to the last attribute, up to the first finding. */
static int go_forward(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        int r = FINDING_NONE;

        for (size_t i = 0; i < plan->n_steps && r == FINDING_NONE; i++) {
                const PlanStep *step = &plan->steps[i];
                r = check_stop(transaction, step->kind, finding);
                if (r != FINDING_NONE)
                        break;
                if (step->kind == PLAN_STEP_UNBIND)
                        transaction->result.attempted = true;
                if (step->kind == PLAN_STEP_REMOVE) {
                        transaction->result.attempted = true;
                        transaction->journal.stage = STAGE_REMOVING;
                        /* All is unbound; what holds a group open would only keep its number from being used again. */
                        group_guard_close(&transaction->guard);
                }
                if (step->kind == PLAN_STEP_BIND || step->kind == PLAN_STEP_RESTORE) {
                        transaction->journal.stage = STAGE_BINDING;
                        group_guard_close(&transaction->guard);
                }
                r = step_run(transaction, step->kind, step->function, i, plan->n_steps, finding);
        }
        group_guard_close(&transaction->guard);
        /* Something stood against the first removal: nothing is gone, and for nothing's return has udev to be waited. */
        if (r != FINDING_NONE && transaction->journal.stage == STAGE_REMOVING && !transaction->has_removed)
                transaction->journal.stage = STAGE_TAKING;
        return r;
}

/* An error is a finding here: how far things were undone has to be told. */
static int undo(Transaction *transaction, const Finding *cause, Finding *finding)
{
        int r = transaction_undo(transaction, finding);
        if (r < 0 && r != -ENOMEM)
                r = finding_make(finding, REASON_STEP_FAILED, cause->culprit, "undoing: %s", strerror(-r));
        return r;
}

/* Undoes and finishes: rolled back, or failed when that did not go well either. */
static int undo_and_finish(Transaction *transaction, const Finding *cause)
{
        Finding finding;
        int r = undo(transaction, cause, &finding);
        /* One error must not leave functions missing or without driver: all of it is tried once more. */
        if (r == FINDING_MADE &&
            (finding.reason == REASON_STEP_FAILED || finding.reason == REASON_FUNCTION_MISSING ||
             finding.reason == REASON_WRONG_DRIVER)) {
                r = transaction_warn(transaction, &finding);
                if (r == 0)
                        r = undo(transaction, cause, &finding);
        }
        if (r < 0)
                return r;
        if (r == FINDING_NONE)
                return finish(transaction, OUTCOME_ROLLED_BACK, cause);
        r = transaction_warn(transaction, cause);
        return r < 0 ? r : finish(transaction, OUTCOME_FAILED, &finding);
}

/* What the policy wants and the plan cannot do: the function goes back to the host grown as it is. */
static int tell_kept(Transaction *transaction)
{
        const Plan *plan = transaction->journal.plan;
        Finding warning;

        if (plan->goal != PLAN_GOAL_REATTACH || plan->narrowed == REASON_NONE)
                return 0;
        finding_make(&warning, plan->narrowed, plan->narrowed_by,
                     "its BARs do not get their own sizes back%s%s", plan->narrowed_detail ? ": it is " : "",
                     plan->narrowed_detail ? plan->narrowed_detail : "");
        return transaction_warn(transaction, &warning);
}

int transaction_execute(Transaction *transaction)
{
        Finding finding = { 0 };

        int r = prove(transaction, &finding);
        if (r == FINDING_NONE)
                r = save(transaction, &finding);
        if (r < 0)
                return r;
        if (r != FINDING_NONE) {
                group_guard_close(&transaction->guard);
                return finish(transaction, OUTCOME_STALE, &finding);
        }

        r = tell_kept(transaction);
        if (r == 0)
                r = go_forward(transaction, &finding);
        if (r == FINDING_NONE)
                return finish(transaction, OUTCOME_VERIFIED, &finding);
        return undo_and_finish(transaction, &finding);
}

/* Removals had begun: what is gone is brought back, and if it then is what was wanted, the work is finished. */
static int finish_removal(Transaction *transaction, Finding *finding)
{
        int r = step_run_all(transaction, PLAN_STEP_RESCAN, finding);
        if (r == FINDING_NONE)
                r = step_run_all(transaction, PLAN_STEP_VERIFY, finding);
        if (r == FINDING_NONE)
                transaction->journal.stage = STAGE_BINDING;
        return r;
}

static int finish_binding(Transaction *transaction, Finding *finding)
{
        int r = step_run_all(transaction, PLAN_STEP_BIND, finding);
        if (r == FINDING_NONE)
                r = step_run_all(transaction, PLAN_STEP_RESTORE, finding);
        return r == FINDING_NONE ? step_run_all(transaction, PLAN_STEP_DROP_ENTRIES, finding) : r;
}

int transaction_recover(Transaction *transaction)
{
        const Plan *plan = transaction->journal.plan;
        PciAddress about = plan->functions[0].address;
        Finding finding = { 0 }, none = { 0 };

        int r = transaction_look(transaction);
        if (r == 0)
                r = udev_wait_new(transaction->root, &transaction->udev);
        if (r == 0)
                r = udev_wait_ask(transaction->udev);
        if (r < 0)
                return r;
        transaction->result.attempted = transaction->journal.stage != STAGE_TAKING;
        finding_make(&finding, REASON_RECOVERED, about, "it was interrupted while %s",
                     journal_stage_name(transaction->journal.stage));
        r = transaction_warn(transaction, &finding);
        if (r < 0)
                return r;

        if (transaction->journal.stage == STAGE_REMOVING && !verify_untouched(plan, transaction->now))
                r = finish_removal(transaction, &finding);
        else if (transaction->journal.stage == STAGE_BINDING)
                r = step_run_all(transaction, PLAN_STEP_VERIFY, &finding); /* success is read, not assumed */
        if (r == FINDING_NONE && transaction->journal.stage == STAGE_BINDING)
                r = finish_binding(transaction, &finding);
        if (r == FINDING_NONE && transaction->journal.stage == STAGE_BINDING)
                return finish(transaction, OUTCOME_VERIFIED, &none);
        return undo_and_finish(transaction, &finding);
}
