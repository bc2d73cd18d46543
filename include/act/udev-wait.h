/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Waits until udev has dealt with a function's `add`: a function that was unbound keeps its hold until then, because udev
 * may load its native driver's module (design §4 rule 2).
 */

#include "base/root.h"

#define UDEV_CONTROL_PATH "run/udev/control" /* there while udev is running */

typedef struct UdevWait UdevWait;

/* Begins to listen; to be made before the rescan. Where no udevd runs there is nothing to wait for: *RET is NULL. */
int udev_wait_new(const Root *root, UdevWait **ret) _warn_unused_result_ _nonnull_(1, 2);
UdevWait *udev_wait_free(UdevWait *wait);
DEFINE_CLEANUP(UdevWait *, udev_wait_free);

/*
 * For a recovery: functions may be back since before, and udev may have dealt with their `add` already. So for each that is
 * waited for, an event of our own is made, behind which udev must have dealt with all earlier ones of the same function
 * (kobject_synth_uevent(); udevd keeps the order of a device's events). WAIT may be NULL. Negative errno.
 */
int udev_wait_ask(UdevWait *wait) _warn_unused_result_;

/*
 * Waits at most USEC microseconds for the `add` of the function named NAME ("0000:03:00.0"). 0, also when udev had dealt
 * with it earlier, or -ETIME. WAIT may be NULL.
 */
int udev_wait_for_add(UdevWait *wait, const char *name, uint64_t usec) _warn_unused_result_ _nonnull_(2);
