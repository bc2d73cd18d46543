/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One child process of vfio-realign-worker and what comes from it. A worker that plans is killed at its deadline or when
 * the job is freed; one that executes or recovers never: it must outlive the daemon (design §4 rule 7).
 */

#include "base/util.h"
#include "daemon/line-reader.h"

#include <systemd/sd-event.h>

typedef enum WorkerVerb {
        WORKER_PLAN,
        WORKER_EXECUTE,
        WORKER_RECOVER,
        WORKER_RESTORE,
        WORKER_DETACH,
        WORKER_REATTACH,
        WORKER_PREPARE,
} WorkerVerb;

/* How it ended: CODE and STATUS as waitid(2) gives them (CLD_EXITED, CLD_KILLED, …). */
typedef struct WorkerEnd {
        int code;
        int status;
        const char *output; /* of WORKER_PLAN: all that it wrote, up to WORKER_OUTPUT_MAX; else "" */
        bool late;          /* it was killed because it did not end by its deadline */
        size_t n_dropped;   /* lines that could not be taken in */
} WorkerEnd;

#define WORKER_OUTPUT_MAX (16u << 20)
#define WORKER_PLAN_DEADLINE_USEC UINT64_C(35000000) /* the worker itself gives up after 30 s */

typedef void (*WorkerEndHandler)(const WorkerEnd *end, void *userdata);

typedef struct WorkerCommand {
        WorkerVerb verb;
        char *const *arguments;  /* NULL-terminated, [0] is the program */
        const char *input;       /* what it finds on standard input; NULL: nothing */
        LineHandler on_line;     /* of all but WORKER_PLAN: each line that it writes */
        WorkerEndHandler on_end; /* called once, last; may free the job */
        void *userdata;
} WorkerCommand;

typedef struct WorkerJob WorkerJob;

/* Starts the program. Negative errno: it could not be started (-ENOENT, -EACCES, …). SIGCHLD must be blocked. */
int worker_job_start(sd_event *event, const WorkerCommand *command, WorkerJob **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
WorkerJob *worker_job_free(WorkerJob *job);
DEFINE_CLEANUP(WorkerJob *, worker_job_free);

/* Asks the worker to stop (WORKER_STOP_SIGNAL), of which its end will tell. */
void worker_job_stop(const WorkerJob *job) _nonnull_(1);

WorkerVerb worker_job_verb(const WorkerJob *job) _nonnull_(1);
pid_t worker_job_pid(const WorkerJob *job) _nonnull_(1);
const char *worker_verb_name(WorkerVerb verb); /* "plan", "execute", … */
