/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/resource.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define LINE_TEXT_MAX 80u /* three numbers of "0x" and 16 digits take 56 */
#define LINES_WITHOUT_IOV 7u
#define LINES_WITH_IOV 13u
#define UNUSED_LINE "0x0000000000000000 0x0000000000000000 0x0000000000000000"
#define BRIDGE_LINES 4u /* I/O, memory, prefetchable, CardBus */

static bool line_count_valid(unsigned n)
{
        return n == LINES_WITHOUT_IOV || n == LINES_WITH_IOV || n == LINES_WITHOUT_IOV + BRIDGE_LINES ||
               n == LINES_WITH_IOV + BRIDGE_LINES;
}

/* "0x… 0x… 0x…" with single blanks, as resource_show() prints it. LINE is taken apart. Most lines are of nothing. */
static int parse_line(char *line, PciResource *ret)
{
        uint64_t numbers[3];
        if (text_equal(line, UNUSED_LINE)) {
                *ret = (PciResource){ 0 };
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                char *word = strsep(&line, " ");
                if (!word || !text_starts_with(word, "0x") ||
                    text_to_u64(word, 16, UINT64_MAX, &numbers[i]) < 0)
                        return -EBADMSG;
        }
        if (line)
                return -EBADMSG;
        *ret = (PciResource){ .start = numbers[0], .end = numbers[1], .flags = numbers[2] };
        return 0;
}

int resource_table_parse(const char *text, ResourceTable *ret, char **ret_problem)
{
        ResourceTable table = { 0 };
        unsigned n = 0;

        for (const char *next; *text; text = next, n++) {
                size_t size = strcspn(text, "\n");
                next = text + size + (text[size] == '\n');
                if (n >= RESOURCE_LINES)
                        continue; /* counted for the message below */

                char line[LINE_TEXT_MAX] = "";
                if (size < sizeof(line))
                        memcpy(line, text, size);
                if (size >= sizeof(line) || parse_line(line, &table.lines[n]) < 0) {
                        *ret_problem = text_format(
                                        "line %u: expected three hexadecimal numbers (start, end, flags)",
                                        n + 1);
                        return -EBADMSG;
                }
        }
        if (!line_count_valid(n)) {
                *ret_problem = text_format(
                                "line %u: the file ends here, expected 7 or 13 lines, or 11 or 17 of a bridge",
                                n);
                return -EBADMSG;
        }
        table.n_lines = n;
        *ret = table;
        return 0;
}

static unsigned first_window(unsigned n_lines)
{
        return n_lines >= LINES_WITH_IOV ? LINES_WITH_IOV : LINES_WITHOUT_IOV;
}

ResourceKind resource_kind(unsigned n_lines, unsigned line)
{
        if (line < RESOURCE_BARS)
                return RESOURCE_KIND_BAR;
        if (line == RESOURCE_ROM)
                return RESOURCE_KIND_ROM;
        return line < first_window(n_lines) ? RESOURCE_KIND_VF_BAR : RESOURCE_KIND_WINDOW;
}

const char *resource_line_name(unsigned n_lines, unsigned line)
{
        static const char *const bars[] = { "BAR 0", "BAR 1", "BAR 2", "BAR 3", "BAR 4", "BAR 5", "ROM" };
        static const char *const vf_bars[] = { "VF BAR 0", "VF BAR 1", "VF BAR 2",
                                               "VF BAR 3", "VF BAR 4", "VF BAR 5" };
        static const char *const windows[] = { "I/O window", "memory window", "prefetchable window",
                                               "CardBus window" };

        if (line < ELEMENTSOF(bars))
                return bars[line];
        unsigned window = first_window(n_lines);
        if (line < window)
                return vf_bars[line - ELEMENTSOF(bars)];
        return line - window < ELEMENTSOF(windows) ? windows[line - window] : "no resource";
}

static bool is_type(const PciResource *resource, uint64_t type)
{
        return (resource->flags & RESOURCE_TYPE_MASK) == type;
}

/* A failed or never attempted assignment leaves its size behind, as 0 to SIZE - 1, together with these flags (KF §6). */
static bool has_address(const PciResource *resource)
{
        return !(resource->flags & (RESOURCE_UNSET | RESOURCE_DISABLED)) && resource_size(resource) > 0;
}

bool resource_is_assigned_memory(const PciResource *resource)
{
        return is_type(resource, RESOURCE_MEMORY) && has_address(resource);
}

bool resource_is_assigned(const PciResource *resource)
{
        return (is_type(resource, RESOURCE_MEMORY) || is_type(resource, RESOURCE_IO)) &&
               has_address(resource);
}

bool resource_is_unset(const PciResource *resource)
{
        return (is_type(resource, RESOURCE_MEMORY) || is_type(resource, RESOURCE_IO)) &&
               !has_address(resource);
}

uint64_t resource_size(const PciResource *resource)
{
        if (resource->end == 0 || resource->end < resource->start)
                return 0;
        if (resource->start == 0 && resource->end == UINT64_MAX)
                return UINT64_MAX; /* all of the address space, which only a broken file claims */
        return resource->end - resource->start + 1;
}
