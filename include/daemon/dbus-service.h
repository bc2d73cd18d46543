/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon on D-Bus: the connection, the name org.vfiorealign1, and all that is asked and told there. It waits for
 * nothing: without a bus there is none of it, and when one comes (again) it is there (again).
 */

#include "daemon/dbus-function.h"
#include "daemon/plan-request.h"
#include "daemon/polkit.h"
#include "daemon/request.h"

#define DBUS_NAME "org.vfiorealign1"
#define DBUS_PATH "/org/vfiorealign1"

/* The transaction that is running, as it was told. */
typedef struct DBusTransaction {
        char *id; /* NULL: none */
        char *bus;
        WorkerProgress at;
} DBusTransaction;

typedef struct DBusService {
        Manager *manager;
        const char *address;
        sd_bus *connection;     /* NULL: there is none at the moment */
        sd_event_source *again; /* until it is tried again */
        bool said;              /* that there is no bus */
        Polkit *polkit;
        Requests *requests;
        PlanRequests *plans;
        DBusFunctions *functions;
        DBusTransaction transaction;
        char *state, *status; /* as they were told */
} DBusService;

/* Goes to the bus at ADDRESS; NULL: the system bus. -ENOMEM: without a bus the daemon works on. */
int dbus_service_new(Manager *manager, const char *address, DBusService **ret) _warn_unused_result_
                _nonnull_(1, 3);
DBusService *dbus_service_free(DBusService *service);
DEFINE_CLEANUP(DBusService *, dbus_service_free);

/* After every event: tells what has changed, and answers what waited for it. -ENOMEM. */
int dbus_service_update(DBusService *service) _warn_unused_result_ _nonnull_(1);
