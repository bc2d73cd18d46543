/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The worker's verbs, and what all of them get from the command line. One process does one of them and ends. */

#include "base/json-document.h"
#include "base/root.h"
#include "judge/plan.h"

typedef struct WorkerContext {
        const Root *root;
        const char *config;   /* --config: the policy file to use instead of the installed ones; NULL */
        uint64_t page;        /* bytes; the running kernel's but for --page-size */
        bool by_request;      /* --by-request: an administrator asks */
        bool no_listener;     /* --no-listener */
        unsigned lowest_rung; /* --lowest-rung: plans on narrower rungs have failed */
        PlanGoal goal;        /* with --restore, --detach, --reattach or --prepare another than to realign */
        bool keep_sizes;      /* reattach whatever after-reattach says */
} WorkerContext;

/* --plan: the plans and refusals for N functions as one document on standard output. Returns the exit status. */
int worker_plan(const WorkerContext *context, size_t n, char *const *functions) _nonnull_(1, 3);

/* --execute: runs the plan in FILE ("-": standard input). Returns the exit status (act/outcome.h). */
int worker_execute(const WorkerContext *context, const char *file) _nonnull_(1, 2);

/* --recover: finishes or undoes what the journal records. Returns the exit status. */
int worker_recover(const WorkerContext *context) _nonnull_(1);

/* --probe: what VFIO itself says of one function, as a document on standard output. Returns the exit status. */
int worker_probe(const WorkerContext *context, size_t n, char *const *functions) _nonnull_(1, 3);

/* --restore, --detach, --reattach, --prepare: plans for N functions and executes. Returns the exit status. */
int worker_errand(const WorkerContext *context, size_t n, char *const *functions) _nonnull_(1, 3);

/* --- what verbs have in common --- */

/* The plans for N functions. Returns 0, or the exit status that goes with the message that it has written. */
int worker_make_plans(const WorkerContext *context, size_t n, char *const *functions,
                      PlanSet **ret) _warn_unused_result_ _nonnull_(1, 3, 4);

/* Executes PLAN, which it takes over. Returns the exit status. *RET_REASON (may be NULL): what came of it. */
int worker_execute_plan(const WorkerContext *context, Plan *plan, Reason *ret_reason) _nonnull_(1, 2);

/*
 * A transaction is finished or undone, never left: whoever wants it to end has to wait (design §4 rule 7). Only
 * WORKER_STOP_SIGNAL is kept in mind.
 */
void worker_ignore_signals(void);

/* True once WORKER_STOP_SIGNAL has come: no transaction is begun any more. */
bool worker_is_to_stop(void);

/* False, with a message, when this is no root on the machine itself. */
bool worker_may_write(const WorkerContext *context) _nonnull_(1);

/* A line on standard output. Whoever listens may have gone; results are in their files as well. */
void worker_print(JsonObject *document) _nonnull_(1);

/* "vfio-realign-worker: …" on standard error. */
void worker_complain(const char *format, ...) _printf_(1, 2);
