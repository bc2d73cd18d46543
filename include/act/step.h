/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One step of a transaction: journalled before it begins, run under its deadline in a thread of its own, timed, reported.
 * The steps themselves are in step-work.c.
 */

#include "act/transaction.h"

/*
 * Runs the step KIND for the plan's function at INDEX (where the kind has one). POSITION of COUNT is for whoever watches.
 * A FindingAnswer; errors of the kernel are findings too (REASON_STEP_FAILED).
 */
int step_run(Transaction *transaction, PlanStepKind kind, size_t index, size_t position, size_t count,
             Finding *finding) _warn_unused_result_ _nonnull_(1, 6);

/* Runs all steps of the plan of kind KIND, in its order, up to the first finding. */
int step_run_all(Transaction *transaction, PlanStepKind kind, Finding *finding) _warn_unused_result_
                _nonnull_(1, 3);

/* What the steps do; called in the deadline's thread. */
typedef int (*StepWork)(Transaction *transaction, const PlanFunction *planned, Finding *finding);
StepWork step_work(PlanStepKind kind);

/*
 * Binds the function to the driver that it had, or, going forward with a plan that changes drivers, to one of the other
 * kind. A host driver is found by the kernel; when there is none the function stays unbound, with a warning.
 */
int step_bind(Transaction *transaction, const PlanFunction *planned, Finding *finding) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Writes the saved attributes back; what cannot be is a warning. What is to have no driver has none afterwards, also where
 * one shows late: REASON_WRONG_DRIVER, REASON_USE_BEGAN. A bridge gets its port driver.
 */
int step_restore(Transaction *transaction, const PlanFunction *planned,
                 Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3);

/*
 * Puts a function that is there on hold and takes its driver off, if it has one and nothing uses the function (design §4
 * rule 1): for functions that slipped through, and for rollback. REASON_USE_BEGAN names who uses it.
 */
int step_take_off(Transaction *transaction, const PlanFunction *planned,
                  Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3);

/* The same for one on DRIVER, which was quicker than the hold: with a warning once it is off. */
int step_take_off_slipped(Transaction *transaction, const PlanFunction *planned, const char *driver,
                          Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
