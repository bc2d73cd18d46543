/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How documents go to standard output. */

#include "base/json-document.h"
#include "client/client.h"

/* DOCUMENT as --json says; NULL (its making failed) is said on standard error. */
ClientExit client_print_json(const ClientContext *context, JsonObject *document) _warn_unused_result_
                _nonnull_(1);
