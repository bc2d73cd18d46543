/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The columns of `status`: one table drives the help, what -o takes, the cells of the table and the keys of the JSON
 * document.
 */

#include "base/json-document.h"
#include "client/machine.h"
#include "client/pci-names.h"

/* What one line of the table is about. */
typedef struct StatusRow {
        const PciFunction *function;
        const FunctionReport *report;
        const PolicySettings *settings; /* NULL: the policy cannot be read */
        const PciNames *names;
} StatusRow;

typedef struct StatusColumn {
        const char *name; /* as in the header line and for -o; in lower case the key of the document */
        bool right;       /* aligned to the right */
        bool lines;       /* a cell may have several lines */
        char *(*text)(const StatusRow *row); /* the cell, "-" for an empty one; NULL: no memory */
        /* Adds the value to the document's object. NULL: the cell's text is the value, or null for an empty one. */
        int (*add_json)(const StatusRow *row, JsonObject *object, const char *key);
        const char *help;
} StatusColumn;

#define STATUS_COLUMNS_MAX 32u

/* The columns that were chosen. */
typedef struct StatusColumns {
        const StatusColumn *columns[STATUS_COLUMNS_MAX];
        size_t n_columns;
} StatusColumns;

/*
 * The columns that TEXT (what -o was given; NULL: nothing) names: "FUNCTION,NAME", or "+NAME" behind the default ones, in
 * any case of letters. Says on standard error which name is none: CLIENT_EXIT_USAGE.
 */
ClientExit status_columns_choose(const char *text, StatusColumns *ret) _warn_unused_result_ _nonnull_(2);

/* A line for each column, for the help. */
void status_columns_describe(FILE *out) _nonnull_(1);

/* The document of ROW with the columns chosen. NULL: no memory. */
JsonObject *status_row_to_json(const StatusRow *row, const StatusColumns *columns) _warn_unused_result_
                _nonnull_(1, 2);
