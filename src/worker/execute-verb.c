/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/lock.h"
#include "act/outcome.h"
#include "act/transaction.h"
#include "base/read-until-end.h"
#include "base/text.h"
#include "judge/plan-document.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define PLAN_SIZE_MAX (64u << 20)

void worker_ignore_signals(void)
{
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR2 };
        sigset_t stop;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                signal(signals[i], SIG_IGN);
        /* Before any thread is made, so that it interrupts no call of any: it is asked for between the steps. */
        sigemptyset(&stop);
        sigaddset(&stop, WORKER_STOP_SIGNAL);
        (void) sigprocmask(SIG_BLOCK, &stop, NULL);
}

bool worker_is_to_stop(void)
{
        sigset_t pending;
        return sigpending(&pending) == 0 && sigismember(&pending, WORKER_STOP_SIGNAL) == 1;
}

void worker_print(JsonObject *document)
{
        (void) !puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN));
        (void) !fflush(stdout);
}

static void report(JsonObject *document, void *userdata)
{
        worker_print(document);
}

static bool is_to_stop(void *userdata)
{
        return worker_is_to_stop();
}

/* Only root's plans are followed: a file must be root's, and nobody else may be able to write it. */
static int open_plan(const char *file, FILE **ret)
{
        struct stat st;
        _cleanup_fclose_ FILE *stream =
                        strcmp(file, "-") == 0 ? fdopen(dup(STDIN_FILENO), "re") : fopen(file, "re");
        if (!stream)
                return -errno;
        if (fstat(fileno(stream), &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (S_ISREG(st.st_mode) && (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        *ret = TAKE_PTR(stream);
        return 0;
}

static int read_plan(const char *file, Plan **ret, char **ret_problem)
{
        _cleanup_fclose_ FILE *stream = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        size_t size;
        int r = open_plan(file, &stream);
        if (r == -EPERM)
                *ret_problem = text_format("the file is not one that only root can write");
        if (r == 0)
                r = read_until_end(fileno(stream), PLAN_SIZE_MAX, NULL, NULL, &text, &size);
        if (r == 0 && strlen(text) != size)
                r = -EBADMSG;
        if (r == 0)
                r = json_document_parse(text, &document, ret_problem);
        return r == 0 ? plan_from_json(document, ret, ret_problem) : r;
}

/* The lock, or the exit status that says why not. */
static int take_lock(const WorkerContext *context, int *ret_fd, int *ret_status)
{
        int r = lock_take(context->root, ret_fd);
        if (r == LOCK_TAKEN)
                return 0;
        if (r == LOCK_HELD) {
                worker_complain("another transaction is running: wait for it to end (its steps are in /" PROGRESS_PATH
                                ")");
                *ret_status = WORKER_EXIT_LOCKED;
                return -EBUSY;
        }
        worker_complain("cannot take the lock /" LOCK_PATH ": %s", strerror(-r));
        *ret_status = WORKER_EXIT_ERROR;
        return r;
}

bool worker_may_write(const WorkerContext *context)
{
        if (geteuid() == 0 || !root_is_host(context->root))
                return true;
        worker_complain("only root can execute a plan");
        return false;
}

static int exit_status(int r)
{
        if (r >= 0)
                return outcome_exit_status((Outcome) r);
        worker_complain("the transaction could not be carried out: %s", strerror(-r));
        return WORKER_EXIT_ERROR;
}

int worker_execute_plan(const WorkerContext *context, Plan *taken, Reason *ret_reason)
{
        _cleanup_close_ int lock = -1;
        _cleanup_(plan_freep) Plan *plan = taken;
        _cleanup_(transaction_freep) Transaction *transaction = NULL;
        const TransactionOptions options = { .no_listener = context->no_listener,
                                             .report = report,
                                             .is_to_stop = is_to_stop };
        int status;

        if (take_lock(context, &lock, &status) < 0)
                return status;
        if (root_exists(context->root, JOURNAL_PATH) != 0) {
                worker_complain("an interrupted transaction is recorded in /" JOURNAL_PATH
                                ": run vfio-realign-worker --recover first; nothing was changed");
                return WORKER_EXIT_ERROR;
        }
        int r = transaction_new(context->root, &options, plan, &transaction);
        if (r == 0) {
                (void) TAKE_PTR(plan);
                r = transaction_execute(transaction);
                if (ret_reason)
                        *ret_reason = transaction->result.finding.reason;
        }
        return exit_status(r);
}

int worker_execute(const WorkerContext *context, const char *file)
{
        _cleanup_free_ char *problem = NULL;
        _cleanup_(plan_freep) Plan *plan = NULL;

        worker_ignore_signals();
        if (!worker_may_write(context))
                return WORKER_EXIT_ERROR;
        int r = read_plan(file, &plan, &problem);
        if (r < 0) {
                worker_complain("cannot follow the plan %s: %s; nothing was changed", file,
                                problem ? problem : strerror(-r));
                return WORKER_EXIT_ERROR;
        }
        if (plan->page != context->page) {
                worker_complain("the plan %s is for pages of %llu bytes, this kernel's have %llu; nothing was changed",
                                file, (unsigned long long) plan->page, (unsigned long long) context->page);
                return WORKER_EXIT_ERROR;
        }
        return worker_execute_plan(context, TAKE_PTR(plan), NULL);
}

int worker_recover(const WorkerContext *context)
{
        _cleanup_close_ int lock = -1;
        _cleanup_free_ char *problem = NULL;
        _cleanup_(transaction_freep) Transaction *transaction = NULL;
        const TransactionOptions options = { .no_listener = context->no_listener, .report = report };
        Journal journal = { 0 };
        int status;

        worker_ignore_signals();
        if (!worker_may_write(context))
                return WORKER_EXIT_ERROR;
        if (take_lock(context, &lock, &status) < 0)
                return status;
        int r = journal_read(context->root, &journal, &problem);
        if (r == JOURNAL_NONE)
                return WORKER_EXIT_VERIFIED;
        if (r == JOURNAL_INVALID) {
                worker_complain("the journal /" JOURNAL_PATH
                                " is not followed: %s; it was set aside. Compare "
                                "\"vfio-realign status\" with what this machine should have",
                                problem ? problem : "");
                return WORKER_EXIT_ERROR;
        }
        if (r == 0)
                r = transaction_new_from_journal(context->root, &options, &journal, &transaction);
        if (r == 0)
                r = transaction_recover(transaction);
        journal_clear(&journal);
        return exit_status(r);
}
