/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The VFIO group files of the radius, opened as the last test that nobody uses them, and kept open until the unbind is
 * done, so that nobody can start to (KF §5 item 3; LF: that blocks neither unbind nor remove).
 */

#include "act/finding.h"
#include "base/root.h"
#include "judge/plan.h"

typedef struct GroupGuard {
        int *fds;
        size_t n_fds;
} GroupGuard;

/*
 * Opens the group of every function of PLAN that is on a VFIO driver, each group once. A FindingAnswer: FINDING_MADE
 * with REASON_IN_USE, REASON_SIBLING_IN_USE or REASON_NO_GROUP_FILES; or negative errno. The guard is empty then.
 */
int group_guard_open(GroupGuard *guard, const Root *root, const Plan *plan,
                     Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/*
 * Opens the group of one FUNCTION as it is now, for taking its driver off again; what is on no VFIO driver has none. As
 * group_guard_open(), with REASON_USE_BEGAN.
 */
int group_guard_open_one(GroupGuard *guard, const Root *root, const PciFunction *function,
                         Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
void group_guard_close(GroupGuard *guard) _nonnull_(1);
