/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The object of the event loop: it owns monitor, queue, policy, memory and the one worker that may run, and decides what
 * is done next. It writes nothing to sysfs and reads only what cannot block, so that it answers while a transaction is
 * stuck in the kernel (design §4 rule 8).
 */

#include "daemon/assessment.h"
#include "daemon/bind-watch.h"
#include "daemon/bus-queue.h"
#include "daemon/function-record.h"
#include "daemon/inhibition.h"
#include "daemon/lock-watch.h"
#include "daemon/monitor.h"
#include "daemon/restored.h"
#include "daemon/udev-queue.h"
#include "daemon/worker-job.h"
#include "judge/plan.h"

typedef struct ManagerOptions {
        const char *sysroot; /* NULL: the machine itself */
        const char *config;  /* one policy file alone; NULL: those of the sysroot */
        const char *worker;
        const char *dbus;            /* address of the bus; NULL: the system bus, with a sysroot none */
        uint64_t start_timeout_usec; /* systemd is told by then that the daemon is there, whatever is pending */
} ManagerOptions;

/* Whether transactions may be started. */
typedef enum Gate {
        GATE_OPEN,
        GATE_FOREIGN,  /* a worker that is not ours holds the lock */
        GATE_RECOVERY, /* an interrupted transaction is being finished or undone */
        GATE_SHUT,     /* that failed, and nobody can tell on which bus */
} Gate;

struct DBusService;
struct Errands;

typedef struct Manager {
        ManagerOptions options;
        sd_event *event;
        Root *root;
        Policy *policy;
        char *policy_problem; /* why the last reload kept the policy of before; NULL: it did not */

        Monitor *monitor;
        UdevQueue *udev_queue; /* until ready */
        sd_event_source *turn_timer, *poll_timer, *start_timer;

        Survey *survey;    /* the last one; NULL: none yet */
        uint64_t surveyed; /* when that was made */
        char *survey_problem;
        char *shared_pages;     /* what was told of them (shared_page_log()) */
        bool must_enumerate;    /* every bus is to be looked at */
        uint64_t enumerate_due; /* not before */
        uint64_t glance_due;    /* for a new survey alone, while a worker is busy; BUS_NEVER: none is due */
        uint64_t revision;      /* goes up when survey, policy or records change */
        BusQueue *queue;
        Attempts *attempts;
        Restored *restored;
        FunctionRecords *records;
        BindWatch *bind_watch;
        Inhibitions *inhibitions;

        Gate gate;
        unsigned n_recoveries; /* since a transaction went from its beginning to its end */
        LockWatch *foreign;    /* of GATE_FOREIGN */

        WorkerJob *job;       /* the one worker; NULL: none runs */
        Bus *bus;             /* what it is about; NULL when it recovers */
        bool only_report;     /* its plan is to be told, not carried out */
        Plan *plan;           /* what it carries out */
        WorkerReport *result; /* what it said last of all */
        char *progress;       /* what a worker (also a foreign one) is at, in words; NULL: not known */

        struct Errands *errands;
        struct DBusService *dbus; /* NULL: no bus is wanted */

        bool ready;
        char *status; /* as last told to systemd */
} Manager;

/*
 * Reads policy and memory and listens from now on. A policy with errors: -EBADMSG, logged. ROOT and EVENT come from
 * OPTIONS and sd_event_default().
 */
int manager_new(const ManagerOptions *options, Manager **ret) _warn_unused_result_ _nonnull_(1, 2);
Manager *manager_free(Manager *manager);
DEFINE_CLEANUP(Manager *, manager_free);

/* Runs until a signal ends it. 0 or negative errno. */
int manager_run(Manager *manager) _warn_unused_result_ _nonnull_(1);

/*
 * Reads the policy anew and forgets earlier failures. Negative errno with what is wrong in *RET_PROBLEMS, as policy_load():
 * the policy of before is kept.
 */
int manager_reload(Manager *manager, char **ret_problems) _warn_unused_result_ _nonnull_(1, 2);

/* Microseconds of the event loop's clock. */
uint64_t manager_now(const Manager *manager) _nonnull_(1);
