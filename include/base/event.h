/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The kinds of events that the journal gets beside refusals and problems (which are reasons): one table, event.def. */

#include "base/util.h"

typedef enum Event {
        EVENT_NONE,
#define EVENT(name, message_id, subject, text, remedy) EVENT_##name,
#include "base/event.def"
#undef EVENT
        EVENT_COUNT_,
} Event;

/* 32 hexadecimal digits for MESSAGE_ID=; empty for EVENT_NONE. */
const char *event_message_id(Event event);
