/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the options of the command line say, as every verb gets it, and the exit statuses that are part of it. */

#include "base/root.h"
#include "client/style.h"
#include "model/policy.h"

typedef enum ClientExit {
        CLIENT_EXIT_FINE = 0,
        CLIENT_EXIT_ERROR = 1,
        CLIENT_EXIT_USAGE = 2,
        CLIENT_EXIT_NEEDS_REALIGN = 3,
        CLIENT_EXIT_CANNOT = 4,
} ClientExit;

typedef enum ClientJson {
        CLIENT_JSON_OFF,
        CLIENT_JSON_SHORT,  /* one line */
        CLIENT_JSON_PRETTY, /* indented */
} ClientJson;

typedef struct ClientContext {
        const Root *root;
        const char *sysroot; /* the directory of ROOT; NULL: this machine */
        const char *config;  /* a policy file of the caller's; NULL: those of ROOT */
        const char *worker;  /* vfio-realign-worker */
        uint64_t page;       /* bytes */
        ClientJson json;
        const char *columns; /* what -o was given; NULL: the verb's own choice */
        bool no_legend;      /* a table without its header line */
        bool no_pager;
        bool force;
        uint64_t timeout_usec; /* UINT64_MAX: none */
        const char *host;      /* whose daemon is asked; NULL: this machine's */
        Style style;           /* of standard output, whether or not a pager is in between */
} ClientContext;

/* The worse of two: error, usage, cannot, needs realign, fine. For several functions: the worst of all. */
ClientExit client_exit_worse(ClientExit a, ClientExit b);

/* Says on standard error what went wrong: "vfio-realign: …" and a newline. Returns CLIENT_EXIT_ERROR. */
ClientExit client_error(const char *format, ...) _printf_(1, 2);

/*
 * The policy that --config and --sysroot name. When it has errors they are said on standard error, and the answer is
 * CLIENT_EXIT_ERROR; else CLIENT_EXIT_FINE.
 */
ClientExit client_load_policy(const ClientContext *context, Policy **ret) _warn_unused_result_
                _nonnull_(1, 2);

/* The snapshot of ROOT. Says itself on standard error what cannot be read. */
ClientExit client_read_topology(const ClientContext *context, Topology **ret) _warn_unused_result_
                _nonnull_(1, 2);
