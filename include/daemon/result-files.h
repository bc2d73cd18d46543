/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Results that workers left in the results directory. Those written after the attempts were saved last, which the daemon does
 * at every result that it sees, came while no daemon was listening.
 */

#include "base/root.h"
#include "daemon/worker-report.h"

typedef struct ResultFile {
        struct timespec written;
        WorkerReport *report; /* WORKER_REPORT_RESULT */
} ResultFile;

typedef struct ResultFiles {
        ResultFile *items; /* oldest first */
        size_t n_items;
} ResultFiles;

typedef enum ResultFilesKind {
        RESULT_FILES_SEEN,
        RESULT_FILES_UNSEEN,
} ResultFilesKind;

/* Reads those of KIND; a file that is no result is left out. Negative errno: the directory cannot be read, or -ENOMEM. */
int result_files_read(const Root *root, ResultFilesKind kind, ResultFiles *ret) _warn_unused_result_
                _nonnull_(1, 3);
void result_files_clear(ResultFiles *files) _nonnull_(1);
