/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-transaction.h"

#include "base/text.h"
#include "daemon/dbus-manager.h"
#include "daemon/errand.h"

#include <errno.h>
#include <string.h>

static const char *or_empty(const char *text)
{
        return text ? text : "";
}

void dbus_transaction_clear(DBusService *service)
{
        DBusTransaction *transaction = &service->transaction;
        free(transaction->id);
        free(transaction->bus);
        free(transaction->at.step);
        free(transaction->at.function);
        *transaction = (DBusTransaction){ 0 };
}

static bool can_tell(const DBusService *service)
{
        return service->connection && sd_bus_is_ready(service->connection) > 0;
}

/* What an errand is asked about: its worker makes the plan itself, and may make several. */
static int append_errand(sd_bus_message *signal, const Errands *errands)
{
        const PciAddress *addresses;
        size_t n = errands_functions(errands, &addresses);
        int r = sd_bus_message_open_container(signal, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(signal, "s", PCI_ADDRESS_TEXT(addresses[i]));
        return r < 0 ? r : sd_bus_message_close_container(signal);
}

static int append_plan(sd_bus_message *signal, const Plan *plan)
{
        int r = sd_bus_message_open_container(signal, 'a', "s");
        for (size_t i = 0; i < plan->n_functions && r >= 0; i++)
                if (plan->functions[i].is_target)
                        r = sd_bus_message_append(signal, "s", PCI_ADDRESS_TEXT(plan->functions[i].address));
        return r < 0 ? r : sd_bus_message_close_container(signal);
}

static int append_result(sd_bus_message *signal, const WorkerResult *result)
{
        int r = sd_bus_message_open_container(signal, 'a', "s");
        for (size_t i = 0; result && i < result->n_functions && r >= 0; i++)
                if (result->functions[i].target)
                        r = sd_bus_message_append(signal, "s",
                                                  PCI_ADDRESS_TEXT(result->functions[i].address));
        return r < 0 ? r : sd_bus_message_close_container(signal);
}

static int append_functions(sd_bus_message *signal, const Manager *manager, const WorkerResult *result)
{
        if (result)
                return append_result(signal, result);
        return manager->plan ? append_plan(signal, manager->plan) : append_errand(signal, manager->errands);
}

static int new_signal(const DBusService *service, const char *name, sd_bus_message **ret)
{
        return sd_bus_message_new_signal(service->connection, ret, DBUS_PATH, DBUS_MANAGER_INTERFACE, name);
}

/* Signals that cannot be sent have nobody to be sent to. */
static void tell_start(const DBusService *service, const WorkerResult *result)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        if (!can_tell(service) || new_signal(service, "TransactionStarted", &signal) < 0 ||
            sd_bus_message_append(signal, "ss", service->transaction.id, service->transaction.bus) < 0 ||
            append_functions(signal, service->manager, result) < 0)
                return;
        (void) sd_bus_message_send(signal);
}

static void begin(DBusService *service, const char *id, const char *bus, const WorkerResult *result)
{
        if (text_equal(service->transaction.id, id))
                return;
        dbus_transaction_lose(service);
        service->transaction.id = strdup(id);
        service->transaction.bus = strdup(or_empty(bus));
        if (!service->transaction.id || !service->transaction.bus)
                dbus_transaction_clear(service);
        else
                tell_start(service, result);
}

void dbus_transaction_step(DBusService *service, const WorkerProgress *progress)
{
        const Bus *bus = service->manager->bus;
        WorkerProgress *at = &service->transaction.at;
        begin(service, progress->transaction, bus ? bus->key : NULL, NULL);
        text_replace(&at->step, "%s", progress->step);
        text_replace(&at->function, "%s", or_empty(progress->function));
        at->index = progress->index;
        at->of = progress->of;
        at->state = progress->state;
        if (!can_tell(service))
                return;
        (void) sd_bus_emit_signal(service->connection, DBUS_PATH, DBUS_MANAGER_INTERFACE, "TransactionStep",
                                  "ssssttst", progress->transaction, progress->step,
                                  or_empty(progress->function), progress_state_name(progress->state),
                                  progress->index, progress->of, or_empty(progress->detail), progress->usec);
        (void) sd_bus_emit_properties_changed(service->connection, DBUS_PATH, DBUS_MANAGER_INTERFACE,
                                              "Transaction", NULL);
}

static void tell_end(const DBusService *service, const char *outcome, Reason reason,
                     const WorkerResult *result)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        if (!can_tell(service) || new_signal(service, "TransactionEnded", &signal) < 0 ||
            sd_bus_message_append(signal, "ss", service->transaction.id, service->transaction.bus) < 0 ||
            append_result(signal, result) < 0 ||
            sd_bus_message_append(signal, "sssst", outcome, reason_name(reason),
                                  or_empty(result ? result->culprit : NULL),
                                  or_empty(result ? result->detail : NULL), result ? result->usec : 0) < 0)
                return;
        (void) sd_bus_message_send(signal);
}

static void end(DBusService *service)
{
        dbus_transaction_clear(service);
        if (can_tell(service))
                (void) sd_bus_emit_properties_changed(service->connection, DBUS_PATH, DBUS_MANAGER_INTERFACE,
                                                      "Transaction", NULL);
}

void dbus_transaction_end(DBusService *service, const char *bus, const WorkerResult *result)
{
        begin(service, result->transaction, bus, result);
        if (!service->transaction.id)
                return;
        tell_end(service, outcome_name(result->outcome), result->reason, result);
        end(service);
}

void dbus_transaction_lose(DBusService *service)
{
        if (!service->transaction.id)
                return;
        tell_end(service, outcome_name(OUTCOME_FAILED), REASON_STEP_FAILED, NULL);
        end(service);
}
