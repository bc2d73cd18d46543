/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The journal of the running transaction: one document with all that is needed to finish or undo it (plan, saved state),
 * written before anything is touched, and a small one that is replaced before each step (design §4 rule 7). Both are
 * replaced as a whole, so that a crash at any instant leaves a complete one.
 */

#include "act/saved-state.h"
#include "base/root.h"
#include "judge/plan.h"

/* How far a transaction has come: what recovery does depends on it, and on what it then finds. */
typedef enum JournalStage {
        STAGE_TAKING,   /* entries and unbinds: nothing was removed yet */
        STAGE_REMOVING, /* from the first removal to the verification */
        STAGE_BINDING,  /* verified: drivers and attributes are being restored */
        STAGE_UNDOING,  /* rolling back, up to its verification */
        STAGE_UNDONE,   /* rolled back: drivers and attributes are being restored */
        STAGE_COUNT_,
} JournalStage;

#define TRANSACTION_ID_MAX 40

typedef struct Journal {
        char id[TRANSACTION_ID_MAX];
        Plan *plan;
        SavedState *state;
        JournalStage stage;
} Journal;

typedef enum JournalAnswer {
        JOURNAL_OK = 0,
        JOURNAL_NONE = 1,    /* there is none: no transaction was interrupted */
        JOURNAL_INVALID = 2, /* it cannot be followed; set aside */
} JournalAnswer;

/* The step that a progress document speaks of. */
typedef struct JournalStep {
        const char *name;    /* plan_step_name() */
        PciAddress function; /* where HAS_FUNCTION */
        bool has_function;
        size_t index, of;
        const char *state;  /* "begin", "late" */
        const char *detail; /* who holds it, or NULL */
} JournalStep;

/* Writes the first document. Its parts stay the caller's. */
int journal_begin(const Root *root, const Journal *journal) _warn_unused_result_ _nonnull_(1, 2);

/* Writes the stage and the step that comes next. */
int journal_progress(const Root *root, const Journal *journal, const JournalStep *step) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* Removes the journal: the transaction has ended and its result is written. */
int journal_end(const Root *root) _warn_unused_result_ _nonnull_(1);

/*
 * Reads the journal of an interrupted transaction into *RET (its parts are then the caller's: journal_clear()). One that
 * is truncated, from another boot, of another version or not root's is renamed away and never followed: JOURNAL_INVALID
 * with *RET_PROBLEM. A JournalAnswer or negative errno.
 */
int journal_read(const Root *root, Journal *ret, char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3);
void journal_clear(Journal *journal);

/*
 * A transaction has begun that has the function at ADDRESS in its plan, and has not ended; or nobody can tell, because the
 * journal cannot be read. One that nobody will go on with (JOURNAL_INVALID) names none.
 */
bool journal_may_name(const Root *root, PciAddress address) _warn_unused_result_ _nonnull_(1);

const char *journal_stage_name(JournalStage stage);
