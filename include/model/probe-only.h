/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Whether the kernel was told to keep the firmware's assignment of addresses, where the device tree tells: then it ignores
 * resource_alignment (PCI_PROBE_ONLY, KF §8). Elsewhere only a first attempt shows it.
 */

#include "base/root.h"

/*
 * For all host bridges: /chosen/linux,pci-probe-only (of_pci_check_probe_only()); on pseries it is so unless that property
 * says 0. -ENOMEM and other errors of reading; without a device tree *RET is false.
 */
int probe_only_read(const Root *root, bool *ret) _warn_unused_result_ _nonnull_(1, 2);

/* For the host bridge whose device is at PATH ("sys/devices/platform/40000000.pcie"), by its own node. */
int probe_only_read_host(const Root *root, const char *path, bool *ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
