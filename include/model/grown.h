/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The size that BARs and ROMs have by themselves. The kernel realigns by growing a resource to the alignment (KF §2), and
 * sysfs does not tell afterwards what it was before: so the worker records it before it lets anything grow, under a
 * function's topology path and ids, in the run directory. It outlives the daemon and not the boot, as the grown sizes do.
 * A function is grown when a line is larger now than by itself: a record that is out of date does no harm.
 */

#include "base/json-document.h"
#include "base/root.h"
#include "model/topology.h"

#define GROWN_PATH "run/vfio-realign/grown.json"

/* Bytes of the lines 0 to 5 (BARs) and 6 (ROM); 0: the line has no memory with an address. */
typedef struct OwnSizes {
        uint64_t lines[RESOURCE_ROM + 1];
} OwnSizes;

/* What a function is known by. */
typedef struct GrownKey {
        const char *path; /* topology_path() */
        uint16_t vendor, device, subvendor, subdevice;
} GrownKey;

typedef struct Grown Grown;

int grown_new(Grown **ret) _warn_unused_result_ _nonnull_(1);
Grown *grown_free(Grown *grown);
DEFINE_CLEANUP(Grown *, grown_free);

/*
 * What grown_save() wrote; empty when there is no such file. Also empty, with *RET_PROBLEM (the caller frees it) saying why,
 * when the file is no such document: only how large things once were is lost then. Negative errno when it cannot be read.
 */
int grown_load(const Root *root, Grown **ret, char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3);
int grown_save(const Grown *grown, const Root *root) _warn_unused_result_ _nonnull_(1, 2);

/* The own sizes of FUNCTION: what is recorded, where that is less than what the line has now. GROWN may be NULL. -ENOMEM. */
int grown_own_sizes(const Grown *grown, const PciFunction *function, OwnSizes *ret) _warn_unused_result_
                _nonnull_(2, 3);

/* The same, with 0 for the lines that nothing has grown. -ENOMEM. */
int grown_sizes_before(const Grown *grown, const PciFunction *function, OwnSizes *ret) _warn_unused_result_
                _nonnull_(2, 3);

/* True when a BAR or the ROM of RESOURCES is larger than by itself. */
bool own_sizes_are_exceeded(const OwnSizes *own, const ResourceTable *resources) _pure_ _nonnull_(1, 2);

/* True when an entry with ALIGNMENT bytes would grow a memory BAR or the ROM, or has grown it (KF §2). */
bool own_sizes_have_below(const OwnSizes *own, uint64_t alignment) _pure_ _nonnull_(1);

/* The sizes as a JSON list, and back: -EBADMSG with *RET_PROBLEM. */
JsonObject *own_sizes_to_json(const OwnSizes *own) _warn_unused_result_ _nonnull_(1);
int own_sizes_from_json(JsonObject *object, const char *name, OwnSizes *ret,
                        char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/* Records OWN for KEY, in place of what was recorded at that path. -ENOMEM. */
int grown_note(Grown *grown, GrownKey key, const OwnSizes *own) _warn_unused_result_ _nonnull_(1, 3);

/* Drops what is recorded of functions that are there in TOPOLOGY and not grown. False: there was nothing to drop. */
bool grown_prune(Grown *grown, const Topology *topology) _nonnull_(1, 2);
