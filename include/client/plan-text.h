/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Plans and refusals as an administrator reads them. */

#include "judge/plan.h"

/* Scope and why, blast radius, entries, steps, and what follows for users (design §9). -ENOMEM. */
int plan_text_print(FILE *out, const Plan *plan) _warn_unused_result_ _nonnull_(1, 2);

/* What was asked for GOAL is not done: function, reason, holder, remedy. */
void plan_text_print_refusal(FILE *out, PlanGoal goal, const PlanRefusal *refusal) _nonnull_(1, 3);
