/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How documents go to standard output. */

#include "base/json-document.h"
#include "client/client.h"

/* DOCUMENT as --json says; NULL (its making failed) is said on standard error. */
ClientExit client_print_json(const ClientContext *context, JsonObject *document) _warn_unused_result_
                _nonnull_(1);

/* Prints a formatted text to standard output in lines of at most 80 characters, INDENT blanks in front of each. */
ClientExit client_print_wrapped(unsigned indent, const char *format, ...) _printf_(2, 3);
