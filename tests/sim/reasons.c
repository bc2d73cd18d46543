/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "reasons.h"

#include <stdio.h>
#include <string.h>

static void see_member(ReasonsSeen *reasons, const char *name, struct json_object *value)
{
        Reason reason;

        if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array))
                reasons_see(reasons, value);
        else if ((strcmp(name, "reason") == 0 || strcmp(name, "narrowed") == 0) &&
                 json_object_is_type(value, json_type_string) &&
                 reason_parse(json_object_get_string(value), &reason) == 0)
                reasons->seen[reason] = true;
}

void reasons_see(ReasonsSeen *reasons, struct json_object *document)
{
        if (json_object_is_type(document, json_type_array)) {
                for (size_t i = 0; i < json_object_array_length(document); i++)
                        see_member(reasons, "", json_object_array_get_idx(document, i));
        } else if (json_object_is_type(document, json_type_object)) {
                json_object_object_foreach (document, name, value)
                        see_member(reasons, name, value);
        }
}

void reasons_print(const ReasonsSeen *reasons)
{
        printf("# reasons:");
        for (Reason reason = REASON_NONE + 1; reason < REASON_COUNT_; reason++)
                if (reasons->seen[reason])
                        printf(" %s", reason_name(reason));
        puts("");
}
