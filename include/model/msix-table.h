/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The BAR that holds a function's MSI-X table, as its configuration space tells. QEMU/KVM by default keeps trapping the
 * page of that table (KF §5), so that an administrator may not want such a BAR to be realigned. Reading `config` can
 * resume the function, therefore this is no part of the snapshot: only the worker asks for it, and `explain`.
 */

#include "base/pci-address.h"
#include "base/root.h"

#define MSIX_TABLE_NONE (-1)
#define MSIX_TABLE_UNSEEN (-2) /* the process sees no more than the header, and there is more */

/* What the kernel has of a function's first, conventional configuration space: bytes. */
#define MSIX_TABLE_CONFIG_SIZE 256u

/*
 * The line of the BAR that CONFIG names, 0 to 5; MSIX_TABLE_NONE: without MSI-X capability, when the SIZE bytes end before
 * it, or when they are garbage; MSIX_TABLE_UNSEEN: they are the header alone (64 bytes, without privileges), which refers to
 * capabilities.
 */
int8_t msix_table_find(const uint8_t *config, size_t size) _nonnull_(1);

/* The same for the function at ADDRESS. -ENOENT when it has gone, or another negative errno of reading its `config`. */
int msix_table_read(const Root *root, PciAddress address, int8_t *ret_bar) _warn_unused_result_
                _nonnull_(1, 3);
