/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The attributes of a function that are lost when it is removed and can be written back (KF §4): read before anything is
 * touched, kept in the journal, written back at the end where they differ. Reading some of them takes the device's lock or
 * resumes it, so only the worker does it, under a deadline.
 */

#include "act/finding.h"
#include "base/json-document.h"
#include "base/root.h"
#include "judge/plan.h"

typedef struct SavedState SavedState;

/* Reads the attributes of all functions of PLAN. What is not there is not saved. -ENOMEM, or negative errno
 * of one that is there and cannot be read: it could not be written back either. */
int saved_state_read(const Root *root, const Plan *plan, SavedState **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
SavedState *saved_state_free(SavedState *state);
DEFINE_CLEANUP(SavedState *, saved_state_free);

/* The driver_override of before; NULL: none. PATH is the function's topology path. */
const char *saved_state_override(const SavedState *state, const char *path) _nonnull_(1, 2);

typedef enum SavedStatePart {
        SAVED_STATE_ALL,
        SAVED_STATE_OF_GROUP, /* what can only be set while nothing of its IOMMU group is bound */
        SAVED_STATE_OF_FUNCTION, /* what does not come and go with a driver: the function is given to another one */
} SavedStatePart;

/*
 * Writes back what was saved of the function with topology path PATH, which is now at ADDRESS. FINDING_MADE with
 * REASON_STATE_NOT_RESTORED names what could not be written; -ENOMEM.
 */
int saved_state_restore(const SavedState *state, const Root *root, const char *path, PciAddress address,
                        SavedStatePart part, Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3, 6);

/* {"0000:00:1c.0/00.0": {"driver_override": "vfio-pci", …}, …} and back. */
JsonObject *saved_state_to_json(const SavedState *state) _warn_unused_result_ _nonnull_(1);
int saved_state_from_json(JsonObject *document, SavedState **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
