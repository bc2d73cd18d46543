/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The manager's part that tells systemd what is going on, and when the daemon is ready. */

#include "daemon/manager.h"

/* True when nothing is left of what was bound before the daemon started: udev is done and no bus is being dealt with. */
bool manager_is_settled(const Manager *manager) _nonnull_(1);

/* "idle", "settling", "waiting", "planning", "executing", "recovering", "foreign" or "blocked". */
const char *manager_state_name(const Manager *manager) _nonnull_(1);

/* What is going on, in one line. NULL: no memory. */
char *manager_status_text(const Manager *manager) _warn_unused_result_ _nonnull_(1);

/* Tells systemd STATUS when it has changed, and READY (once) when it is so or NOT_LATER is true. */
void manager_tell(Manager *manager, bool not_later) _nonnull_(1);
