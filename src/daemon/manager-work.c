/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/manager-work.h"

#include "base/text.h"
#include "daemon/dbus-transaction.h"
#include "daemon/errand.h"
#include "daemon/log.h"
#include "daemon/manager-look.h"
#include "daemon/manager-memory.h"
#include "daemon/transaction-log.h"
#include "judge/plan-document.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* A recovery that dies or leaves its journal behind is tried once more, then a person has to look. */
#define RECOVERIES_MAX 2u

static void on_line(const char *line, void *userdata);
static void on_end(const WorkerEnd *end, void *userdata);

/* The key of the bus that a step is about; NULL: the step is of no function that was seen before. */
static const char *bus_of(const Manager *manager, const WorkerProgress *progress)
{
        PciAddress address;
        if (manager->bus)
                return manager->bus->key;
        if (!manager->survey || !progress->function || pci_address_parse(progress->function, &address) < 0)
                return NULL;
        const PciFunction *function = topology_find(manager->survey->topology, address);
        return function ? survey_bus_key(manager->survey, function) : NULL;
}

static void note_progress(Manager *manager, const WorkerProgress *progress, bool foreign)
{
        free(manager->progress);
        manager->progress = transaction_log_progress(progress, bus_of(manager, progress), foreign);
        if (manager->dbus)
                dbus_transaction_step(manager->dbus, progress);
}

size_t manager_command_begin(const Manager *manager, const char **words)
{
        size_t n = 0;
        words[n++] = manager->options.worker;
        if (manager->options.sysroot) {
                words[n++] = "--sysroot";
                words[n++] = manager->options.sysroot;
        }
        if (manager->options.config) {
                words[n++] = "--config";
                words[n++] = manager->options.config;
        }
        return n;
}

static int start(Manager *manager, WorkerVerb verb, const char **words, const char *input)
{
        WorkerCommand command = {
                .verb = verb,
                .arguments = (char *const *) words,
                .input = input,
                .on_line = on_line,
                .on_end = on_end,
                .userdata = manager,
        };
        free(TAKE_PTR(manager->progress));
        int r = worker_job_start(manager->event, &command, &manager->job);
        if (r == -ENOMEM || r == 0)
                return r;
        log_say(LOG_ERR, NULL, "The worker %s could not be started to %s: %s", manager->options.worker,
                worker_verb_name(verb), strerror(-r));
        return 1;
}

int manager_start_plan(Manager *manager, Bus *bus, const PciAddress *targets, size_t n_targets,
                       bool only_report)
{
        _cleanup_free_ const char **words = calloc(MANAGER_COMMAND_WORDS + n_targets, sizeof(*words));
        _cleanup_free_ char *texts = calloc(n_targets, PCI_ADDRESS_TEXT_MAX);
        char rung[12];
        if (!words || !texts)
                return -ENOMEM;
        size_t n = manager_command_begin(manager, words);
        if (only_report || bus->n_requested > 0)
                words[n++] = "--by-request";
        if (bus->lowest_rung > 0) {
                snprintf(rung, sizeof(rung), "%u", bus->lowest_rung);
                words[n++] = "--lowest-rung";
                words[n++] = rung;
        }
        words[n++] = "--plan";
        for (size_t i = 0; i < n_targets; i++)
                words[n++] = pci_address_format(targets[i], texts + i * PCI_ADDRESS_TEXT_MAX);

        manager->only_report = only_report;
        int r = start(manager, WORKER_PLAN, words, NULL);
        if (r == 0) {
                manager->bus = bus;
                bus_plan(bus);
        }
        return r > 0 ? manager_wait(manager, bus, REASON_NONE) : r;
}

int manager_start_execute(Manager *manager, Bus *bus, Plan *plan)
{
        const char *words[MANAGER_COMMAND_WORDS] = { NULL };
        _cleanup_(plan_freep) Plan *owned = plan;
        _cleanup_json_ JsonObject *document = plan_to_json(plan);
        const char *text =
                        document ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN) : NULL;
        if (!text)
                return -ENOMEM;
        size_t n = manager_command_begin(manager, words);
        words[n++] = "--execute";
        words[n++] = "-";

        int r = start(manager, WORKER_EXECUTE, words, text);
        if (r == 0) {
                manager->bus = bus;
                manager->plan = TAKE_PTR(owned);
                bus_execute(bus);
                bind_watch_begin(manager->bind_watch);
        }
        return r > 0 ? manager_wait(manager, bus, REASON_NONE) : r;
}

