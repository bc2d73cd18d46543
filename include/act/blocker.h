/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Who keeps the kernel from finishing a step, for the words that say that it is late (design §4 rule 8). Either somebody
 * uses the step's own function; or the step needs the lock under which the kernel removes and scans (KF §3), and the
 * removal of another function, which waits for that one's user, holds it.
 */

#include "base/pci-address.h"
#include "base/root.h"

#include <stdbool.h>

/*
 * In words that fit in brackets, or NULL when nobody is found. FUNCTION: that of the step, or NULL. NEEDS_LOCK: the
 * step removes or scans. Reads only what cannot block.
 */
char *blocker_find(const Root *root, const PciAddress *function, bool needs_lock) _warn_unused_result_
                _nonnull_(1);
