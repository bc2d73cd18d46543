/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a transaction has left behind, looked at when it has ended: what is worth a warning, and what is not as before. */

#include "act/transaction.h"

/*
 * Warnings about the latest snapshot: IOMMU groups that changed (design §4 rule 9), functions that appeared because of the
 * rescan (rule 2), and functions of which VFIO refuses more than before although nothing was to be gained (rule 6). -ENOMEM.
 */
int aftermath_warn(Transaction *transaction) _warn_unused_result_ _nonnull_(1);

/* What of the radius is not as it was before, for the result of a transaction that has failed: one finding each. -ENOMEM. */
int aftermath_describe(Transaction *transaction) _warn_unused_result_ _nonnull_(1);
