/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon as the command line sees it: its name on the system bus, of this machine or of another one, calls to it,
 * and what its errors and those of the bus mean in one line. The interface is in org.vfiorealign1(5).
 */

#include "client/client.h"

#include <systemd/sd-bus.h>

#define BUS_NAME "org.vfiorealign1"
#define BUS_PATH "/org/vfiorealign1"
#define BUS_MANAGER BUS_NAME ".Manager"
#define BUS_FUNCTION BUS_NAME ".Function"
#define BUS_QUICK_USEC UINT64_C(5000000) /* for calls that the daemon answers at once */

/* Says itself why the bus cannot be reached. */
ClientExit bus_client_open(const ClientContext *context, sd_bus **ret) _warn_unused_result_ _nonnull_(1, 2);

/* Says what went wrong: ERROR, if it is set, else the negative errno R. CLIENT_EXIT_ERROR or CLIENT_EXIT_USAGE. */
ClientExit bus_client_complain(const ClientContext *context, const sd_bus_error *error, int r)
                _nonnull_(1, 2);

/* A call of METHOD of the manager; whoever has to authenticate for it may be asked. Negative errno. */
int bus_client_new_call(sd_bus *bus, const char *method, sd_bus_message **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Sends CALL and handles what comes until it is answered, however long that takes: signals get to their handlers
 * meanwhile. Says itself what went wrong.
 */
ClientExit bus_client_run(const ClientContext *context, sd_bus *bus, sd_bus_message *call,
                          sd_bus_message **ret_reply) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
