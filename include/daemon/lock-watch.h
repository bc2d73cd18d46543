/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Follows a worker that is not the daemon's child (started by an earlier daemon, or by hand) through the run directory:
 * its progress file, and the machine-wide lock, which the kernel lets go when the worker ends, however it ends.
 */

#include "base/root.h"
#include "daemon/worker-report.h"

#include <systemd/sd-event.h>

typedef enum LockState {
        LOCK_STATE_FREE,
        LOCK_STATE_HELD, /* by a worker */
} LockState;

/* Looks whether a worker holds the lock, without keeping it. A LockState or negative errno. */
int lock_probe(const Root *root) _warn_unused_result_ _nonnull_(1);

typedef struct LockWatch LockWatch;

typedef struct LockWatchHandlers {
        void (*on_progress)(const WorkerProgress *progress, void *userdata);
        void (*on_released)(void *userdata); /* may free the watch */
        void *userdata;
} LockWatchHandlers;

/* Begins to follow. The lock may have been let go meanwhile: then on_released comes from the event loop all the same. */
int lock_watch_new(sd_event *event, const Root *root, const LockWatchHandlers *handlers,
                   LockWatch **ret) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
LockWatch *lock_watch_free(LockWatch *watch);
DEFINE_CLEANUP(LockWatch *, lock_watch_free);
