/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The table of `status` as libsmartcols prints it. */

#include "client/status-column.h"

/* Prints ROWS with the columns chosen to standard output. Says itself what went wrong. */
ClientExit status_table_print(const ClientContext *context, const StatusColumns *columns,
                              const StatusRow *rows, size_t n_rows) _warn_unused_result_ _nonnull_(1, 2, 3);
