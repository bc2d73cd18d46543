/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Runs scenarios: once as they are, with a fault at every operation in turn, and random ones with random faults; on the
 * worker alone or, when the place has one, on the daemon that starts it.
 */

#include "faults.h"
#include "reasons.h"
#include "scenario.h"
#include "worker-run.h"

typedef struct Campaign {
        Machine *machine;
        WorkerPlace place;
        unsigned long passed, failed;
        unsigned long outcomes[8]; /* how many ended how */
        ReasonsSeen reasons;       /* that our programs gave */
        bool verbose;
        bool trace;
        FaultKind only;   /* the one kind of systematic faults; FAULT_NONE: all */
        bool of_planning; /* they strike the daemon's own operations, and those of workers that plan */
        unsigned first;   /* operation that is struck */
        unsigned second;  /* where the first recovery is killed as well; 0: as it comes */
        unsigned stride;  /* of systematic faults: every STRIDE-th operation */
} Campaign;

/* Where a fault strikes. */
typedef struct FaultPoint {
        FaultKind kind;
        unsigned long at, second_at;
        unsigned plan; /* which of the plans is executed, modulo their number */
        bool is_alone; /* without it the transaction would be verified or rolled back */
        bool is_told;  /* also when all was well */
} FaultPoint;

/* Runs the scenario TEXT as it is, and judges what it expects. False: failed. */
bool campaign_scenario(Campaign *campaign, const char *name, const char *text);

/* Every kind of fault at each operation of the scenario's transaction. */
bool campaign_faults(Campaign *campaign, const char *name, const char *text);

/* COUNT random machines, each with random users and a random fault, from SEED on. */
bool campaign_random(Campaign *campaign, uint64_t seed, unsigned long count);

/* One machine with the daemon. *RET_N: how many operations transactions had. False: failed. */
struct SessionSetup;
bool campaign_daemon(Campaign *campaign, const struct SessionSetup *setup, const FaultPoint *point,
                     unsigned long *ret_n);

/* Prints what ended how. */
void campaign_summary(const Campaign *campaign);
