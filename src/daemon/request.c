/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/request.h"

#include "base/text.h"
#include "daemon/bus-key.h"
#include "daemon/dbus-error.h"
#include "daemon/function-view.h"
#include "daemon/manager-look.h"
#include "daemon/manager-memory.h"

#include <errno.h>
#include <string.h>

#define REQUESTS_MAX 1024u

typedef struct RequestItem {
        PciAddress address; /* as it was asked for */
        char *path;         /* topology_path(): it may come back under another address */
        char *bus_key;
        uint16_t vendor, device;
        uint64_t n_results; /* how many transactions it had been in */
} RequestItem;

typedef struct Request {
        Requests *requests;
        sd_bus_message *call;
        sd_event_source *timer;
        bool late;
        RequestItem *items;
        size_t n_items;
} Request;

struct Requests {
        Manager *manager;
        UdevQueue *udev_queue; /* while there are any */
        Request **items;
        size_t n_items;
};

static Request *request_free(Request *request)
{
        if (!request)
                return NULL;
        sd_event_source_disable_unref(request->timer);
        sd_bus_message_unref(request->call);
        for (size_t i = 0; i < request->n_items; i++) {
                free(request->items[i].path);
                free(request->items[i].bus_key);
        }
        free(request->items);
        free(request);
        return NULL;
}
DEFINE_CLEANUP(Request *, request_free);

int requests_new(Manager *manager, Requests **ret)
{
        Requests *requests = calloc(1, sizeof(*requests));
        if (!requests)
                return -ENOMEM;
        requests->manager = manager;
        *ret = requests;
        return 0;
}

Requests *requests_free(Requests *requests)
{
        if (!requests)
                return NULL;
        for (size_t i = 0; i < requests->n_items; i++)
                request_free(requests->items[i]);
        free(requests->items);
        udev_queue_free(requests->udev_queue);
        free(requests);
        return NULL;
}

static void drop(Requests *requests, size_t i)
{
        request_free(requests->items[i]);
        requests->items[i] = requests->items[--requests->n_items];
        if (requests->n_items == 0)
                requests->udev_queue = udev_queue_free(requests->udev_queue);
}

void requests_sender_gone(Requests *requests, const char *sender)
{
        for (size_t i = requests->n_items; i-- > 0;)
                if (text_equal(sd_bus_message_get_sender(requests->items[i]->call), sender))
                        drop(requests, i);
}

/* --- taking up */

static void on_udev_queue_empty(void *userdata)
{
        /* Requests are looked at after every event. */
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        ((Request *) userdata)->late = true;
        return 0;
}

static FunctionKey key_of(const RequestItem *item)
{
        return (FunctionKey){ item->path, item->vendor, item->device };
}

static const FunctionRecord *record_of(const Manager *manager, const RequestItem *item)
{
        return function_records_find(manager->records, key_of(item));
}

static int item_make(const Manager *manager, const PciFunction *function, RequestItem *item)
{
        item->address = function->address;
        item->path = topology_path(function);
        if (!item->path)
                return -ENOMEM;
        item->vendor = function->vendor;
        item->device = function->device;
        const FunctionRecord *record = record_of(manager, item);
        item->n_results = record ? record->n_results : 0;
        return bus_key_from_path(function->sysfs_path, &item->bus_key);
}

static int add_item(Request *request, PciAddress address, sd_bus_error *error)
{
        const Manager *manager = request->requests->manager;
        const PciFunction *function = topology_find(manager->survey->topology, address);
        if (!function)
                return dbus_error_set(error, DBUS_ERROR_NO_SUCH_FUNCTION, "%s: %s; %s",
                                      PCI_ADDRESS_TEXT(address), reason_text(REASON_NOT_FOUND),
                                      reason_remedy(REASON_NOT_FOUND));
        return item_make(manager, function, &request->items[request->n_items++]);
}

static int set_timer(Request *request, uint64_t timeout_usec)
{
        int r = sd_event_add_time_relative(request->requests->manager->event, &request->timer,
                                           CLOCK_MONOTONIC, timeout_usec, 1, on_timer, request);
        return r == -EOVERFLOW ? 0 : r; /* later than any clock goes: never */
}

