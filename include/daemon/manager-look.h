/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The manager's part that looks at buses and decides for each: rest, wait, plan, and what follows from a plan. */

#include "daemon/manager.h"

/* Looks at every bus that is due, until a worker is busy. Negative errno: the daemon cannot go on. */
int manager_turn(Manager *manager) _warn_unused_result_ _nonnull_(1);

/* Reads a new survey. 0: done; 1: it could not be read, which is logged once, and the old one stays; -ENOMEM. */
int manager_look_around(Manager *manager) _warn_unused_result_ _nonnull_(1);

/*
 * The document of a worker that planned, or negative errno with what is wrong with it or the way the worker ended in
 * *RET_PROBLEM (the caller frees it; NULL when there is no memory for it).
 */
int manager_read_plan(const WorkerEnd *end, PlanSet **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The worker that planned has ended. */
void manager_plan_ended(Manager *manager, const WorkerEnd *end) _nonnull_(1, 2);

/* BUS waits for its users because of REASON, and is looked at again in a while in any case. */
int manager_wait(Manager *manager, Bus *bus, Reason reason) _warn_unused_result_ _nonnull_(1, 2);

/* True for what ends without an event on the bus: it has to be looked at again. */
bool manager_reason_passes(Reason reason);
