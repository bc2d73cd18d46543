/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The worker's three verbs, and what all of them get from the command line. One process does one of them and ends. */

#include "base/root.h"

typedef struct WorkerContext {
        const Root *root;
        const char *config;   /* --config: the policy file to use instead of the installed ones; NULL */
        uint64_t page;        /* bytes; the running kernel's but for --page-size */
        bool by_request;      /* --by-request: an administrator asks */
        bool no_listener;     /* --no-listener */
        unsigned lowest_rung; /* --lowest-rung: plans on narrower rungs have failed */
} WorkerContext;

/* --plan: the plans and refusals for N functions as one document on standard output. Returns the exit status. */
int worker_plan(const WorkerContext *context, size_t n, char *const *functions) _nonnull_(1, 3);

/* --execute: runs the plan in FILE ("-": standard input). Returns the exit status (act/outcome.h). */
int worker_execute(const WorkerContext *context, const char *file) _nonnull_(1, 2);

/* --recover: finishes or undoes what the journal records. Returns the exit status. */
int worker_recover(const WorkerContext *context) _nonnull_(1);

/* "vfio-realign-worker: …" on standard error. */
void worker_complain(const char *format, ...) _printf_(1, 2);
