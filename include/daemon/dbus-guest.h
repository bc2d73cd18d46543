/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The Manager's methods that libvirt's hook calls: PrepareForGuest, ReleaseFromGuest and Inhibit, as handlers of sd-bus. */

#include "daemon/dbus-service.h"

int dbus_guest_prepare(sd_bus_message *call, void *userdata, sd_bus_error *error) _nonnull_(1, 2);
int dbus_guest_release(sd_bus_message *call, void *userdata, sd_bus_error *error) _nonnull_(1, 2);
int dbus_guest_inhibit(sd_bus_message *call, void *userdata, sd_bus_error *error) _nonnull_(1, 2);
