/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which reasons our programs gave, in plans, refusals, results and warnings: each must be given by some scenario. */

#include "base/reason.h"

#include <json-c/json.h>

typedef struct ReasonsSeen {
        bool seen[REASON_COUNT_];
} ReasonsSeen;

/* Notes every reason in a document of our programs. NULL: there is none. */
void reasons_see(ReasonsSeen *reasons, struct json_object *document);

/* Prints "# reasons: WORD…". */
void reasons_print(const ReasonsSeen *reasons);
