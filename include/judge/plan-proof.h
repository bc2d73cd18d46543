/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The proof that a plan still holds, which the worker asks for as its first step under the lock, whoever made the plan
 * (design §4 rule 1): the world is as the plan describes it, the plan's radius is all that its removals take out and
 * nothing else, and nothing of it is in use. Pure.
 */

#include "judge/blast-radius.h"
#include "judge/plan.h"

/*
 * *RET is REASON_NONE when the plan may be executed in this world; else what stands against it: REASON_WORLD_CHANGED,
 * or an obstacle of rule 1. GROWN (NULL: nothing) says which BARs are larger than by themselves. Its holder points into USAGE. -ENOMEM.
 */
int plan_prove(const Plan *plan, const Topology *topology, const Usage *usage, const Grown *grown,
               Obstacle *ret) _warn_unused_result_ _nonnull_(1, 2, 3, 5);

/* True when FUNCTION still is the function that PLANNED describes, by path and ids. */
bool plan_function_is(const PlanFunction *planned, const PciFunction *function) _nonnull_(1, 2);
