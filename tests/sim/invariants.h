/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What must hold after a transaction, however it ended and whatever was injected: judged on the machine itself, by rules
 * written again and not from what our programs say of themselves.
 */

#include "faults.h"
#include "worker-run.h"

/* How one function was before. */
typedef struct FunctionBefore {
        bool present;
        const Driver *driver;
        unsigned births;
        char attributes[ATTRIBUTES][VALUE_MAX];
        char group_type[16]; /* of its IOMMU group; "": it has none */
        Resource resources[LINES];
        bool in_radius;     /* of the plan */
        bool is_rebound;    /* the plan gives it to a driver of another kind */
        bool is_given_back; /* the plan gives its BARs their own sizes back */
} FunctionBefore;

typedef struct Before {
        FunctionBefore functions[FUNCTIONS_MAX];
        char alignment[TEXT_MAX], foreign[TEXT_MAX];
        char goal[16], scope[16]; /* of the plan */
        bool has_failing;         /* a driver will fail once */
} Before;

/* How it went on, as far as the rules depend on it. */
typedef struct Course {
        struct json_object *const *results; /* of transactions, in the order in which they ended */
        size_t n_results;
        FaultKind fault;  /* what was injected */
        bool has_entries; /* of ours, from before */
} Course;

/* PLAN may be NULL: then nothing is in a radius. FOREIGN is what others have written to resource_alignment. */
void before_take(Machine *machine, struct json_object *plan, const char *foreign, Before *ret);
/* The radius is all that the course's transactions name. */
void before_widen(Before *before, const Machine *machine, const Course *course);

/* What is wrong, up to N_MAX texts of 256 bytes; how many. */
size_t invariants_check(Machine *machine, const Before *before, const Course *course, char problems[][256],
                        size_t n_max);
