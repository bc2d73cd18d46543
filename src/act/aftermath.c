/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/aftermath.h"

#include "act/entries.h"
#include "act/verify.h"
#include "base/text.h"
#include "judge/plan-proof.h"

#include <errno.h>
#include <string.h>

static int add_warning_if(Transaction *transaction, int answer, const Finding *finding)
{
        return answer == FINDING_MADE ? transaction_warn(transaction, finding) : answer;
}

static bool was_known(const Transaction *transaction, PciAddress address)
{
        for (size_t i = 0; i < transaction->known.n; i++)
                if (pci_address_equal(transaction->known.addresses[i], address))
                        return true;
        return false;
}

/* A function that somebody had removed is back; whom it shares an IOMMU group with was not known before. */
static int appeared(const Topology *now, const PciFunction *function, Finding *finding)
{
        for (size_t i = 0; i < now->n_functions && function->iommu_group != IOMMU_GROUP_NONE; i++) {
                const PciFunction *other = &now->functions[i];
                if (other != function && other->iommu_group == function->iommu_group)
                        return finding_make(finding, REASON_FUNCTION_APPEARED, function->address,
                                            "in IOMMU group %d, together with %s", function->iommu_group,
                                            PCI_ADDRESS_TEXT(other->address));
        }
        return finding_make(finding, REASON_FUNCTION_APPEARED, function->address, "%s", "");
}

static int warn_of_groups(Transaction *transaction)
{
        const Plan *plan = transaction->journal.plan;
        const KnownFunctions *known = transaction->known.addresses ? &transaction->known : NULL;
        Finding finding;
        int r = 0;

        for (size_t i = 0; i < plan->n_functions && r == 0; i++)
                r = add_warning_if(transaction, verify_group(plan, i, transaction->now, known, &finding),
                                   &finding);
        return r;
}

static int warn_of_appeared(Transaction *transaction)
{
        Finding finding;
        int r = 0;

        for (size_t i = 0; transaction->known.addresses && i < transaction->now->n_functions && r == 0;
             i++) {
                const PciFunction *function = &transaction->now->functions[i];
                if (!was_known(transaction, function->address))
                        r = add_warning_if(transaction, appeared(transaction->now, function, &finding),
                                           &finding);
        }
        return r;
}

/* What was verified is not worse; of what was rolled back or failed it is said how VFIO finds it now. */
static int warn_of_verdicts(Transaction *transaction)
{
        _cleanup_(iomem_freep) Iomem *iomem = NULL;
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        const Plan *plan = transaction->journal.plan;
        if (plan->goal != PLAN_GOAL_REALIGN && plan->goal != PLAN_GOAL_PREPARE)
                return 0; /* no address was given anew */
        int r = iomem_read(transaction->root, &iomem);
        if (r == 0)
                r = verdict_compute(transaction->now, iomem, plan->page, &verdicts);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* without it there is nothing to compare */

        for (size_t i = 0; i < plan->n_functions && r == 0; i++) {
                const PlanFunction *planned = &plan->functions[i];
                const PciFunction *function = topology_find_path(transaction->now, planned->path);
                if (!plan_is_for_vfio(plan, planned) || !function)
                        continue;
                unsigned refused = verdict_n_refused(verdict_of(verdicts, function));
                Finding finding;
                if (refused > planned->n_refused) {
                        finding_make(&finding, REASON_VERDICT_WORSE, function->address,
                                     "%u of its BARs now, %u before", refused, planned->n_refused);
                        r = transaction_warn(transaction, &finding);
                }
        }
        return r;
}

int aftermath_warn(Transaction *transaction)
{
        int r = warn_of_groups(transaction);
        if (r == 0)
                r = warn_of_appeared(transaction);
        return r == 0 ? warn_of_verdicts(transaction) : r;
}

static int state(Transaction *transaction, const Finding *finding)
{
        return result_add_state(&transaction->result, finding);
}

