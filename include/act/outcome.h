/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How a transaction ended, and with which exit status the worker says so. */

#include "base/util.h"

#include <signal.h>

typedef enum Outcome {
        OUTCOME_VERIFIED,
        OUTCOME_ROLLED_BACK,
        OUTCOME_STALE,   /* the world had changed; nothing was touched */
        OUTCOME_FAILED,  /* neither done nor undone: the result says what the machine looks like */
        OUTCOME_REFUSED, /* something stands against it: no transaction was begun */
} Outcome;

/* Exit statuses of vfio-realign-worker. */
enum {
        WORKER_EXIT_VERIFIED = 0, /* for --recover also: there was nothing to recover */
        WORKER_EXIT_ERROR = 1,    /* it could not even begin: bad plan, no root, … */
        WORKER_EXIT_USAGE = 2,
        WORKER_EXIT_ROLLED_BACK = 3,
        WORKER_EXIT_FAILED = 4,
        WORKER_EXIT_STALE = 5,
        WORKER_EXIT_LOCKED = 6,  /* another worker holds the machine-wide lock */
        WORKER_EXIT_REFUSED = 7, /* --detach and --reattach: a plan cannot be made */
};

/* What asks a worker to end: while nothing has been taken out it undoes what it has done; else it goes on. */
#define WORKER_STOP_SIGNAL SIGUSR1

/* "verified", "rolled-back", "stale", "failed", "refused" */
const char *outcome_name(Outcome outcome);
int outcome_parse(const char *name, Outcome *ret) _warn_unused_result_ _nonnull_(1, 2);
int outcome_exit_status(Outcome outcome);

/* Where the programs meet, relative to the root handle. */
#define RUN_DIRECTORY "run/vfio-realign"
#define LOCK_PATH RUN_DIRECTORY "/lock" /* flock()ed by the worker as long as a transaction runs */
#define JOURNAL_PATH                                                                                        \
        RUN_DIRECTORY "/transaction.json"            /* there while a transaction runs, or was interrupted */
#define PROGRESS_PATH RUN_DIRECTORY "/progress.json" /* replaced before each step of it */
#define RESULTS_DIRECTORY RUN_DIRECTORY "/results"   /* TRANSACTION.json each */
