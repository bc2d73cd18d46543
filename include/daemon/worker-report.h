/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a worker says while it executes or recovers: one JSON object a line, progress before and after each step, and the
 * result last. Pure: text in, structures out.
 */

#include "act/outcome.h"
#include "base/pci-address.h"
#include "base/reason.h"
#include "judge/plan.h"

typedef enum ProgressState {
        PROGRESS_BEGIN,
        PROGRESS_DONE,
        PROGRESS_LATE, /* the kernel has not finished the step within its deadline */
        PROGRESS_FAILED,
} ProgressState;

typedef struct WorkerProgress {
        char *transaction;
        char *step;
        char *function; /* NULL: the step is not about one function */
        char *detail;   /* of PROGRESS_LATE: who holds it; NULL: not known */
        uint64_t index; /* of OF steps, from 0; OF is 0 when that is unknown */
        uint64_t of;
        ProgressState state;
        uint64_t usec; /* of PROGRESS_DONE */
} WorkerProgress;

typedef struct ReportFunction {
        PciAddress address;
        char *path; /* topology_path() */
        uint16_t vendor, device;
        bool target;
} ReportFunction;

/* Something that went right, but not wholly. */
typedef struct ReportWarning {
        Reason reason;
        char *function; /* NULL: about none */
        char *detail;   /* NULL: none */
} ReportWarning;

typedef struct WorkerResult {
        char *transaction;
        Outcome outcome;
        Reason reason;
        char *culprit; /* NULL: none */
        char *detail;  /* NULL: none */
        PlanGoal goal;
        bool attempted; /* a function was unbound, so that it counts as an attempt */
        uint64_t usec, kernel_usec;
        ReportFunction *functions;
        size_t n_functions;
        ReportWarning *warnings;
        size_t n_warnings;
        ReportWarning *refusals; /* by one that was to plan as well: what it did not touch, and why */
        size_t n_refusals;
        ReportWarning *state; /* of OUTCOME_FAILED: what is not as before, one after another */
        size_t n_state;
} WorkerResult;

typedef enum WorkerReportKind {
        WORKER_REPORT_PROGRESS,
        WORKER_REPORT_RESULT,
} WorkerReportKind;

typedef struct WorkerReport {
        WorkerReportKind kind;
        WorkerProgress progress;
        WorkerResult result;
} WorkerReport;

/* "begin", "done", "late", "failed" */
const char *progress_state_name(ProgressState state);

/* -EBADMSG with *RET_PROBLEM (the caller frees it) when LINE is neither; -ENOMEM. */
int worker_report_parse(const char *line, WorkerReport **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
WorkerReport *worker_report_free(WorkerReport *report);
DEFINE_CLEANUP(WorkerReport *, worker_report_free);

/* The functions of RESULT ("0000:03:00.0, 0000:03:00.1"), only its targets or all. NULL: no memory. */
char *worker_result_functions_text(const WorkerResult *result, bool only_targets) _warn_unused_result_
                _nonnull_(1);
