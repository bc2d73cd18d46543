/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What counts as an entry is what pci_specified_resource_alignment() and pci_dev_str_match() of the kernel take for
 * one (KF §1). They give up on the whole rest of the text at the first thing they cannot parse, so that rest has no
 * entries for us either: it is foreign text, carried along untouched.
 */

#include "model/alignment-param.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define SEPARATORS ";,"

size_t alignment_param_limit(uint64_t page)
{
        return (size_t) page - 2;
}

char *alignment_entry_format(const char *path, unsigned order, unsigned page_order)
{
        return order == page_order ? text_format("%s", path) : text_format("%u@%s", order, path);
}

/* As "%x" of the kernel's sscanf(): blanks in front, an optional 0x, no sign. NULL when there is no digit. */
static const char *skip_hex(const char *text)
{
        while (isspace((unsigned char) *text))
                text++;
        if (!isxdigit((unsigned char) *text))
                return NULL;
        if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
                text += 2;
        while (isxdigit((unsigned char) *text))
                text++;
        return text;
}

/* Numbers with the characters of BETWEEN between them: skip_hexes("1c.0;…", ".") is at the ';'. */
static const char *skip_hexes(const char *text, const char *between)
{
        for (text = skip_hex(text); text && *between != '\0'; between++)
                text = *text == *between ? skip_hex(text + 1) : NULL;
        return text;
}

static const char *skip_order(const char *text)
{
        const char *digit = text;
        while (isspace((unsigned char) *digit))
                digit++;
        if (*digit == '-')
                digit++;
        size_t n_digits = strspn(digit, "0123456789");
        return n_digits > 0 && digit[n_digits] == '@' ? digit + n_digits + 1 : text;
}

/*
 * A path goes up to the next ';', commas included. Its last component is looked at first, by every function; what is
 * wrong further ahead stops only those that the last component names, so it does not count as an error here.
 */
static const char *skip_path(const char *text)
{
        const char *end = strchrnul(text, ';');
        const char *slash = memrchr(text, '/', (size_t) (end - text));
        if (slash)
                return skip_hexes(slash + 1, ".") == end ? end : NULL;
        if (skip_hexes(text, "::.") == end || skip_hexes(text, ":.") == end)
                return end;
        return NULL;
}

static const char *skip_ids(const char *text)
{
        const char *end = skip_hexes(text, ":::");
        return end ? end : skip_hexes(text, ":");
}

/* Where the entry at TEXT ends: at a separator or the final NUL. NULL: the kernel's parser gets no further. */
static const char *skip_entry(const char *text)
{
        const char *match = skip_order(text);
        const char *end = text_starts_with(match, "pci:") ? skip_ids(match + strlen("pci:"))
                                                          : skip_path(match);
        return end && (*end == '\0' || strchr(SEPARATORS, *end)) ? end : NULL;
}

static bool list_has(char *const *list, const char *entry, size_t size)
{
        for (; *list; list++)
                if (strlen(*list) == size && memcmp(*list, entry, size) == 0)
                        return true;
        return false;
}

/* The first entry of TEXT that is in LIST; *RET_END is set to its end. NULL: there is none. */
static const char *find_entry(const char *text, char *const *list, const char **ret_end)
{
        while (*text != '\0') {
                const char *end = skip_entry(text);
                if (!end)
                        return NULL;
                if (list_has(list, text, (size_t) (end - text))) {
                        *ret_end = end;
                        return text;
                }
                text = *end == '\0' ? end : end + 1;
        }
        return NULL;
}

/* Takes all of LIST out of TEXT, each with the separator behind it; the last one with the separator before it. */
static void take_out(char *text, char *const *list)
{
        const char *end;
        for (const char *at = find_entry(text, list, &end); at; at = find_entry(text, list, &end)) {
                char *gap = text + (at - text);
                if (*end != '\0')
                        end++;
                else if (gap > text)
                        gap--;
                memmove(gap, end, strlen(end) + 1);
        }
}

/* store() of the kernel keeps nothing from the first newline on. */
static char *copy_line(const char *text)
{
        return strndup(text, strcspn(text, "\n"));
}

/* TEXT is appended to what ends at END and began at START, behind a ';' if that is not empty. */
static char *append(char *start, char *end, const char *text)
{
        return stpcpy(end > start ? stpcpy(end, ";") : end, text);
}

static char *put_in_front(char *const *entries, const char *rest)
{
        size_t size = strlen(rest) + 1, n_entries = 0;
        for (; entries[n_entries]; n_entries++)
                size += strlen(entries[n_entries]) + 1;
        char *text = malloc(size);
        if (!text)
                return NULL;

        char *end = text;
        *end = '\0';
        for (size_t i = 0; i < n_entries; i++) {
                const char *again;
                char *list[] = { entries[i], NULL };
                if (!find_entry(text, list, &again))
                        end = append(text, end, entries[i]);
        }
        /* An empty entry is a parse error, so nothing is joined to nothing. */
        if (*rest != '\0')
                append(text, end, rest);
        return text;
}

static bool fits(const char *text, size_t limit)
{
        return strlen(text) + strlen("\n") <= limit;
}

int alignment_param_merge(const char *current, char *const *entries, char *const *ours, size_t limit,
                          char **ret, char ***ret_dropped)
{
        _cleanup_free_ char *rest = copy_line(current);
        if (!rest)
                return -ENOMEM;
        take_out(rest, entries);
        _cleanup_free_ char *text = put_in_front(entries, rest);

        size_t n_ours = 0, n_dropped = 0;
        while (ours && ours[n_ours])
                n_ours++;
        _cleanup_(text_list_freep) char **dropped = calloc(n_ours + 1, sizeof(*dropped));
        if (!text || !dropped)
                return -ENOMEM;

        for (size_t i = 0; i < n_ours && !fits(text, limit); i++) {
                char *oldest[] = { ours[i], NULL };
                if (!alignment_param_has(rest, ours[i]))
                        continue;
                take_out(rest, oldest);
                dropped[n_dropped] = strdup(ours[i]);
                free(text);
                text = put_in_front(entries, rest);
                if (!text || !dropped[n_dropped++])
                        return -ENOMEM;
        }
        if (!fits(text, limit))
                return ALIGNMENT_FULL;
        *ret = TAKE_PTR(text);
        *ret_dropped = TAKE_PTR(dropped);
        return ALIGNMENT_OK;
}

int alignment_param_remove(const char *current, char *const *entries, char **ret)
{
        char *text = copy_line(current);
        if (!text)
                return -ENOMEM;
        take_out(text, entries);
        *ret = text;
        return 0;
}

bool alignment_param_has(const char *text, const char *entry)
{
        char *list[] = { (char *) entry, NULL }; /* only read */
        const char *end;
        return find_entry(text, list, &end) != NULL;
}

int alignment_param_split(const char *text, char ***ret, const char **ret_rest)
{
        size_t room = strcspn(text, "\n") / 2 + 2, n = 0;
        _cleanup_(text_list_freep) char **list = calloc(room, sizeof(list[0]));
        if (!list)
                return -ENOMEM;
        while (*text != '\0' && *text != '\n') {
                const char *end = skip_entry(text);
                if (!end)
                        break;
                list[n] = strndup(text, (size_t) (end - text));
                if (!list[n++])
                        return -ENOMEM;
                text = *end == '\0' ? end : end + 1;
        }
        *ret = TAKE_PTR(list);
        *ret_rest = text;
        return 0;
}
