/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * udevd of the simulated machine: a thread that deals with the kernel's events one after another, loads the modules they
 * ask for, and then sends its own copies to group 2 of the uevent sockets, in libudev's message format
 * (systemd: src/libsystemd/sd-device/device-monitor.c). There is one per process.
 */

#include "machine.h"

/* Starts the thread. -errno. */
int udevd_start(Machine *machine);

/* A new machine: what was not dealt with is forgotten. The machine's lock is held, as below. */
void udevd_reset(void);

/* Nothing is queued or being dealt with. */
bool udevd_is_idle(void);
