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
        HOLDER_RESOURCE,    /* a process has a resourceN file open or mapped */
        HOLDER_ENABLE,      /* enable count not 0 and no process found */
        HOLDER_HOST_DRIVER, /* bound to a driver that is not VFIO's */
        HOLDER_UNSEEN,      /* some processes' files could not be read (not root) */
} HolderKind;

typedef struct Holder {
        PciAddress address;
        HolderKind kind;
        int pid;       /* 0: no process */
        char *process; /* its comm; NULL: no process */
        char *object;  /* the file ("/dev/vfio/12"), or the driver's name; may be NULL */
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

/* The first holder of the function at ADDRESS, and how many follow each other; NULL and 0: none. */
const Holder *usage_find(const Usage *usage, PciAddress address, size_t *ret_n) _nonnull_(1, 3);

/* "open in qemu-system-x86 (pid 812)", "on the host driver e1000e", …: fits behind "0000:05:00.1 is ". NULL: no memory. */
char *holder_text(const Holder *holder) _warn_unused_result_ _nonnull_(1);
