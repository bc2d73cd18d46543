/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How often it was tried in vain to realign a function (design §4 rule 6), on which buses a transaction could not even be
 * undone, and which host bridges have shown that they keep the firmware's addresses (§6). Functions are known by topology path and ids, so that another card in the same slot starts afresh. Kept in
 * the run directory: a restart of the daemon forgets nothing, a reboot everything.
 */

#include "base/reason.h"
#include "daemon/keyed-list.h"

#define ATTEMPTS_PATH "run/vfio-realign/attempts.json"

typedef struct Attempts Attempts;

int attempts_new(Attempts **ret) _warn_unused_result_ _nonnull_(1);
Attempts *attempts_free(Attempts *attempts);
DEFINE_CLEANUP(Attempts *, attempts_free);

/*
 * What attempts_save() wrote; empty when there is no such file. -EBADMSG or another negative errno, with *RET_PROBLEM
 * (the caller frees it), when the file cannot be used.
 */
int attempts_load(const Root *root, Attempts **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
int attempts_save(const Attempts *attempts, const Root *root) _warn_unused_result_ _nonnull_(1, 2);

/* How many attempts failed. */
unsigned attempts_count(const Attempts *attempts, FunctionKey key) _nonnull_(1);

/* Why the last of them failed; REASON_NONE: there was none. */
Reason attempts_reason(const Attempts *attempts, FunctionKey key) _nonnull_(1);

/* One more attempt failed, because of REASON. -ENOMEM. */
int attempts_add(Attempts *attempts, FunctionKey key, Reason reason) _warn_unused_result_ _nonnull_(1);

/* One succeeded: those before it do not count any more. */
void attempts_forget(Attempts *attempts, FunctionKey key) _nonnull_(1);

/* A transaction on the bus KEY (bus_key_from_path()) could not be undone; STATE says in words what it has left. -ENOMEM. */
int attempts_block(Attempts *attempts, const char *key, const char *state) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The INDEXth bus that is blocked, and its state; NULL: there are not so many. */
const char *attempts_blocked(const Attempts *attempts, size_t index, const char **ret_state) _nonnull_(1, 3);

/* True when that was so on the bus KEY, or on one that shares its blast radius: above or below it. */
bool attempts_is_blocked(const Attempts *attempts, const char *key) _nonnull_(1, 2);

/*
 * The host bridge that the function at PATH is below keeps the firmware's addresses: alignment has no effect there, whatever is
 * tried. -ENOMEM.
 */
int attempts_keep_host(Attempts *attempts, const char *path) _warn_unused_result_ _nonnull_(1, 2);
bool attempts_host_is_kept(const Attempts *attempts, const char *path) _nonnull_(1, 2);

/*
 * Somebody wants the function of KEY to be tried whatever came of it before: its attempts, blocks of its bus and of those
 * that share its blast radius, and what its host bridge did count no more. -ENOMEM.
 */
int attempts_allow(Attempts *attempts, FunctionKey key) _warn_unused_result_ _nonnull_(1);

/* Attempts, blocked buses and host bridges alike. */
void attempts_forget_all(Attempts *attempts) _nonnull_(1);