int manager_start_errand(Manager *manager, WorkerVerb verb, const PciAddress *addresses, size_t n_addresses)
{
        _cleanup_free_ const char **words = calloc(MANAGER_COMMAND_WORDS + n_addresses, sizeof(*words));
        _cleanup_free_ char *texts = calloc(n_addresses, PCI_ADDRESS_TEXT_MAX);
        char goal[16];
        if (!words || !texts)
                return -ENOMEM;
        snprintf(goal, sizeof(goal), "--%s", worker_verb_name(verb));
        size_t n = manager_command_begin(manager, words);
        words[n++] = goal;
        for (size_t i = 0; i < n_addresses; i++)
                words[n++] = pci_address_format(addresses[i], texts + i * PCI_ADDRESS_TEXT_MAX);
        bind_watch_begin(manager->bind_watch);
        return start(manager, verb, words, NULL);
}

static int start_recover(Manager *manager)
{
        const char *words[MANAGER_COMMAND_WORDS] = { NULL };
        size_t n = manager_command_begin(manager, words);
        words[n++] = "--recover";
        log_say(LOG_NOTICE, &(LogContext){ .event = EVENT_RECOVERY_STARTED },
                "A transaction was interrupted: it is finished or undone now.");
        return start(manager, WORKER_RECOVER, words, NULL);
}

/* --- foreign workers */

static void on_foreign_progress(const WorkerProgress *progress, void *userdata)
{
        note_progress(userdata, progress, true);
}

static void on_foreign_released(void *userdata)
{
        Manager *manager = userdata;
        log_say(LOG_NOTICE, NULL, "The worker that held the lock has ended.");
        manager->foreign = lock_watch_free(manager->foreign);
        manager_check_gate(manager);
}

static int follow(Manager *manager)
{
        LockWatchHandlers handlers = {
                .on_progress = on_foreign_progress,
                .on_released = on_foreign_released,
                .userdata = manager,
        };
        lock_watch_free(TAKE_PTR(manager->foreign));
        free(TAKE_PTR(manager->progress));
        int r = lock_watch_new(manager->event, manager->root, &handlers, &manager->foreign);
        if (r < 0)
                return r;
        log_say(LOG_NOTICE, &(LogContext){ .reason = REASON_LOCK_HELD },
                "A worker that this daemon did not start holds the lock: no transaction is begun until it has ended.");
        manager->gate = GATE_FOREIGN;
        return 0;
}

static void shut(Manager *manager, const char *why)
{
        manager->gate = GATE_SHUT;
        log_say(LOG_CRIT, NULL,
                "An interrupted transaction could not be recovered (%s), and it is not known which bus it was "
                "about: no further transaction is started. Remedy: compare \"vfio-realign status\" with what the "
                "machine should have, then reload this service, or reboot.",
                why);
}

void manager_check_gate(Manager *manager)
{
        int held = lock_probe(manager->root);
        int journal = held < 0 ? held : root_exists(manager->root, JOURNAL_PATH);
        int r = journal < 0 ? journal : 0;
        if (r == 0 && held == LOCK_STATE_FREE)
                r = manager_catch_up(manager);

        /* What happened while it was not open was not looked at. */
        manager->must_enumerate = manager->must_enumerate || manager->gate != GATE_OPEN;
        manager->gate = GATE_OPEN;
        if (r == 0 && held == LOCK_STATE_HELD)
                r = follow(manager);
        else if (r == 0 && journal && manager->n_recoveries >= RECOVERIES_MAX)
                shut(manager, "it was tried twice");
        else if (r == 0 && journal) {
                manager->n_recoveries++;
                manager->gate = GATE_RECOVERY;
                r = start_recover(manager);
                if (r > 0)
                        shut(manager, "the worker could not be started");
        }
        if (r < 0)
                shut(manager, strerror(-r));
}

/* --- how transactions end */

static bool climbs(const WorkerResult *result, const Plan *plan)
{
        return plan && result->outcome == OUTCOME_ROLLED_BACK && result->attempted &&
               plan_climbs(result->reason);
}

/* The next wider scope (design §4 rule 6), at once: it is the same attempt. */
static int climb(Manager *manager, Bus *bus, const Plan *plan)
{
        _cleanup_free_ PciAddress *targets = calloc(plan->n_functions + 1, sizeof(*targets));
        size_t n = 0;
        if (!targets)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions; i++)
                if (plan->functions[i].is_target)
                        targets[n++] = plan->functions[i].address;
        bus->lowest_rung = plan->rung + 1;
        log_say(LOG_NOTICE, &(LogContext){ .event = EVENT_SCOPE_WIDENED, .bus = bus->key },
                "A wider scope is tried on %s.", bus->name);
        int r = manager_start_plan(manager, bus, targets, n, false);
        return r < 0 ? r : 0;
}

static int settle_bus(Manager *manager, Bus *bus, const WorkerResult *result)
{
        if (climbs(result, manager->plan))
                return climb(manager, bus, manager->plan);
        if (result->attempted)
                bus_finish(bus, manager_now(manager));
        else if (!bus_resume(bus)) {
                if (manager_reason_passes(result->reason))
                        return manager_wait(manager, bus, result->reason);
                bus_rest(bus, result->reason);
        }
        return 0;
}

