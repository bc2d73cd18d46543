/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Who uses a function (design §4 rule 1): found in /proc/PID/fd and /proc/PID/maps (VFIO group files, character devices,
 * anon_inode:[vfio-device] with its group, `resourceN` files open or mapped), in the enable count, and by its driver. Read only; opens no VFIO file.
 */

#include "base/reason.h"
#include "model/topology.h"

typedef enum HolderKind {
        HOLDER_GROUP,       /* a process has the VFIO group file open */
        HOLDER_CDEV,        /* a process has the VFIO character device open */
        HOLDER_CDEV_GONE,   /* the same, gone from sysfs: perhaps this one's */
        HOLDER_RESOURCE,    /* a process has a resourceN file open or mapped */
        HOLDER_ENABLE,      /* enable count not 0 and no process found */
        HOLDER_HOST_DRIVER, /* bound to a driver that is not VFIO's */
        /* what a function on a host driver carries (judge/host-use.h) */
        HOLDER_MOUNT,   /* a mounted file system */
        HOLDER_SWAP,    /* swap space */
        HOLDER_BLOCK,   /* a block device that another one, or ZFS, is built on */
        HOLDER_NET,     /* a network interface that is up, has routes, or is part of another one */
        HOLDER_DISPLAY, /* a display that is on */
        HOLDER_SOUND,   /* a sound card that somebody plays on or records with */
        HOLDER_NODE,    /* a device node that a process has open */
        HOLDER_USB,     /* a device behind a USB controller: carried, but no use in itself */
        HOLDER_UNSEEN,  /* something that could not be looked at: not as root, or because of an error */
} HolderKind;

typedef struct Holder {
        PciAddress address;
        HolderKind kind;
        int pid;       /* 0: no process */
        char *process; /* its comm; NULL: no process */
        char *object; /* the file ("/dev/vfio/12"), the driver's name, or what is carried, in words; may be NULL */
} Holder;

typedef struct Usage {
        bool complete;    /* every process's files could be read */
        bool group_files; /* the group files /dev/vfio/N exist for VFIO functions (or none is on VFIO) */
        Holder *holders;  /* sorted by address */
        size_t n_holders;
} Usage;

/*
 * Looks for the users of all functions of TOPOLOGY in one pass over /proc. -ENOMEM, -EIO … with *RET_PROBLEM saying what
 * could not be read. A process that ends meanwhile is no error.
 */
int usage_read(const Root *root, const Topology *topology, Usage **ret,
               char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
Usage *usage_free(Usage *usage);
DEFINE_CLEANUP(Usage *, usage_free);

/* Adds HOLDER, whose texts it takes over, at the end. -ENOMEM, also when HOLDER should have a text and has none. */
int usage_add(Usage *usage, Holder holder) _warn_unused_result_ _nonnull_(1);
/* Brings what usage_add() has added into order; a holder that is there twice goes. */
void usage_sort(Usage *usage) _nonnull_(1);

/* The first holder of the function at ADDRESS, and how many follow each other; NULL and 0: none. */
const Holder *usage_find(const Usage *usage, PciAddress address, size_t *ret_n) _nonnull_(1, 3);

/*
 * True when HOLDER means that somebody would lose something if the function, which is on a host driver, were taken off it:
 * not for the driver itself, its enabling, or USB devices that nothing uses.
 */
bool holder_is_use_of_host(const Holder *holder) _nonnull_(1);

/* "open in qemu-system-x86 (pid 812)", "on the host driver e1000e", …: fits behind "0000:05:00.1 is ". NULL: no memory. */
char *holder_text(const Holder *holder) _warn_unused_result_ _nonnull_(1);

/*
 * The same of HOLDER, one of USAGE, and for a host driver what the function carries: "on the host driver nvme and carries
 * /dev/nvme0n1p2, mounted on /srv (ext4)". NULL: no memory.
 */
char *usage_text(const Usage *usage, const Holder *holder) _warn_unused_result_ _nonnull_(1, 2);
