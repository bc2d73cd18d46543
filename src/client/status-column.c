/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/status-column.h"

#include "base/text.h"
#include "client/document.h"

#include <string.h>

static char *text_function(const void *data)
{
        const StatusRow *row = data;
        return strdup(PCI_ADDRESS_TEXT(row->function->address));
}

static char *text_driver(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->function->driver ? row->function->driver : COLUMN_EMPTY);
}

static char *text_verdict(const void *data)
{
        const StatusRow *row = data;
        return strdup(function_verdict_name(row->report->verdict));
}

static char *text_reason(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->report->reason == REASON_NONE ? COLUMN_EMPTY : reason_name(row->report->reason));
}

static char *text_remedy(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->report->reason == REASON_NONE ? COLUMN_EMPTY
                                                         : reason_remedy(row->report->reason));
}

/* "0000:03:00.1", "own BAR 2" or "IOAPIC 0" */
static const char *neighbour_text(const StatusRow *row, const BarReport *bar, char *buffer, size_t size)
{
        if (!bar->neighbour)
                return bar->neighbour_name ? bar->neighbour_name : "";
        if (bar->neighbour != row->function)
                snprintf(buffer, size, "%s", PCI_ADDRESS_TEXT(bar->neighbour->address));
        else
                snprintf(buffer, size, "own %s",
                         resource_line_name(bar->neighbour->resources.n_lines, bar->neighbour_line));
        return buffer;
}

/* One line of the cell: "1:256 shared 0000:03:00.1 +2". */
static char *bar_text(const StatusRow *row, unsigned line)
{
        const BarReport *bar = &row->report->bars[line];
        char size[TEXT_BYTES_MAX], neighbour[48], more[16] = "";
        const char *with = neighbour_text(row, bar, neighbour, sizeof(neighbour));

        if (bar->n_neighbours > 1)
                snprintf(more, sizeof(more), " +%u", bar->n_neighbours - 1);
        return text_format("%u:%s %s%s%s%s", line,
                           text_from_bytes(resource_size(&row->function->resources.lines[line]), size),
                           bar_verdict_text(bar), *with ? " " : "", with, more);
}

static char *text_bars(const void *data)
{
        const StatusRow *row = data;
        _cleanup_free_ char *all = NULL;
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                if (row->report->bars[line].verdict == BAR_NONE)
                        continue;
                _cleanup_free_ char *one = bar_text(row, line);
                if (!one)
                        return NULL;
                char *joined = text_format("%s%s%s", all ? all : "", all ? "\n" : "", one);
                if (!joined)
                        return NULL;
                free(all);
                all = joined;
        }
        return all ? TAKE_PTR(all) : strdup(COLUMN_EMPTY);
}

static int add_bars(const void *data, JsonObject *object, const char *key)
{
        const StatusRow *row = data;
        return json_add(object, key, document_bars(row->function, row->report));
}

static char *text_group(const void *data)
{
        const StatusRow *row = data;
        if (row->function->iommu_group == IOMMU_GROUP_NONE)
                return strdup(COLUMN_EMPTY);
        return text_format("%d", row->function->iommu_group);
}

static int add_group(const void *data, JsonObject *object, const char *key)
{
        const StatusRow *row = data;
        return document_add_group(object, key, row->function);
}

static char *text_policy(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->settings ? policy_realign_name(row->settings->realign) : COLUMN_EMPTY);
}

static char *text_scope(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->settings ? policy_scope_name(row->settings->scope) : COLUMN_EMPTY);
}

static char *text_ids(const void *data)
{
        const StatusRow *row = data;
        return text_format("%04x:%04x", row->function->vendor, row->function->device);
}

static char *text_subsystem(const void *data)
{
        const StatusRow *row = data;
        return text_format("%04x:%04x", row->function->subvendor, row->function->subdevice);
}

static char *text_class(const void *data)
{
        const StatusRow *row = data;
        return text_format("%04x", row->function->class >> 8);
}

static char *text_name(const void *data)
{
        const StatusRow *row = data;
        return pci_names_of(row->names, row->function);
}

static char *text_enabled(const void *data)
{
        const StatusRow *row = data;
        return text_format("%u", row->function->enable);
}

static int add_enabled(const void *data, JsonObject *object, const char *key)
{
        const StatusRow *row = data;
        return json_add_u64(object, key, row->function->enable);
}

static char *text_bridge(const void *data)
{
        const StatusRow *row = data;
        return strdup(row->function->bridge ? PCI_ADDRESS_TEXT(row->function->bridge->address)
                                            : COLUMN_EMPTY);
}

static char *text_path(const void *data)
{
        const StatusRow *row = data;
        return topology_path(row->function);
}

static StyleColor color_verdict(const void *data)
{
        const StatusRow *row = data;
        return row->report->verdict == FUNCTION_OK ? STYLE_GOOD : STYLE_BAD;
}

static const Column columns[] = {
        { .name = "FUNCTION", .text = text_function, .help = "address of the function" },
        { .name = "DRIVER", .text = text_driver, .help = "driver that it is bound to" },
        { .name = "GROUP", .right = true, .text = text_group, .add_json = add_group, .help = "IOMMU group" },
        { .name = "VERDICT",
          .text = text_verdict,
          .color = color_verdict,
          .help = "ok, needs-realign, or cannot" },
        { .name = "REASON", .text = text_reason, .help = "why it cannot be realigned" },
        { .name = "BARS",
          .lines = true,
          .text = text_bars,
          .add_json = add_bars,
          .help = "memory BARs: number, size, what VFIO says, whose bytes are in the page" },
        { .name = "POLICY", .text = text_policy, .help = "realign = auto, report, or never" },
        { .name = "SCOPE", .text = text_scope, .help = "scope = bus, function, or smallest" },
        { .name = "IDS", .text = text_ids, .help = "vendor and device" },
        { .name = "SUBSYSTEM", .text = text_subsystem, .help = "vendor and device of the subsystem" },
        { .name = "CLASS", .text = text_class, .help = "class and subclass" },
        { .name = "NAME", .text = text_name, .help = "what the vendor calls it" },
        { .name = "ENABLED",
          .right = true,
          .text = text_enabled,
          .add_json = add_enabled,
          .help = "enable count: above 0 while a process has it open" },
        { .name = "BRIDGE", .text = text_bridge, .help = "bridge above" },
        { .name = "PATH", .text = text_path, .help = "its place, as resource_alignment names it" },
        { .name = "REMEDY", .text = text_remedy, .help = "what can be done about the reason" },
};

const ColumnList status_columns = {
        .verb = "status",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "FUNCTION,DRIVER,GROUP,VERDICT,REASON,BARS",
};
