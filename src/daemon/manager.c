/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/manager.h"

#include "act/outcome.h"
#include "base/text.h"
#include "daemon/bus-key.h"
#include "daemon/dbus-service.h"
#include "daemon/errand.h"
#include "daemon/log.h"
#include "daemon/manager-look.h"
#include "daemon/manager-memory.h"
#include "daemon/manager-status.h"
#include "daemon/manager-work.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define POLL_USEC UINT64_C(1000000) /* of the enable counts, while something waits */
#define ACCURACY_USEC UINT64_C(10000)

uint64_t manager_now(const Manager *manager)
{
        uint64_t now = 0;
        (void) sd_event_now(manager->event, CLOCK_MONOTONIC, &now);
        return now;
}

/* --- what is heard */

static void on_pci_event(const MonitorEvent *event, void *userdata)
{
        Manager *manager = userdata;
        _cleanup_free_ char *key = NULL;
        int r = manager_hear_bind(manager, event);
        if (r == 0)
                r = bus_key_from_path(event->path, &key);
        if (r == 0)
                r = bus_queue_touch(manager->queue, key, manager_now(manager));
        if (r == 0)
                r = bind_watch_hear(manager->bind_watch, event->action, event->address);
        if (r == 0 && manager->glance_due == BUS_NEVER)
                manager->glance_due = manager_now(manager) + BUS_GLANCE_USEC;
        if (r < 0 && r != -EINVAL)
                sd_event_exit(manager->event, r);
}

static void on_overflow(void *userdata)
{
        Manager *manager = userdata;
        log_say(LOG_WARNING, &(LogContext){ .event = EVENT_EVENTS_LOST },
                "Events of udev were lost: all PCI functions are looked at anew.");
        manager->must_enumerate = true;
}

static void on_udev_queue_empty(void *userdata)
{
        /* Whether that makes the daemon ready is looked at after every event. */
}

static int on_start_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
        Manager *manager = userdata;
        if (!manager->ready)
                manager_tell(manager, true);
        return 0;
}

static int on_turn_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        return 0; /* the turn itself is made after every event */
}

static int on_poll_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Manager *manager = userdata;
        uint64_t now = manager_now(manager);
        for (size_t i = 0; i < manager->queue->n_buses; i++) {
                Bus *bus = manager->queue->buses[i];
                if (bus->state == BUS_WAITING && bus->watch &&
                    enable_watch_changed(bus->watch, manager->root))
                        bus_touch(bus, now);
        }
        return 0;
}

/* --- reload and end */

static void log_problems(const char *problems)
{
        _cleanup_free_ char *copy = strdup(problems ? problems : "");
        char *rest = copy, *line;
        while ((line = strsep(&rest, "\n")))
                if (*line)
                        log_say(LOG_ERR, &(LogContext){ .event = EVENT_POLICY_INVALID }, "%s", line);
}

static int load_policy(const Manager *manager, Policy **ret, char **ret_problems)
{
        int r = policy_load(manager->root, manager->options.config, ret, ret_problems);
        if (r < 0) {
                log_problems(*ret_problems);
                log_say(LOG_ERR, NULL, "The policy cannot be used: %s", strerror(-r));
        }
        return r;
}

/* What an administrator changed by hand may help now: earlier failures count no more. */
static void forget(Manager *manager)
{
        attempts_forget_all(manager->attempts);
        int r = attempts_save(manager->attempts, manager->root);
        if (r < 0)
                log_say(LOG_WARNING, NULL, "%s: %s", ATTEMPTS_PATH, strerror(-r));
        if (restored_clear_all(manager->restored))
                manager_save_restored(manager);
        for (size_t i = 0; i < manager->queue->n_buses; i++) {
                (void) bus_says(manager->queue->buses[i], NULL);
                (void) bus_remarks(manager->queue->buses[i], NULL);
        }
        function_records_forget_refusals(manager->records);
        manager->revision++;
        manager->n_recoveries = 0;
        if (manager->gate == GATE_SHUT)
                manager_check_gate(manager);
        manager->must_enumerate = true;
        manager->enumerate_due = 0;
}

