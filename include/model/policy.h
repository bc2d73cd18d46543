/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The administrator's policy (design §8): INI files with sections [default], [function GLOB], [id V:D[:SV:SD]] and
 * [class CCSS]; per key the most specific section wins, among equals the later section and file.
 */

#include "base/root.h"
#include "model/topology.h"

typedef enum PolicyRealign {
        POLICY_REALIGN_AUTO,
        POLICY_REALIGN_REPORT,
        POLICY_REALIGN_NEVER,
} PolicyRealign;

typedef enum PolicyScope {
        POLICY_SCOPE_BUS,
        POLICY_SCOPE_FUNCTION,
        POLICY_SCOPE_SMALLEST,
} PolicyScope;

typedef enum PolicyMsix {
        POLICY_MSIX_REALIGN,
        POLICY_MSIX_SKIP,
} PolicyMsix;

typedef enum PolicyOnFailure {
        POLICY_ON_FAILURE_START,
        POLICY_ON_FAILURE_REFUSE,
} PolicyOnFailure;

typedef enum PolicyAfterReattach {
        POLICY_AFTER_REATTACH_KEEP,
        POLICY_AFTER_REATTACH_RESTORE,
} PolicyAfterReattach;

/* The settings in effect for one function. */
typedef struct PolicySettings {
        PolicyRealign realign;
        PolicyScope scope;
        uint64_t alignment; /* bytes; 0 means the page */
        uint64_t max_move;  /* bytes */
        uint64_t settle_delay_usec;
        uint64_t step_timeout_usec;
        unsigned attempts;
        bool keep_entry;
        PolicyMsix msix_table_bar;
        PolicyOnFailure on_failure;
        PolicyAfterReattach after_reattach;
} PolicySettings;

typedef struct Policy Policy;

/*
 * Reads the policy: vfio-realign/vfio-realign.conf and vfio-realign/conf.d (*.conf) under etc, run and usr/lib of ROOT
 * (/etc over /run over /usr/lib; a drop-in of the same name masks). With FILE (a path of the caller's, not of ROOT) that
 * file alone. All errors of all files are collected in *RET_PROBLEMS (one line each: "FILE:LINE: what, what was
 * expected"; the caller frees it; no final newline; NULL without errors). -EBADMSG when there were errors, -EIO and others when a file
 * cannot be read (it is a directory, permissions, …), named in *RET_PROBLEMS too. No file at all: the built-in defaults.
 */
int policy_load(const Root *root, const char *file, Policy **ret, char **ret_problems) _warn_unused_result_
                _nonnull_(1, 3, 4);

/* Reads FILES (NULL-terminated, paths of the caller's) as the whole policy, in this order: what check-config does. */
int policy_load_files(char *const *files, Policy **ret, char **ret_problems) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The built-in defaults alone. */
int policy_new_default(Policy **ret) _warn_unused_result_ _nonnull_(1);

/* The files that it was read from, in that order; NULL-terminated. */
char *const *policy_files(const Policy *policy) _nonnull_(1);

Policy *policy_free(Policy *policy);
DEFINE_CLEANUP(Policy *, policy_free);

/* The settings in effect for FUNCTION; NULL: for one that no section but [default] is for. */
void policy_settings(const Policy *policy, const PciFunction *function, PolicySettings *ret) _nonnull_(1, 3);

/* "FILE:LINE" that key KEY ("scope") comes from for FUNCTION, or "built in". NULL for a key that does not exist. */
const char *policy_source(const Policy *policy, const PciFunction *function, const char *key)
                _nonnull_(1, 3);

/* "[id 10ec:8139]", the section that decides KEY for FUNCTION. NULL: none does, or there is no such key. */
const char *policy_section(const Policy *policy, const PciFunction *function, const char *key)
                _nonnull_(1, 3);

const char *policy_realign_name(PolicyRealign value);
const char *policy_scope_name(PolicyScope value);
