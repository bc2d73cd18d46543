/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/print.h"

#include <stdarg.h>
#include <string.h>

#define LINE_WIDTH 80u

ClientExit client_print_json(const ClientContext *context, JsonObject *document)
{
        int style = JSON_C_TO_STRING_NOSLASHESCAPE;
        if (context->json == CLIENT_JSON_PRETTY)
                style |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

        const char *text = document ? json_object_to_json_string_ext(document, style) : NULL;
        if (!text)
                return client_error("out of memory");
        puts(text);
        return CLIENT_EXIT_FINE;
}

/* The bytes of UTF-8 that are no characters of their own. */
static size_t count_characters(const char *text, size_t length)
{
        size_t n = 0;
        for (size_t i = 0; i < length; i++)
                n += ((unsigned char) text[i] & 0xc0u) != 0x80u;
        return n;
}

ClientExit client_print_wrapped(unsigned indent, const char *format, ...)
{
        va_list args;
        char *formatted;

        va_start(args, format);
        int n = vasprintf(&formatted, format, args);
        va_end(args);
        if (n < 0)
                return client_error("out of memory");
        _cleanup_free_ char *text = formatted;

        size_t column = 0;
        for (const char *word = text; *word != '\0';) {
                size_t length = strcspn(word, " "), width = count_characters(word, length);
                if (column > 0 && column + 1 + width > LINE_WIDTH) {
                        putchar('\n');
                        column = 0;
                }
                if (column == 0)
                        column = (size_t) printf("%*s", (int) indent, "");
                else
                        column += (size_t) printf(" ");
                fwrite(word, 1, length, stdout);
                column += width;
                word += length;
                word += strspn(word, " ");
        }
        putchar('\n');
        return CLIENT_EXIT_FINE;
}
