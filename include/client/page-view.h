/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What owns bytes of a range of pages, in the order of addresses: BARs and ROMs of all functions, and ranges of
 * /proc/iomem. Windows are containers and no owners; a virtual function's BARs stand for the part of the physical
 * function's range that they are in.
 */

#include "model/iomem.h"
#include "model/topology.h"

typedef struct PageOwner {
        uint64_t start, end;         /* inclusive; may reach out of the view */
        const PciFunction *function; /* NULL: a range of /proc/iomem */
        unsigned line;               /* in the function's `resource` */
        const char *name;            /* of the range of /proc/iomem; NULL: a function's */
} PageOwner;

typedef struct PageView {
        uint64_t start, end; /* whole pages, inclusive */
        PageOwner *owners;
        size_t n_owners;
} PageView;

/* The owners of the pages from the one with START to the one with END. The result refers to TOPOLOGY and IOMEM. -ENOMEM. */
int page_view_make(const Topology *topology, const Iomem *iomem, uint64_t page, uint64_t start, uint64_t end,
                   PageView **ret) _warn_unused_result_ _nonnull_(1, 2, 6);
PageView *page_view_free(PageView *view);
DEFINE_CLEANUP(PageView *, page_view_free);

/* True when functions of two IOMMU groups own bytes of it: whoever has one reaches the other's registers (XSA-461). */
bool page_view_crosses_groups(const PageView *view) _nonnull_(1);

/* "BAR 1", "ROM", "IOAPIC 0" */
const char *page_owner_label(const PageOwner *owner) _nonnull_(1);
