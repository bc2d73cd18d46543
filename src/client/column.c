/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/column.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <libsmartcols.h>
#include <string.h>
#include <strings.h>

#define WHOLE_WIDTH 0.0 /* no hint: as wide as the cells are */
#define KEY_MAX 16
#define NAME_SHOWN 40u /* of a name that may be of any length */

static const Column *find_column(const ColumnList *list, const char *name, size_t length)
{
        for (const Column *column = list->all; column < list->all + list->n_all; column++)
                if (strncasecmp(column->name, name, length) == 0 && column->name[length] == '\0')
                        return column;
        return NULL;
}

static ClientExit complain(const ColumnList *list, const char *name, size_t length)
{
        _cleanup_free_ char *shown = strndup(name, length < NAME_SHOWN ? length : NAME_SHOWN);
        if (!shown)
                return client_error("out of memory");
        text_make_printable(shown);
        (void) client_error("-o: \"%s\" is no column, expected some of %s, …; see \"vfio-realign help %s\"",
                            shown, list->usual, list->verb);
        return CLIENT_EXIT_USAGE;
}

static ClientExit add_columns(const ColumnList *list, const char *text, Columns *columns)
{
        for (const char *name = text;; name++) {
                size_t length = strcspn(name, ",");
                const Column *column = length > 0 ? find_column(list, name, length) : NULL;
                if (!column || columns->n_columns == COLUMNS_MAX)
                        return complain(list, name, length);
                columns->columns[columns->n_columns++] = column;
                name += length;
                if (*name == '\0')
                        return CLIENT_EXIT_FINE;
        }
}

ClientExit columns_choose(const ColumnList *list, const char *text, Columns *ret)
{
        Columns columns = { 0 };
        ClientExit status = CLIENT_EXIT_FINE;

        if (!text || text[0] == '+')
                status = add_columns(list, list->usual, &columns);
        if (text && status == CLIENT_EXIT_FINE)
                status = add_columns(list, text[0] == '+' ? text + 1 : text, &columns);
        if (status == CLIENT_EXIT_FINE)
                *ret = columns;
        return status;
}

void columns_describe(const ColumnList *list, FILE *out)
{
        for (size_t i = 0; i < list->n_all; i++)
                fprintf(out, "  %-9s  %s\n", list->all[i].name, list->all[i].help);
}

/* The cell's text, or null for an empty one. */
static int add_text(const Column *column, const void *row, JsonObject *object, const char *key)
{
        _cleanup_free_ char *text = column->text(row);
        if (!text)
                return -ENOMEM;
        if (text_equal(text, COLUMN_EMPTY))
                return json_object_object_add(object, key, NULL);
        return json_add_text(object, key, text);
}

JsonObject *columns_row_to_json(const Columns *columns, const void *row)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object)
                return NULL;
        for (size_t i = 0; i < columns->n_columns; i++) {
                const Column *column = columns->columns[i];
                char key[KEY_MAX] = "";
                for (size_t at = 0; at + 1 < sizeof(key) && column->name[at] != '\0'; at++)
                        key[at] = (char) tolower((unsigned char) column->name[at]);
                int r = column->add_json ? column->add_json(row, object, key)
                                         : add_text(column, row, object, key);
                if (r < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}

static int add_column(struct libscols_table *table, const Column *column)
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

static int color_cell(struct libscols_line *line, size_t i, const Column *column, const void *row,
                      Style style)
{
        StyleColor color = column->color && style.colors ? column->color(row) : STYLE_PLAIN;
        return color == STYLE_PLAIN ? 0
                                    : scols_cell_set_color(scols_line_get_cell(line, i),
                                                           style_color(style, color));
}

static int add_row(struct libscols_table *table, const Columns *columns, const void *row, Style style)
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
                r = color_cell(line, i, columns->columns[i], row, style);
                if (r < 0)
                        return r;
        }
        return 0;
}

ClientExit columns_print(const ClientContext *context, const Columns *columns, const void *rows,
                         size_t row_size, size_t n_rows)
{
        struct libscols_table *table = scols_new_table();
        int r = table ? scols_table_enable_noheadings(table, context->no_legend) : -ENOMEM;
        for (size_t i = 0; i < columns->n_columns && r >= 0; i++)
                r = add_column(table, columns->columns[i]);
        for (size_t i = 0; i < n_rows && r >= 0; i++)
                r = add_row(table, columns, (const char *) rows + i * row_size, context->style);
        if (r >= 0)
                r = scols_table_enable_colors(table, context->style.colors);
        if (r >= 0)
                r = scols_print_table(table);
        scols_unref_table(table);
        return r < 0 ? client_error("the table cannot be printed: %s", strerror(-r)) : CLIENT_EXIT_FINE;
}
