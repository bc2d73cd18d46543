/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is shown of one function on a VFIO driver over D-Bus: facts, which change with a survey or the policy, and its
 * state, which changes with what the daemon is doing.
 */

#include "daemon/manager.h"
#include "judge/page-view.h"

typedef struct BarView {
        unsigned line;
        const char *verdict; /* bar_verdict_text() */
        uint64_t start, size;
        uint64_t own_size; /* before the kernel grew it; 0: it is as it was */
        char **neighbours; /* "0000:03:00.1 BAR 2", "IOAPIC 0"; NULL-terminated; NULL: none */
} BarView;

typedef struct FunctionFacts {
        PciAddress address;
        char *path; /* topology_path() */
        char *driver;
        uint16_t vendor, device;
        int iommu_group;
        FunctionVerdict verdict;
        Reason reason; /* of FUNCTION_CANNOT */
        BarView *bars;
        size_t n_bars;
        PolicySettings settings;
} FunctionFacts;

typedef struct FunctionState {
        const char *state; /* bus_state_name() of its bus */
        Reason reason;     /* why it stays as it is; REASON_NONE: it is fine, or is being dealt with */
        char *detail;      /* NULL: there is no more to say */
        char *transaction; /* the last one; NULL: none */
        Outcome outcome;
        Reason transaction_reason;
        uint64_t when_usec;
} FunctionState;

typedef struct FunctionView {
        FunctionFacts facts;
        FunctionState state;
        const Bus *bus;         /* its own; NULL: nothing has happened on that yet */
        unsigned n_bus_changes; /* the bus's, when the state was read */
} FunctionView;

/* The facts of FUNCTION, one of the manager's survey; who shares pages with it only with PAGES. -ENOMEM. */
int function_facts_read(const Manager *manager, const PageIndex *pages, const PciFunction *function,
                        FunctionFacts *ret) _warn_unused_result_ _nonnull_(1, 3, 4);
void function_facts_clear(FunctionFacts *facts) _nonnull_(1);

/* BUS: the function's own, or NULL. -ENOMEM. */
int function_state_read(const Manager *manager, const FunctionFacts *facts, const Bus *bus,
                        FunctionState *ret) _warn_unused_result_ _nonnull_(1, 2, 4);
void function_state_clear(FunctionState *state) _nonnull_(1);

/* True when no BAR differs. */
bool bar_views_equal(const FunctionFacts *a, const FunctionFacts *b) _nonnull_(1, 2);
