/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's reading of resource_alignment (pci_specified_resource_alignment(), pci_dev_str_match()), traps included
 * (KF §1): written from the kernel's grammar and not from ours, so that the two can disagree.
 */

#include "machine.h"

/* The bytes to which FUNCTION's BARs are to be aligned; 0: nothing was asked for. */
uint64_t alignment_of(const char *text, const Function *function, uint64_t page);

/* What a write of SIZE bytes makes of the attribute; the number of bytes taken, or -EINVAL. */
int alignment_store(char text[static TEXT_MAX], const char *data, size_t size, uint64_t page);
