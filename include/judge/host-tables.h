/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel tells of the whole machine about the use of block devices and network interfaces: mounts of all mount
 * namespaces that can be seen, file systems in use, swap, loop devices, routes. Read once, asked for each device.
 */

#include "base/root.h"

#include <sys/types.h>

typedef struct HostTables HostTables;

/* What is not there (no proc in a made-up tree) has no entries. -ENOMEM, -EIO … */
int host_tables_read(const Root *root, HostTables **ret) _warn_unused_result_ _nonnull_(1, 2);
HostTables *host_tables_free(HostTables *tables);
DEFINE_CLEANUP(HostTables *, host_tables_free);

/* A block device as the tables may name it. */
typedef struct HostBlockNames {
        dev_t number;       /* 0: not known */
        const char *kernel; /* "dm-0", "sda1" */
        const char *node;   /* below /dev: "dm-0", "cciss/c0d0" */
        const char *mapper; /* "vg0-root": also /dev/mapper/vg0-root; NULL: none */
} HostBlockNames;

/* "mounted on /srv (ext4)", "mounted on /srv (ext4) and 2 more times"; *RET is NULL when it is not mounted. -ENOMEM. */
int host_tables_mount(const HostTables *tables, const HostBlockNames *block, char **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

bool host_tables_is_swap(const HostTables *tables, const HostBlockNames *block) _nonnull_(1, 2);

/* The INDEXth loop device ("loop0") that BLOCK is behind, or NULL. */
const char *host_tables_loop(const HostTables *tables, const HostBlockNames *block, size_t index)
                _nonnull_(1, 2);

/* True when ZFS is there, whose pools hold their disks without a sign of it in sysfs. */
bool host_tables_has_zfs(const HostTables *tables) _nonnull_(1);

typedef enum HostRoute {
        HOST_ROUTE_NONE,
        HOST_ROUTE_SOME,
        HOST_ROUTE_DEFAULT, /* the default route is among them */
} HostRoute;

/* Routes over the network interface NAME; those that every interface has by itself (fe80::/10, ff00::/8) do not count. */
HostRoute host_tables_route(const HostTables *tables, const char *name) _nonnull_(1, 2);
