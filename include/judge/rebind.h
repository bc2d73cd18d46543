/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Plans that give functions to drivers of another kind: detach, from the host's drivers to VFIO's, and reattach, the way
 * back (issue 5). Nothing that somebody uses is taken off its driver (design §4 rule 1), and what the host does with a
 * function on a host driver is use in full: mounts, swap, interfaces that are up, open nodes. Pure.
 */

#include "judge/blast-radius.h"
#include "judge/plan.h"

/* True when FUNCTION is on a driver of the kind that GOAL leads to: there is nothing to do. */
bool rebind_is_done(PlanGoal goal, const PciFunction *function) _pure_ _nonnull_(2);

/* What stands against taking FUNCTION off its driver for GOAL and giving it to another. */
Obstacle rebind_obstacle(PlanGoal goal, const PciFunction *function, const Usage *usage) _nonnull_(2, 3);

/*
 * What stands against taking FUNCTION out that is about to go to a guest, from a host's driver or none, and giving it back to
 * that: all that stands against taking any function out, and against taking this one off its driver.
 */
Obstacle rebind_lending_obstacle(const PciFunction *function, const Usage *usage) _nonnull_(1, 2);

/*
 * Plans for the functions at ADDRESSES that are not where GOAL leads to. To detach: one for all, and none when one of them
 * is refused. To reattach: one for each that is not. input->usage has to have what the functions carry (judge/host-use.h). -ENOMEM.
 */
int rebind_plan(const PlanInput *input, PlanGoal goal, const PciAddress *addresses, size_t n_addresses,
                PlanSet **ret) _warn_unused_result_ _nonnull_(1, 5);
