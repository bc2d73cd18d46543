/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One life of our unmodified daemon on the mounted tree: started as systemd does (readiness and STATUS come over
 * NOTIFY_SOCKET), and started again whenever a fault has killed it. What it says is read from there: that it is busy,
 * and that it is at rest.
 */

#include "worker-run.h"

typedef struct DaemonRun {
        Machine *machine;
        const WorkerPlace *place;
        char config[256];
        pid_t pid; /* 0: it does not run */
        int process, notify;
        unsigned n_starts;
        bool ready;          /* it has said so */
        bool busy, was_busy; /* by its STATUS: now, at any time since daemon_forget_busy() */
        bool waits;          /* for the end of somebody's use */
        char status[512];
        char problem[256]; /* what went wrong; empty: nothing */
} DaemonRun;

/* Starts it with the policy file CONFIG. False: run->problem. The run is to be ended in any case. */
bool daemon_begin(DaemonRun *run, Machine *machine, const WorkerPlace *place, const char *config);

/* Waits until it is busy; until it is so or waits for nothing any more; until it is ready and at rest. False: run->problem. */
bool daemon_await_busy(DaemonRun *run);
bool daemon_await_going_on(DaemonRun *run);
bool daemon_await_rest(DaemonRun *run);

/* SIGTERM, and all that it has started has to end. False: run->problem. */
bool daemon_end(DaemonRun *run);

/* What all its lives have said. To be freed. */
char *daemon_log(const WorkerPlace *place);
