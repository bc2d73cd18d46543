/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The text of the kernel's /sys/bus/pci/resource_alignment (KF §1): our entries in front, everything else behind,
 * byte for byte. Pure: works on text only.
 */

#include "base/util.h"

#define ALIGNMENT_PARAM_PATH "sys/bus/pci/resource_alignment"

/* Answers of alignment_param_merge() beside 0. */
typedef enum AlignmentAnswer {
        ALIGNMENT_OK = 0,
        ALIGNMENT_FULL = 1, /* does not fit into the attribute, even without our other entries */
} AlignmentAnswer;

/* The most bytes that the kernel takes in one write, final newline included: PAGE - 2 (KF §1). */
size_t alignment_param_limit(uint64_t page);

/*
 * One entry of ours: "0000:00:1c.0/00.0" when ORDER is the page's, else "16@0000:00:1c.0/00.0". NULL: no memory.
 */
char *alignment_entry_format(const char *path, unsigned order, unsigned page_order) _warn_unused_result_
                _nonnull_(1);

/*
 * The text with ENTRIES (a NULL-terminated list) in front of CURRENT, an entry that is there already not repeated but
 * moved to the front. OURS lists entries of ours that CURRENT may hold, oldest first (NULL: none): when the text gets
 * longer than LIMIT (alignment_param_limit()), these are dropped one by one, oldest first, and returned in RET_DROPPED
 * (NULL-terminated, may be empty; text_list_free()). Everything that is neither in ENTRIES nor in OURS stays byte for byte, in its order,
 * also what the kernel could not parse; only a newline, and what follows it, goes, as in the kernel. Without final newline.
 * Returns an AlignmentAnswer or -ENOMEM.
 */
int alignment_param_merge(const char *current, char *const *entries, char *const *ours, size_t limit,
                          char **ret, char ***ret_dropped) _warn_unused_result_ _nonnull_(1, 2, 5, 6);

/*
 * CURRENT without ENTRIES: the reverse of a merge; what others put in between stays. An entry counts only where it
 * stands as a whole between separators in the part that the kernel's parser would reach as entries. -ENOMEM.
 */
int alignment_param_remove(const char *current, char *const *entries, char **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* True when ENTRY stands in TEXT as a whole entry. */
bool alignment_param_has(const char *text, const char *entry) _nonnull_(1, 2);

/*
 * The entries of TEXT that the kernel's parser gets to, in their order; NULL-terminated. *RET_REST (part of TEXT) is what it
 * does not get to, empty when there is no such thing. -ENOMEM.
 */
int alignment_param_split(const char *text, char ***ret, const char **ret_rest) _warn_unused_result_
                _nonnull_(1, 2, 3);
