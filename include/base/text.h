/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Numbers and sizes as text, strictly: the whole text must be the number, else -EINVAL. */

#include "base/util.h"

#include <stdarg.h>

/* An unsigned number in BASE (0: as C writes it). -EINVAL: not wholly a number; -ERANGE: above MAX. */
int text_to_u64(const char *text, int base, uint64_t max, uint64_t *ret) _warn_unused_result_
                _nonnull_(1, 4);

/* "256M", "64K", "1G", "512": bytes. Suffixes K, M, G (powers of 1024). -EINVAL or -ERANGE. */
int text_to_bytes(const char *text, uint64_t *ret) _warn_unused_result_ _nonnull_(1, 2);

/* "3s", "500ms", "2min", "10" (seconds): microseconds. -EINVAL or -ERANGE. */
int text_to_usec(const char *text, uint64_t *ret) _warn_unused_result_ _nonnull_(1, 2);

/* Bytes as a person writes them: "256", "4K", "2M". Static buffers are never used: SIZE bytes at BUFFER. */
#define TEXT_BYTES_MAX 24
const char *text_from_bytes(uint64_t bytes, char buffer[static TEXT_BYTES_MAX]);

/* Microseconds as text_to_usec() reads them: "3s", "500ms", "2min". What is no whole millisecond is cut. */
const char *text_from_usec(uint64_t usec, char buffer[static TEXT_BYTES_MAX]);

/* asprintf() that returns NULL when there is no memory. */
char *text_format(const char *format, ...) _printf_(1, 2) _warn_unused_result_;

/* Replaces *TEXT by a formatted text (freeing what was there); NULL when there is no memory. Returns *TEXT. */
char *text_replace(char **text, const char *format, ...) _printf_(2, 3) _nonnull_(1);

/*
 * Puts '?' for what is not printable ASCII: names that others choose (processes, mount points) bring no control
 * characters to a terminal or a document.
 */
void text_make_printable(char *text) _nonnull_(1);

bool text_equal(const char *a, const char *b) _pure_; /* NULL equals only NULL */
bool text_starts_with(const char *text, const char *prefix) _pure_ _nonnull_(1, 2);

/* Frees a NULL-terminated list and its texts. */
char **text_list_free(char **list);
DEFINE_CLEANUP(char **, text_list_free);
