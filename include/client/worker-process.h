/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The worker as the command line sees it: one process that writes one document to its standard output and ends, under a
 * deadline. What it says on standard error goes to the caller's.
 */

#include "client/client.h"

/* The most that a worker may write. */
#define WORKER_OUTPUT_MAX (16u << 20)

/*
 * Runs ARGUMENTS (NULL-terminated; the first is the program's path) and waits until it has written everything and ended.
 * *RET_TEXT is what it wrote to standard output, *RET_STATUS its exit status. Negative errno: it could not be started;
 * -ETIMEDOUT: not done DEADLINE_USEC after the start, and killed; -EFBIG: wrote too much, and killed; -ECHILD: ended by a
 * signal; -EBADMSG: it wrote a NUL byte.
 */
int worker_process_run(char *const *arguments, uint64_t deadline_usec, char **ret_text,
                       int *ret_status) _warn_unused_result_ _nonnull_(1, 3, 4);

/*
 * "vfio-realign-worker --plan --by-request ADDRESSES" with the options of CONTEXT passed on. Says itself what went wrong.
 * CLIENT_EXIT_FINE: *RET_TEXT is the document.
 */
ClientExit worker_process_plan(const ClientContext *context, const PciAddress *addresses, size_t n,
                               char **ret_text) _warn_unused_result_ _nonnull_(1, 2, 4);

/* "vfio-realign-worker --probe ADDRESS" in the same way: the only verb that opens the function. */
ClientExit worker_process_probe(const ClientContext *context, PciAddress address,
                                char **ret_text) _warn_unused_result_ _nonnull_(1, 3);
