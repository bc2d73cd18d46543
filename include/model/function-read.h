/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Reading what sysfs says of one function, for the snapshot: each attribute opened below the function's own directory,
 * without following links, and read with one read(2). Only what cannot block is read (design §3).
 */

#include "model/topology.h"

#include <errno.h>

/* Whether a function could be read. */
typedef enum Presence {
        PRESENCE_THERE,
        PRESENCE_GONE, /* it disappeared meanwhile, and is left out of the snapshot */
} Presence;

/* True for the errors that say that a function, or its directory, is no longer there. */
static inline bool presence_is_gone(int error)
{
        return error == -ENOENT || error == -ENODEV;
}

/*
 * Fills FUNCTION, of which the address and sysfs_path are known, with all but its place in the hierarchy. DIRECTORY is
 * its directory. A Presence; -EBADMSG when an attribute is garbage, or another errno when it cannot be read,
 * *RET_PROBLEM then names file and line (the caller frees it; NULL without memory).
 */
int function_read(int directory, PciFunction *function, char **ret_problem) _warn_unused_result_
                _nonnull_(2, 3);
