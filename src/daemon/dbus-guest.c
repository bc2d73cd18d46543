/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-guest.h"

#include "daemon/dbus-arguments.h"
#include "daemon/dbus-error.h"
#include "daemon/errand.h"
#include "daemon/manager-look.h"

#include <errno.h>

#define ACTION DBUS_NAME ".prepare-for-guest"

/* 1: the call is permitted, with GUEST read and a new survey; 0: that is not known yet. */
static int begin(DBusService *service, sd_bus_message *call, bool has_times, Guest *guest,
                 sd_bus_error *error)
{
        int r = guest_read(call, has_times, guest, error);
        if (r >= 0)
                r = polkit_ask(service->polkit, call, ACTION, error);
        if (r <= 0)
                return r;
        r = manager_look_around(service->manager);
        if (r > 0)
                return dbus_error_set(error, DBUS_ERROR_UNREADABLE, "the PCI functions cannot be read: %s",
                                      service->manager->survey_problem);
        return r < 0 ? r : 1;
}

int dbus_guest_prepare(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        DBusService *service = userdata;
        _cleanup_(guest_clear) Guest guest = { 0 };
        int r = begin(service, call, true, &guest, error);
        if (r > 0)
                r = errands_add_guest(service->manager->errands, call, WORKER_PREPARE, &guest, error);
        return r < 0 ? r : 1;
}

/* From now on, not only when it is its turn: libvirt is about to move them. */
int dbus_guest_release(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        DBusService *service = userdata;
        _cleanup_(guest_clear) Guest guest = { 0 };
        int r = begin(service, call, false, &guest, error);
        if (r > 0)
                r = guest_inhibit(service->manager, &guest);
        else
                return r < 0 ? r : 1;
        if (r >= 0)
                r = errands_add_guest(service->manager->errands, call, WORKER_RESTORE, &guest, error);
        return r < 0 ? r : 1;
}

int dbus_guest_inhibit(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        DBusService *service = userdata;
        _cleanup_(guest_clear) Guest guest = { 0 };
        int r = begin(service, call, false, &guest, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = guest_inhibit(service->manager, &guest);
        return r < 0 ? r : sd_bus_reply_method_return(call, NULL);
}
