/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The introspection document of an interface, as the bus would show it: made by sd-bus from the vtable itself. */

#include "base/util.h"

/*
 * Writes the document of INTERFACE ("org.vfiorealign1.Manager") to OUT. -ENOENT: there is no such interface; another
 * negative errno.
 */
int dbus_introspect(const char *interface, FILE *out) _warn_unused_result_ _nonnull_(1, 2);
