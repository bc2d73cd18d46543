/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the read-only verbs look at: snapshot, /proc/iomem and verdicts of one moment, read in this process without root
 * and without the daemon.
 */

#include "client/client.h"
#include "judge/verdict.h"

typedef struct Machine {
        Topology *topology;
        Iomem *iomem;
        Verdicts *verdicts;
} Machine;

/* Says itself on standard error what cannot be read. CLIENT_EXIT_FINE or CLIENT_EXIT_ERROR. */
ClientExit machine_read(const ClientContext *context, Machine **ret) _warn_unused_result_ _nonnull_(1, 2);
Machine *machine_free(Machine *machine);
DEFINE_CLEANUP(Machine *, machine_free);

/* Says on standard error what could not be seen, and what that leaves open; nothing if all was seen. */
void machine_say_unseen(const Machine *machine) _nonnull_(1);

/* Some functions of a machine. */
typedef struct Selection {
        const PciFunction **functions;
        size_t n_functions;
} Selection;

void selection_clear(Selection *selection);

/* CLIENT_EXIT_FINE or CLIENT_EXIT_ERROR. */
ClientExit selection_add(Selection *selection, const PciFunction *function) _warn_unused_result_
                _nonnull_(1, 2);

/*
 * The functions that NAMES name, in their order, each once. Says on standard error which name is no address
 * (CLIENT_EXIT_USAGE) or no function of the machine (CLIENT_EXIT_ERROR); the others are selected all the same.
 */
ClientExit machine_select(const Machine *machine, size_t n, char *const *names,
                          Selection *selection) _warn_unused_result_ _nonnull_(1, 4);

/* As machine_select(), but a name may also be that of a bus ("0000:03", "03"): all functions on it. */
ClientExit machine_select_with_buses(const Machine *machine, size_t n, char *const *names,
                                     Selection *selection) _warn_unused_result_ _nonnull_(1, 4);

/* All functions on VFIO drivers. */
ClientExit machine_select_on_vfio(const Machine *machine, Selection *selection) _warn_unused_result_
                _nonnull_(1, 2);

/* The addresses that NAMES name; CLIENT_EXIT_USAGE after saying which is none. RET_ADDRESSES has room for N. */
ClientExit machine_parse_addresses(size_t n, char *const *names,
                                   PciAddress *ret_addresses) _warn_unused_result_;

/* What `status` ends with for a function of this verdict. */
ClientExit machine_exit_status(FunctionVerdict verdict);
