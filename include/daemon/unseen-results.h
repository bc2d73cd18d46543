/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Results that workers left in the results directory while no daemon was listening: those written after the attempts were
 * saved last, which the daemon does at every result that it sees.
 */

#include "base/root.h"
#include "daemon/worker-report.h"

typedef struct UnseenResults {
        WorkerReport **reports; /* all WORKER_REPORT_RESULT, oldest first */
        size_t n_reports;
} UnseenResults;

/* Reads them; a file that is no result is left out. Negative errno: the directory cannot be read, or -ENOMEM. */
int unseen_results_read(const Root *root, UnseenResults *ret) _warn_unused_result_ _nonnull_(1, 2);
void unseen_results_clear(UnseenResults *results) _nonnull_(1);
