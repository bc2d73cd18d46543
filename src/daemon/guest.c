/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/guest.h"

#include "act/journal.h"
#include "base/text.h"
#include "daemon/bus-key.h"

#include <errno.h>
#include <string.h>

/* What has become of one function. */
typedef struct Fate {
        const char *verdict; /* "": it is not there */
        Reason reason;
        const char *culprit, *detail; /* NULL: nothing more is known */
} Fate;

void guest_clear(Guest *guest)
{
        free(guest->functions);
        *guest = (Guest){ 0 };
}

static const PciFunction *find(const Manager *manager, PciAddress address)
{
        return manager->survey ? topology_find(manager->survey->topology, address) : NULL;
}

static int set(Manager *manager, const PciFunction *function, uint64_t until)
{
        _cleanup_free_ char *key = NULL;
        int r = bus_key_from_path(function->sysfs_path, &key);
        return r < 0 ? r : inhibitions_set(manager->inhibitions, function->address, key, until);
}

/* What happened meanwhile was not looked at. */
static int end(Manager *manager, PciAddress address)
{
        _cleanup_free_ char *key = inhibitions_take(manager->inhibitions, address);
        return key ? bus_queue_touch(manager->queue, key, manager_now(manager)) : 0;
}

int guest_inhibit(Manager *manager, const Guest *guest)
{
        uint64_t now = manager_now(manager);
        uint64_t until = guest->inhibit_usec < UINT64_MAX - now ? now + guest->inhibit_usec : UINT64_MAX;
        int r = 0;
        for (size_t i = 0; i < guest->n_functions && r == 0; i++) {
                const PciFunction *function = find(manager, guest->functions[i].address);
                if (guest->inhibit_usec == 0)
                        r = end(manager, guest->functions[i].address);
                else if (function)
                        r = set(manager, function, until);
        }
        return r;
}

bool guest_is_kept_waiting(const Manager *manager, const Guest *guest)
{
        _cleanup_free_ PciAddress *own = calloc(guest->n_functions + 1, sizeof(*own));
        for (size_t i = 0; own && i < guest->n_functions; i++)
                own[i] = guest->functions[i].address;
        for (size_t i = 0; own && i < guest->n_functions; i++) {
                const PciFunction *function = find(manager, own[i]);
                _cleanup_free_ char *key = NULL;
                if (function && bus_key_from_path(function->sysfs_path, &key) == 0 &&
                    inhibitions_cover(manager->inhibitions, key, own, guest->n_functions))
                        return true;
        }
        return false;
}

bool guest_is_midway(const Manager *manager, const Guest *guest)
{
        for (size_t i = 0; i < guest->n_functions; i++)
                if (journal_may_name(manager->root, guest->functions[i].address))
                        return true;
        return false;
}

bool guest_awaits_binds(const Manager *manager, const Guest *guest)
{
        for (size_t i = 0; i < guest->n_functions; i++) {
                const PciFunction *function = find(manager, guest->functions[i].address);
                if (function && function->driver &&
                    bind_watch_awaits(manager->bind_watch, function->address))
                        return true;
        }
        return false;
}

static bool is_exhausted(const Manager *manager, const PciFunction *function, const PolicySettings *settings)
{
        _cleanup_free_ char *path = topology_path(function);
        _cleanup_free_ char *key = NULL;
        if (!path || bus_key_from_path(function->sysfs_path, &key) < 0)
                return true;
        return attempts_is_blocked(manager->attempts, key) ||
               attempts_host_is_kept(manager->attempts, path) ||
               attempts_count(manager->attempts, (FunctionKey){ path, function->vendor,
                                                                function->device }) >= settings->attempts;
}

static bool is_selected(const Manager *manager, const GuestFunction *of_guest, WorkerVerb verb)
{
        const PciFunction *function = find(manager, of_guest->address);
        PolicySettings settings;
        if (!function)
                return false;
        policy_settings(manager->policy, function, &settings);
        if (verb == WORKER_RESTORE)
                return of_guest->managed && function->on_vfio &&
                       settings.after_reattach == POLICY_AFTER_REATTACH_RESTORE;
        return (function->on_vfio || of_guest->managed) && !is_exhausted(manager, function, &settings);
}

