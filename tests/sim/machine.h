/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The simulated machine: its hardware (what answers on the PCI buses), what its kernel knows of it (the `struct
 * pci_dev` of each function, drivers, groups), and the processes that use it. One lock guards it all; what blocks in
 * the kernel waits here for `changed`. Behaviour is cited from kernel-facts (KF §n) and lab-facts (LF).
 */

#include "base/pci-address.h"
#include "base/util.h"

#include <pthread.h>

#define LINES 17u /* of a bridge; a function has LINES_FUNCTION */
#define LINES_FUNCTION 13u
#define BARS 6u
#define ROM 6u
#define FIRST_WINDOW 13u
enum {
        WINDOW_IO,
        WINDOW_MEMORY,
        WINDOW_PREFETCH,
        WINDOWS,
};
#define NONE (-1)

/* include/linux/ioport.h */
#define FLAG_IO UINT64_C(0x100)
#define FLAG_MEMORY UINT64_C(0x200)
#define FLAG_PREFETCH UINT64_C(0x2000)
#define FLAG_SIZEALIGN UINT64_C(0x40000)
#define FLAG_STARTALIGN UINT64_C(0x80000)
#define FLAG_64 UINT64_C(0x100000)
#define FLAG_UNSET UINT64_C(0x20000000)
#define FLAG_FIXED UINT64_C(0x10)

typedef struct Resource {
        uint64_t start, end, flags;
        uint64_t alignment; /* bytes; while UNSET or assigned */
} Resource;

/* A register of the hardware: it is there before the kernel looks, and keeps what was written last. */
typedef struct Bar {
        uint64_t size;  /* 0: not implemented */
        uint64_t flags; /* FLAG_IO …, with the low bits */
        uint64_t fixed; /* the address of a fixed one */
} Bar;

/* What is lost with the kernel's object and can be written back. */
typedef enum Attribute {
        ATTRIBUTE_OVERRIDE, /* empty: not set */
        ATTRIBUTE_CONTROL,
        ATTRIBUTE_WAKEUP,
        ATTRIBUTE_AUTOSUSPEND,
        ATTRIBUTE_D3COLD,
        ATTRIBUTE_RESET_METHOD,
        ATTRIBUTE_NUMA_NODE,
        ATTRIBUTE_MSI_BUS,
        ATTRIBUTE_PARITY,
        ATTRIBUTE_CLKPM,
        ATTRIBUTE_L1_ASPM,
        ATTRIBUTES,
} Attribute;
#define VALUE_MAX 64

typedef struct Driver {
        char name[32];
        bool vfio, port;
        bool async; /* probes after the rescan has returned */
        bool slow;  /* has matched when it does, and its link shows once somebody waits for the function */
        bool fails; /* its probe fails */
        bool fails_once; /* the next one after boot does */
        bool late;       /* a module that udev loads for an `add` of what it matches */
        bool at_unbind;  /* a module that somebody loads while functions are being unbound */
        bool loaded;     /* of those two */
        struct {
                uint32_t vendor, device; /* 0xffff: any */
                uint32_t class, class_mask;
        } ids[8];
        size_t n_ids;
} Driver;

typedef struct Function Function;
typedef struct Host Host;

struct Function {
        /* hardware */
        PciAddress address;
        Function *bridge; /* NULL: on the root bus */
        Host *host;
        uint32_t class;
        uint16_t vendor, device, subvendor, subdevice;
        bool is_bridge, hotplug;
        bool multi_bit;    /* the multi-function bit of its header */
        bool express;      /* a PCI Express function other than a port or bridge */
        bool acs;          /* has Access Control Services */
        bool conventional; /* a bridge to conventional PCI: what is below it shares its IOMMU group */
        bool vanishes;     /* does not answer any more once it was removed */
        bool unplugged;    /* is pulled out as soon as a worker has been killed in its work */
        uint16_t late_vendor, late_device; /* what it says it is once it was removed; 0: what it was */
        uint8_t secondary;
        Bar bars[BARS + 1];
        Resource recorded[LINES];      /* where `place recorded` puts it */
        uint64_t window_size[WINDOWS]; /* what the bridge's registers say (6.1's floor) */
        char group_key[16];            /* functions with the same key share an IOMMU group */
        char late_key[16];             /* the key after it was removed once */
        char group_type[16]; /* what somebody has set for its IOMMU group after boot; "": nothing */
        bool external;
        char refuses[32]; /* the driver that fails to probe it */

        /* the kernel's object */
        bool present;
        bool attachable; /* pci_bus_add_device() was reached */
        bool is_multi;   /* the kernel knows that its slot has several */
        unsigned births;
        unsigned long birth; /* counts over all functions: the order in which the kernel goes through them */
        Resource resources[LINES];
        const Driver *driver;
        bool probing;     /* a slow driver has its lock */
        bool was_denied;  /* a host driver was kept from it because somebody used its group */
        bool lock_wanted; /* somebody waits for that */
        unsigned enable;
        int group;
        int vfio; /* N of vfio-dev/vfioN */
        char attributes[ATTRIBUTES][VALUE_MAX];

        /* what the scenario wants at boot */
        char boot_driver[32];
        char boot_attributes[ATTRIBUTES][VALUE_MAX];
};

