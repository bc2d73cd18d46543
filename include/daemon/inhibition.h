/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Functions that are on their way to a guest or back: while libvirt moves them between drivers, nothing is begun by itself
 * that would take them out. It ends by itself as well, should whoever asked for it go away. Pure: time is handed in.
 */

#include "base/pci-address.h"

typedef struct Inhibitions Inhibitions;

int inhibitions_new(Inhibitions **ret) _warn_unused_result_ _nonnull_(1);
Inhibitions *inhibitions_free(Inhibitions *inhibitions);
DEFINE_CLEANUP(Inhibitions *, inhibitions_free);

/* Until UNTIL nothing is begun on the bus KEY (bus_key_from_path()) for the sake of ADDRESS, or on one related to it. -ENOMEM. */
int inhibitions_set(Inhibitions *inhibitions, PciAddress address, const char *key,
                    uint64_t until) _warn_unused_result_ _nonnull_(1, 3);

/* True when the bus KEY is to be left alone because of another function than those at ADDRESSES. */
bool inhibitions_cover(const Inhibitions *inhibitions, const char *key, const PciAddress *addresses,
                       size_t n) _nonnull_(1, 2);

/* Takes that of ADDRESS, or one that is over at NOW, out: the key of its bus, which the caller frees. NULL: there is none. */
char *inhibitions_take(Inhibitions *inhibitions, PciAddress address) _nonnull_(1);
char *inhibitions_take_over(Inhibitions *inhibitions, uint64_t now) _nonnull_(1);

/* When the next is over; UINT64_MAX: there is none. */
uint64_t inhibitions_next(const Inhibitions *inhibitions) _nonnull_(1);
