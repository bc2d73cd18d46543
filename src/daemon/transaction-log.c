/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/transaction-log.h"

#include "base/text.h"
#include "daemon/bus-key.h"
#include "daemon/log.h"

#include <signal.h>
#include <string.h>

typedef struct OutcomeRow {
        Event event;
        int priority;
        bool names_all; /* functions beside the targets are named as well */
} OutcomeRow;

static const OutcomeRow rows[] = {
        [OUTCOME_VERIFIED] = { EVENT_TRANSACTION_VERIFIED, LOG_NOTICE, false },
        [OUTCOME_ROLLED_BACK] = { EVENT_TRANSACTION_ROLLED_BACK, LOG_WARNING, false },
        [OUTCOME_STALE] = { EVENT_TRANSACTION_STALE, LOG_NOTICE, false },
        [OUTCOME_FAILED] = { EVENT_TRANSACTION_FAILED, LOG_CRIT, true },
        [OUTCOME_REFUSED] = { EVENT_NONE, LOG_WARNING, false },
};

static const char *const state_texts[] = {
        [PROGRESS_BEGIN] = "",
        [PROGRESS_DONE] = " done",
        [PROGRESS_LATE] = " is late: the kernel has not finished it",
        [PROGRESS_FAILED] = " failed",
};

static bool is_first(const WorkerProgress *progress)
{
        return progress->index == 0 && progress->state == PROGRESS_BEGIN;
}

static int progress_priority(const WorkerProgress *progress, bool foreign)
{
        if (progress->state == PROGRESS_LATE || progress->state == PROGRESS_FAILED)
                return LOG_WARNING;
        return foreign || is_first(progress) ? LOG_INFO : LOG_DEBUG;
}

char *transaction_log_progress(const WorkerProgress *progress, const char *bus, bool foreign)
{
        const char *detail = progress->detail;
        char *text = text_format("%s%s%s (%llu of %llu)%s%s%s%s", progress->step,
                                 progress->function ? " of " : "",
                                 progress->function ? progress->function : "",
                                 (unsigned long long) progress->index + 1, (unsigned long long) progress->of,
                                 state_texts[progress->state], detail ? " (" : "", detail ? detail : "",
                                 detail ? ")" : "");
        LogContext about = {
                .event = is_first(progress) ? EVENT_TRANSACTION_STARTED : EVENT_NONE,
                .bus = bus,
                .function = progress->function,
                .transaction = progress->transaction,
                .step = progress->step,
                .reason = progress->state == PROGRESS_LATE ? REASON_STEP_LATE : REASON_NONE,
                .duration_usec = progress->usec,
        };
        if (text)
                log_say(progress_priority(progress, foreign), &about, "Transaction %s: %s",
                        progress->transaction, text);
        return text;
}

/* What weakens isolation, or makes something worse, is to be seen also where warnings are not (design §4 rules 6 and 9). */
static int warning_priority(Reason reason)
{
        if (reason == REASON_GROUP_CHANGED || reason == REASON_VERDICT_WORSE)
                return LOG_CRIT;
        return reason == REASON_GROUP_RENUMBERED ? LOG_NOTICE : LOG_WARNING;
}

/* "0000:03:00.0: WHAT: DETAIL" */
static char *warning_text(const ReportWarning *warning)
{
        return text_format("%s%s%s%s%s", warning->function ? warning->function : "",
                           warning->function ? ": " : "", reason_text(warning->reason),
                           warning->detail ? ": " : "", warning->detail ? warning->detail : "");
}

static void log_warning(const WorkerResult *result, const char *bus, const ReportWarning *warning,
                        int priority)
{
        _cleanup_free_ char *text = warning_text(warning);
        LogContext about = {
                .bus = bus,
                .function = warning->function,
                .transaction = result->transaction,
                .reason = warning->reason,
        };
        log_say(priority, &about, "Transaction %s: %s. Remedy: %s.", result->transaction, text ? text : "",
                reason_remedy(warning->reason));
}

char *transaction_state_text(const WorkerResult *result)
{
        char *text = strdup("");
        for (size_t i = 0; i < result->n_state && text; i++) {
                _cleanup_free_ char *one = warning_text(&result->state[i]);
                text_replace(&text, "%s%s%s", text, *text ? "; " : "", one ? one : "");
        }
        return text;
}

/* ": 0000:03:00.0: REASON (DETAIL). Remedy: …" */
static char *why(const WorkerResult *result)
{
        if (result->reason == REASON_NONE)
                return strdup("");
        return text_format("; %s%s%s%s%s%s. Remedy: %s.", result->culprit ? result->culprit : "",
                           result->culprit ? ": " : "", reason_text(result->reason),
                           result->detail ? " (" : "", result->detail ? result->detail : "",
                           result->detail ? ")" : "", reason_remedy(result->reason));
}

/* The key of the bus that it was about; NULL: it names no target. */
static char *bus_of(const WorkerResult *result)
{
        for (size_t i = 0; i < result->n_functions; i++)
                if (result->functions[i].target)
                        return bus_key_from_topology_path(result->functions[i].path);
        return NULL;
}

/* Asked for functions, the worker began no transaction: all was as it should be, or something stands against it. */
static void log_no_transaction(const WorkerResult *result, const char *reason)
{
        LogContext about = { .function = result->culprit, .reason = result->reason };
        if (result->reason != REASON_NONE)
                log_say(rows[result->outcome].priority, &about, "No transaction was begun%s",
                        reason ? reason : "");
}

void transaction_log_result(const WorkerResult *result)
{
        const OutcomeRow *row = &rows[result->outcome];
        _cleanup_free_ char *functions = worker_result_functions_text(result, !row->names_all);
        _cleanup_free_ char *reason = why(result), *bus = bus_of(result);
        if (!*result->transaction) {
                log_no_transaction(result, reason);
                return;
        }
        LogContext about = {
                .event = row->event,
                .bus = bus,
                .function = result->culprit ? result->culprit : functions,
                .transaction = result->transaction,
                .reason = result->reason,
                .duration_usec = result->usec,
        };
        log_say(row->priority, &about, "Transaction %s: %s: %s, %llu ms, %llu of them the kernel's%s",
                result->transaction, outcome_name(result->outcome), functions ? functions : "",
                (unsigned long long) result->usec / 1000, (unsigned long long) result->kernel_usec / 1000,
                reason ? reason : "");
        for (size_t i = 0; i < result->n_warnings; i++)
                log_warning(result, bus, &result->warnings[i], warning_priority(result->warnings[i].reason));
        for (size_t i = 0; i < result->n_state; i++)
                log_warning(result, bus, &result->state[i], LOG_CRIT);
}

void transaction_log_no_result(WorkerVerb verb, const char *bus, const WorkerEnd *end)
{
        LogContext about = { .event = EVENT_TRANSACTION_LOST, .bus = bus };
        const char *name = worker_verb_name(verb);
        if (end->code == CLD_EXITED)
                log_say(LOG_ERR, &about,
                        "The worker (--%s) ended without a result, with exit status %d: see its message.",
                        name, end->status);
        else
                log_say(LOG_ERR, &about, "The worker (--%s) was ended by signal %d (%s).", name, end->status,
                        strsignal(end->status));
}
