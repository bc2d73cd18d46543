/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The errors of the interfaces on D-Bus: one table (dbus-error.def) of names and what they mean. */

#include "base/util.h"

#include <systemd/sd-bus.h>

typedef enum DBusError {
#define DBUS_ERROR(name, word, meaning) DBUS_ERROR_##name,
#include "daemon/dbus-error.def"
#undef DBUS_ERROR
        DBUS_ERROR_COUNT_,
} DBusError;

/* "org.vfiorealign1.Error.TimedOut" */
const char *dbus_error_name(DBusError error);

/* Sets RET, for a handler of sd-bus to return; the result is always negative. */
int dbus_error_set(sd_bus_error *ret, DBusError error, const char *format, ...) _printf_(3, 4)
                _nonnull_(1, 3);

/* Answers CALL with it. Negative errno: it cannot be sent. */
int dbus_error_reply(sd_bus_message *call, DBusError error, const char *format, ...) _printf_(3, 4)
                _nonnull_(1, 3);