int manager_reload(Manager *manager, char **ret_problems)
{
        Policy *policy;
        sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long) manager_now(manager));
        int r = load_policy(manager, &policy, ret_problems);
        if (r < 0) {
                log_say(LOG_ERR, NULL, "The policy of before is kept.");
                text_replace(&manager->policy_problem, "%s", strerror(-r));
        } else {
                log_say(LOG_NOTICE, &(LogContext){ .event = EVENT_POLICY_READ },
                        "The policy was read anew; earlier failures are forgotten.");
                free(TAKE_PTR(manager->policy_problem));
                policy_free(manager->policy);
                manager->policy = policy;
                forget(manager);
        }
        if (manager->ready)
                sd_notify(false, "READY=1");
        return r;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        _cleanup_free_ char *problems = NULL;
        (void) !manager_reload(userdata, &problems);
        return 0;
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        Manager *manager = userdata;
        bool goes_on = manager->job && worker_job_verb(manager->job) != WORKER_PLAN;
        sd_notify(false, "STOPPING=1");
        if (goes_on)
                log_say(LOG_NOTICE, NULL, "Ending; the transaction goes on in the worker, process %d.",
                        (int) worker_job_pid(manager->job));
        return sd_event_exit(manager->event, 0);
}

/* --- after every event */

static int arm(sd_event_source *timer, uint64_t due)
{
        if (due == BUS_NEVER)
                return sd_event_source_set_enabled(timer, SD_EVENT_OFF);
        int r = sd_event_source_set_time(timer, due);
        return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int arm_timers(Manager *manager)
{
        bool may_turn = !manager->job && manager->gate == GATE_OPEN;
        uint64_t due = may_turn ? bus_queue_next(manager->queue) : manager->glance_due;
        uint64_t over = inhibitions_next(manager->inhibitions);
        if (may_turn && over < due)
                due = over;
        if (may_turn && manager->must_enumerate && manager->enumerate_due < due)
                due = manager->enumerate_due;
        int r = arm(manager->turn_timer, due);
        if (r < 0)
                return r;

        int enabled = SD_EVENT_OFF;
        r = sd_event_source_get_enabled(manager->poll_timer, &enabled);
        bool waits = bus_queue_count(manager->queue, BUS_WAITING) > 0;
        if (r < 0 || (enabled != SD_EVENT_OFF) == waits)
                return r < 0 ? r : 0;
        return arm(manager->poll_timer, waits ? manager_now(manager) + POLL_USEC : BUS_NEVER);
}

static int on_post(sd_event_source *source, void *userdata)
{
        Manager *manager = userdata;
        int r = manager_turn(manager);
        if (r == 0)
                r = errands_check(manager->errands);
        if (r == 0)
                r = arm_timers(manager);
        if (r == 0 && manager->dbus)
                r = dbus_service_update(manager->dbus);
        if (r < 0)
                return sd_event_exit(manager->event, r);
        manager_tell(manager, false);
        return 0;
}

static int on_first(sd_event_source *source, void *userdata)
{
        manager_check_gate(userdata);
        return 0;
}

/* --- life */

static int block_signals(void)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGHUP);
        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

/* Before anything else that may be there to be dealt with: until then it is not known whether the way is free. */
static int add_first(Manager *manager)
{
        sd_event_source *first = NULL;
        int r = sd_event_add_defer(manager->event, &first, on_first, manager);
        if (r >= 0)
                r = sd_event_source_set_priority(first, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = sd_event_source_set_floating(first, true);
        sd_event_source_unref(first);
        return r;
}

static int add_sources(Manager *manager)
{
        sd_event *event = manager->event;
        int r = sd_event_add_signal(event, NULL, SIGTERM, on_terminate, manager);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_terminate, manager);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGHUP, on_reload, manager);
        if (r >= 0)
                r = sd_event_add_time(event, &manager->turn_timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
                                      on_turn_timer, manager);
        if (r >= 0)
                r = sd_event_add_time(event, &manager->poll_timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
                                      on_poll_timer, manager);
        if (r >= 0)
                r = arm(manager->poll_timer, BUS_NEVER);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &manager->start_timer, CLOCK_MONOTONIC,
                                               manager->options.start_timeout_usec, ACCURACY_USEC,
                                               on_start_timeout, manager);
        if (r >= 0)
                r = add_first(manager);
        return r >= 0 ? sd_event_add_post(event, NULL, on_post, manager) : r;
}

/* Events are listened to before anything is looked at, so that nothing is missed in between. */
static int listen_to(Manager *manager)
{
        MonitorHandlers handlers = {
                .on_event = on_pci_event,
                .on_overflow = on_overflow,
                .userdata = manager,
        };
        int r = monitor_new(manager->event, &handlers, &manager->monitor);
        if (r < 0) {
                log_say(LOG_ERR, NULL, "The events of udev cannot be received: %s", strerror(-r));
                return r;
        }
        r = udev_queue_watch(manager->event, manager->root, on_udev_queue_empty, manager,
                             &manager->udev_queue);
        if (r < 0)
                log_say(LOG_ERR, NULL, "The queue of udev cannot be watched: %s", strerror(-r));
        return r;
}