static int describe_driver(Transaction *transaction, const PlanFunction *planned,
                           const PciFunction *function)
{
        Finding finding;
        if (text_equal(planned->driver, function->driver))
                return 0;
        finding_make(&finding, REASON_WRONG_DRIVER, function->address, "on %s, was on %s",
                     function->driver ? function->driver : "no driver",
                     planned->driver ? planned->driver : "none");
        return state(transaction, &finding);
}

/* Reading the override may wait for the device's lock (KF §4): who calls this does so under a deadline. */
static int describe_hold(Transaction *transaction, const PciFunction *function)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/driver_override",
                                                PCI_ADDRESS_TEXT(function->address)),
                            *value = NULL;
        Finding finding;
        if (!path)
                return -ENOMEM;
        int r = root_read_attribute(transaction->root, path, &value);
        if (r < 0 || strcmp(value, HOLD_DRIVER) != 0)
                return r == -ENOMEM ? r : 0;
        finding_make(&finding, REASON_STATE_NOT_RESTORED, function->address,
                     "driver_override is " HOLD_DRIVER ": no driver can bind until it is cleared");
        return state(transaction, &finding);
}

static int describe_bars(Transaction *transaction, const PlanFunction *planned, const PciFunction *function)
{
        Finding finding;
        int r = 0;
        for (unsigned line = 0; line <= RESOURCE_ROM && r == 0; line++)
                if (verify_line(planned, function, line, transaction->journal.plan->page, &finding) ==
                    FINDING_MADE)
                        r = state(transaction, &finding);
        return r;
}

static int describe_users(Transaction *transaction, const Usage *usage, const PciFunction *function)
{
        size_t n;
        const Holder *holders = usage_find(usage, function->address, &n);
        int r = 0;
        for (size_t i = 0; i < n && r == 0; i++) {
                Finding finding;
                _cleanup_free_ char *text = holder_text(&holders[i]);
                if (holders[i].kind == HOLDER_HOST_DRIVER)
                        continue; /* describe_driver() has said it */
                if (!text)
                        return -ENOMEM;
                finding_make(&finding, REASON_USE_BEGAN, function->address, "%s", text);
                r = state(transaction, &finding);
        }
        return r;
}

static int describe_function(Transaction *transaction, const PlanFunction *planned, const Usage *usage)
{
        const PciFunction *function = topology_find_path(transaction->now, planned->path);
        Finding finding;

        if (!function || !plan_function_is(planned, function)) {
                size_t index = (size_t) (planned - transaction->journal.plan->functions);
                int r = verify_function(transaction->journal.plan, index, transaction->now, &finding);
                return r == FINDING_MADE ? state(transaction, &finding) : r;
        }
        int r = describe_driver(transaction, planned, function);
        if (r == 0 && !planned->is_bridge)
                r = describe_hold(transaction, function);
        if (r == 0)
                r = describe_bars(transaction, planned, function);
        return r == 0 && usage && !planned->is_bridge ? describe_users(transaction, usage, function) : r;
}

static int describe(void *argument)
{
        Transaction *transaction = argument;
        const Plan *plan = transaction->journal.plan;
        _cleanup_(usage_freep) Usage *usage = NULL;
        _cleanup_free_ char *problem = NULL;

        int r = usage_read(transaction->root, transaction->now, &usage, &problem);
        if (r == -ENOMEM)
                return r;
        r = 0;
        for (size_t i = 0; i < plan->n_functions && r == 0; i++)
                r = describe_function(transaction, &plan->functions[i], usage);
        return r;
}

/* Nobody waits for the answer but the result itself. */
static void describe_late(void *argument)
{
}

int aftermath_describe(Transaction *transaction)
{
        Finding finding = { 0 };
        int r = deadline_run(transaction->deadline, transaction->journal.plan->step_timeout_usec, describe,
                             describe_late, transaction);
        if (r == 0 && entries_left(transaction->root, transaction->journal.plan, &finding) == FINDING_MADE)
                r = state(transaction, &finding);
        return r;
}
