/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One execution of a plan (design §3): prove, journal, entries, unbind, remove, rescan with hold, verify, bind, restore;
 * on any failure undo. It decides nothing but go on, stale, or undo.
 */

#include "act/deadline.h"
#include "act/entries.h"
#include "act/group-guard.h"
#include "act/hold.h"
#include "act/journal.h"
#include "act/result.h"
#include "act/udev-wait.h"
#include "act/verify.h"

/* Called for each progress line and for the result, with a document that stays the caller's. */
typedef void (*TransactionReport)(JsonObject *document, void *userdata);

typedef struct TransactionOptions {
        bool no_listener; /* do without the hold's listener: what slips through is taken off afterwards */
        TransactionReport report;
        bool (*is_to_stop)(void *userdata); /* asked while nothing has been taken out yet; NULL: never */
        void *userdata;
} TransactionOptions;

typedef struct Transaction {
        const Root *root;
        const TransactionOptions *options;
        Journal journal;
        Deadline *deadline;
        GroupGuard guard;
        UdevWait *udev;
        EntriesWhich entries; /* that the next step drop-entries takes out */
        bool is_undoing;
        bool has_removed;     /* a removal was begun: functions have to come back */
        Topology *now;        /* the latest snapshot: where the functions are */
        bool is_as_rescanned; /* it was taken when the rescan was over, and nothing was done since but to hold */
        KnownFunctions known; /* of the whole machine before; without addresses in recovery */
        Result result;
        uint64_t began;
        uint64_t kernel_usec; /* of the running step */
} Transaction;

/* A transaction for PLAN, which it takes over, under a new identifier. */
int transaction_new(const Root *root, const TransactionOptions *options, Plan *plan,
                    Transaction **ret) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
/* One that continues JOURNAL, which it takes over and empties. */
int transaction_new_from_journal(const Root *root, const TransactionOptions *options, Journal *journal,
                                 Transaction **ret) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
Transaction *transaction_free(Transaction *transaction);
DEFINE_CLEANUP(Transaction *, transaction_free);

/*
 * Executes the plan to an Outcome, writes and reports the result, removes the journal. The caller holds the lock. Negative
 * errno only when nothing was touched, or when not even the result could be written.
 */
int transaction_execute(Transaction *transaction) _warn_unused_result_ _nonnull_(1);

/* Finishes or undoes what the journal records, to the same ends. */
int transaction_recover(Transaction *transaction) _warn_unused_result_ _nonnull_(1);

/* --- For the files that make up the transaction --- */

/* Takes a fresh snapshot into transaction->now. */
int transaction_look(Transaction *transaction) _warn_unused_result_ _nonnull_(1);

/* Where the function is now: by its path in the latest snapshot; where it was, when it is not there. */
PciAddress transaction_address(const Transaction *transaction, const PlanFunction *planned) _nonnull_(1, 2);

/*
 * Forgets which functions the machine had, as far as somebody else has removed them meanwhile: those that a rescan brings
 * back are then told as new ones.
 */
void transaction_forget_gone(Transaction *transaction) _nonnull_(1);

/* Keeps *FINDING as a warning of the result. */
int transaction_warn(Transaction *transaction, const Finding *finding) _nonnull_(1, 2);

/* The same where ANSWER, a FindingAnswer, says that one was made; any other answer is returned as it is. */
int transaction_warn_about(Transaction *transaction, int answer, const Finding *finding) _nonnull_(1, 3);

/*
 * Undoes a transaction whatever stage it is in: entries out, what was removed removed and rescanned again, drivers and
 * state as before (design §4 rule 6). FINDING_MADE when it could not be undone completely; *FINDING says what is amiss.
 */
int transaction_undo(Transaction *transaction, Finding *finding) _warn_unused_result_ _nonnull_(1, 2);
