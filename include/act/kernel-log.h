/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the kernel itself said of some functions meanwhile ("BAR 1: no space for …"): its lines in the system's journal. Reading
 * that is not worth waiting for: it is done by a process of its own, which is given up at a deadline.
 */

#include "base/pci-address.h"

#define KERNEL_LOG_LINES_MAX 64u
#define KERNEL_LOG_LINE_MAX 240u /* bytes */

/*
 * The kernel's lines about ADDRESSES since SINCE_USEC (of CLOCK_MONOTONIC, in this boot), oldest first, printable ASCII; a
 * NULL-terminated list, which is empty when there is no journal or it may not be read. DIRECTORY has the journal; NULL: this
 * machine's. -ETIMEDOUT after DEADLINE_USEC; another negative errno.
 */
int kernel_log_read(const char *directory, const PciAddress *addresses, size_t n, uint64_t since_usec,
                    uint64_t deadline_usec, char ***ret) _warn_unused_result_ _nonnull_(2, 6);
