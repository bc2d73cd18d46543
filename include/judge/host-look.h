/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One look at what functions on host drivers carry: what is found becomes holders of a usage report, and the device nodes
 * that are found on the way are kept, so that one pass over /proc tells who has them open.
 */

#include "judge/host-device.h"
#include "judge/host-tables.h"
#include "judge/usage.h"

typedef struct HostNode {
        char *name; /* below /dev: "nvme0", "dm-3" */
        PciAddress address;
} HostNode;

typedef struct HostLook {
        const Root *root;
        HostTables *tables;
        Usage *usage;
        const PciFunction *function; /* the one that is looked at */
        HostNode *nodes;
        size_t n_nodes;
        unsigned n_blocks; /* looked at for this function */
} HostLook;

/* WORDS fit behind "carries "; taken over. -ENOMEM, also when WORDS is NULL. */
int host_look_found(HostLook *look, HolderKind kind, char *words) _warn_unused_result_ _nonnull_(1);

/* The node NAME below /dev leads to the function. -ENOMEM. */
int host_look_node(HostLook *look, const char *name) _warn_unused_result_ _nonnull_(1, 2);

/*
 * A block device: its mounts, swap, those of its partitions and of what is built on it (device-mapper, md, bcache, loop)
 * at any depth; each that is held by another is in use, whatever is done with that other one. -E2BIG, -ENOMEM, -EIO …
 */
int host_block_look(HostLook *look, const HostDevice *device) _warn_unused_result_ _nonnull_(1, 2);

/* A network interface: up, with routes, below or part of another one, or in another network namespace. */
int host_net_look(HostLook *look, const HostDevice *device) _warn_unused_result_ _nonnull_(1, 2);

/* A connector of a display that shows a picture. */
int host_display_look(HostLook *look, const HostDevice *device) _warn_unused_result_ _nonnull_(1, 2);

/* A sound card of which somebody plays or records. */
int host_sound_look(HostLook *look, const HostDevice *device) _warn_unused_result_ _nonnull_(1, 2);

/* A device behind a USB controller: told, but no use in itself. */
int host_usb_look(HostLook *look, const HostDevice *device) _warn_unused_result_ _nonnull_(1, 2);
