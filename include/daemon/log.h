/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon's one way to say something: to the journal with structured fields when standard error is connected to
 * it, else as plain lines on standard error. Debug messages go to the journal only.
 */

#include "base/event.h"
#include "base/reason.h"

#include <syslog.h>

/* What a message is about; every member may be left out (NULL, 0). */
typedef struct LogContext {
        const char *function;    /* PCI_FUNCTION=; of several, with ", " between them, one field each */
        const char *bus;         /* PCI_BUS=, a bus_key() */
        Event event;             /* MESSAGE_ID= of a kind of event; EVENT_NONE: the reason's */
        Reason reason;           /* REASON=, and MESSAGE_ID= from the table of reasons */
        const char *transaction; /* TRANSACTION= */
        const char *step;        /* STEP= */
        uint64_t duration_usec;  /* DURATION_USEC= */
} LogContext;

/* Finds out where standard error leads. Call once, before the first message. */
void log_open(void);

/* PRIORITY is syslog's (LOG_ERR, …); ABOUT may be NULL. */
void log_say(int priority, const LogContext *about, const char *format, ...) _printf_(3, 4) _nonnull_(3);
