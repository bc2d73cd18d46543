/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What must hold after a transaction, however it ended and whatever was injected: judged on the machine itself, by rules
 * written again and not from what our programs say of themselves.
 */

#include "worker-run.h"

/* How one function was before. */
typedef struct FunctionBefore {
        bool present;
        const Driver *driver;
        unsigned births;
        char attributes[ATTRIBUTES][VALUE_MAX];
        Resource resources[LINES];
        bool in_radius; /* of the plan */
} FunctionBefore;

typedef struct Before {
        FunctionBefore functions[FUNCTIONS_MAX];
        char alignment[TEXT_MAX];
} Before;

/* PLAN may be NULL: then nothing is in a radius. */
void before_take(Machine *machine, struct json_object *plan, Before *ret);

/* What is wrong, up to N_MAX texts of 256 bytes; how many. RUN is the last one. FAULTED: something was injected. */
size_t invariants_check(Machine *machine, const Before *before, const WorkerRun *run, bool faulted,
                        char problems[][256], size_t n_max);
