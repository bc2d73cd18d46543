/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The kernel's boot option "pci=resource_alignment=ENTRIES", which sets the alignment attribute before the first function
 * is discovered (KF §1). Pure: works on text only.
 */

#include "base/util.h"

#define BOOT_OPTION_PATH "proc/cmdline"
#define BOOT_OPTION_PREFIX "pci=resource_alignment="

/* What the running kernel took from its command line TEXT: the last one counts. *RET is NULL when there is none. -ENOMEM. */
int boot_option_find(const char *text, char **ret) _warn_unused_result_ _nonnull_(1, 2);

/*
 * The entries of the option that says what the attribute's text ATTRIBUTE says: a ',' would end the option and a blank the
 * word, so entries with one have none afterwards, or cannot be carried. *RET_LEFT_OUT is what the option cannot say, or what
 * the kernel does not understand; NULL: nothing. NULL-terminated lists. -ENOMEM.
 */
int boot_option_entries(const char *attribute, char ***ret, char **ret_left_out) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* BOOT_OPTION_PREFIX and the entries, separated by ';'. NULL: no memory. */
char *boot_option_format(char *const *entries) _warn_unused_result_ _nonnull_(1);
