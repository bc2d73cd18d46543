/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The verbs of the command line: "vfio-realign VERB ARGUMENT…". One table (src/client/verb.c) drives the dispatch and
 * the help; each verb is one function in the file of its name.
 */

#include "client/column.h"

#define VERB_ANY_NUMBER ((size_t) -1)

/* Which of the options that not every verb has a verb takes. */
typedef enum VerbOptions {
        VERB_JSON = 1u << 0,
        VERB_COLUMNS = 1u << 1,
        VERB_LEGEND = 1u << 2,
        VERB_PAGED = 1u << 3, /* what it prints may be long */
        VERB_BUS = 1u << 4,   /* the daemon does it: there is none for --sysroot */
        VERB_TIMEOUT = 1u << 5,
        VERB_FORCE = 1u << 6,
        VERB_HOST = 1u << 7,
} VerbOptions;

typedef struct Verb {
        const char *name;
        const char *arguments; /* as the help shows them: "FUNCTION…" */
        size_t n_least, n_most;
        unsigned options; /* VerbOptions */
        /* ARGUMENTS: N of them, then NULL. */
        ClientExit (*run)(const ClientContext *context, size_t n, char *const *arguments);
        const ColumnList *columns; /* that -o takes; NULL: none */
        const char *help;
} Verb;

/* The verb with this name, or NULL. */
const Verb *verb_find(const char *name) _nonnull_(1);

/* The verb whose name is close enough to NAME to have been meant, or NULL. */
const Verb *verb_nearest(const char *name) _nonnull_(1);

/* A line for each verb, and such a line for one that is not in the table. */
void verb_describe_all(FILE *out) _nonnull_(1);
void verb_describe(FILE *out, const char *name, const char *arguments, const char *help)
                _nonnull_(1, 2, 3, 4);

/* In cmdline.c: the kernel's boot option that keeps the present state. */
ClientExit verb_cmdline(const ClientContext *context, size_t n, char *const *arguments);

/* In check-config.c: reads policy files and says what is wrong in them. */
ClientExit verb_check_config(const ClientContext *context, size_t n, char *const *arguments);

/* In errand.c: from the host's drivers to VFIO, and back. */
extern const ColumnList errand_columns;
ClientExit verb_restore(const ClientContext *context, size_t n, char *const *arguments);
ClientExit verb_detach(const ClientContext *context, size_t n, char *const *arguments);
ClientExit verb_reattach(const ClientContext *context, size_t n, char *const *arguments);

/* In explain.c: what VFIO sees of a function, in plain words. */
ClientExit verb_explain(const ClientContext *context, size_t n, char *const *arguments);

/* In map.c: the pages that small BARs are in, drawn. */
ClientExit verb_map(const ClientContext *context, size_t n, char *const *arguments);

/* In plan.c: what would be done for some functions, or what stands against it. */
ClientExit verb_plan(const ClientContext *context, size_t n, char *const *arguments);

/* In policy.c: the policy in effect, and where it comes from. */
extern const ColumnList policy_columns;
ClientExit verb_policy(const ClientContext *context, size_t n, char *const *arguments);

/* In probe.c: what VFIO itself says of a function. */
extern const ColumnList probe_columns;
ClientExit verb_probe(const ClientContext *context, size_t n, char *const *arguments);

/* In request.c: has the daemon do something, and waits for what comes of it. */
extern const ColumnList request_columns;
ClientExit verb_realign(const ClientContext *context, size_t n, char *const *arguments);
ClientExit verb_settle(const ClientContext *context, size_t n, char *const *arguments);
ClientExit verb_reload(const ClientContext *context, size_t n, char *const *arguments);

/* In monitor.c: what the daemon tells, as it comes. */
ClientExit verb_monitor(const ClientContext *context, size_t n, char *const *arguments);

/* In status.c: what VFIO would say of the functions on VFIO drivers, or of the given ones. */
ClientExit verb_status(const ClientContext *context, size_t n, char *const *arguments);
