/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Cuts what comes from a pipe, in pieces of any size, into lines. A line that is longer than LINE_READER_MAX, or holds
 * a NUL byte, is left out as a whole and counted.
 */

#include "base/util.h"

#define LINE_READER_MAX (1u << 20) /* bytes: a result that names every function of a large machine fits */

typedef struct LineReader LineReader;

/* Gets each LINE, without its newline; the text is the reader's. */
typedef void (*LineHandler)(const char *line, void *userdata);

int line_reader_new(LineHandler handler, void *userdata, LineReader **ret) _warn_unused_result_
                _nonnull_(1, 3);
LineReader *line_reader_free(LineReader *reader);
DEFINE_CLEANUP(LineReader *, line_reader_free);

/* SIZE bytes more at DATA. -ENOMEM. */
int line_reader_feed(LineReader *reader, const char *data, size_t size) _warn_unused_result_ _nonnull_(1, 2);

/* No more comes: what stands behind the last newline is a line too, if it is not empty. */
void line_reader_end(LineReader *reader) _nonnull_(1);

/* How many lines were left out. */
size_t line_reader_dropped(const LineReader *reader) _nonnull_(1);
