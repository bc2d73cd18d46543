/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/iomem.h"

#include "base/pci-address.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define IOMEM_PATH "proc/iomem"
#define NO_BAR SIZE_MAX
#define NUMBER_MAX 24u

/* One line: "  fed00000-fed003ff : HPET 0", two blanks a level. */
typedef struct Line {
        size_t indent;
        uint64_t start, end;
        const char *name; /* up to the end of the line */
        size_t name_size;
} Line;

/* The hexadecimal number at *TEXT that ends before SEPARATOR; moves *TEXT behind that. */
static int take_number(const char **text, const char *separator, uint64_t *ret)
{
        char number[NUMBER_MAX];
        size_t size = strspn(*text, "0123456789abcdefABCDEF");
        if (size >= sizeof(number) || !text_starts_with(*text + size, separator))
                return -EBADMSG;
        memcpy(number, *text, size);
        number[size] = '\0';
        *text += size + strlen(separator);
        return text_to_u64(number, 16, UINT64_MAX, ret) < 0 ? -EBADMSG : 0;
}

static int parse_line(const char *text, Line *ret)
{
        Line line = { .indent = strspn(text, " ") };
        text += line.indent;
        if (take_number(&text, "-", &line.start) < 0 || take_number(&text, " : ", &line.end) < 0 ||
            line.end < line.start)
                return -EBADMSG;
        line.name = text;
        line.name_size = strcspn(text, "\n");
        *ret = line;
        return 0;
}

/* Containers, and what VFIO itself puts beside a BAR to keep the page free. */
static bool is_left_out(const char *name)
{
        return text_starts_with(name, "PCI Bus ") || text_starts_with(name, "PCI CardBus ") ||
               text_equal(name, "vfio sub-page reserved");
}

static int add_range(Iomem *iomem, const Line *line)
{
        _cleanup_free_ char *name = strndup(line->name, line->name_size);
        if (!name)
                return -ENOMEM;
        if (is_left_out(name))
                return 0;
        IomemRange *more = reallocarray(iomem->ranges, iomem->n_ranges + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        iomem->ranges = more;
        iomem->ranges[iomem->n_ranges++] =
                        (IomemRange){ .start = line->start, .end = line->end, .name = TAKE_PTR(name) };
        return 0;
}

static bool is_bar(const Line *line)
{
        char name[PCI_ADDRESS_TEXT_MAX];
        PciAddress address;
        if (line->name_size >= sizeof(name))
                return false;
        memcpy(name, line->name, line->name_size);
        name[line->name_size] = '\0';
        return pci_address_parse(name, &address) == 0;
}

int iomem_parse(const char *text, Iomem **ret)
{
        _cleanup_(iomem_freep) Iomem *iomem = calloc(1, sizeof(*iomem));
        size_t bar_indent = NO_BAR;
        if (!iomem)
                return -ENOMEM;

        while (*text) {
                Line line;
                int r = parse_line(text, &line);
                if (r < 0)
                        return r;
                text = line.name + line.name_size;
                text += *text == '\n';

                if (line.end != 0)
                        iomem->visible = true; /* without CAP_SYS_ADMIN every line reads 0-0 */
                if (bar_indent != NO_BAR && line.indent > bar_indent)
                        continue;
                bar_indent = is_bar(&line) ? line.indent : NO_BAR;
                if (bar_indent != NO_BAR)
                        continue;
                r = add_range(iomem, &line);
                if (r < 0)
                        return r;
        }
        if (!iomem->visible) {
                iomem_free(iomem);
                iomem = calloc(1, sizeof(*iomem));
                if (!iomem)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(iomem);
        return 0;
}

int iomem_read(const Root *root, Iomem **ret)
{
        _cleanup_free_ char *text = NULL;
        int r = root_read_file(root, IOMEM_PATH, &text, NULL);
        if (r == -ENOENT || r == -EACCES || r == -EPERM)
                return iomem_parse("", ret);
        if (r < 0)
                return r;
        return iomem_parse(text, ret);
}

Iomem *iomem_free(Iomem *iomem)
{
        if (!iomem)
                return NULL;
        for (size_t i = 0; i < iomem->n_ranges; i++)
                free(iomem->ranges[i].name);
        free(iomem->ranges);
        free(iomem);
        return NULL;
}
