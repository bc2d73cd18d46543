/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The enable counts (KF §5) of some functions, to be compared with what they are later: how the daemon learns, without
 * opening anything, that a user of a function came or went.
 */

#include "base/pci-address.h"
#include "base/root.h"

typedef struct EnableWatch EnableWatch;

int enable_watch_new(EnableWatch **ret) _warn_unused_result_ _nonnull_(1);
EnableWatch *enable_watch_free(EnableWatch *watch);
DEFINE_CLEANUP(EnableWatch *, enable_watch_free);

/* Watches the function at ADDRESS, whose count was COUNT. -ENOMEM. */
int enable_watch_add(EnableWatch *watch, PciAddress address, unsigned count) _warn_unused_result_
                _nonnull_(1);

/*
 * True when a count is not what it was at the last look, or a function is not there any more. WATCH then holds
 * what was found.
 */
bool enable_watch_changed(EnableWatch *watch, const Root *root) _nonnull_(1, 2);
