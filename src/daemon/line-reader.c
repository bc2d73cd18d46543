/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/line-reader.h"

#include <errno.h>
#include <string.h>

struct LineReader {
        LineHandler handler;
        void *userdata;
        char *line;
        size_t size, room;
        bool too_long; /* the line that is coming in is left out */
        size_t n_dropped;
};

int line_reader_new(LineHandler handler, void *userdata, LineReader **ret)
{
        LineReader *reader = calloc(1, sizeof(*reader));
        if (!reader)
                return -ENOMEM;
        reader->handler = handler;
        reader->userdata = userdata;
        *ret = reader;
        return 0;
}

LineReader *line_reader_free(LineReader *reader)
{
        if (!reader)
                return NULL;
        free(reader->line);
        free(reader);
        return NULL;
}

static int append(LineReader *reader, const char *data, size_t size)
{
        if (size > LINE_READER_MAX - reader->size)
                reader->too_long = true;
        if (reader->too_long)
                return 0;
        if (reader->size + size + 1 > reader->room) {
                size_t room = (reader->size + size + 1) * 2;
                char *line = realloc(reader->line, room);
                if (!line)
                        return -ENOMEM;
                reader->line = line;
                reader->room = room;
        }
        memcpy(reader->line + reader->size, data, size);
        reader->size += size;
        return 0;
}

static void finish_line(LineReader *reader)
{
        bool whole = !reader->too_long && !(reader->size && memchr(reader->line, '\0', reader->size));
        if (!whole) {
                reader->n_dropped++;
        } else if (reader->size > 0) {
                reader->line[reader->size] = '\0';
                reader->handler(reader->line, reader->userdata);
        }
        reader->size = 0;
        reader->too_long = false;
}

int line_reader_feed(LineReader *reader, const char *data, size_t size)
{
        while (size > 0) {
                const char *newline = memchr(data, '\n', size);
                size_t n = newline ? (size_t) (newline - data) : size;
                int r = append(reader, data, n);
                if (r < 0)
                        return r;
                if (!newline)
                        break;
                finish_line(reader);
                data += n + 1;
                size -= n + 1;
        }
        return 0;
}

void line_reader_end(LineReader *reader)
{
        if (reader->size > 0 || reader->too_long)
                finish_line(reader);
}

size_t line_reader_dropped(const LineReader *reader)
{
        return reader->n_dropped;
}