static int load_attempts(Manager *manager)
{
        _cleanup_free_ char *problem = NULL;
        int r = attempts_load(manager->root, &manager->attempts, &problem);
        if (r == 0 || r == -ENOMEM)
                return r;
        log_say(LOG_WARNING, NULL, "%s cannot be used, so earlier failed attempts are not known: %s",
                ATTEMPTS_PATH, problem ? problem : strerror(-r));
        return attempts_new(&manager->attempts);
}

static int load_restored(Manager *manager)
{
        _cleanup_free_ char *problem = NULL;
        int r = restored_load(manager->root, &manager->restored, &problem);
        if (r == 0 || r == -ENOMEM)
                return r;
        log_say(LOG_WARNING, NULL,
                "%s cannot be used, so functions that were given their own sizes back may be realigned: %s",
                RESTORED_PATH, problem ? problem : strerror(-r));
        return restored_new(&manager->restored);
}

static int open_root(Manager *manager)
{
        const char *sysroot = manager->options.sysroot;
        int r = root_open(sysroot, &manager->root);
        if (r < 0) {
                log_say(LOG_ERR, NULL, "%s cannot be used as the root: %s", sysroot ? sysroot : "/",
                        strerror(-r));
                return r;
        }
        r = root_make_directory(manager->root, RUN_DIRECTORY, 0755);
        if (r < 0)
                log_say(LOG_WARNING, NULL,
                        "/%s cannot be made, so nothing is remembered across a restart: %s", RUN_DIRECTORY,
                        strerror(-r));
        return 0;
}

/* What is asked on the bus of this machine is about this machine. */
static int go_on_dbus(Manager *manager)
{
        if (manager->options.sysroot && !manager->options.dbus)
                return 0;
        return dbus_service_new(manager, manager->options.dbus, &manager->dbus);
}

static int set_up_memory(Manager *manager)
{
        int r = load_attempts(manager);
        if (r == 0)
                r = load_restored(manager);
        if (r == 0)
                r = bus_queue_new(&manager->queue);
        if (r == 0)
                r = function_records_new(&manager->records);
        if (r == 0)
                r = manager_recall(manager);
        if (r == 0)
                r = bind_watch_new(&manager->bind_watch);
        if (r == 0)
                r = inhibitions_new(&manager->inhibitions);
        return r == 0 ? errands_new(manager, &manager->errands) : r;
}

static int set_up(Manager *manager)
{
        _cleanup_free_ char *problems = NULL;
        int r = open_root(manager);
        if (r == 0)
                r = load_policy(manager, &manager->policy, &problems);
        if (r == 0)
                r = set_up_memory(manager);
        if (r == 0)
                r = block_signals();
        if (r == 0)
                r = sd_event_default(&manager->event);
        if (r >= 0)
                r = add_sources(manager);
        if (r >= 0)
                r = listen_to(manager);
        if (r >= 0)
                r = go_on_dbus(manager);
        return r >= 0 ? sd_event_set_watchdog(manager->event, true) : r;
}

int manager_new(const ManagerOptions *options, Manager **ret)
{
        _cleanup_(manager_freep) Manager *manager = calloc(1, sizeof(*manager));
        if (!manager)
                return -ENOMEM;
        manager->options = *options;
        manager->gate = GATE_SHUT; /* until it was looked at */
        manager->glance_due = BUS_NEVER;
        int r = set_up(manager);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(manager);
        return 0;
}

Manager *manager_free(Manager *manager)
{
        if (!manager)
                return NULL;
        dbus_service_free(manager->dbus);
        errands_free(manager->errands);
        worker_job_free(manager->job);
        lock_watch_free(manager->foreign);
        monitor_free(manager->monitor);
        udev_queue_free(manager->udev_queue);
        sd_event_source_disable_unref(manager->turn_timer);
        sd_event_source_disable_unref(manager->poll_timer);
        sd_event_source_disable_unref(manager->start_timer);
        plan_free(manager->plan);
        worker_report_free(manager->result);
        bus_queue_free(manager->queue);
        attempts_free(manager->attempts);
        restored_free(manager->restored);
        function_records_free(manager->records);
        bind_watch_free(manager->bind_watch);
        inhibitions_free(manager->inhibitions);
        survey_free(manager->survey);
        policy_free(manager->policy);
        sd_event_unref(manager->event);
        root_free(manager->root);
        free(manager->policy_problem);
        free(manager->survey_problem);
        free(manager->shared_pages);
        free(manager->progress);
        free(manager->status);
        free(manager);
        return NULL;
}

int manager_run(Manager *manager)
{
        return sd_event_loop(manager->event);
}
