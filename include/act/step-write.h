/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How steps write to sysfs, and how they look whose driver a function has at this moment. */

#include "act/transaction.h"

/*
 * Writes VALUE and a newline to the attribute at PATH (NULL: no memory for it) and accounts the time as the kernel's. A
 * FindingAnswer: an error is a finding about ABOUT that names the file. -ENOMEM.
 */
int step_write(Transaction *transaction, PciAddress about, const char *path, const char *value,
               Finding *finding) _warn_unused_result_ _nonnull_(1, 4, 5);

/* The same for an attribute of the function at ADDRESS. */
int step_write_of(Transaction *transaction, PciAddress address, const char *attribute, const char *value,
                  Finding *finding) _warn_unused_result_ _nonnull_(1, 3, 4, 5);

/* Asks the kernel for a driver for the function at ADDRESS. */
int step_probe(Transaction *transaction, PciAddress address, Finding *finding) _warn_unused_result_
                _nonnull_(1, 3);

/* The driver that the function has now; NULL: none. Reads a link alone, which cannot block. */
int step_driver_now(const Transaction *transaction, PciAddress address, char **ret) _warn_unused_result_
                _nonnull_(1, 3);
