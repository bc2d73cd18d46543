/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the journal says of a transaction: its steps, and one line when it is finished. */

#include "daemon/worker-job.h"
#include "daemon/worker-report.h"

/*
 * Logs a step (of our own worker at debug level, of a FOREIGN one visibly; late and failed ones always), and returns it
 * in words: "unbind of 0000:03:00.0 (4 of 14)". BUS is a bus_key(); NULL: it is not known. NULL: no memory.
 */
char *transaction_log_progress(const WorkerProgress *progress, const char *bus,
                               bool foreign) _warn_unused_result_ _nonnull_(1);

/* One line with outcome, functions, duration, reason and remedy; one more for each warning, and for all that is not as before. */
void transaction_log_result(const WorkerResult *result) _nonnull_(1);

/* What is not as before after a transaction that failed: "0000:03:00.0: WHAT: DETAIL; …". NULL: no memory. */
char *transaction_state_text(const WorkerResult *result) _warn_unused_result_ _nonnull_(1);

/* The worker ended without a result. BUS is a bus_key(); NULL: it is not known. */
void transaction_log_no_result(WorkerVerb verb, const char *bus, const WorkerEnd *end) _nonnull_(3);
