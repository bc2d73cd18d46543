/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The objects of the functions on VFIO drivers: interface org.vfiorealign1.Function at
 * /org/vfiorealign1/function/ADDRESS. They come, go and change as the surveys do, and only differences are told.
 */

#include "daemon/manager.h"

#include <systemd/sd-bus.h>

#define DBUS_FUNCTION_INTERFACE "org.vfiorealign1.Function"
#define DBUS_FUNCTION_PREFIX "/org/vfiorealign1/function"

extern const sd_bus_vtable dbus_function_vtable[];

typedef struct DBusFunctions DBusFunctions;

/* Puts the objects on CONNECTION; there are none before the first dbus_functions_update(). Negative errno. */
int dbus_functions_new(sd_bus *connection, const Manager *manager, DBusFunctions **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
DBusFunctions *dbus_functions_free(DBusFunctions *functions);
DEFINE_CLEANUP(DBusFunctions *, dbus_functions_free);

/* Brings the objects up to date and tells what has changed. Negative errno. */
int dbus_functions_update(DBusFunctions *functions) _warn_unused_result_ _nonnull_(1);

/* The object path of the function at ADDRESS; NULL: no memory. */
char *dbus_function_path(PciAddress address) _warn_unused_result_;
