/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What vendors call their functions: libpci's list of names. Nothing else of libpci is used, so no function is touched. */

#include "model/topology.h"

typedef struct PciNames PciNames;

int pci_names_open(PciNames **ret) _warn_unused_result_ _nonnull_(1);
PciNames *pci_names_close(PciNames *names);
DEFINE_CLEANUP(PciNames *, pci_names_close);

/* "Realtek … RTL-8100/8101L/8139"; "Vendor 10ec Device 8139" when the list has no name. NULL: no memory. */
char *pci_names_of(const PciNames *names, const PciFunction *function) _warn_unused_result_ _nonnull_(1, 2);
