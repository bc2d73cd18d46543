/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/event.h"

static const char *const message_ids[EVENT_COUNT_] = {
        [EVENT_NONE] = "",
#define EVENT(name, message_id, subject, text, remedy) [EVENT_##name] = message_id,
#include "base/event.def"
#undef EVENT
};

const char *event_message_id(Event event)
{
        return message_ids[event < EVENT_COUNT_ ? event : EVENT_NONE];
}
