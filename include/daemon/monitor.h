/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Hears from udev what happens to PCI functions: binds, unbinds, functions that come and go. It listens after udev has
 * dealt with the event, so that whoever set the function up by rules is done.
 */

#include "base/pci-address.h"

#include <systemd/sd-event.h>

typedef struct Monitor Monitor;

typedef struct MonitorEvent {
        const char *action; /* "bind", "unbind", "add", "remove" */
        const char *path;   /* where the function is in sysfs, from "devices" on: for bus_key_from_path() */
        PciAddress address;
} MonitorEvent;

typedef struct MonitorHandlers {
        void (*on_event)(const MonitorEvent *event, void *userdata);
        void (*on_overflow)(void *userdata); /* events were lost: everything has to be looked at */
        void *userdata;
} MonitorHandlers;

/* Listens from now on. Negative errno: the socket cannot be had. */
int monitor_new(sd_event *event, const MonitorHandlers *handlers, Monitor **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
Monitor *monitor_free(Monitor *monitor);
DEFINE_CLEANUP(Monitor *, monitor_free);
