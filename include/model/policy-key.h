/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The keys of the policy: one table (policy-key.def) of name, kind of value, range, built-in value and words. */

#include "model/policy.h"

typedef enum PolicyKeyId {
#define POLICY_KEY(id, name, field, kind, least, most, builtin, expected) POLICY_KEY_##id,
#include "model/policy-key.def"
#undef POLICY_KEY
        POLICY_KEY_COUNT_,
} PolicyKeyId;

/* The key called NAME. -EINVAL: there is none. */
int policy_key_find(const char *name, PolicyKeyId *ret) _warn_unused_result_ _nonnull_(1, 2);

const char *policy_key_name(PolicyKeyId key);
const char *policy_key_builtin(PolicyKeyId key);  /* as it would stand in a file */
const char *policy_key_expected(PolicyKeyId key); /* "bus, function or smallest" */

/* Sets the field of KEY in SETTINGS from VALUE. -EINVAL: it is not what is expected, and nothing was set. */
int policy_key_parse(PolicyKeyId key, const char *value, PolicySettings *settings) _warn_unused_result_
                _nonnull_(2, 3);

/* The field of KEY as it would stand in a file. NULL: no memory. */
char *policy_key_format(PolicyKeyId key, const PolicySettings *settings) _warn_unused_result_ _nonnull_(2);

/* True when no field differs. */
bool policy_settings_equal(const PolicySettings *a, const PolicySettings *b) _pure_ _nonnull_(1, 2);

/* Copies the field of KEY alone. */
void policy_key_copy(PolicyKeyId key, PolicySettings *to, const PolicySettings *from) _nonnull_(2, 3);
