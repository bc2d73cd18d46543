/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The columns of a verb that prints a table: one list of them drives the help, what -o takes, the cells of the table
 * (printed by libsmartcols) and the keys of the JSON document.
 */

#include "base/json-document.h"
#include "client/client.h"

#define COLUMN_EMPTY "-" /* the text of an empty cell */

typedef struct Column {
        const char *name; /* as in the header line and for -o; in lower case the key of the document */
        bool right;       /* aligned to the right */
        bool lines;       /* a cell may have several lines */
        char *(*text)(const void *row); /* the cell, COLUMN_EMPTY for an empty one; NULL: no memory */
        /* Adds the value to the document's object. NULL: the cell's text is the value, or null for an empty one. */
        int (*add_json)(const void *row, JsonObject *object, const char *key);
        StyleColor (*color)(const void *row); /* NULL: plain */
        const char *help;
} Column;

/* All columns of a verb. */
typedef struct ColumnList {
        const char *verb;
        const Column *all;
        size_t n_all;
        const char *usual; /* "FUNCTION,DRIVER": those that are printed without -o */
} ColumnList;

#define COLUMNS_MAX 32u

/* The columns that were chosen. */
typedef struct Columns {
        const Column *columns[COLUMNS_MAX];
        size_t n_columns;
} Columns;

/*
 * The columns of LIST that TEXT (what -o was given; NULL: nothing) names: "FUNCTION,NAME", or "+NAME" behind the usual
 * ones, in any case of letters. Says on standard error which name is none: CLIENT_EXIT_USAGE.
 */
ClientExit columns_choose(const ColumnList *list, const char *text, Columns *ret) _warn_unused_result_
                _nonnull_(1, 3);

/* A line for each column, for the help. */
void columns_describe(const ColumnList *list, FILE *out) _nonnull_(1, 2);

/* The document of ROW with the columns chosen. NULL: no memory. */
JsonObject *columns_row_to_json(const Columns *columns, const void *row) _warn_unused_result_
                _nonnull_(1, 2);

/* Prints N_ROWS rows of ROW_SIZE bytes each as a table to standard output. Says itself what went wrong. */
ClientExit columns_print(const ClientContext *context, const Columns *columns, const void *rows,
                         size_t row_size, size_t n_rows) _warn_unused_result_ _nonnull_(1, 2, 3);
