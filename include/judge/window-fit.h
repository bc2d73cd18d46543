/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Whether BARs of given sizes find room in a bridge's windows beside what stays there: what scope `function` must prove
 * before anything is removed (design §5). Pure.
 */

#include "model/topology.h"

/*
 * True when all memory BARs and ROMs of the functions in MOVING (N_MOVING of them, all on BRIDGE's secondary bus), each
 * grown to at least ALIGNMENT bytes, and their VF BARs in their own size, can be placed by the kernel's rule (largest
 * alignment first, lowest fitting address, windows tried in the order of __pci_assign_resource()) into BRIDGE's
 * windows, beside every other function below BRIDGE. BRIDGE NULL (root bus): always true, because there is no window to
 * prove it from; then the verification has to tell. Without memory: false, nothing is proven.
 */
bool window_fit(const Topology *topology, const PciFunction *bridge, const PciFunction *const *moving,
                size_t n_moving, uint64_t alignment) _nonnull_(1, 3);
