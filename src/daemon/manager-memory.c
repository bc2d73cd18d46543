/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/manager-memory.h"

#include "act/udev-wait.h"
#include "daemon/bus-key.h"
#include "daemon/dbus-transaction.h"
#include "daemon/log.h"
#include "daemon/manager-look.h"
#include "daemon/result-files.h"
#include "daemon/transaction-log.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static bool still_needs(const Manager *manager, const char *path)
{
        const PciFunction *function =
                        manager->survey ? topology_find_path(manager->survey->topology, path) : NULL;
        return function && verdict_is_target(manager->survey->verdicts, function);
}

/* Worker and daemon judge by the same code; if they differ all the same, this must not go round in circles. */
static int remember_target(Manager *manager, const WorkerResult *result, FunctionKey key, bool on_ladder)
{
        if (result->outcome == OUTCOME_VERIFIED && !still_needs(manager, key.path)) {
                attempts_forget(manager->attempts, key);
                return 0;
        }
        if (result->outcome == OUTCOME_VERIFIED)
                log_say(LOG_ERR, &(LogContext){ .transaction = result->transaction },
                        "%s was verified by the worker, but still needs it: this counts as a failed attempt",
                        key.path);
        /* A wider scope belongs to the attempt that was counted when the narrower one failed. */
        if (on_ladder)
                return 0;
        return attempts_add(manager->attempts, key,
                            result->reason != REASON_NONE ? result->reason : REASON_PAGE_SHARED);
}

/* What was planned counts, whatever the worker names: else a result that leaves a target out would have it tried forever. */
static int remember_plan(Manager *manager, const WorkerResult *result, bool on_ladder)
{
        int r = 0;
        for (size_t i = 0; i < manager->plan->n_functions && r == 0; i++) {
                const PlanFunction *function = &manager->plan->functions[i];
                FunctionKey key = { function->path, function->vendor, function->device };
                if (function->is_target)
                        r = remember_target(manager, result, key, on_ladder);
        }
        return r;
}

/* The result of a transaction that was not ours; a function that is gone is nothing that could be tried again. */
static int remember_named(Manager *manager, const WorkerResult *result)
{
        int r = 0;
        for (size_t i = 0; manager->survey && i < result->n_functions && r == 0; i++) {
                const char *path = result->functions[i].path;
                const PciFunction *function = topology_find_path(manager->survey->topology, path);
                if (function && result->functions[i].target)
                        r = remember_target(manager, result,
                                            (FunctionKey){ path, function->vendor, function->device },
                                            false);
        }
        return r;
}

void manager_save_restored(const Manager *manager)
{
        int r = restored_save(manager->restored, manager->root);
        if (r < 0)
                log_say(LOG_WARNING, NULL,
                        "Which functions were given their own sizes back cannot be remembered across a restart: "
                        "%s: %s",
                        RESTORED_PATH, strerror(-r));
}

/* 1: the mark of FUNCTION has gone; 0: it has none. -ENOMEM. */
static int clear_mark(Manager *manager, const PciFunction *function)
{
        _cleanup_free_ char *path = topology_path(function);
        if (!path)
                return -ENOMEM;
        return restored_clear(manager->restored, (FunctionKey){ path, function->vendor, function->device });
}

int manager_hear_bind(Manager *manager, const MonitorEvent *event)
{
        bool works = manager->gate != GATE_OPEN ||
                     (manager->job && worker_job_verb(manager->job) != WORKER_PLAN);
        if (strcmp(event->action, "bind") != 0 || !restored_any(manager->restored) || works ||
            bind_watch_awaits(manager->bind_watch, event->address))
                return 0;
        int r = manager_look_around(manager);
        const PciFunction *function =
                        r == 0 ? topology_find(manager->survey->topology, event->address) : NULL;
        if (function)
                r = clear_mark(manager, function);
        if (r > 0)
                manager_save_restored(manager);
        return r < 0 ? r : 0;
}

int manager_forget_unbound(Manager *manager)
{
        const Topology *topology = manager->survey->topology;
        int r = 0, n = 0;
        for (size_t i = 0; i < topology->n_functions && restored_any(manager->restored) && r >= 0; i++)
                if (!topology->functions[i].on_vfio) {
                        r = clear_mark(manager, &topology->functions[i]);
                        n += r > 0;
                }
        if (n > 0)
                manager_save_restored(manager);
        return r < 0 ? r : 0;
}

/* A function that was restored stays so by the daemon itself; whatever else succeeds ends that. */
static int remember_restored(Manager *manager, const WorkerResult *result)
{
        int r = 0;
        bool changed = false;
        for (size_t i = 0; manager->survey && i < result->n_functions && r >= 0; i++) {
                const char *path = result->functions[i].path;
                const PciFunction *function = topology_find_path(manager->survey->topology, path);
                if (!function || !result->functions[i].target)
                        continue;
                FunctionKey key = { path, function->vendor, function->device };
                if (result->goal == PLAN_GOAL_RESTORE && function->on_vfio) {
                        r = restored_mark(manager->restored, key);
                        changed = true;
                } else if (restored_clear(manager->restored, key))
                        changed = true;
        }
        if (changed)
                manager_save_restored(manager);
        return r;
}

