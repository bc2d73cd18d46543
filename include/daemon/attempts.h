/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How often it was tried in vain to realign a function (design §4 rule 6): kept by topology path and ids, so that
 * another card in the same slot starts afresh, in the run directory, so that a restart of the daemon forgets nothing and
 * a reboot everything.
 */

#include "base/reason.h"
#include "base/root.h"

#define ATTEMPTS_PATH "run/vfio-realign/attempts.json"

/* What identifies a function from one boot to the next rescan. */
typedef struct AttemptKey {
        const char *path; /* topology_path() */
        uint16_t vendor, device;
} AttemptKey;

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
unsigned attempts_count(const Attempts *attempts, AttemptKey key) _nonnull_(1);

/* Why the last of them failed; REASON_NONE: there was none. */
Reason attempts_reason(const Attempts *attempts, AttemptKey key) _nonnull_(1);

/* One more attempt failed, because of REASON. -ENOMEM. */
int attempts_add(Attempts *attempts, AttemptKey key, Reason reason) _warn_unused_result_ _nonnull_(1);

/* One succeeded: those before it do not count any more. */
void attempts_forget(Attempts *attempts, AttemptKey key) _nonnull_(1);
void attempts_forget_all(Attempts *attempts) _nonnull_(1);
