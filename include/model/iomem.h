/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The ranges of /proc/iomem that own bytes without being a line of any function's `resource` file: "Reserved", IOAPIC,
 * HPET, ECAM … inside a root bridge's window. Only root sees addresses there (KF §6).
 */

#include "base/root.h"

typedef struct IomemRange {
        uint64_t start, end; /* inclusive */
        char *name;
} IomemRange;

typedef struct Iomem {
        bool visible; /* false: the addresses are hidden from this process, and there are no ranges */
        IomemRange *ranges;
        size_t n_ranges;
} Iomem;

/* Leaves out windows ("PCI Bus …"), BARs (named by a function's address) and what lies inside a BAR, and VFIO's own
 * "vfio sub-page reserved". A missing file: not visible. -EBADMSG when a line cannot be parsed. */
int iomem_read(const Root *root, Iomem **ret) _warn_unused_result_ _nonnull_(1, 2);
int iomem_parse(const char *text, Iomem **ret) _warn_unused_result_ _nonnull_(1, 2);
Iomem *iomem_free(Iomem *iomem);
DEFINE_CLEANUP(Iomem *, iomem_free);
