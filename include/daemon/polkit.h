/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Whether a caller may do something, asked of the bus (who calls?) and then of polkit, never waiting for either: a call
 * that is being asked about is put back, and comes again when the answer is there.
 */

#include "base/util.h"

#include <systemd/sd-bus.h>

typedef struct Polkit Polkit;

int polkit_new(Polkit **ret) _warn_unused_result_ _nonnull_(1);
Polkit *polkit_free(Polkit *polkit);
DEFINE_CLEANUP(Polkit *, polkit_free);

/*
 * May the sender of CALL do ACTION ("org.vfiorealign1.realign")? Root may, without polkit. 1: yes. 0: not known yet; the
 * handler returns 1 and is called again with the same CALL. Negative: no, or it cannot be found out; ERROR is set.
 */
int polkit_ask(Polkit *polkit, sd_bus_message *call, const char *action,
               sd_bus_error *error) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/* The client SENDER has left the bus: its calls are forgotten. */
void polkit_sender_gone(Polkit *polkit, const char *sender) _nonnull_(1, 2);
