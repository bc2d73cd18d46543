/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Random scenarios, the same for the same seed: topology, drivers, users that come and go, policy, and one fault. */

#include "faults.h"

#define RANDOM_TEXT_MAX 32768u

typedef struct RandomCase {
        char text[RANDOM_TEXT_MAX];
        FaultKind fault, daemon_fault; /* on the worker alone, and where the daemon runs */
        unsigned long at, second_at;
        unsigned plan; /* which of the plans that are made, modulo their number */
} RandomCase;

void generate(uint64_t seed, RandomCase *ret);
