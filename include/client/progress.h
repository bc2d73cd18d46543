/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the daemon tells of its transactions, as lines: each step when it is done, on a terminal also the running one. */

#include "client/bus-client.h"

typedef struct Progress {
        const ClientContext *context;
        const char **functions; /* only of transactions about one of these; NULL: of all */
        size_t n_functions;
        char *followed; /* the id of such a transaction */
        bool pending;   /* a line of a running step is on the terminal */
} Progress;

/* Listens from now on; what comes is printed while the bus is processed. Negative errno. */
int progress_follow(Progress *progress, sd_bus *bus) _warn_unused_result_ _nonnull_(1, 2);
void progress_clear(Progress *progress) _nonnull_(1);
