/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the daemon knows a bus by: the topology path of the bridge above it ("0000:00:1c.0/00.0"), which stays right
 * when bus numbers change; a root bus by its own name ("0000:00"). Pure.
 */

#include "base/util.h"

/*
 * The key of the bus that a function is on, from the function's place in sysfs ("sys/devices/pci0000:00/0000:00:1c.0/
 * 0000:01:00.0", or a udev DEVPATH). -EINVAL when this is not the path of a PCI function; -ENOMEM.
 */
int bus_key_from_path(const char *sysfs_path, char **ret) _warn_unused_result_ _nonnull_(1, 2);

/* The same from the function's topology_path(). NULL: no memory. */
char *bus_key_from_topology_path(const char *path) _warn_unused_result_ _nonnull_(1);

/* In words, behind a preposition: "the bus below 0000:00:1c.0", "the root bus 0000:00". NULL: no memory. */
char *bus_key_describe(const char *key) _warn_unused_result_ _nonnull_(1);

/* Cuts KEY to the key of the bus that its bridge is on, as long as that is below a bridge too. False: it is not. */
bool bus_key_ascend(char *key) _nonnull_(1);

/* True when A and B are the same bus, or one is below a bridge of the other (a root bus counts for itself alone). */
bool bus_key_related(const char *a, const char *b) _pure_ _nonnull_(1, 2);
