/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which functions the kernel puts in one IOMMU group: pci_device_group() and what it asks. */

#include "machine.h"

/* The group that FUNCTION, which has none yet, joins; NONE: a new one of its own. */
int iommu_group_of(const Machine *machine, const Function *function);
