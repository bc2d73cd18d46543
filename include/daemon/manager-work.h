/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The manager's part that deals with transactions: starts the worker, hears how it ended, recovers, follows foreign ones. */

#include "daemon/manager.h"

/* Room for the words of a command line beside functions, with the final NULL. */
#define MANAGER_COMMAND_WORDS 12u

/* Puts the words that every command line of the worker begins with at WORDS; how many they are. */
size_t manager_command_begin(const Manager *manager, const char **words) _nonnull_(1, 2);

/* Starts a worker that plans for the functions at TARGETS. Logs why when it cannot be started: 1; -ENOMEM. */
int manager_start_plan(Manager *manager, Bus *bus, const PciAddress *targets, size_t n_targets,
                       bool only_report) _warn_unused_result_ _nonnull_(1, 2, 3);

/* Starts a worker that carries PLAN out (taken over). As manager_start_plan(). */
int manager_start_execute(Manager *manager, Bus *bus, Plan *plan) _warn_unused_result_ _nonnull_(1, 2, 3);

/* Starts a worker that does VERB (WORKER_RESTORE, WORKER_DETACH, WORKER_REATTACH) to the functions at ADDRESSES. As manager_start_plan(). */
int manager_start_errand(Manager *manager, WorkerVerb verb, const PciAddress *addresses,
                         size_t n_addresses) _warn_unused_result_ _nonnull_(1, 3);

/*
 * Looks at lock and journal: whether a foreign worker is to be followed, an interrupted transaction to be recovered, or
 * the way is free. Sets manager->gate.
 */
void manager_check_gate(Manager *manager) _nonnull_(1);
