/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hold: while a rescan runs, a thread receives the kernel's `add` uevents and gives every returning function of the
 * radius (never a bridge) a driver_override that no driver has, before the PCI core attaches drivers (design §4 rule 3).
 * It is a race that is nearly always won (LF: 720 of 720), so whoever uses it checks afterwards.
 */

#include "base/root.h"
#include "judge/plan.h"

#define HOLD_DRIVER "vfio-realign-hold"

typedef struct Hold Hold;

/* Starts to hold the functions of PLAN. ROOT and PLAN must outlive it. */
int hold_start(const Root *root, const Plan *plan, Hold **ret) _warn_unused_result_ _nonnull_(1, 2, 3);

/* Deals with the events that are there, stops and frees; NULL is fine. Returns NULL. */
Hold *hold_stop(Hold *hold);
DEFINE_CLEANUP(Hold *, hold_stop);

/* Puts one function that is there on hold: writes its driver_override. */
int hold_function(const Root *root, PciAddress address) _nonnull_(1);
