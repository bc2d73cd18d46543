/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What a driver has made of a function: the devices of kernel subsystems (block, net, drm, sound, usb, …) in the
 * function's directory of sysfs, at any depth. Links are not followed, functions below a bridge are not entered, and
 * only what cannot block is read: directories, the link `subsystem`, `uevent`.
 */

#include "base/root.h"

typedef struct HostDevice {
        char *path;      /* "sys/devices/…/0000:04:00.0/nvme/nvme0/nvme0n1" */
        char *subsystem; /* "block", "net", … */
        char *node;      /* below /dev: "nvme0n1", "dri/card0"; NULL: it has none */
        bool is_hidden; /* a network interface that another network namespace has: PATH is the directory for it */
} HostDevice;

typedef struct HostDevices {
        HostDevice *items;
        size_t n;
} HostDevices;

/*
 * The devices of the function whose directory is SYSFS_PATH. What lies inside a block device or a network interface
 * (partitions, queues) is not listed. What vanishes meanwhile is left out. -E2BIG when there is more than can be looked
 * at: then nothing can be said of the function; -ENOMEM, -EIO …
 */
int host_device_find(const Root *root, const char *sysfs_path, HostDevices *ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
void host_devices_clear(HostDevices *devices);

/* The last component of a device's path, which is its name: "nvme0n1". */
const char *host_device_name(const char *path) _pure_ _nonnull_(1);

/* DEVNAME in the `uevent` of the device at PATH; *RET is NULL when it has no node. -ENOMEM, -EIO … */
int host_device_node(const Root *root, const char *path, char **ret) _warn_unused_result_ _nonnull_(1, 2, 3);

/*
 * True when ERROR came because the file or folder PATH is not there, or went with its device while it was read. What is
 * still there and cannot be read is no sign of idleness.
 */
bool host_device_is_gone(const Root *root, const char *path, int error) _nonnull_(1, 2);
