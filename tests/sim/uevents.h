/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Uevents in a network namespace of the simulator's own: the kernel broadcasts there, as its own messages, what a
 * process with CAP_SYS_ADMIN in the namespace's user namespace sends to its uevent socket
 * (lib/kobject_uevent.c: uevent_net_rcv_skb()). Receivers see the kernel's port 0.
 */

#include "machine.h"

/* -errno. Refused in the machine's first network namespace: nothing of ours may reach the host's udev. */
int uevents_open(Machine *machine);

/* Sends ACTION ("add", "remove", "bind", "unbind") of a function. */
void uevents_send(Machine *machine, const char *action, Function *function);
/* As a write to the function's `uevent` makes it. */
void uevents_send_synthetic(Machine *machine, const char *action, Function *function, const char *uuid);
/* Of another object: DEVPATH without "/devices/". */
void uevents_send_other(Machine *machine, const char *action, const char *subsystem, const char *devpath);

/* Whether nothing waits in the sockets of those that listen to udev. */
bool uevents_are_read(void);

/* Whether somebody listens to the kernel's group. */
bool uevents_have_listener(void);