static int request_make(Requests *requests, sd_bus_message *call, const RequestTerms *terms, Request **ret,
                        sd_bus_error *error)
{
        _cleanup_(request_freep) Request *request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        request->requests = requests;
        request->call = sd_bus_message_ref(call);
        request->items = calloc(terms->n_addresses + 1, sizeof(request->items[0]));
        if (!request->items)
                return -ENOMEM;
        int r = 0;
        for (size_t i = 0; i < terms->n_addresses && r >= 0; i++)
                r = add_item(request, terms->addresses[i], error);
        if (r >= 0)
                r = set_timer(request, terms->timeout_usec);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(request);
        return 0;
}

/* As if the bind of its function had just been reported, and by somebody who waits. */
static int touch_bus(Manager *manager, const RequestItem *item, const RequestTerms *terms)
{
        Bus *bus;
        int r = bus_queue_touch(manager->queue, item->bus_key, manager_now(manager));
        if (r == 0)
                r = bus_queue_get(manager->queue, item->bus_key, &bus);
        if (r == 0 && terms->realign)
                r = bus_request(bus, item->address);
        if (r < 0)
                return r;
        bus_hurry(bus, manager_now(manager));
        return 0;
}

/* Who asks for that does not want any more what was asked for before. */
static void forget_restored(Manager *manager, const RequestItem *item)
{
        if (restored_clear(manager->restored, key_of(item)))
                manager_save_restored(manager);
}

/* Nothing that was asked for can be done, and waiting does not help. */
static int check_way(const Manager *manager, sd_bus_error *error)
{
        if (manager->gate == GATE_SHUT)
                return dbus_error_set(
                                error, DBUS_ERROR_RECOVERY_FAILED,
                                "an interrupted transaction could not be recovered: no further one is started until "
                                "the service is reloaded; compare \"vfio-realign status\" with what the machine "
                                "should have");
        if (manager->survey_problem)
                return dbus_error_set(error, DBUS_ERROR_UNREADABLE, "the PCI functions cannot be read: %s",
                                      manager->survey_problem);
        return 0;
}

/*
 * The functions shall be known as they are. Their state is read by the turn that answers, so who calls a thousand times
 * does not have all functions read a thousand times.
 */
static int look_if_needed(Manager *manager, const RequestTerms *terms)
{
        bool known = manager->survey && !manager->survey_problem && manager->glance_due == BUS_NEVER;
        for (size_t i = 0; i < terms->n_addresses && known; i++)
                known = topology_find(manager->survey->topology, terms->addresses[i]) != NULL;
        return known ? 0 : manager_look_around(manager);
}

int requests_add(Requests *requests, sd_bus_message *call, const RequestTerms *terms, sd_bus_error *error)
{
        Manager *manager = requests->manager;
        _cleanup_(request_freep) Request *request = NULL;
        if (requests->n_items >= REQUESTS_MAX)
                return dbus_error_set(error, DBUS_ERROR_TOO_MANY_REQUESTS,
                                      "%zu calls are waiting already; try again later", requests->n_items);
        int r = look_if_needed(manager, terms);
        if (r >= 0)
                r = check_way(manager, error);
        if (r >= 0)
                r = request_make(requests, call, terms, &request, error);
        if (r >= 0 && !requests->udev_queue)
                r = udev_queue_watch(manager->event, manager->root, on_udev_queue_empty, requests,
                                     &requests->udev_queue);
        if (r < 0)
                return r;
        Request **items = reallocarray(requests->items, requests->n_items + 1, sizeof(items[0]));
        if (!items)
                return -ENOMEM;
        requests->items = items;
        for (size_t i = 0; i < request->n_items; i++) {
                if (terms->realign)
                        forget_restored(manager, &request->items[i]);
                r = terms->force ? attempts_allow(manager->attempts, key_of(&request->items[i])) : 0;
                if (r == 0)
                        r = touch_bus(manager, &request->items[i], terms);
                if (r < 0)
                        return r;
        }
        items[requests->n_items++] = TAKE_PTR(request);
        return 0;
}

/* --- answering */

/*
 * Why the verdict of ITEM is not final; NULL: it is. The kernel reports the node of a VFIO group before the bind that made
 * it, and udev takes events in that order: when it has reported the last bind and its queue is empty, the nodes have their
 * owners and modes.
 */
static const char *pending(const Requests *requests, const RequestItem *item)
{
        const Manager *manager = requests->manager;
        const Bus *bus = bus_queue_find(manager->queue, item->bus_key);
        const PciFunction *function = topology_find_path(manager->survey->topology, item->path);
        if (manager->gate != GATE_OPEN)
                return "a transaction that was not begun by this daemon is being dealt with";
        if (manager->must_enumerate)
                return "all buses are to be looked at";
        if (bus && bus->state != BUS_SETTLED && bus->state != BUS_WAITING)
                return manager->job && manager->bus != bus ? "another bus is being dealt with"
                                                           : bus_state_name(bus->state);
        if (function && function->driver && bind_watch_awaits(manager->bind_watch, function->address))
                return "udev has not reported its bind yet";
        return udev_queue_is_empty(requests->udev_queue) ? NULL : "udev is busy";
}

