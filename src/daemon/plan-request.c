/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/plan-request.h"

#include "base/text.h"
#include "daemon/dbus-error.h"
#include "daemon/manager-look.h"
#include "daemon/manager-work.h"

#include <errno.h>
#include <string.h>

#define RUNNING_MAX 4u
#define WAITING_MAX 512u
#define OF_ONE_CLIENT_MAX 64u

typedef struct PlanRequest {
        PlanRequests *requests;
        sd_bus_message *call;
        PciAddress *addresses;
        size_t n_addresses;
        WorkerJob *job; /* NULL: it waits for its turn */
} PlanRequest;

struct PlanRequests {
        Manager *manager;
        PlanRequest **items; /* in the order of their coming */
        size_t n_items;
};

int plan_requests_new(Manager *manager, PlanRequests **ret)
{
        PlanRequests *requests = calloc(1, sizeof(*requests));
        if (!requests)
                return -ENOMEM;
        requests->manager = manager;
        *ret = requests;
        return 0;
}

static PlanRequest *plan_request_free(PlanRequest *request)
{
        if (!request)
                return NULL;
        worker_job_free(request->job);
        sd_bus_message_unref(request->call);
        free(request->addresses);
        free(request);
        return NULL;
}
DEFINE_CLEANUP(PlanRequest *, plan_request_free);

PlanRequests *plan_requests_free(PlanRequests *requests)
{
        if (!requests)
                return NULL;
        for (size_t i = 0; i < requests->n_items; i++)
                plan_request_free(requests->items[i]);
        free(requests->items);
        free(requests);
        return NULL;
}

static void drop(PlanRequests *requests, PlanRequest *request)
{
        size_t i = 0;
        while (requests->items[i] != request)
                i++;
        requests->n_items--;
        memmove(&requests->items[i], &requests->items[i + 1],
                (requests->n_items - i) * sizeof(requests->items[0]));
        plan_request_free(request);
}

static void start_next(PlanRequests *requests);

static void on_end(const WorkerEnd *end, void *userdata)
{
        PlanRequest *request = userdata;
        PlanRequests *requests = request->requests;
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        _cleanup_free_ char *problem = NULL;

        int r = manager_read_plan(end, &set, &problem);
        if (r < 0)
                (void) dbus_error_reply(request->call, DBUS_ERROR_WORKER_FAILED,
                                        "the worker made no plan: %s", problem ? problem : strerror(-r));
        else
                (void) sd_bus_reply_method_return(request->call, "s", end->output);
        drop(requests, request);
        start_next(requests);
}

static int start(PlanRequest *request)
{
        const Manager *manager = request->requests->manager;
        _cleanup_free_ const char **words =
                        calloc(MANAGER_COMMAND_WORDS + request->n_addresses, sizeof(*words));
        _cleanup_free_ char *texts = calloc(request->n_addresses, PCI_ADDRESS_TEXT_MAX);
        if (!words || !texts)
                return -ENOMEM;
        size_t n = manager_command_begin(manager, words);
        words[n++] = "--by-request";
        words[n++] = "--plan";
        for (size_t i = 0; i < request->n_addresses; i++)
                words[n++] = pci_address_format(request->addresses[i], texts + i * PCI_ADDRESS_TEXT_MAX);
        WorkerCommand command = {
                .verb = WORKER_PLAN,
                .arguments = (char *const *) words,
                .on_end = on_end,
                .userdata = request,
        };
        return worker_job_start(manager->event, &command, &request->job);
}

static PlanRequest *next(const PlanRequests *requests)
{
        PlanRequest *first = NULL;
        size_t n_running = 0;
        for (size_t i = 0; i < requests->n_items; i++) {
                n_running += requests->items[i]->job != NULL;
                if (!first && !requests->items[i]->job)
                        first = requests->items[i];
        }
        return n_running < RUNNING_MAX ? first : NULL;
}

static void start_next(PlanRequests *requests)
{
        PlanRequest *request;
        while ((request = next(requests))) {
                int r = start(request);
                if (r == 0)
                        continue;
                (void) dbus_error_reply(request->call, DBUS_ERROR_WORKER_FAILED,
                                        "the worker could not be started: %s", strerror(-r));
                drop(requests, request);
        }
}

static size_t count_of(const PlanRequests *requests, const char *sender)
{
        size_t n = 0;
        for (size_t i = 0; i < requests->n_items; i++)
                n += text_equal(sd_bus_message_get_sender(requests->items[i]->call), sender);
        return n;
}

int plan_requests_add(PlanRequests *requests, sd_bus_message *call, const PciAddress *addresses,
                      size_t n_addresses, sd_bus_error *error)
{
        if (requests->n_items >= WAITING_MAX ||
            count_of(requests, sd_bus_message_get_sender(call)) >= OF_ONE_CLIENT_MAX)
                return dbus_error_set(error, DBUS_ERROR_TOO_MANY_REQUESTS,
                                      "%zu plans are being made or waiting already; try again later",
                                      requests->n_items);
        PlanRequest **items = reallocarray(requests->items, requests->n_items + 1, sizeof(items[0]));
        if (!items)
                return -ENOMEM;
        requests->items = items;
        _cleanup_(plan_request_freep) PlanRequest *request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        request->requests = requests;
        request->addresses = calloc(n_addresses, sizeof(addresses[0]));
        if (!request->addresses)
                return -ENOMEM;
        memcpy(request->addresses, addresses, n_addresses * sizeof(addresses[0]));
        request->n_addresses = n_addresses;
        request->call = sd_bus_message_ref(call);
        items[requests->n_items++] = TAKE_PTR(request);
        start_next(requests);
        return 0;
}

void plan_requests_sender_gone(PlanRequests *requests, const char *sender)
{
        for (size_t i = requests->n_items; i-- > 0;)
                if (text_equal(sd_bus_message_get_sender(requests->items[i]->call), sender))
                        drop(requests, requests->items[i]);
        start_next(requests);
}
