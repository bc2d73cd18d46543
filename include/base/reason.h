/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Why something was not done, or went wrong: a code of one table (reason.def) with name, message id, text, remedy. */

#include "base/util.h"

typedef enum Reason {
        REASON_NONE,
#define REASON(name, word, message_id, text, remedy) REASON_##name,
#include "base/reason.def"
#undef REASON
        REASON_COUNT_,
} Reason;

/* "sibling-in-use"; "none" for REASON_NONE. */
const char *reason_name(Reason reason);

/* What happened, in words that fit behind "0000:03:00.0: ". Empty for REASON_NONE. */
const char *reason_text(Reason reason);

/* What the administrator can do about it. */
const char *reason_remedy(Reason reason);

/* 32 hexadecimal digits for MESSAGE_ID=. */
const char *reason_message_id(Reason reason);

/* The reason with this name. -EINVAL when there is none. */
int reason_parse(const char *name, Reason *ret) _warn_unused_result_ _nonnull_(1, 2);
