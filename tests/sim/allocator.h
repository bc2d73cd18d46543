/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the kernel puts windows and BARs: what pci_assign_unassigned_bus_resources() does in 6.1 and in 7.3, step by step.
 * Windows are sized first (window-size.h), then each bus places what is on it.
 */

#include "machine.h"

/* Sizes and places everything below HOST that has no address yet. */
void allocator_run(Machine *machine, Host *host);