static int block_bus(Manager *manager, const WorkerResult *result, const char *path, const char *state)
{
        _cleanup_free_ char *key = bus_key_from_topology_path(path);
        _cleanup_free_ char *name = key ? bus_key_describe(key) : NULL;
        if (!name)
                return -ENOMEM;
        if (!attempts_is_blocked(manager->attempts, key))
                log_say(LOG_CRIT, &(LogContext){ .bus = key, .transaction = result->transaction },
                        "No further transaction is started on %s until this service is reloaded.", name);
        return attempts_block(manager->attempts, key, state);
}

/* Neither done nor undone: whatever else is on these buses is left alone. */
static int block_buses(Manager *manager, const WorkerResult *result)
{
        _cleanup_free_ char *state = transaction_state_text(result);
        int r = state ? 0 : -ENOMEM;
        for (size_t i = 0; i < result->n_functions && r == 0; i++)
                if (result->functions[i].target)
                        r = block_bus(manager, result, result->functions[i].path, state);
        return r;
}

/* What was tried in vain below one port would be so below all others of the host bridge (design §6). */
static int keep_host(Manager *manager, const WorkerResult *result)
{
        const char *path = manager->plan             ? manager->plan->functions[0].path
                           : result->n_functions > 0 ? result->functions[0].path
                                                     : NULL;
        if (!path || attempts_host_is_kept(manager->attempts, path))
                return 0;
        log_say(LOG_ERR,
                &(LogContext){ .reason = REASON_FIRMWARE_ASSIGNMENT, .transaction = result->transaction },
                "Nothing on the host bridge above %s is realigned any more until this service is reloaded: %s. "
                "Remedy: %s.",
                path, reason_text(REASON_FIRMWARE_ASSIGNMENT), reason_remedy(REASON_FIRMWARE_ASSIGNMENT));
        return attempts_keep_host(manager->attempts, path);
}

/* Its functions are bound when udev has reported that too; where there is no udev, nobody reports it. */
static int expect_binds(Manager *manager, const WorkerResult *result)
{
        int r = root_exists(manager->root, UDEV_CONTROL_PATH);
        if (r <= 0 || !result->attempted || !manager->survey)
                return 0;
        r = 0;
        for (size_t i = 0; i < result->n_functions && r == 0; i++) {
                const PciFunction *function =
                                topology_find_path(manager->survey->topology, result->functions[i].path);
                if (function && function->driver && !function->is_bridge)
                        r = bind_watch_expect(manager->bind_watch, function->address);
        }
        return r;
}

static int keep_record(Manager *manager, const char *bus, const WorkerResult *result)
{
        struct timespec now;
        if (clock_gettime(CLOCK_REALTIME, &now) < 0)
                return -errno;
        manager->revision++;
        if (manager->dbus)
                dbus_transaction_end(manager->dbus, bus, result);
        int r = expect_binds(manager, result);
        return r < 0 ? r
                     : function_records_end(manager->records, result,
                                            (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000);
}

/* Saved also when nothing was attempted: the time of the file says which results were seen. */
int manager_remember(Manager *manager, const char *bus, const WorkerResult *result, bool on_ladder)
{
        int r = manager_look_around(manager);
        if (r < 0)
                return r;
        r = keep_record(manager, bus, result);
        if (r < 0)
                return r;
        bool is_attempt = result->attempted && result->reason != REASON_STOPPED;
        if (is_attempt && (result->goal == PLAN_GOAL_REALIGN || result->goal == PLAN_GOAL_PREPARE))
                r = manager->plan ? remember_plan(manager, result, on_ladder)
                                  : remember_named(manager, result);
        if (r == 0 && result->outcome == OUTCOME_VERIFIED)
                r = remember_restored(manager, result);
        if (r == 0 && result->attempted && result->reason == REASON_FIRMWARE_ASSIGNMENT)
                r = keep_host(manager, result);
        if (r == 0 && result->outcome == OUTCOME_FAILED)
                r = block_buses(manager, result);
        if (r < 0)
                return r;
        r = attempts_save(manager->attempts, manager->root);
        if (r < 0)
                log_say(LOG_WARNING, NULL,
                        "The failed attempts cannot be remembered across a restart: %s: %s", ATTEMPTS_PATH,
                        strerror(-r));
        return 0;
}

int manager_catch_up(Manager *manager)
{
        _cleanup_(result_files_clear) ResultFiles results = { 0 };
        int r = result_files_read(manager->root, RESULT_FILES_UNSEEN, &results);
        if (r < 0 && r != -ENOMEM) {
                log_say(LOG_WARNING, NULL, "Results of earlier transactions cannot be read: %s: %s",
                        RESULTS_DIRECTORY, strerror(-r));
                return 0;
        }
        for (size_t i = 0; i < results.n_items && r == 0; i++) {
                transaction_log_result(&results.items[i].report->result);
                r = manager_remember(manager, NULL, &results.items[i].report->result, false);
        }
        return r;
}

int manager_recall(Manager *manager)
{
        _cleanup_(result_files_clear) ResultFiles results = { 0 };
        int r = result_files_read(manager->root, RESULT_FILES_SEEN, &results);
        if (r < 0 && r != -ENOMEM)
                return 0; /* manager_catch_up() says why */
        for (size_t i = 0; i < results.n_items && r == 0; i++) {
                const ResultFile *file = &results.items[i];
                r = function_records_end(manager->records, &file->report->result,
                                         (uint64_t) file->written.tv_sec * 1000000 +
                                                         (uint64_t) file->written.tv_nsec / 1000);
        }
        return r;
}
