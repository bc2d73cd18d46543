/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The kernel's own uevents, as they leave it (not udev's copies, which come 10 to 30 ms later: LF). */

#include "base/pci-address.h"

#define UEVENT_SIZE_MAX 8192

typedef struct Uevent {
        const char *action;    /* "add", "bind", … */
        const char *devpath;   /* "/devices/pci0000:00/0000:00:1c.0/0000:01:00.0" */
        const char *subsystem; /* "pci" */
        const char *pci_class; /* "20000", hexadecimal; NULL: no PCI function */
} Uevent;

/* A socket on the kernel's uevent group, with room for ROOM bytes. */
int uevent_open(size_t room, int *ret_fd) _warn_unused_result_ _nonnull_(2);

/*
 * Receives one event into BUFFER, to which *RET's texts then point. 0; 1: a message that is no kernel event (forged,
 * broken); -EAGAIN: none there; -ENOBUFS: events were lost.
 */
int uevent_receive(int fd, char buffer[static UEVENT_SIZE_MAX], Uevent *ret) _warn_unused_result_
                _nonnull_(3);

/* Splits a message of SIZE bytes as the kernel sends it. 0 or -EBADMSG. */
int uevent_parse(char *message, size_t size, Uevent *ret) _warn_unused_result_ _nonnull_(1, 3);

/*
 * The topology path ("0000:00:1c.0/00.0") and the address that DEVPATH names. -EINVAL when it is not that of a PCI
 * function, -ENOMEM.
 */
int uevent_topology_path(const char *devpath, char **ret_path, PciAddress *ret_address) _warn_unused_result_
                _nonnull_(1, 2, 3);
