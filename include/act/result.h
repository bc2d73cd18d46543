/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What came of a transaction: outcome, reason, warnings, how long each step took and how much of it was the kernel's. */

#include "act/finding.h"
#include "act/outcome.h"
#include "base/json-document.h"
#include "base/root.h"
#include "judge/plan.h"

typedef struct ResultStep {
        const char *name;
        PciAddress function;
        bool has_function;
        uint64_t usec;
        uint64_t kernel_usec; /* spent in writes to sysfs */
} ResultStep;

typedef struct Result {
        Outcome outcome;
        Finding finding; /* why it is not verified; REASON_NONE otherwise */
        Finding *warnings;
        size_t n_warnings;
        Finding *state; /* of OUTCOME_FAILED: what is not as before */
        size_t n_state;
        ResultStep *steps;
        size_t n_steps;
        char **kernel; /* what the kernel said of the functions meanwhile; NULL-terminated; NULL: not known */
        uint64_t usec;
        bool attempted; /* reached the first unbind: it counts as an attempt (design §4 rule 6) */
} Result;

int result_add_warning(Result *result, const Finding *warning) _warn_unused_result_ _nonnull_(1, 2);
int result_add_state(Result *result, const Finding *finding) _warn_unused_result_ _nonnull_(1, 2);
int result_add_step(Result *result, const ResultStep *step) _warn_unused_result_ _nonnull_(1, 2);
void result_clear(Result *result) _nonnull_(1);

/*
 * The document (one object; fields in vfio-realign-worker(8)). TOPOLOGY is a snapshot of how things are now; NULL: it
 * could not be read. NULL when there is no memory.
 */
JsonObject *result_to_json(const Result *result, const char *id, const Plan *plan,
                           const Topology *topology) _warn_unused_result_ _nonnull_(1, 2, 3);

/* Keeps the document under RESULTS_DIRECTORY. */
int result_write(const Root *root, const char *id, JsonObject *document) _warn_unused_result_
                _nonnull_(1, 2, 3);
