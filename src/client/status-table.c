/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/status-table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

#define WHOLE_WIDTH 0.0 /* no hint: as wide as the cells are */

static int add_column(struct libscols_table *table, const StatusColumn *column)
{
        int flags = column->right ? SCOLS_FL_RIGHT : 0;
        struct libscols_column *made = scols_table_new_column(table, column->name, WHOLE_WIDTH,
                                                              flags | (column->lines ? SCOLS_FL_WRAP : 0));
        if (!made)
                return -ENOMEM;
        if (!column->lines)
                return 0;
        /* The cell's own lines, and no other breaks. */
        int r = scols_column_set_safechars(made, "\n");
        return r < 0 ? r
                     : scols_column_set_wrapfunc(made, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}

static int add_row(struct libscols_table *table, const StatusColumns *columns, const StatusRow *row)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);
        if (!line)
                return -ENOMEM;
        for (size_t i = 0; i < columns->n_columns; i++) {
                _cleanup_free_ char *text = columns->columns[i]->text(row);
                if (!text)
                        return -ENOMEM;
                int r = scols_line_refer_data(line, i, text);
                if (r < 0)
                        return r;
                (void) TAKE_PTR(text);
        }
        return 0;
}

static int fill_and_print(struct libscols_table *table, const ClientContext *context,
                          const StatusColumns *columns, const StatusRow *rows, size_t n_rows)
{
        int r = scols_table_enable_noheadings(table, context->no_legend);
        for (size_t i = 0; i < columns->n_columns && r >= 0; i++)
                r = add_column(table, columns->columns[i]);
        for (size_t i = 0; i < n_rows && r >= 0; i++)
                r = add_row(table, columns, &rows[i]);
        return r < 0 ? r : scols_print_table(table);
}

ClientExit status_table_print(const ClientContext *context, const StatusColumns *columns,
                              const StatusRow *rows, size_t n_rows)
{
        struct libscols_table *table = scols_new_table();
        if (!table)
                return client_error("out of memory");
        int r = fill_and_print(table, context, columns, rows, n_rows);
        scols_unref_table(table);
        return r < 0 ? client_error("the table cannot be printed: %s", strerror(-r)) : CLIENT_EXIT_FINE;
}
