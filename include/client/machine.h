/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the read-only verbs look at: snapshot, /proc/iomem and verdicts of one moment, read in this process without root
 * and without the daemon.
 */

#include "client/client.h"
#include "judge/page-view.h"
#include "judge/verdict.h"
#include "model/grown.h"

typedef struct Machine {
        Topology *topology;
        Iomem *iomem;
        Verdicts *verdicts;
        PageIndex *pages; /* with what iomem has */
        Grown *grown;
} Machine;

/* Says itself on standard error what cannot be read. CLIENT_EXIT_FINE or CLIENT_EXIT_ERROR. */
ClientExit machine_read(const ClientContext *context, Machine **ret) _warn_unused_result_ _nonnull_(1, 2);
Machine *machine_free(Machine *machine);
DEFINE_CLEANUP(Machine *, machine_free);

/* What the lines of FUNCTION had before they were grown; 0: they were not. CLIENT_EXIT_FINE or CLIENT_EXIT_ERROR. */
ClientExit machine_sizes_before(const Machine *machine, const PciFunction *function,
                                OwnSizes *ret) _warn_unused_result_ _nonnull_(1, 2, 3);

/* Says on standard error what could not be seen, and what that leaves open; nothing if all was seen. */
void machine_say_unseen(const Machine *machine) _nonnull_(1);

/* What `status` ends with for a function of this verdict. */
ClientExit machine_exit_status(FunctionVerdict verdict);
