/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What VFIO would say of each memory BAR when the function is opened (vfio_pci_probe_mmaps(), KF §5): decided from the
 * snapshot alone, for all functions of the machine at once, in O(n log n). Pure.
 */

#include "base/reason.h"
#include "model/iomem.h"
#include "model/topology.h"

/* Sorted by badness: the worst of a function's BARs makes the function's verdict. */
typedef enum BarVerdict {
        BAR_NONE, /* no memory BAR in this line */
        BAR_MAPPABLE,
        BAR_MISALIGNED, /* below a page, alone in its page, but not at its start */
        BAR_SHARED,     /* below a page, and a neighbour owns bytes of the page */
        BAR_UNASSIGNED,
} BarVerdict;

typedef enum FunctionVerdict {
        FUNCTION_OK,
        FUNCTION_NEEDS_REALIGN,
        FUNCTION_CANNOT,
} FunctionVerdict;

typedef struct BarReport {
        /* One that owns bytes of the same page; NULL: none, or not a PCI function. */
        const PciFunction *neighbour;
        const char *neighbour_name; /* the neighbour is of /proc/iomem: its name; else NULL */
        unsigned neighbour_line;    /* the neighbour's line in `resource` */
        unsigned n_neighbours;
        BarVerdict verdict;
        bool small; /* below a page: shown as "mappable (small)" */
} BarReport;

typedef struct FunctionReport {
        FunctionVerdict verdict;
        Reason reason; /* of FUNCTION_CANNOT */
        BarReport bars[RESOURCE_BARS];
} FunctionReport;

typedef struct Verdicts {
        const Topology *topology; /* must outlive this */
        uint64_t page;
        FunctionReport *functions; /* parallel to topology->functions */
} Verdicts;

/*
 * Judges every function (also those not on VFIO: what VFIO would say if they were). PAGE in bytes. IOMEM may be NULL
 * or not visible; it must outlive the result. A function is FUNCTION_CANNOT only by what the snapshot itself shows
 * (design §6: VF, PF with VFs, fixed or EA BAR, host bridge, class 0x0000, IOAPIC, ISA bridge, boot display, external,
 * VMD, unassigned BAR) and only if a BAR of it would have to be realigned. -ENOMEM.
 */
int verdict_compute(const Topology *topology, const Iomem *iomem, uint64_t page,
                    Verdicts **ret) _warn_unused_result_ _nonnull_(1, 4);
Verdicts *verdict_free(Verdicts *verdicts);
DEFINE_CLEANUP(Verdicts *, verdict_free);

/* The report on FUNCTION, which must be one of verdicts->topology. */
const FunctionReport *verdict_of(const Verdicts *verdicts, const PciFunction *function) _nonnull_(1, 2);

/* How many BARs VFIO refuses to map: shared, misaligned or without an address. */
unsigned verdict_n_refused(const FunctionReport *report) _pure_ _nonnull_(1);

/* On a VFIO driver and FUNCTION_NEEDS_REALIGN: the target of a transaction. */
bool verdict_is_target(const Verdicts *verdicts, const PciFunction *function) _nonnull_(1, 2);

/* Static refusal of the function itself, whatever its BARs: REASON_NONE when it may be removed and come back. */
Reason verdict_refusal(const PciFunction *function) _nonnull_(1);

/* True when a BAR of FUNCTION has a fixed address: the kernel leaves it where it is, silently (KF §2). */
bool verdict_has_fixed_bar(const PciFunction *function) _nonnull_(1);

/* "mappable", "mappable (small)", "shared", "misaligned", "unassigned", "" for BAR_NONE. */
const char *bar_verdict_text(const BarReport *bar) _nonnull_(1);
/* "ok", "needs-realign", "cannot" */
const char *function_verdict_name(FunctionVerdict verdict);
