/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/verb.h"

#include "client/status-column.h"

#include <string.h>

#define NAME_MAX_LENGTH 31u
#define NEAR_ENOUGH 3u

static const Verb verbs[] = {
        { "status", "[FUNCTION…]", 0, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_PAGED | VERB_HOST, verb_status, &status_columns,
          "show what VFIO maps of the functions on VFIO drivers, or of these" },
        { "explain", "FUNCTION…", 1, VERB_ANY_NUMBER, VERB_JSON | VERB_PAGED, verb_explain, NULL,
          "say in plain words what VFIO sees and what can be done" },
        { "map", "[FUNCTION…]", 0, VERB_ANY_NUMBER, VERB_JSON | VERB_PAGED, verb_map, NULL,
          "draw the pages that small BARs are in, to scale" },
        { "plan", "FUNCTION…", 1, VERB_ANY_NUMBER, VERB_JSON | VERB_PAGED | VERB_HOST, verb_plan, NULL,
          "show what would be done, step by step, or what stands against it" },
        { "realign", "FUNCTION…", 1, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_BUS | VERB_HOST | VERB_TIMEOUT | VERB_FORCE,
          verb_realign, &request_columns, "have it done now, and show each step" },
        { "settle", "FUNCTION…", 1, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_BUS | VERB_HOST | VERB_TIMEOUT, verb_settle,
          &request_columns, "wait until the daemon has dealt with functions that were bound" },
        { "restore", "FUNCTION…", 1, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_BUS | VERB_HOST, verb_restore, &errand_columns,
          "give the BARs their own sizes back, as before they were realigned" },
        { "detach", "FUNCTION…", 1, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_BUS | VERB_HOST, verb_detach, &errand_columns,
          "take them from the host's drivers to vfio-pci, all or none" },
        { "reattach", "FUNCTION…", 1, VERB_ANY_NUMBER,
          VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_BUS | VERB_HOST, verb_reattach, &errand_columns,
          "give them back to the host's drivers" },
        { "monitor", "", 0, 0, VERB_JSON | VERB_BUS | VERB_HOST, verb_monitor, NULL,
          "show what the daemon tells, as it comes" },
        { "reload", "", 0, 0, VERB_BUS | VERB_HOST, verb_reload, NULL,
          "have the daemon read its policy anew, and forget failed attempts" },
        { "probe", "FUNCTION", 1, 1, VERB_JSON | VERB_COLUMNS | VERB_LEGEND, verb_probe, &probe_columns,
          "ask VFIO itself what it maps, and measure it; resets the function" },
        { "policy", "[FUNCTION…]", 0, VERB_ANY_NUMBER, VERB_JSON | VERB_COLUMNS | VERB_LEGEND | VERB_PAGED,
          verb_policy, &policy_columns, "show the policy in effect, and which file and line it comes from" },
        { "cmdline", "", 0, 0, VERB_JSON | VERB_LEGEND, verb_cmdline, NULL,
          "print the kernel's boot option that keeps the present state" },
        { "check-config", "[FILE…]", 0, VERB_ANY_NUMBER, 0, verb_check_config, NULL,
          "check the policy, or the given files as one" },
};

const Verb *verb_find(const char *name)
{
        for (const Verb *verb = verbs; verb < verbs + ELEMENTSOF(verbs); verb++)
                if (strcmp(verb->name, name) == 0)
                        return verb;
        return NULL;
}

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/*
 * How many letters have to be put in, left out, changed, or exchanged with the next one (Damerau-Levenshtein, each letter
 * touched once). B is at most NAME_MAX_LENGTH long.
 */
static unsigned distance(const char *a, const char *b)
{
        unsigned rows[3][NAME_MAX_LENGTH + 1];
        size_t length = strlen(b);
        for (unsigned j = 0; j <= length; j++)
                rows[0][j] = j;
        size_t i = 0;
        for (; a[i] != '\0'; i++) {
                unsigned *row = rows[(i + 1) % 3], *above = rows[i % 3], *before = rows[(i + 2) % 3];
                row[0] = (unsigned) i + 1;
                for (size_t j = 0; j < length; j++) {
                        unsigned change = above[j] + (a[i] != b[j]);
                        row[j + 1] = least(change, least(above[j + 1], row[j]) + 1);
                        if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
                                row[j + 1] = least(row[j + 1], before[j - 1] + 1);
                }
        }
        return rows[i % 3][length];
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
