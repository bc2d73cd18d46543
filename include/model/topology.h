/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The snapshot: all functions of the machine as sysfs shows them at one moment, sorted by address, each with its
 * place in the hierarchy. It is read only from attributes that cannot block (`resource`, `enable`, ids, links, directory
 * names: design §3; not `uevent`, see function-read.c), so that the daemon may read it at any time.
 */

#include "base/pci-address.h"
#include "base/root.h"
#include "model/resource.h"

#define PCI_CLASS_UNDEFINED 0x000000u
#define IOMMU_GROUP_NONE (-1)

typedef struct PciFunction {
        PciAddress address;
        const struct PciFunction *bridge; /* the bridge above; NULL on a root bus */
        PciAddress root_bus;              /* domain and bus number of the root bus; device and function 0 */
        char *sysfs_path;                 /* "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0" */

        uint32_t class; /* 24 bits: class, subclass, programming interface */
        uint16_t vendor, device, subvendor, subdevice;

        char *driver;    /* NULL: unbound */
        bool on_vfio;    /* has a vfio-dev directory, whatever the driver's name (KF §4) */
        int iommu_group; /* IOMMU_GROUP_NONE: none */
        unsigned enable; /* the enable count (KF §5) */

        bool is_bridge;    /* a PCI-to-PCI bridge: class 0x0604 */
        bool is_virtual;   /* a virtual function; then PHYSFN is its physical function */
        bool has_virtual;  /* a physical function with virtual functions */
        bool boot_display; /* boot_vga is 1 */
        bool removable;    /* "removable": below an external port */
        bool device_tree;  /* the host bridge comes from a device tree */
        bool probe_only; /* the kernel keeps the firmware's addresses below its host bridge (model/probe-only.h) */
        bool vmd;        /* the root bus hangs below another PCI function */
        bool zpci;       /* on s390, where the platform gives functions identifiers of its own */
        PciAddress physfn;
        ResourceTable resources;
} PciFunction;

typedef struct Topology {
        PciFunction *functions; /* sorted by address */
        size_t n_functions;
} Topology;

/*
 * Reads the snapshot. A function that disappears while it is read is left out. Negative errno when an attribute is
 * garbage or unreadable; *RET_PROBLEM then names file and line (the caller frees it; NULL when there is no memory).
 */
int topology_read(const Root *root, Topology **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
Topology *topology_free(Topology *topology);
DEFINE_CLEANUP(Topology *, topology_free);

/* The function at ADDRESS, or NULL. O(log n). */
const PciFunction *topology_find(const Topology *topology, PciAddress address) _nonnull_(1);

/* True when FUNCTION is below BRIDGE, at any depth (not when it is BRIDGE itself). */
bool topology_is_below(const PciFunction *function, const PciFunction *bridge) _nonnull_(1, 2);

/* True when both are on the same bus: the same bridge above, or the same root bus. */
bool topology_same_bus(const PciFunction *a, const PciFunction *b) _nonnull_(1, 2);

/*
 * The path that identifies a function when bus numbers change, in the form the kernel's resource_alignment takes
 * (KF §1): the root-bus bridge's address, then "/DD.F" for each step down. "0000:00:1c.0/00.0"; "0000:00:08.0" on a
 * root bus. NULL when there is no memory.
 */
char *topology_path(const PciFunction *function) _warn_unused_result_ _nonnull_(1);

/* The function that topology_path() gave PATH for, or NULL. */
const PciFunction *topology_find_path(const Topology *topology, const char *path) _nonnull_(1, 2);
