/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the host does with what a function on a host driver carries (design §4 rule 1, §6): file systems, swap, what is
 * built on its disks, network interfaces, displays, sound, USB devices, and device nodes that processes have open. Read
 * only, from attributes that do not block.
 *
 * Not seen: disks that the kernel holds without a sign in sysfs (LIO and NVMe targets; members of a ZFS pool count as used
 * when ZFS is there), nodes under names of somebody's own making, and nodes that udev alone has open, which looks at each
 * new device by itself.
 */

#include "judge/usage.h"

/*
 * Adds the holders of the N FUNCTIONS, those on host drivers, to USAGE. What cannot be read makes a function "perhaps in
 * use". -ENOMEM only.
 */
int host_use_add(const Root *root, const PciFunction *const *functions, size_t n,
                 Usage *usage) _warn_unused_result_ _nonnull_(1, 4);
