/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How the kernel sizes the windows of bridges that were re-made and gives addresses to what a scan found
 * (setup-bus.c; KF §3 "Windows on rescan"): largest alignment first, each at the lowest fitting address of the first
 * window that takes its type; what stayed is never moved; what does not fit reads as zeros.
 */

#include "machine.h"

/* Sizes the windows that have no address of all bridges below the root bus of HOST. */
void allocator_size(Machine *machine, Host *host);

/* Places what has no address yet, from the root bus downwards. */
void allocator_assign(Machine *machine, Host *host);
