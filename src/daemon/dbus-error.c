/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-error.h"

#include <errno.h>
#include <stdarg.h>

static const char *const names[] = {
#define DBUS_ERROR(name, word, meaning) [DBUS_ERROR_##name] = "org.vfiorealign1.Error." word,
#include "daemon/dbus-error.def"
#undef DBUS_ERROR
};

const char *dbus_error_name(DBusError error)
{
        return names[error];
}

_printf_(3, 0) static int set(sd_bus_error *ret, DBusError error, const char *format, va_list args)
{
        _cleanup_free_ char *text = NULL;
        if (vasprintf(&text, format, args) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        int r = sd_bus_error_set(ret, names[error], text);
        return r < 0 ? r : -EINVAL;
}

int dbus_error_set(sd_bus_error *ret, DBusError error, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        int r = set(ret, error, format, args);
        va_end(args);
        return r;
}

int dbus_error_reply(sd_bus_message *call, DBusError error, const char *format, ...)
{
        _cleanup_(sd_bus_error_free) sd_bus_error problem = SD_BUS_ERROR_NULL;
        va_list args;
        va_start(args, format);
        int r = set(&problem, error, format, args);
        va_end(args);
        return sd_bus_error_is_set(&problem) ? sd_bus_reply_method_error(call, &problem)
                                             : sd_bus_reply_method_errno(call, r, NULL);
}
