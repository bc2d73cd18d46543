/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the daemon knows of the functions on VFIO drivers beyond what sysfs shows: what it is doing about each, why it
 * leaves it alone, and how the last transaction ended.
 */

#include "base/json-document.h"
#include "client/bus-client.h"

typedef struct DaemonFunction {
        PciAddress address;
        char *driver;              /* "" : none */
        int group;                 /* IOMMU_GROUP_NONE: none */
        char *verdict;             /* "ok", "needs-realign", "cannot" */
        char *state;               /* what the daemon does about its bus */
        char *reason;              /* reason_name(); "none" */
        char *detail;              /* "": there is none */
        char *bars;                /* a line each, as `status` shows them */
        JsonObject *bars_document; /* the same as data */
        char *last;                /* "verified ab12…"; "" for none */
} DaemonFunction;

typedef struct DaemonFacts {
        char *status; /* one line: what the daemon is doing */
        DaemonFunction *functions;
        size_t n_functions;
} DaemonFacts;

/* Asks the daemon for all of it. Negative errno, with ERROR set when the bus or the daemon refuses. */
int daemon_facts_read(sd_bus *bus, DaemonFacts **ret, sd_bus_error *error) _warn_unused_result_
                _nonnull_(1, 2, 3);
DaemonFacts *daemon_facts_free(DaemonFacts *facts);
DEFINE_CLEANUP(DaemonFacts *, daemon_facts_free);

/* Leaves the functions at ADDRESSES and forgets the others. */
void daemon_facts_keep(DaemonFacts *facts, const PciAddress *addresses, size_t n) _nonnull_(1);

/* What it knows of the function at ADDRESS; NULL: nothing, also when FACTS is NULL. */
const DaemonFunction *daemon_facts_of(const DaemonFacts *facts, PciAddress address);
