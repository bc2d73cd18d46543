/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/reason.h"

#include <errno.h>
#include <string.h>

typedef struct ReasonRow {
        const char *name;
        const char *message_id;
        const char *text;
        const char *remedy;
} ReasonRow;

static const ReasonRow rows[REASON_COUNT_] = {
        [REASON_NONE] = { "none", "", "", "" },
#define REASON(name, word, message_id, text, remedy) [REASON_##name] = { word, message_id, text, remedy },
#include "base/reason.def"
#undef REASON
};

static const ReasonRow *row_of(Reason reason)
{
        return &rows[reason < REASON_COUNT_ ? reason : REASON_NONE];
}

const char *reason_name(Reason reason)
{
        return row_of(reason)->name;
}

const char *reason_text(Reason reason)
{
        return row_of(reason)->text;
}

const char *reason_remedy(Reason reason)
{
        return row_of(reason)->remedy;
}

const char *reason_message_id(Reason reason)
{
        return row_of(reason)->message_id;
}

int reason_parse(const char *name, Reason *ret)
{
        for (Reason reason = REASON_NONE; reason < REASON_COUNT_; reason++)
                if (strcmp(rows[reason].name, name) == 0) {
                        *ret = reason;
                        return 0;
                }
        return -EINVAL;
}
