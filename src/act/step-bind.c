/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How functions get their drivers: the one of before, or, where that is the plan's goal, one of the other kind. */

#include "act/step-write.h"
#include "act/step.h"
#include "act/verify.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* Nothing that lost an address may be bound: the hardware still decodes at its old place (KF §7). */
static int check_addresses(const Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        return verify_function(plan, (size_t) (planned - plan->functions), transaction->now, finding);
}

/* Before the first of a group is bound its type can still be set. What fails here is told when the rest is restored. */
static int restore_group(const Transaction *transaction, const PlanFunction *planned, PciAddress address)
{
        Finding again;
        int r = saved_state_restore(transaction->journal.state, transaction->root, planned->path, address,
                                    SAVED_STATE_OF_GROUP, &again);
        return r < 0 ? r : FINDING_NONE;
}

/* Binding goes through the override, so that this driver and no other is tried, dynamic ids or not. */
static int probe_with(Transaction *transaction, PciAddress address, const char *driver, char **ret_now,
                      Finding *finding)
{
        int r = step_write_of(transaction, address, "driver_override", driver, finding);
        if (r == FINDING_NONE)
                r = step_probe(transaction, address, finding);
        return r == FINDING_NONE ? step_driver_now(transaction, address, ret_now) : r;
}

static int bind_to(Transaction *transaction, const PlanFunction *planned, const char *driver,
                   Finding *finding)
{
        PciAddress address = transaction_address(transaction, planned);
        _cleanup_free_ char *now = NULL, *late = NULL;

        int r = probe_with(transaction, address, driver, &now, finding);
        /* One that had matched before the hold may show only when probing has waited for it (KF §4). */
        if (r == FINDING_NONE && now && !text_equal(now, driver)) {
                late = TAKE_PTR(now);
                r = step_take_off_slipped(transaction, planned, late, finding);
                if (r == FINDING_NONE)
                        r = probe_with(transaction, address, driver, &now, finding);
        }
        if (r == FINDING_NONE && !text_equal(now, driver))
                return finding_make(finding, REASON_WRONG_DRIVER, address, "it is on %s, not on %s",
                                    now ? now : "no driver", driver);
        return r;
}

/* WANTED NULL: it had none. */
static int bind_named(Transaction *transaction, const PlanFunction *planned, const char *wanted,
                      Finding *finding)
{
        PciAddress address = transaction_address(transaction, planned);
        _cleanup_free_ char *driver = NULL;

        int r = step_driver_now(transaction, address, &driver);
        if (r < 0 || text_equal(driver, wanted))
                return r;
        if (driver)
                r = step_take_off(transaction, planned, finding);
        if (r == FINDING_NONE && wanted)
                r = check_addresses(transaction, planned, finding);
        if (r == FINDING_NONE && wanted)
                r = restore_group(transaction, planned, address);
        return r == FINDING_NONE && wanted ? bind_to(transaction, planned, wanted, finding) : r;
}

/* All VFIO drivers have it in their names: vfio-pci, mlx5_vfio_pci; our hold too. */
static bool is_of_vfio(const char *driver)
{
        return strstr(driver, "vfio") != NULL;
}

/* An override that named a host driver stays; with any other the kernel finds the driver by the function's ids. */
static int probe_for_host(Transaction *transaction, const PlanFunction *planned, PciAddress address,
                          Finding *finding)
{
        const char *override = saved_state_override(transaction->journal.state, planned->path);
        bool is_kept = override && !is_of_vfio(override);

        int r = step_write_of(transaction, address, "driver_override", is_kept ? override : "", finding);
        return r == FINDING_NONE ? step_probe(transaction, address, finding) : r;
}

static int check_host_driver(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        int r = transaction_look(transaction);
        if (r < 0)
                return r;
        const PciFunction *function = topology_find_path(transaction->now, planned->path);
        if (!function)
                return finding_make(finding, REASON_FUNCTION_MISSING, planned->address, "nothing is at %s",
                                    planned->path);
        if (function->on_vfio)
                return finding_make(finding, REASON_TAKEN_AGAIN, function->address, "it is on %s again",
                                    function->driver ? function->driver : "a VFIO driver");
        if (function->driver)
                return FINDING_NONE;
        Finding warning;
        finding_make(&warning, REASON_NO_HOST_DRIVER, function->address, "%s", "");
        return transaction_warn(transaction, &warning);
}

static int bind_to_host(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        int r = transaction_look(transaction);
        if (r < 0)
                return r;
        const PciFunction *function = topology_find_path(transaction->now, planned->path);
        if (function && function->driver && !function->on_vfio)
                return FINDING_NONE;
        r = check_addresses(transaction, planned, finding);
        if (r == FINDING_NONE && function->driver)
                r = step_take_off(transaction, planned, finding);
        /* One that was removed is new to udev, which loads its driver; without that the host may have none for it. */
        if (r == FINDING_NONE && plan->scope != PLAN_SCOPE_NONE)
                (void) !udev_wait_for_add(transaction->udev, PCI_ADDRESS_TEXT(function->address),
                                          plan->step_timeout_usec);
        if (r == FINDING_NONE)
                r = probe_for_host(transaction, planned, transaction_address(transaction, planned), finding);
        return r == FINDING_NONE ? check_host_driver(transaction, planned, finding) : r;
}

int step_bind(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        bool is_given_away = !transaction->is_undoing && plan_changes_driver(plan, planned);

        if (!is_given_away)
                return bind_named(transaction, planned, planned->driver, finding);
        return plan->goal == PLAN_GOAL_DETACH ? bind_named(transaction, planned, VFIO_DRIVER, finding)
                                              : bind_to_host(transaction, planned, finding);
}
