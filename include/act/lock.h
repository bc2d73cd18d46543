/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The machine-wide lock that a worker holds as long as its transaction runs, so that there is one at a time whoever
 * starts it (design §4 rule 7). The kernel lets it go when the last thread of the worker has ended, also one that is stuck.
 */

#include "base/root.h"

typedef enum LockAnswer {
        LOCK_TAKEN = 0,
        LOCK_HELD = 1, /* by another worker */
} LockAnswer;

/* Takes the lock, making the run directory if needed. A LockAnswer (LOCK_TAKEN: *RET_FD holds it) or negative errno. */
int lock_take(const Root *root, int *ret_fd) _warn_unused_result_ _nonnull_(1, 2);
