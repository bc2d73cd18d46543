/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/manager-status.h"

#include "base/text.h"
#include "daemon/bus-key.h"
#include "daemon/log.h"

#include <string.h>
#include <systemd/sd-daemon.h>

/* What waits for a gate that is shut waits for a person. */
static bool is_busy(const Manager *manager)
{
        if (manager->job || manager->gate == GATE_FOREIGN || manager->gate == GATE_RECOVERY)
                return true;
        return manager->gate == GATE_OPEN &&
               (manager->must_enumerate || bus_queue_count(manager->queue, BUS_SETTLING) > 0);
}

bool manager_is_settled(const Manager *manager)
{
        return !is_busy(manager) && (!manager->udev_queue || udev_queue_is_empty(manager->udev_queue));
}

const char *manager_state_name(const Manager *manager)
{
        static const char *const verbs[] = {
                [WORKER_PLAN] = "planning",      [WORKER_EXECUTE] = "executing",
                [WORKER_RECOVER] = "recovering", [WORKER_RESTORE] = "restoring",
                [WORKER_DETACH] = "detaching",   [WORKER_REATTACH] = "reattaching",
                [WORKER_PREPARE] = "preparing",
        };
        if (manager->gate == GATE_FOREIGN)
                return "foreign";
        if (manager->job)
                return verbs[worker_job_verb(manager->job)];
        if (manager->gate == GATE_SHUT)
                return "blocked";
        if (is_busy(manager))
                return "settling";
        return bus_queue_count(manager->queue, BUS_WAITING) > 0 ? "waiting" : "idle";
}

/* Appends one sentence. */
static void add(char **text, const char *sentence)
{
        if (*text && sentence)
                text_replace(text, "%s%s%s", *text, **text ? " " : "", sentence);
}

static char *job_sentence(const Manager *manager)
{
        const char *progress = manager->progress ? manager->progress : "begins";
        if (manager->gate == GATE_FOREIGN)
                return text_format("A worker that this daemon did not start is at work: %s.", progress);
        if (!manager->job)
                return NULL;
        switch (worker_job_verb(manager->job)) {
        case WORKER_PLAN:
                return text_format("Planning for %s.", manager->bus->name);
        case WORKER_EXECUTE:
                return text_format("Realigning on %s: %s.", manager->bus->name, progress);
        case WORKER_RECOVER:
                return text_format("Recovering an interrupted transaction: %s.", progress);
        case WORKER_RESTORE:
                return text_format("Giving BARs their own sizes back: %s.", progress);
        case WORKER_DETACH:
                return text_format("Detaching functions from the host: %s.", progress);
        case WORKER_PREPARE:
                return text_format("Preparing functions for a guest: %s.", progress);
        case WORKER_REATTACH:
                return text_format("Reattaching functions to the host: %s.", progress);
        }
        return NULL;
}

/* "On the bus below K: WHAT." for one bus, "N buses WHATS." for more. */
static char *state_sentence(const Manager *manager, BusState state, const char *one, const char *many)
{
        size_t n = bus_queue_count(manager->queue, state);
        if (n == 0)
                return NULL;
        const Bus *bus = bus_queue_first(manager->queue, state);
        if (n > 1)
                return text_format("%zu buses %s.", n, many);
        if (bus->reason == REASON_NONE)
                return text_format("On %s: %s.", bus->name, one);
        return text_format("On %s: %s: %s.", bus->name, one, reason_text(bus->reason));
}

static char *refused_sentence(const Manager *manager)
{
        const Bus *last = NULL;
        size_t n = 0;
        for (size_t i = 0; i < manager->queue->n_buses; i++)
                if (manager->queue->buses[i]->state == BUS_SETTLED &&
                    manager->queue->buses[i]->reason != REASON_NONE) {
                        last = manager->queue->buses[i];
                        n++;
                }
        if (n == 0)
                return NULL;
        if (n > 1)
                return text_format("%zu buses stay as they are, see \"vfio-realign status\".", n);
        return text_format("On %s: %s.", last->name, reason_text(last->reason));
}

/* What a transaction has left that could neither be finished nor undone. */
static char *blocked_sentence(const Manager *manager)
{
        char *text = strdup("");
        const char *key, *state;
        for (size_t i = 0; text && (key = attempts_blocked(manager->attempts, i, &state)); i++) {
                _cleanup_free_ char *name = bus_key_describe(key);
                text_replace(&text,
                             "%s%sOn %s a transaction could neither be finished nor undone, and no further one is "
                             "started%s%s.",
                             text, *text ? " " : "", name ? name : key, *state ? ": " : "", state);
        }
        if (text && !*text)
                free(TAKE_PTR(text));
        return text;
}

char *manager_status_text(const Manager *manager)
{
        char *text = strdup("");
        _cleanup_free_ char *job = job_sentence(manager);
        _cleanup_free_ char *settling =
                        state_sentence(manager, BUS_SETTLING, "waiting for quiet", "are becoming quiet");
        _cleanup_free_ char *waiting = state_sentence(manager, BUS_WAITING, "waiting",
                                                      "wait for what uses their functions to end");
        _cleanup_free_ char *refused = refused_sentence(manager);
        _cleanup_free_ char *blocked = blocked_sentence(manager);

        if (manager->gate == GATE_SHUT)
                add(&text,
                    "An interrupted transaction could not be recovered: no further one is started, see the "
                    "journal.");
        add(&text, blocked);
        add(&text, job);
        add(&text, settling);
        add(&text, waiting);
        add(&text, refused);
        if (manager->survey_problem)
                add(&text, "The PCI functions cannot be read, see the journal.");
        if (manager->policy_problem)
                add(&text, "The policy has errors: the one of before is kept, see the journal.");
        if (text && !*text)
                add(&text, "Nothing to do.");
        return text;
}

static void become_ready(Manager *manager, const char *status)
{
        manager->ready = true;
        manager->udev_queue = udev_queue_free(manager->udev_queue);
        manager->start_timer = sd_event_source_disable_unref(manager->start_timer);
        sd_notifyf(false, "READY=1\nSTATUS=%s", status);
        log_say(LOG_INFO, &(LogContext){ .event = EVENT_READY }, "ready: %s", status);
}

void manager_tell(Manager *manager, bool not_later)
{
        bool becomes_ready = !manager->ready && (not_later || manager_is_settled(manager));
        char *status = manager_status_text(manager);
        if (!status)
                return;
        if (becomes_ready)
                become_ready(manager, status);
        else if (!text_equal(status, manager->status))
                sd_notifyf(false, "STATUS=%s", status);
        free(manager->status);
        manager->status = status;
}