static const RequestItem *first_pending(const Requests *requests, const Request *request,
                                        const char **ret_why)
{
        for (size_t i = 0; i < request->n_items; i++) {
                *ret_why = pending(requests, &request->items[i]);
                if (*ret_why)
                        return &request->items[i];
        }
        return NULL;
}

/* (address, verdict, outcome, reason, detail) */
static int append_item(const Manager *manager, sd_bus_message *reply, const RequestItem *item)
{
        FunctionFacts facts = { 0 };
        FunctionState state = { 0 };
        const FunctionRecord *record = record_of(manager, item);
        bool had_transaction = record && record->n_results > item->n_results;
        const char *outcome = had_transaction ? outcome_name(record->outcome) : "";
        const PciFunction *function = topology_find_path(manager->survey->topology, item->path);
        if (!function)
                return sd_bus_message_append(
                                reply, "(sssss)", PCI_ADDRESS_TEXT(item->address), "", outcome,
                                reason_name(had_transaction ? record->reason : REASON_NOT_FOUND),
                                had_transaction && record->detail ? record->detail : "");

        int r = function_facts_read(manager, NULL, function, &facts);
        if (r == 0)
                r = function_state_read(manager, &facts, bus_queue_find(manager->queue, item->bus_key),
                                        &state);
        if (r == 0 && !function->on_vfio && state.reason == REASON_NONE)
                state.reason = REASON_NOT_VFIO;
        bool failed = had_transaction && record->outcome != OUTCOME_VERIFIED;
        Reason reason = failed ? record->reason : state.reason;
        const char *detail = failed ? record->detail : state.detail;
        if (r == 0)
                r = sd_bus_message_append(reply, "(sssss)", PCI_ADDRESS_TEXT(function->address),
                                          function_verdict_name(facts.verdict), outcome, reason_name(reason),
                                          detail ? detail : "");
        function_state_clear(&state);
        function_facts_clear(&facts);
        return r;
}

static int reply(const Manager *manager, const Request *request)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r = sd_bus_message_new_method_return(request->call, &answer);
        if (r >= 0)
                r = sd_bus_message_open_container(answer, 'a', "(sssss)");
        for (size_t i = 0; i < request->n_items && r >= 0; i++)
                r = append_item(manager, answer, &request->items[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(answer);
        return r < 0 ? r : sd_bus_message_send(answer);
}

/* The worker failed at the bus of ITEM, which is looked at again in a while. */
static bool was_failed_by_worker(const Manager *manager, const RequestItem *item)
{
        const Bus *bus = bus_queue_find(manager->queue, item->bus_key);
        return bus && bus->state == BUS_WAITING && bus->reason == REASON_NONE;
}

static int conclude(const Manager *manager, const Request *request)
{
        for (size_t i = 0; i < request->n_items; i++)
                if (was_failed_by_worker(manager, &request->items[i]))
                        return dbus_error_reply(
                                        request->call, DBUS_ERROR_WORKER_FAILED,
                                        "%s: the worker ended without an answer, see the journal; it is tried again",
                                        PCI_ADDRESS_TEXT(request->items[i].address));
        return reply(manager, request);
}

/* 1: it has been answered; 0: not yet. */
static int check(const Requests *requests, const Request *request)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *why;
        int r = check_way(requests->manager, &error);
        if (r < 0)
                return sd_bus_reply_method_error(request->call, &error);
        const RequestItem *late = first_pending(requests, request, &why);
        if (!late)
                r = conclude(requests->manager, request);
        else if (request->late)
                r = dbus_error_reply(request->call, DBUS_ERROR_TIMED_OUT,
                                     "the verdict of %s was not final in time: %s; it goes on",
                                     PCI_ADDRESS_TEXT(late->address), why);
        else
                return 0;
        return r < 0 ? r : 1;
}

int requests_check(Requests *requests)
{
        for (size_t i = requests->n_items; i-- > 0;) {
                int r = check(requests, requests->items[i]);
                if (r == -ENOMEM)
                        return r;
                /* What cannot be sent has nobody to be sent to. */
                if (r != 0)
                        drop(requests, i);
        }
        return 0;
}
