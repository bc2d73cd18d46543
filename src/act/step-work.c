/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What each step of a transaction does to sysfs. */

#include "act/entries.h"
#include "act/growth.h"
#include "act/step-write.h"
#include "act/step.h"
#include "act/verify.h"
#include "base/text.h"
#include "judge/host-use.h"
#include "judge/usage.h"

#include <errno.h>
#include <string.h>

static int unbind_from(Transaction *transaction, PciAddress address, const char *driver, Finding *finding)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/drivers/%s/unbind", driver), *now = NULL;
        int r = step_write(transaction, address, path, PCI_ADDRESS_TEXT(address), finding);
        if (r != FINDING_NONE)
                return r;
        r = step_driver_now(transaction, address, &now);
        if (r == 0 && now)
                return finding_make(finding, REASON_STEP_FAILED, address,
                                    "still on driver %s after its unbind", now);
        return r;
}

static int work_entries(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        size_t n_dropped = 0;
        int r = growth_record(transaction->root, plan);
        if (r == 0)
                r = entries_install(transaction->root, plan,
                                    transaction->is_undoing ? ENTRIES_GIVEN_BACK : ENTRIES_KEPT, &n_dropped,
                                    finding);
        if (r == FINDING_NONE && !transaction->is_undoing)
                r = entries_remove(transaction->root, plan, ENTRIES_GIVEN_BACK, finding);
        if (r == FINDING_NONE && n_dropped > 0) {
                Finding warning;
                finding_make(&warning, REASON_ATTRIBUTE_FULL, plan->functions[0].address,
                             "%zu older entries of our own were dropped to make room", n_dropped);
                r = transaction_warn(transaction, &warning);
        }
        return r;
}

static int work_drop_entries(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        return entries_remove(transaction->root, transaction->journal.plan, transaction->entries, finding);
}

/*
 * Going forward only a function that still is on its VFIO driver is unbound; the group files are held meanwhile. Nothing
 * keeps others from using one on a host driver: that is looked at once more.
 */
static int work_unbind(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        _cleanup_free_ char *driver = NULL;

        if (transaction->journal.stage != STAGE_TAKING || !planned->on_vfio)
                return step_take_off(transaction, planned, finding);
        int r = step_driver_now(transaction, planned->address, &driver);
        if (r < 0)
                return r;
        if (!text_equal(driver, planned->driver))
                return finding_make(finding, REASON_WORLD_CHANGED, planned->address, "it is on %s now",
                                    driver ? driver : "no driver");
        return unbind_from(transaction, planned->address, driver, finding);
}

static bool is_on_host_driver(const PciFunction *function)
{
        return function->driver && !function->on_vfio;
}

/* A driver that slipped through has itself enabled the function; what the host does with that is somebody's use. */
static const Holder *find_user(const Usage *usage, const PciFunction *function)
{
        size_t n;
        const Holder *holders = usage_find(usage, function->address, &n);

        for (size_t i = 0; holders && i < n; i++)
                if (!is_on_host_driver(function) || holder_is_use_of_host(&holders[i]))
                        return &holders[i];
        return NULL;
}

static int check_idle(const Transaction *transaction, const PciFunction *function, Finding *finding)
{
        _cleanup_(usage_freep) Usage *usage = NULL;
        _cleanup_free_ char *problem = NULL;

        int r = usage_read(transaction->root, transaction->now, &usage, &problem);
        if (r == 0 && is_on_host_driver(function))
                r = host_use_add(transaction->root, &function, 1, usage);
        if (r < 0)
                return r;
        const Holder *holder = find_user(usage, function);
        if (!holder)
                return FINDING_NONE;
        _cleanup_free_ char *text = holder_text(holder);
        return finding_make(finding, REASON_USE_BEGAN, function->address, "%s", text ? text : "");
}

static int take_off_idle(Transaction *transaction, const PciFunction *function, Finding *finding)
{
        _cleanup_free_ char *driver = NULL;

        int r = check_idle(transaction, function, finding);
        if (r == FINDING_NONE)
                r = hold_function(transaction->root, function->address);
        if (r == FINDING_NONE)
                r = step_driver_now(transaction, function->address, &driver);
        return r == FINDING_NONE && driver ? unbind_from(transaction, function->address, driver, finding)
                                           : r;
}

int step_take_off(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        GroupGuard guard;

        int r = transaction_look(transaction);
        if (r < 0)
                return r;
        const PciFunction *function = topology_find_path(transaction->now, planned->path);
        if (!function || function->is_bridge)
                return FINDING_NONE;
        /* Open until the unbind is done, so that nobody can begin between the proof and that. */
        r = group_guard_open_one(&guard, transaction->root, function, finding);
        if (r != FINDING_NONE) {
                Finding named;
                if (r == FINDING_MADE && check_idle(transaction, function, &named) == FINDING_MADE)
                        *finding = named; /* it says who */
                return r;
        }
        r = take_off_idle(transaction, function, finding);
        group_guard_close(&guard);
        return r;
}

/* Between the last unbind and the removal nobody may have bound one of them. */
static int check_unbound(const Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;

        for (size_t i = 0; i < plan->n_functions; i++) {
                _cleanup_free_ char *driver = NULL;
                PciAddress address = transaction_address(transaction, &plan->functions[i]);
                int r = plan->functions[i].is_bridge ? 0 : step_driver_now(transaction, address, &driver);
                if (r < 0)
                        return r;
                if (driver)
                        return finding_make(finding, REASON_USE_BEGAN, address, "it was bound to %s",
                                            driver);
        }
        return FINDING_NONE;
}

