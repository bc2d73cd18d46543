/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is done to one operation of our programs: each open, read, write (and what else reaches the file system, but for
 * mere look-ups) has a number, and at a chosen number a fault happens. Users that come and go do so at numbers too.
 */

#include "machine.h"

#include <sys/types.h>

typedef enum FaultKind {
        FAULT_NONE,
        FAULT_EIO,
        FAULT_ENODEV,
        FAULT_EINVAL,
        FAULT_EBUSY,
        FAULT_SHORT,      /* done, but fewer bytes are reported */
        FAULT_HANG,       /* blocks past the worker's deadline, then is done */
        FAULT_USER,       /* somebody opens a VFIO group as soon as that is possible */
        FAULT_STOP,       /* the worker is asked to stop, and it is done */
        FAULT_KILL,       /* SIGKILL instead of doing it */
        FAULT_KILL_AFTER, /* done, but the worker never hears of it */
        FAULT_KILL_DAEMON,
        FAULT_KILL_BOTH, /* daemon and worker at once */
        FAULTS,
} FaultKind;

typedef struct Faults {
        unsigned long n;        /* operations so far */
        unsigned long n_passed; /* of a transaction's, where those of planning count: users come and go by them */
        unsigned long at;       /* the number of the operation that is hit */
        FaultKind kind;
        const char *write;  /* instead of a number: the first write to a path with this end; NULL */
        unsigned hang_usec; /* at most */
        pid_t worker;       /* who is killed */
        pid_t daemon;       /* 0: none runs now */
        bool daemon_killed; /* by a fault, and nobody has taken note of it yet */
        bool has_daemon;    /* it starts the workers: only operations of those that change something count */
        bool of_planning;   /* then the others count instead: the daemon's own, and of workers that plan */
        unsigned long second_at; /* the worker that recovers is struck as well, at its operation; 0: it is not */
        pid_t group;             /* who came last (a process group), and whether it counts */
        bool counts;
        bool hit;        /* it happened */
        unsigned n_hits; /* how often, with those of before a recovery */
        bool released;   /* the worker has noticed that it is late */
        char what[320];  /* the operation that was hit */
        bool armed;      /* numbers count: not while plans are made */
        bool trace;      /* print every operation */
} Faults;

/* What the operation that is struck does beside its work. */
typedef struct FaultEffect {
        bool is_short; /* report fewer bytes */
        bool kills_after;
        pid_t bystander; /* the process group that is killed instead of the worker's; 0: that one */
} FaultEffect;

/* From now on operations of what recovers count, and are struck by KIND at faults->second_at. */
void faults_begin_recovery(Faults *faults, FaultKind kind);

/*
 * Called first in each operation NAME of the process CALLER on PATH, with the machine's lock held, which it may let go.
 * 0: go on; a negative errno: answer that.
 */
int faults_strike(Machine *machine, pid_t caller, const char *name, const char *path, FaultEffect *ret);
/* Called last. */
void faults_after(Machine *machine, const FaultEffect *effect);

/* SIGKILL, of whomever. */
bool fault_kills(FaultKind kind);
/* Only where there is a daemon. */
bool fault_needs_daemon(FaultKind kind);
const char *fault_name(FaultKind kind);
/* False: no kind has this name. */
bool fault_parse(const char *name, FaultKind *ret);
