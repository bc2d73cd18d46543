/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How a function gets back what it had: attributes, and, where that was its state, no driver at all. */

#include "act/step-write.h"
#include "act/step.h"
#include "act/verify.h"
#include "base/text.h"

/*
 * A bridge comes back without a hold and finds its port driver by itself, on newer kernels after the rescan has returned
 * (KF §3): probing it waits for that.
 */
static int check_bridge_driver(Transaction *transaction, const PlanFunction *planned, PciAddress address)
{
        _cleanup_free_ char *driver = NULL, *now = NULL;
        Finding finding;

        int r = step_driver_now(transaction, address, &driver);
        if (r < 0 || text_equal(driver, planned->driver))
                return r;
        if (!driver) {
                r = step_probe(transaction, address, &finding);
                if (r == FINDING_MADE)
                        return transaction_warn(transaction, &finding);
        }
        if (r == 0)
                r = step_driver_now(transaction, address, &now);
        if (r < 0 || text_equal(now, planned->driver))
                return r;
        finding_make(&finding, REASON_WRONG_DRIVER, address, "the bridge is on %s, not on %s",
                     now ? now : "no driver", planned->driver ? planned->driver : "none");
        return transaction_warn(transaction, &finding);
}

/* udev loads the modules of what is new to it. Nobody waits for it for ever. */
static int await_udev(Transaction *transaction, PciAddress address)
{
        Finding warning;
        if (udev_wait_for_add(transaction->udev, PCI_ADDRESS_TEXT(address),
                              transaction->journal.plan->step_timeout_usec) == 0)
                return 0;
        finding_make(&warning, REASON_STATE_NOT_RESTORED, address,
                     "udev has not dealt with its return in time; a driver may bind it");
        return transaction_warn(transaction, &warning);
}

/*
 * What is to have no driver has none when its hold ends. One that had matched before the hold may not show yet: the
 * asynchronous probe of 7.x has the function's lock from before the match, and writing the override does not wait for that
 * (KF §4). Probing does, and finds no other driver as long as the function is on hold. (Only a helper that has had no turn
 * at all since the rescan could still come; nothing tells of it, and udev has had its turn meanwhile.)
 */
static int keep_unbound(Transaction *transaction, const PlanFunction *planned, PciAddress address,
                        Finding *finding)
{
        _cleanup_free_ char *driver = NULL, *now = NULL;

        /* Recovery may find the hold ended already. */
        int r = hold_function(transaction->root, address);
        if (r == 0)
                r = await_udev(transaction, address);
        if (r == 0)
                r = step_probe(transaction, address, finding);
        if (r == FINDING_NONE)
                r = step_driver_now(transaction, address, &driver);
        if (r != FINDING_NONE || !driver)
                return r;
        r = step_take_off_slipped(transaction, planned, driver, finding);
        if (r == FINDING_NONE)
                r = step_driver_now(transaction, address, &now);
        return r == FINDING_NONE && now ? finding_make(finding, REASON_WRONG_DRIVER, address,
                                                       "it is on %s, should be on none", now)
                                        : r;
}

/* One that was neither unbound nor removed was not on hold: whoever bound it meanwhile could, and it stays there. */
static int tell_bound(Transaction *transaction, PciAddress address)
{
        _cleanup_free_ char *driver = NULL;
        Finding warning;

        int r = step_driver_now(transaction, address, &driver);
        if (r < 0 || !driver)
                return r;
        finding_make(&warning, REASON_USE_BEGAN, address, "it was bound to %s", driver);
        return transaction_warn(transaction, &warning);
}

/* What had no driver, and what was left without one because it has lost an address. */
static bool is_to_be_unbound(const Transaction *transaction, const PlanFunction *planned)
{
        const Plan *plan = transaction->journal.plan;
        Finding unused;
        return !planned->driver || verify_function(plan, (size_t) (planned - plan->functions),
                                                   transaction->now, &unused) == FINDING_MADE;
}

static int restore_driver(Transaction *transaction, const PlanFunction *planned, PciAddress address,
                          Finding *finding)
{
        bool was_removed = transaction->journal.stage != STAGE_TAKING &&
                           transaction->journal.plan->scope != PLAN_SCOPE_NONE;

        if (planned->is_bridge)
                return transaction->journal.stage == STAGE_TAKING
                                       ? FINDING_NONE
                                       : check_bridge_driver(transaction, planned, address);
        if (was_removed)
                return is_to_be_unbound(transaction, planned)
                                       ? keep_unbound(transaction, planned, address, finding)
                                       : FINDING_NONE;
        return planned->driver ? FINDING_NONE : tell_bound(transaction, address);
}

int step_restore(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        const PciFunction *function = topology_find_path(transaction->now, planned->path);
        Finding warning;

        if (!function)
                return FINDING_NONE; /* its absence has been told */
        PciAddress address = function->address;
        /* Of one that was not removed nothing is lost, and what a driver sets is the new one's. */
        bool is_given_away = !transaction->is_undoing && plan_changes_driver(plan, planned);
        if (is_given_away && plan->scope == PLAN_SCOPE_NONE)
                return FINDING_NONE;
        int kept = is_given_away ? FINDING_NONE : restore_driver(transaction, planned, address, finding);
        if (kept < 0)
                return kept;
        int r = transaction_warn_about(
                        transaction,
                        saved_state_restore(transaction->journal.state, transaction->root, planned->path,
                                            address,
                                            is_given_away ? SAVED_STATE_OF_FUNCTION : SAVED_STATE_ALL,
                                            &warning),
                        &warning);
        return r < 0 ? r : kept;
}
