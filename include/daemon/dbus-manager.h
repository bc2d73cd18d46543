/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The interface org.vfiorealign1.Manager: its properties, methods and signals, for sd-bus. */

#include "daemon/dbus-service.h"

#define DBUS_MANAGER_INTERFACE "org.vfiorealign1.Manager"

extern const sd_bus_vtable dbus_manager_vtable[];

/* Tells which properties have changed. Negative errno. */
int dbus_manager_update(DBusService *service) _warn_unused_result_ _nonnull_(1);
