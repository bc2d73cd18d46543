/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

typedef struct Unit {
        const char *name;
        uint64_t factor;
} Unit;

static const Unit size_units[] = {
        { "", 1 },
        { "K", UINT64_C(1) << 10 },
        { "M", UINT64_C(1) << 20 },
        { "G", UINT64_C(1) << 30 },
};

static const Unit time_units[] = {
        { "", USEC_PER_SEC },
        { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC },
        { "min", 60 * USEC_PER_SEC },
};

int text_to_u64(const char *text, int base, uint64_t max, uint64_t *ret)
{
        /* strtoull() skips blanks and takes a sign; neither is part of a number here. */
        if (!isxdigit((unsigned char) text[0]))
                return -EINVAL;

        char *end;
        errno = 0;
        unsigned long long value = strtoull(text, &end, base);
        if (end == text || *end != '\0')
                return -EINVAL;
        if (errno == ERANGE || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

static int number_with_unit(const char *text, const Unit *units, size_t n_units, uint64_t *ret)
{
        size_t digits = strspn(text, "0123456789");
        char number[TEXT_BYTES_MAX];
        if (digits == 0 || digits >= sizeof(number))
                return -EINVAL;
        memcpy(number, text, digits);
        number[digits] = '\0';

        uint64_t value;
        int r = text_to_u64(number, 10, UINT64_MAX, &value);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_units; i++) {
                if (strcmp(text + digits, units[i].name) != 0)
                        continue;
                if (__builtin_mul_overflow(value, units[i].factor, &value))
                        return -ERANGE;
                *ret = value;
                return 0;
        }
        return -EINVAL;
}

int text_to_bytes(const char *text, uint64_t *ret)
{
        return number_with_unit(text, size_units, ELEMENTSOF(size_units), ret);
}

int text_to_usec(const char *text, uint64_t *ret)
{
        return number_with_unit(text, time_units, ELEMENTSOF(time_units), ret);
}

const char *text_from_bytes(uint64_t bytes, char buffer[static TEXT_BYTES_MAX])
{
        size_t unit = 0;
        while (bytes != 0 && unit + 1 < ELEMENTSOF(size_units) && bytes % size_units[unit + 1].factor == 0)
                unit++;
        snprintf(buffer, TEXT_BYTES_MAX, "%llu%s", (unsigned long long) (bytes / size_units[unit].factor),
                 size_units[unit].name);
        return buffer;
}

const char *text_from_usec(uint64_t usec, char buffer[static TEXT_BYTES_MAX])
{
        const char *unit = "ms";
        uint64_t factor = USEC_PER_MSEC;
        if (usec % (60 * USEC_PER_SEC) == 0 && usec != 0) {
                unit = "min";
                factor = 60 * USEC_PER_SEC;
        } else if (usec % USEC_PER_SEC == 0) {
                unit = "s";
                factor = USEC_PER_SEC;
        }
        snprintf(buffer, TEXT_BYTES_MAX, "%llu%s", (unsigned long long) (usec / factor), unit);
        return buffer;
}

char *text_format(const char *format, ...)
{
        va_list args;
        char *text;

        va_start(args, format);
        int n = vasprintf(&text, format, args);
        va_end(args);
        return n < 0 ? NULL : text;
}

char *text_replace(char **text, const char *format, ...)
{
        va_list args;
        char *fresh;

        va_start(args, format);
        int n = vasprintf(&fresh, format, args);
        va_end(args);
        free(*text);
        *text = n < 0 ? NULL : fresh;
        return *text;
}

void text_make_printable(char *text)
{
        for (; *text; text++)
                if (!isascii((unsigned char) *text) || !isprint((unsigned char) *text))
                        *text = '?';
}

bool text_equal(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_starts_with(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

char **text_list_free(char **list)
{
        for (char **text = list; text && *text; text++)
                free(*text);
        free(list);
        return NULL;
}
