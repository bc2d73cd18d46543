/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy-reader.h"

#include "base/text.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

#define BLANKS " \t\r\v\f"
#define COMMENTS ";#"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define SECTION_NAME_MOST 49u /* inih's MAX_SECTION, which no header of its names, less the NUL */

typedef struct PolicyReader {
        const char *file;
        const char *next, *end; /* what is left of the text */
        unsigned line;
        bool headed;            /* there was a header, right or wrong */
        bool key_due;           /* inih was given a line that should hold a key */
        PolicySection *section; /* NULL: no header yet, or a wrong one */
        PolicySettings checked; /* takes the values of keys that are in no section */
        PolicySections *sections;
        PolicyProblems *problems;
} PolicyReader;

void policy_sections_clear(PolicySections *sections)
{
        for (size_t i = 0; i < sections->n; i++)
                policy_section_free(sections->items[i]);
        free(sections->items);
        *sections = (PolicySections){ 0 };
}

static int add_section(PolicySections *sections, PolicySection *section)
{
        PolicySection **items = reallocarray(sections->items, sections->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        sections->items = items;
        items[sections->n++] = section;
        return 0;
}

#define say(reader, ...) policy_problems_add((reader)->problems, (reader)->file, (reader)->line, __VA_ARGS__)

/* HEADER is the line from '[' on. inih ignores what follows the ']'. */
static bool take_header(PolicyReader *reader, const char *header)
{
        _cleanup_(policy_section_freep) PolicySection *section = NULL;
        const char *expected, *close = strchr(header, ']');

        reader->headed = true;
        reader->section = NULL;
        if (!close) {
                say(reader, "the section's name has no end, expected \"]\"");
                return false;
        }
        size_t blanks = strspn(close + 1, BLANKS);
        char behind = close[1 + blanks];
        if (behind != '\0' && (blanks == 0 || !strchr(COMMENTS, behind))) {
                say(reader, "\"%s\" behind the section's name, expected the end of the line",
                    close + 1 + blanks);
                return false;
        }

        size_t length = (size_t) (close - header - 1);
        if (length > SECTION_NAME_MOST) {
                say(reader, "the section's name has %zu bytes, expected at most %u", length,
                    SECTION_NAME_MOST);
                return false;
        }
        _cleanup_free_ char *name = strndup(header + 1, length);
        int r = name ? policy_section_new(name, &section, &expected) : -ENOMEM;
        if (r == -EINVAL) {
                say(reader, "section [%s], expected %s", name, expected);
                return false;
        }
        if (r >= 0)
                r = add_section(reader->sections, section);
        if (r < 0) {
                policy_problems_no_memory(reader->problems);
                return false;
        }
        reader->section = TAKE_PTR(section);
        return true;
}

/* True when inih may have LINE: it will then make of it what it says. */
static bool check_line(PolicyReader *reader, const char *line)
{
        const char *start = line + strspn(line, BLANKS);
        if (*start == '\0' || strchr(COMMENTS, *start))
                return true;
        if (start > line) {
                say(reader, "the line is indented, expected it to begin in the first column");
                return false;
        }
        if (*line == '[')
                return take_header(reader, line);
        reader->key_due = true;
        return true;
}

static void finish_line(PolicyReader *reader)
{
        if (reader->key_due)
                say(reader, "the line has no \"=\", expected KEY = VALUE");
        reader->key_due = false;
}

/* As fgets(): inih's only way to the text. A line that it must not see is given to it as an empty one. */
static char *next_line(char *buffer, int size, void *userdata)
{
        PolicyReader *reader = userdata;

        finish_line(reader);
        if (reader->next == reader->end)
                return NULL;
        const char *line = reader->next;
        const char *newline = memchr(line, '\n', (size_t) (reader->end - line));
        size_t length = (size_t) ((newline ? newline : reader->end) - line);
        size_t most = (size_t) size - sizeof("\n");
        reader->next = newline ? newline + 1 : reader->end;
        reader->line++;

        buffer[0] = '\0';
        if (memchr(line, '\0', length))
                say(reader, "the line holds a NUL byte, expected text");
        else if (length > most)
                say(reader, "the line has %zu bytes, expected at most %zu", length, most);
        else
                memcpy(mempcpy(buffer, line, length), "", 1);
        if (!check_line(reader, buffer))
                buffer[0] = '\0';
        return strcat(buffer, "\n");
}

static void say_unknown_key(PolicyReader *reader, const char *name)
{
        _cleanup_free_ char *known = NULL;
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++) {
                char *more = text_format("%s%s%s", known ? known : "", known ? ", " : "",
                                         policy_key_name(key));
                free(known);
                known = more;
        }
        say(reader, "key \"%s\", expected one of %s", name, known ? known : "the known ones");
}

static int take_key(void *userdata, const char *section_name, const char *name, const char *value)
{
        PolicyReader *reader = userdata;
        PolicySection *section = reader->section;
        PolicyKeyId key;

        reader->key_due = false;
        if (!reader->headed)
                say(reader, "key \"%s\" before any section, expected %s first", name,
                    POLICY_SECTION_EXPECTED);
        if (policy_key_find(name, &key) < 0) {
                say_unknown_key(reader, name);
                return 1;
        }
        if (section && section->sources[key])
                say(reader, "key \"%s\" a second time, expected it once in a section (it is in line %u)",
                    name, section->lines[key]);
        if (policy_key_parse(key, value, section ? &section->settings : &reader->checked) < 0)
                say(reader, "%s = \"%s\", expected %s", name, value, policy_key_expected(key));
        if (!section || section->sources[key])
                return 1;
        section->lines[key] = reader->line;
        section->sources[key] = text_format("%s:%u", reader->file, reader->line);
        if (!section->sources[key])
                policy_problems_no_memory(reader->problems);
        return 1;
}

void policy_read_text(const char *file, const char *text, size_t size, PolicySections *sections,
                      PolicyProblems *problems)
{
        PolicyReader reader = {
                .file = file,
                .next = text,
                .end = text + size,
                .sections = sections,
                .problems = problems,
        };
        if (size >= strlen(BYTE_ORDER_MARK) && memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
                reader.next += strlen(BYTE_ORDER_MARK);

        /* Its own count of wrong lines says nothing that was not said here, with what was expected. */
        (void) ini_parse_stream(next_line, &reader, take_key, &reader);
}
