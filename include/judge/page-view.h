/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What owns bytes of one page, in the order of addresses: BARs and ROMs of all functions, and ranges of /proc/iomem.
 * Containers are no owners: windows, what fills the page around another owner, and the range of a physical function
 * whose virtual functions show their own BARs.
 */

#include "model/iomem.h"
#include "model/topology.h"

typedef struct PageOwner {
        uint64_t start, end;         /* inclusive; may reach out of the view */
        const PciFunction *function; /* NULL: a range of /proc/iomem */
        unsigned line;               /* in the function's `resource` */
        const char *name;            /* of the range of /proc/iomem; NULL: a function's */
} PageOwner;

/* All owners of a snapshot in the order of addresses, so that those of a page are found without looking at every function. */
typedef struct PageIndex PageIndex;

/* For pages of PAGE bytes. The result refers to TOPOLOGY and IOMEM, which may be NULL. -ENOMEM. */
int page_index_make(const Topology *topology, const Iomem *iomem, uint64_t page,
                    PageIndex **ret) _warn_unused_result_ _nonnull_(1, 4);
PageIndex *page_index_free(PageIndex *index);
DEFINE_CLEANUP(PageIndex *, page_index_free);

typedef struct PageView {
        uint64_t start, end; /* of the page, inclusive */
        PageOwner *owners;
        size_t n_owners;
} PageView;

/* The owners of the page that ADDRESS is in. The result refers to what the index was made from. -ENOMEM. */
int page_view_make(const PageIndex *index, uint64_t address, PageView **ret) _warn_unused_result_
                _nonnull_(1, 3);
PageView *page_view_free(PageView *view);
DEFINE_CLEANUP(PageView *, page_view_free);

/* True when functions of two IOMMU groups own bytes of it: whoever has one reaches the other's registers (XSA-461). */
bool page_view_crosses_groups(const PageView *view) _nonnull_(1);

/* "BAR 1", "ROM", "IOAPIC 0" */
const char *page_owner_label(const PageOwner *owner) _nonnull_(1);

/* "0000:03:00.1 BAR 1", "IOAPIC 0". NULL: no memory; the caller frees it. */
char *page_owner_name(const PageOwner *owner) _warn_unused_result_ _nonnull_(1);

/*
 * The names of the others that own bytes of the page that the resource in LINE of FUNCTION begins in: a list that ends with
 * NULL, which the caller frees. -ENOMEM.
 */
int page_view_neighbours(const PageView *view, const PciFunction *function, unsigned line,
                         char ***ret) _warn_unused_result_ _nonnull_(1, 2, 4);
