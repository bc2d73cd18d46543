/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The manager's part that keeps in mind how transactions ended, whoever ran them. */

#include "daemon/manager.h"

/*
 * Takes a new survey, counts or forgets attempts for the targets of RESULT, and tells D-Bus. BUS is the key of its bus (NULL:
 * not known); ON_LADDER: it is a wider scope of an attempt that was counted before. -ENOMEM.
 */
int manager_remember(Manager *manager, const char *bus, const WorkerResult *result,
                     bool on_ladder) _warn_unused_result_ _nonnull_(1, 3);

/* The same for, and logs, results that came while no daemon was listening. -ENOMEM. */
int manager_catch_up(Manager *manager) _warn_unused_result_ _nonnull_(1);

/* Recalls how transactions ended that a daemon before this one has seen, for those who ask. -ENOMEM. */
int manager_recall(Manager *manager) _warn_unused_result_ _nonnull_(1);

/* udev reports EVENT: a bind that no transaction made ends what was asked for its function before. -ENOMEM. */
int manager_hear_bind(Manager *manager, const MonitorEvent *event) _warn_unused_result_ _nonnull_(1, 2);

/* The same for functions that are found on no VFIO driver, for what was not heard of. -ENOMEM. */
int manager_forget_unbound(Manager *manager) _warn_unused_result_ _nonnull_(1);

/* Keeps the marks of restored functions across a restart; logs when it cannot. */
void manager_save_restored(const Manager *manager) _nonnull_(1);
