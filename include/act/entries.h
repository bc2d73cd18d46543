/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Our entries in the kernel's resource_alignment attribute: put in front and taken out again by one read, one write and
 * one read back, since the kernel offers no compare-and-swap (KF §1). Which of the entries are ours is remembered in a
 * file of the run directory, oldest first.
 */

#include "act/finding.h"
#include "base/root.h"
#include "judge/plan.h"

/*
 * The entries that are ours, oldest first; NULL-terminated. A file that is not there or broken: none; then none is
 * dropped. One that cannot be read: negative errno.
 */
int entries_ours(const Root *root, char ***ret) _warn_unused_result_ _nonnull_(1, 2);

typedef enum EntriesWhich {
        ENTRIES_ALL,
        ENTRIES_OF_UNGROWN, /* of functions that were not grown before: the others are to come back as they were */
        ENTRIES_KEPT,       /* of functions that have one when the plan has been executed */
        ENTRIES_GIVEN_BACK, /* of the others: plan_gives_back() */
} EntriesWhich;

/*
 * Writes PLAN's entries. A FindingAnswer: FINDING_MADE with REASON_ATTRIBUTE_FULL (nothing was changed) or
 * REASON_ENTRY_REJECTED; or negative errno. *RET_DROPPED says how many of our own older entries had to go.
 */
int entries_install(const Root *root, const Plan *plan, EntriesWhich which, size_t *ret_dropped,
                    Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 4, 5);

/* Whether the entries that PLAN keeps would fit now: REASON_ATTRIBUTE_FULL or nothing. Changes nothing. */
int entries_check(const Root *root, const Plan *plan, Finding *finding) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* Whether all entries that PLAN has put there still are: REASON_ENTRY_REJECTED or nothing. */
int entries_stand(const Root *root, const Plan *plan, Finding *finding) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The reverse, for a rollback: REASON_STATE_NOT_RESTORED when entries for what was not grown before are there still. */
int entries_left(const Root *root, const Plan *plan, Finding *finding) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* Takes PLAN's entries out of the attribute as it is now. */
int entries_remove(const Root *root, const Plan *plan, EntriesWhich which,
                   Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 4);
