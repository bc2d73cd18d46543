/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/page-picture.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define NOBODY SIZE_MAX
#define LEAST_FIELDS 2u /* of an owner: a wall and its letter */

typedef struct Picture {
        FILE *out;
        const PageView *view;
        Style style;
        const StyleColor *colors;
        uint64_t unit;  /* bytes of a field */
        size_t n_lines; /* of PICTURE_WIDTH fields each */
        size_t *owners; /* of each field; NOBODY: free */
} Picture;

/* What boxes are made of. */
typedef struct Lines {
        const char *side, *flat;
        const char *top[3], *middle[3], *bottom[3]; /* left corner, below or above a wall, right corner */
        const char *cross;                          /* between two walls */
} Lines;

static const Lines plain_lines = { "|", "-", { "+", "+", "+" }, { "+", "+", "+" }, { "+", "+", "+" }, "+" };
static const Lines box_lines = { "│", "─", { "┌", "┬", "┐" }, { "├", "┬", "┤" }, { "└", "┴", "┘" }, "┼" };

static const Lines *lines_of(const Picture *picture)
{
        return picture->style.boxes ? &box_lines : &plain_lines;
}

char page_picture_letter(size_t i)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        return i < sizeof(letters) - 1 ? letters[i] : '*';
}

/* The part of OWNER that is in the first page of the view, as offsets. END is exclusive. */
static void clip(const PageOwner *owner, const PageView *view, uint64_t page, uint64_t *ret_start,
                 uint64_t *ret_end)
{
        uint64_t last = view->start + (page - 1);
        uint64_t start = owner->start > view->start ? owner->start : view->start;
        uint64_t end = owner->end < last ? owner->end : last;
        *ret_start = start - view->start;
        *ret_end = end - view->start + 1;
}

static bool is_in_page(const PageOwner *owner, const PageView *view, uint64_t page)
{
        return owner->start <= view->start + (page - 1) && owner->end >= view->start;
}

/* Bytes of a field, so that every owner has LEAST_FIELDS. */
static uint64_t choose_unit(const PageView *view, uint64_t page)
{
        uint64_t unit = page / PICTURE_WIDTH;
        for (size_t i = 0; i < view->n_owners; i++) {
                uint64_t start, end;
                if (!is_in_page(&view->owners[i], view, page))
                        continue;
                clip(&view->owners[i], view, page, &start, &end);
                while (unit > 1 && end - start < LEAST_FIELDS * unit)
                        unit /= 2;
        }
        return unit;
}

static void fill(Picture *picture, uint64_t page)
{
        for (size_t field = 0; field < picture->n_lines * PICTURE_WIDTH; field++)
                picture->owners[field] = NOBODY;
        for (size_t i = 0; i < picture->view->n_owners; i++) {
                uint64_t start, end;
                if (!is_in_page(&picture->view->owners[i], picture->view, page))
                        continue;
                clip(&picture->view->owners[i], picture->view, page, &start, &end);
                for (uint64_t field = start / picture->unit; field * picture->unit < end; field++)
                        picture->owners[field] = i;
        }
}

static const size_t *line_of(const Picture *picture, size_t line)
{
        return picture->owners + line * PICTURE_WIDTH;
}

/* A wall stands in the first field of each owner, and in the first free one behind an owner. */
static bool has_wall(const size_t *line, size_t field)
{
        return line && field > 0 && line[field] != line[field - 1];
}

/* The line between ABOVE and BELOW (NULL: outside of the box). */
static void draw_border(const Picture *picture, const size_t *above, const size_t *below)
{
        const Lines *lines = lines_of(picture);
        const char *const *kind = !above ? lines->top : below ? lines->middle : lines->bottom;

        fprintf(picture->out, "  %s", kind[0]);
        for (size_t field = 0; field < PICTURE_WIDTH; field++) {
                bool up = has_wall(above, field), down = has_wall(below, field);
                fputs(up && down ? lines->cross
                      : up       ? lines->bottom[1]
                      : down     ? lines->top[1]
                                 : lines->flat,
                      picture->out);
        }
        fprintf(picture->out, "%s\n", kind[2]);
}

