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

/* What the snapshot does not show may be known to the daemon. */
static Reason reason_of(const StatusRow *row)
{
        Reason reason = row->report->reason;
        if (reason == REASON_NONE && row->daemon && reason_parse(row->daemon->reason, &reason) < 0)
                return REASON_NONE;
        return reason;
}

static char *text_reason(const void *data)
{
        Reason reason = reason_of(data);
        return strdup(reason == REASON_NONE ? COLUMN_EMPTY : reason_name(reason));
}

static char *text_remedy(const void *data)
{
        Reason reason = reason_of(data);
        return strdup(reason == REASON_NONE ? COLUMN_EMPTY : reason_remedy(reason));
}

static char *cell(const char *text)
{
        return strdup(text && *text ? text : COLUMN_EMPTY);
}

static char *text_state(const void *data)
{
        const StatusRow *row = data;
        return cell(row->daemon ? row->daemon->state : NULL);
}

static char *text_detail(const void *data)
{
        const StatusRow *row = data;
        return cell(row->daemon ? row->daemon->detail : NULL);
}

static char *text_last(const void *data)
{
        const StatusRow *row = data;
        return cell(row->daemon ? row->daemon->last : NULL);
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
        char size[TEXT_BYTES_MAX], neighbour[48], more[16] = "", own[TEXT_BYTES_MAX + 16] = "";
        const char *with = neighbour_text(row, bar, neighbour, sizeof(neighbour));

        if (bar->n_neighbours > 1)
                snprintf(more, sizeof(more), " +%u", bar->n_neighbours - 1);
        if (row->before.lines[line] != 0)
                snprintf(own, sizeof(own), " (by itself %s)",
                         text_from_bytes(row->before.lines[line], size));
        return text_format("%u:%s%s %s%s%s%s", line,
                           text_from_bytes(resource_size(&row->function->resources.lines[line]), size), own,
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
        return json_add(object, key, document_bars(row->machine, row->function, &row->before));
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
          .help = "memory BARs: number, size (and by itself, if it was grown), what VFIO says, whose bytes are in the page" },
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
        { .name = "STATE", .text = text_state, .help = "what the daemon does about it, if it is there" },
        { .name = "DETAIL", .text = text_detail, .help = "what more the daemon knows about the reason" },
        { .name = "LAST", .text = text_last, .help = "how the last transaction about it ended, and its id" },
};

const ColumnList status_columns = {
        .verb = "status",
        .all = columns,
        .n_all = ELEMENTSOF(columns),
        .usual = "FUNCTION,DRIVER,GROUP,VERDICT,REASON,BARS",
};

static char *remote_function(const void *data)
{
        return strdup(PCI_ADDRESS_TEXT(((const DaemonFunction *) data)->address));
}

static char *remote_group(const void *data)
{
        const DaemonFunction *function = data;
        return function->group == IOMMU_GROUP_NONE ? cell(NULL) : text_format("%d", function->group);
}

static int remote_add_group(const void *data, JsonObject *object, const char *key)
{
        const DaemonFunction *function = data;
        return function->group < 0 ? json_object_object_add(object, key, NULL)
                                   : json_add_u64(object, key, (uint64_t) function->group);
}

static char *remote_reason(const void *data)
{
        const char *reason = ((const DaemonFunction *) data)->reason;
        return cell(strcmp(reason, reason_name(REASON_NONE)) == 0 ? NULL : reason);
}

static int remote_add_bars(const void *data, JsonObject *object, const char *key)
{
        return json_add(object, key, json_object_get(((const DaemonFunction *) data)->bars_document));
}

static StyleColor remote_color(const void *data)
{
        return strcmp(((const DaemonFunction *) data)->verdict, "ok") == 0 ? STYLE_GOOD : STYLE_BAD;
}

#define REMOTE_TEXT(name, field)                                                                            \
        static char *remote_##name(const void *data)                                                        \
        {                                                                                                   \
                return cell(((const DaemonFunction *) data)->field);                                        \
        }
REMOTE_TEXT(driver, driver)
REMOTE_TEXT(verdict, verdict)
REMOTE_TEXT(state, state)
REMOTE_TEXT(detail, detail)
REMOTE_TEXT(bars, bars)
REMOTE_TEXT(last, last)

static const Column remote_columns[] = {
        { .name = "FUNCTION", .text = remote_function, .help = "address of the function" },
        { .name = "DRIVER", .text = remote_driver, .help = "driver that it is bound to" },
        { .name = "GROUP",
          .right = true,
          .text = remote_group,
          .add_json = remote_add_group,
          .help = "IOMMU group" },
        { .name = "VERDICT",
          .text = remote_verdict,
          .color = remote_color,
          .help = "ok, needs-realign, or cannot" },
        { .name = "STATE", .text = remote_state, .help = "what the daemon does about it" },
        { .name = "REASON", .text = remote_reason, .help = "why it stays as it is" },
        { .name = "DETAIL", .text = remote_detail, .help = "more about the reason" },
        { .name = "BARS",
          .lines = true,
          .text = remote_bars,
          .add_json = remote_add_bars,
          .help = "memory BARs" },
        { .name = "LAST",
          .text = remote_last,
          .help = "how the last transaction about it ended, and its id" },
};

const ColumnList remote_status_columns = {
        .verb = "status",
        .all = remote_columns,
        .n_all = ELEMENTSOF(remote_columns),
        .usual = "FUNCTION,DRIVER,GROUP,VERDICT,STATE,REASON,BARS",
};
