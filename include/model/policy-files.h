/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which files make up the policy of a root directory, and their text. */

#include "base/root.h"
#include "model/policy-problems.h"

#define POLICY_FILE_MOST (1u << 20) /* bytes; larger than any policy, small enough to be read by mistake */

/*
 * The files in the order of reading, relative to ROOT: vfio-realign.conf, then conf.d by name, each from the
 * first of etc, run and usr/lib that has it. NULL-terminated. What cannot be looked into is added to PROBLEMS. -ENOMEM.
 */
int policy_files_find(const Root *root, PolicyProblems *problems, char ***ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * The whole text of the file PATH of ROOT, or of the caller's file PATH when ROOT is NULL, of *RET_SIZE bytes.
 * Negative errno: it cannot be read, is a directory (-EISDIR), or is too large (-EFBIG).
 */
int policy_file_read(const Root *root, const char *path, char **ret, size_t *ret_size) _warn_unused_result_
                _nonnull_(2, 3, 4);
