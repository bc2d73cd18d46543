/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The worker's side of the record of grown BARs (model/grown.h): written before anything can grow, tidied afterwards. */

#include "base/root.h"
#include "judge/plan.h"

/* Records the own sizes of all functions that PLAN has entries for. Negative errno: then nothing may grow. */
int growth_record(const Root *root, const Plan *plan) _warn_unused_result_ _nonnull_(1, 2);

/* Drops the records of functions that are not grown after all (it was rolled back, or their BARs were given back). */
int growth_tidy(const Root *root, const Topology *topology) _warn_unused_result_ _nonnull_(1, 2);