static int work_remove(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        PciAddress address = transaction_address(transaction, planned);

        int r = check_unbound(transaction, finding);
        if (r != FINDING_NONE)
                return r;
        /* In a rollback it may be gone already. */
        if (transaction->journal.stage != STAGE_REMOVING &&
            !topology_find_path(transaction->now, planned->path))
                return FINDING_NONE;
        transaction->has_removed = true;
        return step_write_of(transaction, address, "remove", "1", finding);
}

int step_take_off_slipped(Transaction *transaction, const PlanFunction *planned, const char *driver,
                          Finding *finding)
{
        Finding warning;
        int r = step_take_off(transaction, planned, finding);
        if (r != FINDING_NONE)
                return r;
        finding_make(&warning, REASON_SLIPPED_THROUGH, transaction_address(transaction, planned),
                     "driver %s", driver);
        return transaction_warn(transaction, &warning);
}

/* What the listener could not hold in time is put on hold now, and taken off the driver that was quicker. */
static int check_holds(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;

        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *planned = &plan->functions[i];
                _cleanup_free_ char *driver = NULL;
                const PciFunction *function = topology_find_path(transaction->now, planned->path);

                if (!function || function->is_bridge)
                        continue;
                int r = hold_function(transaction->root, function->address);
                if (r == 0)
                        r = step_driver_now(transaction, function->address, &driver);
                if (r < 0)
                        return r;
                r = driver ? step_take_off_slipped(transaction, planned, driver, finding) : FINDING_NONE;
                if (r != FINDING_NONE)
                        return r;
        }
        return FINDING_NONE;
}

/* A driver may have come later still: one that probes in its own time, or for a function that could not be read then. */
static int check_bare(Transaction *transaction, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;

        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *planned = &plan->functions[i];
                _cleanup_free_ char *driver = NULL;
                const PciFunction *function = topology_find_path(transaction->now, planned->path);
                if (!function || function->is_bridge)
                        continue;
                int r = step_driver_now(transaction, function->address, &driver);
                if (r == 0 && driver) {
                        r = step_take_off_slipped(transaction, planned, driver, finding);
                        if (r == FINDING_NONE)
                                r = transaction_look(transaction);
                }
                if (r != FINDING_NONE)
                        return r;
        }
        return FINDING_NONE;
}

/* What was removed has to come back in any case: without a listener, drivers are taken off afterwards. */
static int start_hold(Transaction *transaction, Hold **ret)
{
        const Plan *plan = transaction->journal.plan;
        Finding warning;

        int r = transaction->options->no_listener ? 0 : hold_start(transaction->root, plan, ret);
        if (r == 0)
                return 0;
        finding_make(&warning, REASON_STEP_FAILED, plan->functions[0].address,
                     "cannot listen for functions that return, to put them on hold: %s", strerror(-r));
        return transaction_warn(transaction, &warning);
}

/* The root bus's own rescan: the only door that cannot dead-lock with a removal, and it scans from above (KF §3). */
static int work_rescan(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        const Plan *plan = transaction->journal.plan;
        char bus[PCI_ADDRESS_TEXT_MAX];
        _cleanup_free_ char *path = text_format("sys/class/pci_bus/%s/rescan",
                                                pci_address_format_bus(plan->root_bus, bus));
        _cleanup_(hold_stopp) Hold *hold = NULL;

        transaction_forget_gone(transaction);
        int r = start_hold(transaction, &hold);
        if (r == 0)
                r = step_write(transaction, plan->functions[0].address, path, "1", finding);
        hold = hold_stop(hold);
        if (r == 0)
                r = transaction_look(transaction);
        transaction->is_as_rescanned = r == 0;
        return r == 0 ? check_holds(transaction, finding) : r;
}

static int verify_now(Transaction *transaction, Finding *finding)
{
        _cleanup_(iomem_freep) Iomem *iomem = NULL;
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        const Plan *plan = transaction->journal.plan;
        int r = 0;

        if (transaction->journal.stage != STAGE_BINDING)
                r = check_bare(transaction, finding);
        if (r == 0)
                r = iomem_read(transaction->root, &iomem);
        if (r == 0)
                r = verdict_compute(transaction->now, iomem, plan->page, &verdicts);
        if (r != FINDING_NONE)
                return r;
        r = verify_world(plan, transaction->now, verdicts, finding);
        /* The kernel can only have ignored what it could see. */
        if (r == FINDING_MADE && finding->reason == REASON_FIRMWARE_ASSIGNMENT) {
                int stand = entries_stand(transaction->root, plan, finding);
                r = stand < 0 ? stand : FINDING_MADE;
        }
        for (size_t i = 0; i < plan->n_functions && r == FINDING_NONE; i++) {
                Finding warning;
                r = transaction_warn_about(transaction,
                                           verify_shares(plan, i, transaction->now, verdicts, &warning),
                                           &warning);
        }
        return r;
}

/* What the rescan left is what was seen when it was over. Nothing fails by that alone: it may have come right meanwhile. */
static int work_verify(Transaction *transaction, const PlanFunction *planned, Finding *finding)
{
        int r = transaction->is_as_rescanned ? verify_now(transaction, finding) : FINDING_MADE;
        if (r != FINDING_MADE)
                return r;
        r = transaction_look(transaction);
        return r == 0 ? verify_now(transaction, finding) : r;
}

StepWork step_work(PlanStepKind kind)
{
        static const StepWork works[PLAN_STEP_COUNT_] = {
                [PLAN_STEP_ENTRIES] = work_entries, [PLAN_STEP_UNBIND] = work_unbind,
                [PLAN_STEP_REMOVE] = work_remove,   [PLAN_STEP_RESCAN] = work_rescan,
                [PLAN_STEP_VERIFY] = work_verify,   [PLAN_STEP_BIND] = step_bind,
                [PLAN_STEP_RESTORE] = step_restore, [PLAN_STEP_DROP_ENTRIES] = work_drop_entries,
        };
        return works[kind];
}
