/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the makers of plans (plan_make(), rebind_plan()) put their documents together from. */

#include "judge/blast-radius.h"
#include "judge/plan.h"

/* Adds the refusal of ADDRESS because of OBSTACLE, with USAGE telling who holds what. -ENOMEM. */
int plan_set_refuse(PlanSet *set, const Usage *usage, PciAddress address,
                    const Obstacle *obstacle) _warn_unused_result_ _nonnull_(1, 2, 4);

/* Adds PLAN, which it takes over. -ENOMEM. */
int plan_set_add(PlanSet *set, Plan *plan) _warn_unused_result_ _nonnull_(1, 2);

/*
 * FUNCTION as it is now, with its own sizes by GROWN (may be NULL) and without an entry; also *RET of a failure is to be
 * freed with its plan. -ENOMEM.
 */
int plan_function_from(const PciFunction *function, const Grown *grown, bool is_target,
                       PlanFunction *ret) _warn_unused_result_ _nonnull_(1, 4);
