/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/bus-queue.h"

#include "base/text.h"
#include "daemon/bus-key.h"

#include <errno.h>
#include <string.h>

static Bus *bus_free(Bus *bus)
{
        if (!bus)
                return NULL;
        enable_watch_free(bus->watch);
        free(bus->key);
        free(bus->name);
        free(bus->requested);
        free(bus->said);
        free(bus->remarked);
        free(bus);
        return NULL;
}
DEFINE_CLEANUP(Bus *, bus_free);

int bus_queue_new(BusQueue **ret)
{
        BusQueue *queue = calloc(1, sizeof(*queue));
        if (!queue)
                return -ENOMEM;
        *ret = queue;
        return 0;
}

BusQueue *bus_queue_free(BusQueue *queue)
{
        if (!queue)
                return NULL;
        for (size_t i = 0; i < queue->n_buses; i++)
                bus_free(queue->buses[i]);
        free(queue->buses);
        free(queue);
        return NULL;
}

const char *bus_state_name(BusState state)
{
        static const char *const names[] = {
                [BUS_SETTLING] = "settling",   [BUS_WAITING] = "waiting", [BUS_PLANNING] = "planning",
                [BUS_EXECUTING] = "executing", [BUS_SETTLED] = "settled",
        };
        return names[state];
}

Bus *bus_queue_find(const BusQueue *queue, const char *key)
{
        for (size_t i = 0; i < queue->n_buses; i++)
                if (strcmp(queue->buses[i]->key, key) == 0)
                        return queue->buses[i];
        return NULL;
}

int bus_queue_get(BusQueue *queue, const char *key, Bus **ret)
{
        Bus *known = bus_queue_find(queue, key);
        if (known) {
                *ret = known;
                return 0;
        }

        _cleanup_(bus_freep) Bus *bus = calloc(1, sizeof(*bus));
        if (!bus)
                return -ENOMEM;
        bus->state = BUS_SETTLED;
        bus->due = BUS_NEVER;
        bus->key = strdup(key);
        bus->name = bus_key_describe(key);
        Bus **buses = reallocarray(queue->buses, queue->n_buses + 1, sizeof(Bus *));
        if (buses)
                queue->buses = buses;
        if (!buses || !bus->key || !bus->name)
                return -ENOMEM;
        *ret = queue->buses[queue->n_buses++] = TAKE_PTR(bus);
        return 0;
}

int bus_queue_touch(BusQueue *queue, const char *key, uint64_t now)
{
        Bus *bus;
        int r = bus_queue_get(queue, key, &bus);
        if (r < 0)
                return r;
        bus_touch(bus, now);

        _cleanup_free_ char *above = strdup(key);
        if (!above)
                return -ENOMEM;
        while (bus_key_ascend(above)) {
                bus = bus_queue_find(queue, above);
                if (bus)
                        bus_touch(bus, now);
        }
        return 0;
}

static bool has_due(const Bus *bus)
{
        return bus->state == BUS_SETTLING || bus->state == BUS_WAITING;
}

static Bus *earliest(const BusQueue *queue)
{
        Bus *first = NULL;
        for (size_t i = 0; i < queue->n_buses; i++)
                if (has_due(queue->buses[i]) && (!first || queue->buses[i]->due < first->due))
                        first = queue->buses[i];
        return first;
}

Bus *bus_queue_due(const BusQueue *queue, uint64_t now)
{
        Bus *first = earliest(queue);
        return first && first->due <= now ? first : NULL;
}

void bus_queue_hasten(BusQueue *queue, uint64_t now)
{
        for (size_t i = 0; i < queue->n_buses; i++)
                if (queue->buses[i]->state == BUS_SETTLING && queue->buses[i]->due > now)
                        queue->buses[i]->due = now;
}

uint64_t bus_queue_next(const BusQueue *queue)
{
        const Bus *first = earliest(queue);
        return first ? first->due : BUS_NEVER;
}

size_t bus_queue_count(const BusQueue *queue, BusState state)
{
        size_t n = 0;
        for (size_t i = 0; i < queue->n_buses; i++)
                n += queue->buses[i]->state == state;
        return n;
}

