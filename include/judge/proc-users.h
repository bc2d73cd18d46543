/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The one pass over /proc: which process has which VFIO file, VFIO device or `resourceN` file open or mapped. Links are
 * read, never followed; what the files belong to is judge/usage.h's question. Not seen: the own process, descriptors
 * that lie in a socket's queue, those that only an io_uring holds, and those of a thread with a table of its own.
 */

#include "base/pci-address.h"
#include "base/root.h"

typedef enum ProcUseKind {
        PROC_USE_GROUP,    /* /dev/vfio/N or /dev/vfio/noiommu-N */
        PROC_USE_CDEV,     /* /dev/vfio/devices/vfioN */
        PROC_USE_DEVICE,   /* anon_inode:[vfio-device], whose function the link does not tell */
        PROC_USE_RESOURCE, /* a function's resourceN or resourceN_wc */
        PROC_USE_NODE,     /* one of the nodes that were asked for */
} ProcUseKind;

typedef struct ProcUse {
        ProcUseKind kind;
        unsigned number;    /* of the group or character device; of the node in the list that was given */
        PciAddress address; /* of the function whose resourceN it is */
        int pid;
        char *process; /* its comm, only printable ASCII */
        char *object;  /* what the link or mapping says, only printable ASCII */
} ProcUse;

typedef struct ProcUsers {
        bool complete; /* every process of the machine could be looked into */
        ProcUse *uses;
        size_t n_uses;
} ProcUsers;

/*
 * What the link of a descriptor (or the path of a mapping) says: sets kind, number and address of *RET and returns
 * true, or false for a file that has nothing to do with PCI. The nodes may lie under another /dev or /sys (containers,
 * libvirt's private /dev): their last components count.
 */
bool proc_use_parse(const char *path, ProcUse *ret) _nonnull_(1, 2);

/*
 * Looks into all processes. One that ends meanwhile is left out; one that may not be looked into makes the result
 * incomplete. A simulated tree without proc has no processes. -ENOMEM, -EIO … with *RET_PROBLEM saying what could not be
 * read (the caller frees it).
 */
int proc_users_read(const Root *root, ProcUsers **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * The same for who has the N device nodes NAMES open or mapped ("nvme0n1", "dri/card0": below any /dev), which are sorted
 * as strcmp() does and all different: only uses of PROC_USE_NODE.
 */
int proc_users_of_nodes(const Root *root, const char *const *names, size_t n, ProcUsers **ret,
                        char **ret_problem) _warn_unused_result_ _nonnull_(1, 4, 5);
ProcUsers *proc_users_free(ProcUsers *users);
DEFINE_CLEANUP(ProcUsers *, proc_users_free);
