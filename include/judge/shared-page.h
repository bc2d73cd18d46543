/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Pages in which functions of several IOMMU groups own bytes: whoever is given one of them reaches the registers of the
 * others (XSA-461). That is a matter of security and not of speed alone, so it is told whatever the policy says
 * (design §1, §4 rule 9). Pure.
 */

#include "judge/page-view.h"
#include "judge/verdict.h"

typedef struct SharedPages {
        PageView **pages;
        size_t n_pages;
} SharedPages;

/* Adds the pages of FUNCTION's BARs that are such pages and not there yet. INDEX is of the same snapshot. -ENOMEM. */
int shared_pages_add(SharedPages *pages, const Verdicts *verdicts, const PageIndex *index,
                     const PciFunction *function) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/* The same for all functions that are on VFIO: those are the ones that are given away. */
int shared_pages_add_on_vfio(SharedPages *pages, const Verdicts *verdicts,
                             const PageIndex *index) _warn_unused_result_ _nonnull_(1, 2, 3);
void shared_pages_clear(SharedPages *pages);

/*
 * "the page at 0xe0000000 belongs to several IOMMU groups: 0000:03:00.0 BAR 1 (group 9), …; who has one of them reaches the
 * registers of the others (XSA-461)". NULL: no memory.
 */
char *shared_page_text(const PageView *page) _warn_unused_result_ _nonnull_(1);
