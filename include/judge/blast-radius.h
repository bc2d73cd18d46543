/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The blast radius: every function that disappears when some functions are removed, and what stands against taking
 * one of them out (design §4 rule 1, §6). Pure. The planner asks it to choose the scope, and the worker asks it again
 * under the lock before it touches anything.
 */

#include "base/reason.h"
#include "judge/usage.h"
#include "model/topology.h"

typedef struct BlastRadius {
        const PciFunction **functions; /* of the topology: each after the bridge above it */
        size_t n_functions;
} BlastRadius;

/* REMOVED and everything below it; what is there already is not added again. -ENOMEM. */
int blast_radius_add(BlastRadius *radius, const Topology *topology,
                     const PciFunction *removed) _warn_unused_result_ _nonnull_(1, 2, 3);
void blast_radius_clear(BlastRadius *radius);

/* What stands against taking a function out. */
typedef struct Obstacle {
        Reason reason; /* REASON_NONE: nothing */
        PciAddress culprit;
        const Holder *holder; /* of the usage report; NULL when the reason is not about a user */
} Obstacle;

/* The reason that HOLDER is of a function; IS_TARGET chooses the words only. */
Reason obstacle_reason(const Holder *holder, bool is_target) _pure_ _nonnull_(1);

/*
 * Who uses the culprit, and what it carries when it is on a host driver ("on the host driver nvme and carries …"): fits
 * behind "CULPRIT is ". *RET is NULL when USAGE tells nothing of it. -ENOMEM.
 */
int obstacle_text(const Obstacle *obstacle, const Usage *usage, char **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Rule 1 for FUNCTION: it is unbound or on a VFIO driver, nobody uses it, and it may be removed at all. A bridge may
 * be driverless or on a port driver; who uses it is judged by what is below it. IS_TARGET chooses the words only.
 */
Obstacle obstacle_of(const PciFunction *function, const Usage *usage, bool is_target) _nonnull_(1, 2);