/* What stands in a field group of WIDTH characters that belongs to owner I: as much as there is room for. */
static void label(const Picture *picture, size_t i, char *buffer, size_t size, size_t width)
{
        const PageOwner *owner = &picture->view->owners[i];
        char letter = page_picture_letter(i);

        if (owner->function)
                snprintf(buffer, size, "%c  %s %s", letter, PCI_ADDRESS_TEXT(owner->function->address),
                         page_owner_label(owner));
        else
                snprintf(buffer, size, "%c  %s", letter, page_owner_label(owner));
        if (strlen(buffer) + 2 > width)
                snprintf(buffer, size, "%c", letter);
        if (width == 0)
                buffer[0] = '\0';
}

/* The fields from FIRST to END (exclusive) of LINE, which belong to one owner or to nobody. */
static void draw_group(const Picture *picture, const size_t *line, size_t first, size_t end)
{
        const size_t width = end - first - (first > 0);
        char text[PICTURE_WIDTH + 1] = "";
        StyleColor color = STYLE_PLAIN;

        if (first > 0)
                fputs(lines_of(picture)->side, picture->out);
        if (line[first] != NOBODY) {
                label(picture, line[first], text, sizeof(text), width);
                color = picture->colors ? picture->colors[line[first]] : STYLE_PLAIN;
        }
        size_t left = (width - strlen(text)) / 2;
        fprintf(picture->out, "%*s%s%s%s%*s", (int) left, "",
                color != STYLE_PLAIN ? style_color(picture->style, color) : "", text,
                color != STYLE_PLAIN ? style_color(picture->style, STYLE_PLAIN) : "",
                (int) (width - left - strlen(text)), "");
}

static void draw_line(const Picture *picture, const size_t *line)
{
        fprintf(picture->out, "  %s", lines_of(picture)->side);
        for (size_t first = 0, end; first < PICTURE_WIDTH; first = end) {
                for (end = first + 1; end < PICTURE_WIDTH && line[end] == line[first];)
                        end++;
                draw_group(picture, line, first, end);
        }
        fprintf(picture->out, "%s\n", lines_of(picture)->side);
}

/* True when LINE belongs wholly to whom the last field of the line before it belongs to. */
static bool says_the_same(const size_t *line, const size_t *before)
{
        for (size_t field = 0; field < PICTURE_WIDTH; field++)
                if (line[field] != before[PICTURE_WIDTH - 1])
                        return false;
        return true;
}

/* Instead of N_LINES lines that say the same as the field before them. */
static void draw_gap(const Picture *picture, size_t owner, size_t n_lines)
{
        char bytes[TEXT_BYTES_MAX], text[PICTURE_WIDTH + 1];
        text_from_bytes(n_lines * PICTURE_WIDTH * picture->unit, bytes);
        if (owner == NOBODY)
                snprintf(text, sizeof(text), "%s more, free", bytes);
        else
                snprintf(text, sizeof(text), "%s more of %c", bytes, page_picture_letter(owner));
        size_t left = (PICTURE_WIDTH - strlen(text)) / 2;
        fprintf(picture->out, "  %s%*s%s%*s%s\n", lines_of(picture)->side, (int) left, "", text,
                (int) (PICTURE_WIDTH - left - strlen(text)), "", lines_of(picture)->side);
}

static void draw(const Picture *picture)
{
        const size_t *above = NULL;

        for (size_t i = 0; i < picture->n_lines;) {
                size_t n_same = 0;
                const size_t *line = line_of(picture, i);
                while (i > 0 && i + n_same < picture->n_lines &&
                       says_the_same(line_of(picture, i + n_same), line_of(picture, i - 1)))
                        n_same++;
                draw_border(picture, above, line);
                if (n_same > 0)
                        draw_gap(picture, line[0], n_same);
                else
                        draw_line(picture, line);
                above = line;
                i += n_same > 0 ? n_same : 1;
        }
        draw_border(picture, above, NULL);
}

int page_picture_draw(FILE *out, const PageView *view, uint64_t page, Style style, const StyleColor *colors)
{
        Picture picture = { .out = out, .view = view, .style = style, .colors = colors };
        picture.unit = choose_unit(view, page);
        picture.n_lines = page / picture.unit / PICTURE_WIDTH;
        _cleanup_free_ size_t *owners = calloc(picture.n_lines * PICTURE_WIDTH, sizeof(*owners));
        if (!owners)
                return -ENOMEM;
        picture.owners = owners;
        fill(&picture, page);
        draw(&picture);
        return 0;
}