/* Bytes of an aperture, or of a bridge's window, that somebody else has. */
typedef struct Reserved {
        Resource range;
        unsigned during; /* only while the kernel rescans for the Nth time; 0: always */
} Reserved;

struct Host {
        PciAddress bus; /* domain and bus */
        Resource windows[8];
        size_t n_windows;
};

typedef enum UserKind {
        USER_GROUP,     /* the group file and the device */
        USER_CDEV,      /* the character device, not bound: in no count (KF §5 item 4) */
        USER_RESOURCE,  /* a resourceN file, open */
        USER_MAPPING,   /* a resourceN file, mapped */
        USER_INVISIBLE, /* a device descriptor that was passed on: enable count only */
        USER_INTERFACE, /* the host: the function's network interface is up */
} UserKind;

/* A simulated process that uses a function. */
typedef struct User {
        char name[16];
        int pid;
        UserKind kind;
        PciAddress function;
        unsigned long from, until; /* numbers of operations (faults.h); 0: from the start, for ever */
        bool is_late;              /* begins only when the function has been removed and is back */
        bool active, was_active;
        unsigned births; /* of the function when the use began */
        int group, vfio;
} User;

#define FUNCTIONS_MAX 256
#define DRIVERS_MAX 24
#define USERS_MAX 16
#define HOSTS_MAX 4
#define GROUPS_MAX 512
#define TEXT_MAX 8192
#define VIOLATIONS_MAX 16

typedef struct Group {
        unsigned n_members;
        bool held_by_worker, held_by_user;
        char type[16];
        char key[16];
} Group;

/* What differs between kernels. */
typedef struct KernelOptions {
        uint64_t page;
        bool floor;         /* a re-made window is never smaller than before (6.1, 6.12) */
        bool optional_roms; /* windows are sized without ROMs if there is no room (7.3) */
        bool async;         /* async drivers probe after the rescan (7.3) */
        bool probe_only;    /* PCI_PROBE_ONLY: resource_alignment is ignored (KF §2) */
        bool lose_race;     /* drivers attach before the hold can be in place */
        bool udev;          /* there is a udevd */
        unsigned udev_usec; /* how long it takes for each event, about */
        bool iommu;         /* functions without a group key are grouped by the kernel's rules */
        unsigned scan_usec; /* how long a scan waits when no override comes */
} KernelOptions;

typedef struct Machine {
        pthread_mutex_t lock;
        pthread_cond_t changed;

        KernelOptions options;
        Host hosts[HOSTS_MAX];
        size_t n_hosts;
        Function *functions[FUNCTIONS_MAX]; /* sorted by address */
        size_t n_functions;
        Driver drivers[DRIVERS_MAX]; /* in the order of registration */
        size_t n_drivers;
        User users[USERS_MAX];
        size_t n_users;
        Group groups[GROUPS_MAX];
        unsigned long n_births;
        unsigned n_rescans; /* since boot; the one under way is counted */
        bool vfio_numbers[FUNCTIONS_MAX];
        Reserved reserved[8];
        size_t n_reserved;
        char alignment[TEXT_MAX];
        char boot_id[40];

        bool rescan_lock;        /* pci_rescan_remove_lock */
        bool booting;            /* no uevents, no waiting */
        bool binds_later;        /* what is to be on VFIO is bound by pci_bind_vfio(), not at boot */
        bool drivers_work;       /* somebody binds before all begins: no driver fails yet */
        bool listeners_dead;     /* the worker was killed: nobody deals with uevents */
        unsigned n_blocked;      /* requests that wait in the kernel */
        unsigned n_async;        /* probes under way */
        unsigned long n_changes; /* binds, unbinds, removes, rescans, writes */
        const char *why_blocked;
        char violations[VIOLATIONS_MAX][160];
        size_t n_violations;
        int uevents; /* the socket; -1: none are sent */
        /* Of udevd; FUNCTION is NULL when the event is about something else. NULL: there is none. */
        void (*on_uevent)(struct Machine *machine, const char *event, size_t size, Function *function);
        struct RunFile *run;   /* the writable tree */
        struct Faults *faults; /* what is injected; never NULL once served */
} Machine;

void machine_init(Machine *machine);
/* Forgets everything but lock and socket. */
void machine_reset(Machine *machine);

Function *machine_add(Machine *machine, PciAddress address);
/* Puts functions in order and finds their bridges. False: a bus has no bridge. */
bool machine_link(Machine *machine);
Function *machine_find(Machine *machine, PciAddress address);
Host *machine_host_of(Machine *machine, uint32_t domain, uint8_t root_bus);
const Driver *machine_driver(Machine *machine, const char *name);

bool function_is_below(const Function *function, const Function *bridge);
unsigned function_lines(const Function *function);
bool resource_assigned(const Resource *resource);
/* "pci0000:00/0000:00:1c.0/0000:01:00.0" */
const char *function_path(const Function *function, char buffer[static 256]);

/* Waits until something changes; the lock is held. */
void machine_wait(Machine *machine, const char *why);
void machine_changed(Machine *machine);
/* Waits at most USEC microseconds. */
void machine_wait_usec(Machine *machine, unsigned usec);

/* Remembers that a rule was broken. */
void machine_violation(Machine *machine, const char *format, ...) _printf_(2, 3);
