/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Success is read, not assumed (design §4 rule 5): compares what a plan had before with a fresh snapshot. What vanished
 * reads as zeros (KF §6), so the comparison goes from what was there before. Pure.
 */

#include "act/finding.h"
#include "judge/plan.h"

/*
 * All is as planned: every function is there, is the same, and has all its addresses; every BAR of functions on VFIO is
 * mappable, with no neighbour; what was to get its own sizes back has them, and shares no page with another function on
 * VFIO: who has that one mapped would reach it. FINDING_MADE: REASON_FUNCTION_MISSING, REASON_IDS_CHANGED, REASON_BAR_LOST, REASON_SIZE_KEPT, REASON_PAGE_SHARED, or
 * that with no BAR grown that should have been: REASON_FIRMWARE_ASSIGNMENT. TOPOLOGY is the fresh snapshot, VERDICTS its verdicts.
 */
int verify_world(const Plan *plan, const Topology *topology, const Verdicts *verdicts,
                 Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/* What holds of a rollback as well: the first three, without pages. */
int verify_all_back(const Plan *plan, const Topology *topology, Finding *finding) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The same for the function at INDEX of PLAN. */
int verify_function(const Plan *plan, size_t index, const Topology *topology,
                    Finding *finding) _warn_unused_result_ _nonnull_(1, 3, 4);

/* The same for one LINE of FUNCTION, which is PLANNED's: REASON_BAR_LOST or nothing. PAGE in bytes. */
int verify_line(const PlanFunction *planned, const PciFunction *function, unsigned line, uint64_t page,
                Finding *finding) _warn_unused_result_ _nonnull_(1, 2, 5);

/*
 * A function of PLAN, at INDEX, that has got its own sizes back shares a page: REASON_PAGE_SHARED, which is what was asked
 * for. A FindingAnswer.
 */
int verify_shares(const Plan *plan, size_t index, const Topology *topology, const Verdicts *verdicts,
                  Finding *finding) _warn_unused_result_ _nonnull_(1, 3, 4, 5);

/* True when every function of the plan is there and its `resource` file reads as before: nothing was removed. */
bool verify_untouched(const Plan *plan, const Topology *topology) _nonnull_(1, 2);

/* The functions that a machine had. */
typedef struct KnownFunctions {
        PciAddress *addresses;
        size_t n;
} KnownFunctions;

/*
 * Compares IOMMU groups (design §4 rule 9): for the function at INDEX of PLAN, REASON_GROUP_CHANGED when another function
 * has joined or left its group; with DETAIL saying so, also of a number that changed alone. KNOWN: what was there before
 * the rescan; NULL: all that is there now. A FindingAnswer.
 */
int verify_group(const Plan *plan, size_t index, const Topology *topology, const KnownFunctions *known,
                 Finding *finding) _warn_unused_result_ _nonnull_(1, 3, 5);
