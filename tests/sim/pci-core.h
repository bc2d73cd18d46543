/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Discovery and removal (probe.c, remove.c, bus.c; KF §3): a scan makes an object for every function that answers and has
 * none, applies resource_alignment to it, tells of it, gives addresses, and only then lets drivers attach. The
 * machine's lock is held; it is let go while something waits.
 */

#include "machine.h"

/* Where the firmware put BARs. */
typedef enum Placement {
        PLACEMENT_PACKED,   /* as the kernel packs */
        PLACEMENT_SPREAD,   /* each on a page of its own */
        PLACEMENT_RECORDED, /* as the scenario's `line` statements say */
} Placement;

/* Brings the machine up: all that it has is found, placed and on its driver. */
void pci_boot(Machine *machine, Placement placement);

/* Somebody binds what was left for later (machine->binds_later); with events. */
void pci_bind_vfio(Machine *machine);

/*
 * Whether a reset of the bus above would reset FUNCTION alone: the method "bus" is there only then, for a function that is
 * being found as for one whose `reset_method` is written (pci_parent_bus_reset(), reset_method_store()).
 */
bool pci_can_reset_bus(const Machine *machine, const Function *function);

/* A write to a rescan door of the hierarchy of HOST. */
void pci_rescan(Machine *machine, Host *host);

/* What probes in its own time, and would do so until somebody waits for it, gets on with it. */
void pci_finish_probes(Machine *machine);

/* A write to FUNCTION's `remove`: with all that is below, whoever uses it. */
void pci_remove(Machine *machine, Function *function);
