/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/boot-option.h"

#include "base/text.h"
#include "model/alignment-param.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define PCI_OPTION "pci="
#define ALIGNMENT_OPTION "resource_alignment="

/* Where the word at TEXT ends: at a blank that is not between quotes (the kernel's next_arg()). */
static const char *word_end(const char *text)
{
        bool quoted = false;
        for (; *text != '\0' && (quoted || !isspace((unsigned char) *text)); text++)
                if (*text == '"')
                        quoted = !quoted;
        return text;
}

/* A quote at the beginning or the end of word or value is none of it. */
static char *unquote(char *text)
{
        size_t length = strlen(text);
        if (length > 0 && text[length - 1] == '"')
                text[length - 1] = '\0';
        return text + (*text == '"');
}

/* The alignment among the options of "pci="; NULL: it is not there, or no memory. */
static char *alignment_of(char *options)
{
        char *found = NULL;
        for (char *option; (option = strsep(&options, ","));)
                if (text_starts_with(option, ALIGNMENT_OPTION))
                        found = option + strlen(ALIGNMENT_OPTION);
        return found;
}

int boot_option_find(const char *text, char **ret)
{
        _cleanup_free_ char *last = NULL;

        for (text += strspn(text, " \t\n"); *text != '\0'; text += strspn(text, " \t\n")) {
                const char *end = word_end(text);
                _cleanup_free_ char *word = strndup(text, (size_t) (end - text));
                if (!word)
                        return -ENOMEM;
                text = end;
                if (strcmp(word, "--") == 0) /* what follows is for init */
                        break;
                char *option = unquote(word);
                if (!text_starts_with(option, PCI_OPTION))
                        continue;
                const char *value = alignment_of(unquote(option + strlen(PCI_OPTION)));
                if (value && !text_replace(&last, "%s", value))
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(last);
        return 0;
}

/* The kernel reads its numbers with blanks in front of them, and so without. */
static void drop_blanks(char *text)
{
        char *to = text;
        for (const char *from = text; *from != '\0'; from++)
                if (!isspace((unsigned char) *from))
                        *to++ = *from;
        *to = '\0';
}

int boot_option_entries(const char *attribute, char ***ret, char **ret_left_out)
{
        _cleanup_(text_list_freep) char **entries = NULL;
        _cleanup_free_ char *left_out = NULL;
        const char *rest;
        size_t n = 0;

        int r = alignment_param_split(attribute, &entries, &rest);
        if (r < 0)
                return r;
        for (size_t i = 0; entries[i]; i++) {
                _cleanup_free_ char *entry = entries[i];
                entries[i] = NULL;
                drop_blanks(entry);
                if (!strpbrk(entry, ",\""))
                        entries[n++] = TAKE_PTR(entry);
                else if (!text_replace(&left_out, "%s%s%s", left_out ? left_out : "", left_out ? ";" : "",
                                       entry))
                        return -ENOMEM;
        }
        if (*rest != '\0' &&
            !text_replace(&left_out, "%s%s%s", left_out ? left_out : "", left_out ? ";" : "", rest))
                return -ENOMEM;
        *ret = TAKE_PTR(entries);
        *ret_left_out = TAKE_PTR(left_out);
        return 0;
}

char *boot_option_format(char *const *entries)
{
        _cleanup_free_ char *text = strdup(BOOT_OPTION_PREFIX);
        for (size_t i = 0; entries[i] && text; i++)
                text_replace(&text, "%s%s%s", text, i > 0 ? ";" : "", entries[i]);
        return TAKE_PTR(text);
}