size_t guest_select(const Manager *manager, const Guest *guest, WorkerVerb verb, PciAddress *addresses)
{
        size_t n = 0;
        for (size_t i = 0; i < guest->n_functions; i++)
                if (is_selected(manager, &guest->functions[i], verb))
                        addresses[n++] = guest->functions[i].address;
        return n;
}

static bool is_named(const WorkerResult *result, PciAddress address)
{
        for (size_t i = 0; i < result->n_functions; i++)
                if (pci_address_equal(result->functions[i].address, address))
                        return true;
        return false;
}

static bool is_refused(const WorkerResult *result, PciAddress address, Fate *fate)
{
        for (size_t i = 0; i < result->n_refusals; i++) {
                const ReportWarning *refusal = &result->refusals[i];
                if (!text_equal(refusal->function, PCI_ADDRESS_TEXT(address)))
                        continue;
                fate->reason = refusal->reason;
                fate->detail = refusal->detail;
                return true;
        }
        return false;
}

/* Why it is not as it should be: what was said of it last. */
static void find_reason(const GuestReports *reports, PciAddress address, Fate *fate)
{
        for (size_t i = reports->n_items; i-- > 0;) {
                const WorkerResult *result = &reports->items[i]->result;
                if (is_refused(result, address, fate))
                        return;
                if (!is_named(result, address) || result->reason == REASON_NONE)
                        continue;
                fate->reason = result->reason;
                fate->culprit = result->culprit;
                fate->detail = result->detail;
                return;
        }
}

static Fate fate_of(const Manager *manager, const GuestFunction *of_guest, const GuestReports *reports)
{
        const PciFunction *function = find(manager, of_guest->address);
        Fate fate = { .verdict = "", .reason = REASON_NOT_FOUND };
        PolicySettings settings;
        if (journal_may_name(manager->root, of_guest->address))
                return (Fate){ .verdict = "", .reason = REASON_MIDWAY };
        if (!function)
                return fate;
        const FunctionReport *report = verdict_of(manager->survey->verdicts, function);
        policy_settings(manager->policy, function, &settings);
        fate.verdict = function_verdict_name(report->verdict);
        fate.reason = report->reason;
        if (report->verdict != FUNCTION_NEEDS_REALIGN)
                return fate;
        find_reason(reports, of_guest->address, &fate);
        if (fate.reason != REASON_NONE)
                return fate;
        if (!function->on_vfio && !of_guest->managed)
                fate.reason = REASON_NOT_VFIO;
        else if (is_exhausted(manager, function, &settings))
                fate.reason = REASON_ATTEMPTS;
        else
                fate.reason = reports->otherwise;
        return fate;
}

/* (function, verdict, reason, detail, on-failure) */
static int append(const Manager *manager, const GuestFunction *of_guest, const GuestReports *reports,
                  sd_bus_message *answer)
{
        Fate fate = fate_of(manager, of_guest, reports);
        const char *address = PCI_ADDRESS_TEXT(of_guest->address);
        bool is_about_other = fate.culprit && !text_equal(fate.culprit, address);
        _cleanup_free_ char *detail = text_format("%s%s%s", is_about_other ? fate.culprit : "",
                                                  is_about_other && fate.detail ? ": " : "",
                                                  fate.detail ? fate.detail : "");
        PolicySettings settings;
        if (!detail)
                return -ENOMEM;
        policy_settings(manager->policy, find(manager, of_guest->address), &settings);
        return sd_bus_message_append(answer, "(sssss)", address, fate.verdict, reason_name(fate.reason),
                                     detail,
                                     settings.on_failure == POLICY_ON_FAILURE_REFUSE ? "refuse" : "start");
}

int guest_reply(const Manager *manager, const Guest *guest, sd_bus_message *call,
                const GuestReports *reports)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r = sd_bus_message_new_method_return(call, &answer);
        if (r >= 0)
                r = sd_bus_message_open_container(answer, 'a', "(sssss)");
        for (size_t i = 0; i < guest->n_functions && r >= 0; i++)
                r = append(manager, &guest->functions[i], reports, answer);
        if (r >= 0)
                r = sd_bus_message_close_container(answer);
        return r < 0 ? r : sd_bus_message_send(answer);
}
