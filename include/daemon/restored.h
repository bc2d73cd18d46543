/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Functions whose BARs an administrator has given their own sizes back: the daemon does not realign them again by itself,
 * or it would undo at its next look what was asked for. A mark is set when a plan to restore has ended verified, and
 * cleared by a bind that no transaction made, when another transaction of the function succeeds, by a reload, and by a request
 * to realign. Kept in the run directory.
 */

#include "daemon/keyed-list.h"

#define RESTORED_PATH "run/vfio-realign/restored.json"

typedef struct Restored Restored;

int restored_new(Restored **ret) _warn_unused_result_ _nonnull_(1);
Restored *restored_free(Restored *restored);
DEFINE_CLEANUP(Restored *, restored_free);

/* As attempts_load() and attempts_save(). */
int restored_load(const Root *root, Restored **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
int restored_save(const Restored *restored, const Root *root) _warn_unused_result_ _nonnull_(1, 2);

/* -ENOMEM. */
int restored_mark(Restored *restored, FunctionKey key) _warn_unused_result_ _nonnull_(1);
bool restored_has(const Restored *restored, FunctionKey key) _nonnull_(1);

bool restored_any(const Restored *restored) _nonnull_(1);

/* True when there was a mark: then there is something to save. */
bool restored_clear(Restored *restored, FunctionKey key) _nonnull_(1);
bool restored_clear_all(Restored *restored) _nonnull_(1);
