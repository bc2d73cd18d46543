/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/verb.h"

#include "client/status-column.h"

#include <string.h>

#define NAME_MAX_LENGTH 31u
#define NEAR_ENOUGH 3u

static const Verb verbs[] = {
        { "status", "[FUNCTION…]", 0, VERB_ANY_NUMBER, true, verb_status, status_columns_describe,
          "show what VFIO maps of the functions on VFIO drivers, or of these" },
        { "explain", "FUNCTION…", 1, VERB_ANY_NUMBER, false, verb_explain, NULL,
          "say in plain words what VFIO sees and what can be done" },
        { "map", "[FUNCTION…]", 0, VERB_ANY_NUMBER, false, verb_map, NULL,
          "draw the pages that small BARs are in, to scale" },
        { "plan", "FUNCTION…", 1, VERB_ANY_NUMBER, true, verb_plan, NULL,
          "show what would be done, step by step, or what stands against it" },
        { "check-config", "[FILE…]", 0, VERB_ANY_NUMBER, false, verb_check_config, NULL,
          "check the policy, or the given files as one" },
};

const Verb *verb_find(const char *name)
{
        for (const Verb *verb = verbs; verb < verbs + ELEMENTSOF(verbs); verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
        unsigned ab = a < b ? a : b;
        return ab < c ? ab : c;
}

/* How many letters have to be put in, left out or changed (Levenshtein). B is at most NAME_MAX_LENGTH long. */
static unsigned distance(const char *a, const char *b)
{
        unsigned row[NAME_MAX_LENGTH + 1];
        size_t length = strlen(b);
        for (unsigned j = 0; j <= length; j++)
                row[j] = j;
        for (unsigned i = 0; a[i] != '\0'; i++) {
                unsigned diagonal = row[0];
                row[0] = i + 1;
                for (size_t j = 0; j < length; j++) {
                        unsigned above = row[j + 1];
                        row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
                        diagonal = above;
                }
        }
        return row[length];
}

const Verb *verb_nearest(const char *name)
{
        const Verb *nearest = NULL;
        unsigned smallest = NEAR_ENOUGH + 1;
        for (const Verb *verb = verbs; verb < verbs + ELEMENTSOF(verbs); verb++) {
                unsigned d = distance(name, verb->name);
                if (d < smallest && d < strlen(verb->name)) {
                        nearest = verb;
                        smallest = d;
                }
        }
        return nearest;
}

/* "%-*s" counts bytes; the "…" of the arguments has three. */
static int width_of(const char *text, int columns)
{
        int width = columns;
        for (; *text != '\0'; text++)
                if ((*text & 0xc0) == 0x80)
                        width++;
        return width;
}

void verb_describe(FILE *out, const char *name, const char *arguments, const char *help)
{
        fprintf(out, "  %-13s %-*s  %s\n", name, width_of(arguments, 12), arguments, help);
}

void verb_describe_all(FILE *out)
{
        for (const Verb *verb = verbs; verb < verbs + ELEMENTSOF(verbs); verb++)
                verb_describe(out, verb->name, verb->arguments, verb->help);
}