/* It told a result and could not finish all the same: the journal, if it is still there, is recovered to the same end. */
static bool is_unfinished(const WorkerEnd *end)
{
        return end->code != CLD_EXITED || end->status == WORKER_EXIT_ERROR;
}

static int execute_ended(Manager *manager, Bus *bus, const WorkerEnd *end, const WorkerResult *result)
{
        if (result) {
                manager->n_recoveries = 0;
                transaction_log_result(result);
                int r = manager_remember(manager, bus->key, result, bus->lowest_rung > 0);
                if (r < 0 || !is_unfinished(end))
                        return r < 0 ? r : settle_bus(manager, bus, result);
                r = manager_wait(manager, bus, result->reason);
                if (r < 0)
                        return r;
                manager_check_gate(manager);
                return 0;
        }
        if (end->code == CLD_EXITED && end->status == WORKER_EXIT_LOCKED) {
                bus_finish(bus, manager_now(manager)); /* planned anew when the lock is free */
        } else {
                /* Before there was a journal it did nothing, and may try again; else the recovery tells what was done. */
                transaction_log_no_result(WORKER_EXECUTE, bus->key, end);
                int r = manager_wait(manager, bus, REASON_NONE);
                if (r < 0)
                        return r;
        }
        manager_check_gate(manager);
        return 0;
}

static int recover_ended(Manager *manager, const WorkerEnd *end, const WorkerResult *result)
{
        if (result) {
                transaction_log_result(result);
                int r = manager_remember(manager, NULL, result, false);
                if (r < 0)
                        return r;
        }
        if (end->code != CLD_EXITED) {
                transaction_log_no_result(WORKER_RECOVER, NULL, end);
                manager_check_gate(manager);
                return 0;
        }
        switch (end->status) {
        case WORKER_EXIT_VERIFIED:
        case WORKER_EXIT_ROLLED_BACK:
        case WORKER_EXIT_STALE:
        case WORKER_EXIT_LOCKED:
                manager_check_gate(manager);
                return 0;
        default:
                /* A result names its buses, which are blocked now; without one, nobody knows. */
                if (result)
                        manager_check_gate(manager);
                else
                        shut(manager, "see the message of the worker");
                return 0;
        }
}

static bool is_errand(const Manager *manager)
{
        WorkerVerb verb = worker_job_verb(manager->job);
        return verb == WORKER_RESTORE || verb == WORKER_DETACH || verb == WORKER_REATTACH ||
               verb == WORKER_PREPARE;
}

/* What it asked for may have changed any bus. */
static void errand_ended(Manager *manager, const WorkerEnd *end)
{
        manager->job = worker_job_free(manager->job);
        free(TAKE_PTR(manager->progress));
        int r = errands_end(manager->errands, end);
        manager_check_gate(manager);
        manager->must_enumerate = true;
        manager->enumerate_due = 0;
        if (r < 0)
                sd_event_exit(manager->event, r);
}

static void on_line(const char *line, void *userdata)
{
        Manager *manager = userdata;
        _cleanup_free_ char *problem = NULL;
        WorkerReport *report;
        int r = worker_report_parse(line, &report, &problem);
        if (r < 0) {
                log_say(LOG_WARNING, NULL, "The worker wrote a line that makes no sense: %s",
                        problem ? problem : strerror(-r));
                return;
        }
        if (report->kind == WORKER_REPORT_PROGRESS) {
                note_progress(manager, &report->progress, false);
                worker_report_free(report);
        } else if (is_errand(manager)) {
                r = errands_take_result(manager->errands, report);
                if (r < 0)
                        sd_event_exit(manager->event, r);
        } else {
                worker_report_free(manager->result);
                manager->result = report;
        }
}

static void on_end(const WorkerEnd *end, void *userdata)
{
        Manager *manager = userdata;
        WorkerVerb verb = worker_job_verb(manager->job);
        if (verb == WORKER_PLAN) {
                manager_plan_ended(manager, end);
                return;
        }
        if (is_errand(manager)) {
                errand_ended(manager, end);
                return;
        }

        _cleanup_(worker_report_freep) WorkerReport *report = TAKE_PTR(manager->result);
        const WorkerResult *result = report ? &report->result : NULL;
        manager->job = worker_job_free(manager->job);
        free(TAKE_PTR(manager->progress));
        int r = verb == WORKER_EXECUTE ? execute_ended(manager, TAKE_PTR(manager->bus), end, result)
                                       : recover_ended(manager, end, result);
        manager->plan = plan_free(manager->plan);
        if (r < 0)
                sd_event_exit(manager->event, r);
}