Bus *bus_queue_first(const BusQueue *queue, BusState state)
{
        for (size_t i = 0; i < queue->n_buses; i++)
                if (queue->buses[i]->state == state)
                        return queue->buses[i];
        return NULL;
}

static void become(Bus *bus, BusState state, Reason reason, uint64_t due)
{
        bus->watch = enable_watch_free(bus->watch);
        if (state != BUS_PLANNING && state != BUS_EXECUTING)
                bus->lowest_rung = 0;
        if (state == BUS_WAITING || state == BUS_SETTLED) {
                bus->hurried = false;
                bus->n_requested = 0;
        }
        bus->n_changes += bus->state != state || bus->reason != reason;
        bus->state = state;
        bus->reason = reason;
        bus->due = due;
}

void bus_touch(Bus *bus, uint64_t now)
{
        bus->last_event = now;
        if (bus->state == BUS_PLANNING || bus->state == BUS_EXECUTING)
                bus->touched = true;
        else
                become(bus, BUS_SETTLING, REASON_NONE, now + BUS_GLANCE_USEC);
}

void bus_hurry(Bus *bus, uint64_t now)
{
        bus_touch(bus, now);
        bus->hurried = true;
        if (bus->state == BUS_SETTLING)
                bus->due = now;
}

int bus_request(Bus *bus, PciAddress address)
{
        if (bus_is_requested(bus, address))
                return 0;
        PciAddress *requested = reallocarray(bus->requested, bus->n_requested + 1, sizeof(*requested));
        if (!requested)
                return -ENOMEM;
        bus->requested = requested;
        requested[bus->n_requested++] = address;
        return 0;
}

bool bus_is_requested(const Bus *bus, PciAddress address)
{
        for (size_t i = 0; i < bus->n_requested; i++)
                if (pci_address_equal(bus->requested[i], address))
                        return true;
        return false;
}

bool bus_is_quiet(Bus *bus, uint64_t delay, uint64_t now)
{
        bus->delay = delay;
        if (bus->hurried || (now >= bus->last_event && now - bus->last_event >= delay))
                return true;
        become(bus, BUS_SETTLING, REASON_NONE, bus->last_event + delay);
        return false;
}

bool bus_settle_again(Bus *bus, uint64_t now)
{
        if (bus->settled_again)
                return false;
        bus->settled_again = true;
        bus->last_event = now;
        become(bus, BUS_SETTLING, REASON_NONE, now + bus->delay);
        return true;
}

void bus_wait(Bus *bus, Reason reason, EnableWatch *watch, uint64_t due)
{
        become(bus, BUS_WAITING, reason, due);
        bus->watch = watch;
}

void bus_plan(Bus *bus)
{
        bus->touched = false;
        become(bus, BUS_PLANNING, REASON_NONE, BUS_NEVER);
}

void bus_execute(Bus *bus)
{
        bus->settled_again = false;
        become(bus, BUS_EXECUTING, REASON_NONE, BUS_NEVER);
}

void bus_finish(Bus *bus, uint64_t now)
{
        bus->touched = false;
        bus->last_event = now;
        become(bus, BUS_SETTLING, REASON_NONE, now);
}

void bus_rest(Bus *bus, Reason reason)
{
        bus->settled_again = false;
        become(bus, BUS_SETTLED, reason, BUS_NEVER);
}

bool bus_resume(Bus *bus)
{
        if (!bus->touched)
                return false;
        bus->touched = false;
        become(bus, BUS_SETTLING, REASON_NONE, bus->last_event + BUS_GLANCE_USEC);
        return true;
}

static bool is_news(char **last, const char *text)
{
        if (text_equal(*last, text))
                return false;
        free(*last);
        *last = text ? strdup(text) : NULL;
        return text != NULL;
}

bool bus_says(Bus *bus, const char *text)
{
        return is_news(&bus->said, text);
}

bool bus_remarks(Bus *bus, const char *text)
{
        return is_news(&bus->remarked, text);
}
