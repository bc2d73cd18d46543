/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-service.h"

#include "base/text.h"
#include "daemon/dbus-manager.h"
#include "daemon/dbus-transaction.h"
#include "daemon/errand.h"
#include "daemon/log.h"

#include <errno.h>
#include <string.h>

/* The address that the specification gives the system bus. */
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
/* RequestName's answers that are none of failure */
#define NAME_OWNED 1u
#define NAME_OWNED_ALREADY 4u
#define AGAIN_USEC UINT64_C(1000000)
#define AGAIN_ACCURACY_USEC UINT64_C(100000)

static void go(DBusService *service);

static const char *bus_address(const DBusService *service)
{
        const char *address = service->address ? service->address : secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        return address ? address : SYSTEM_BUS;
}

/* What waited for an answer cannot get one any more. */
static void leave(DBusService *service)
{
        errands_sender_gone(service->manager->errands, NULL);
        service->requests = requests_free(service->requests);
        service->plans = plan_requests_free(service->plans);
        service->polkit = polkit_free(service->polkit);
        service->functions = dbus_functions_free(service->functions);
        service->connection = sd_bus_close_unref(service->connection);
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
        DBusService *service = userdata;
        leave(service);
        go(service);
        return 0;
}

static void go_again(DBusService *service)
{
        service->again = sd_event_source_disable_unref(service->again);
        int r = sd_event_add_time_relative(service->manager->event, &service->again, CLOCK_MONOTONIC,
                                           AGAIN_USEC, AGAIN_ACCURACY_USEC, on_again, service);
        if (r < 0)
                log_say(LOG_ERR, NULL, "D-Bus is not tried again: %s", strerror(-r));
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        log_say(LOG_WARNING, NULL,
                "The connection to D-Bus has ended: it is made again when there is a bus.");
        go_again(userdata);
        return 0;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        uint32_t answer = 0;
        const char *why = "another program has it";
        if (failed)
                why = failed->message ? failed->message : failed->name;
        if (failed || sd_bus_message_read(reply, "u", &answer) < 0 ||
            (answer != NAME_OWNED && answer != NAME_OWNED_ALREADY))
                log_say(LOG_ERR, NULL, "The name %s cannot be had on D-Bus, so nobody can ask: %s",
                        DBUS_NAME, why);
        else
                log_say(LOG_INFO, NULL, "On D-Bus as %s.", DBUS_NAME);
        return 0;
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        DBusService *service = userdata;
        const char *name, *before, *now;
        if (sd_bus_message_read(message, "sss", &name, &before, &now) < 0 || *now)
                return 0;
        requests_sender_gone(service->requests, name);
        plan_requests_sender_gone(service->plans, name);
        polkit_sender_gone(service->polkit, name);
        errands_sender_gone(service->manager->errands, name);
        return 0;
}

static int serve(DBusService *service)
{
        sd_bus *connection = service->connection;
        int r = polkit_new(&service->polkit);
        if (r >= 0)
                r = requests_new(service->manager, &service->requests);
        if (r >= 0)
                r = plan_requests_new(service->manager, &service->plans);
        if (r >= 0)
                r = dbus_functions_new(connection, service->manager, &service->functions);
        if (r >= 0)
                r = sd_bus_add_object_vtable(connection, NULL, DBUS_PATH, DBUS_MANAGER_INTERFACE,
                                             dbus_manager_vtable, service);
        return r >= 0 ? sd_bus_add_object_manager(connection, NULL, DBUS_PATH) : r;
}

static int listen_to(DBusService *service)
{
        sd_bus *connection = service->connection;
        int r = sd_bus_add_match_async(
                        connection, NULL,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                        on_owner_changed, NULL, service);
        if (r >= 0)
                r = sd_bus_match_signal_async(connection, NULL, "org.freedesktop.DBus.Local", NULL,
                                              "org.freedesktop.DBus.Local", "Disconnected", on_disconnected,
                                              NULL, service);
        if (r >= 0)
                r = sd_bus_request_name_async(connection, NULL, DBUS_NAME, 0, on_name, service);
        return r >= 0 ? sd_bus_attach_event(connection, service->manager->event, SD_EVENT_PRIORITY_NORMAL)
                      : r;
}

static int connect_to(DBusService *service, bool when_it_comes)
{
        int r = sd_bus_new(&service->connection);
        if (r >= 0)
                r = sd_bus_set_address(service->connection, bus_address(service));
        if (r >= 0)
                r = sd_bus_set_bus_client(service->connection, true);
        if (r >= 0)
                r = sd_bus_set_watch_bind(service->connection, when_it_comes);
        if (r >= 0)
                r = sd_bus_start(service->connection);
        if (r < 0)
                service->connection = sd_bus_close_unref(service->connection);
        return r;
}

/* Without a bus: waits for its socket to come. */
static void go(DBusService *service)
{
        int r = connect_to(service, false);
        if (r == -ENOENT || r == -ECONNREFUSED) {
                if (!service->said)
                        log_say(LOG_NOTICE, NULL,
                                "There is no D-Bus at %s: nobody can ask this daemon until there is; it works on.",
                                bus_address(service));
                service->said = true;
                r = connect_to(service, true);
        }
        if (r >= 0)
                r = serve(service);
        if (r >= 0)
                r = listen_to(service);
        if (r >= 0)
                return;
        if (!service->said)
                log_say(LOG_ERR, NULL,
                        "D-Bus at %s cannot be used, so nobody can ask this daemon; it works on: %s",
                        bus_address(service), strerror(-r));
        service->said = true;
        leave(service);
        go_again(service);
}

int dbus_service_new(Manager *manager, const char *address, DBusService **ret)
{
        _cleanup_(dbus_service_freep) DBusService *service = calloc(1, sizeof(*service));
        if (!service)
                return -ENOMEM;
        service->manager = manager;
        service->address = address;
        go(service);
        *ret = TAKE_PTR(service);
        return 0;
}

DBusService *dbus_service_free(DBusService *service)
{
        if (!service)
                return NULL;
        if (service->connection)
                (void) sd_bus_flush(service->connection);
        leave(service);
        sd_event_source_disable_unref(service->again);
        dbus_transaction_clear(service);
        free(service->state);
        free(service->status);
        free(service);
        return NULL;
}

int dbus_service_update(DBusService *service)
{
        const Manager *manager = service->manager;
        if (!manager->job && (manager->gate == GATE_OPEN || manager->gate == GATE_SHUT))
                dbus_transaction_lose(service);
        if (!service->connection || sd_bus_is_ready(service->connection) <= 0)
                return 0;
        service->said = false;
        int r = dbus_functions_update(service->functions);
        if (r >= 0)
                r = dbus_manager_update(service);
        if (r >= 0)
                r = requests_check(service->requests);
        /* Only a lack of memory is ours; a connection that ends is dealt with when that is heard of. */
        return r == -ENOMEM ? r : 0;
}
