/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/status-column.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define EMPTY "-"

static char *text_function(const StatusRow *row)
{
        return strdup(PCI_ADDRESS_TEXT(row->function->address));
}

static char *text_driver(const StatusRow *row)
{
        return strdup(row->function->driver ? row->function->driver : EMPTY);
}

static char *text_verdict(const StatusRow *row)
{
        return strdup(function_verdict_name(row->report->verdict));
}

static char *text_reason(const StatusRow *row)
{
        return strdup(row->report->reason == REASON_NONE ? EMPTY : reason_name(row->report->reason));
}

static char *text_remedy(const StatusRow *row)
{
        return strdup(row->report->reason == REASON_NONE ? EMPTY : reason_remedy(row->report->reason));
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

static char *text_bars(const StatusRow *row)
{
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
        return all ? TAKE_PTR(all) : strdup(EMPTY);
}

static int add_hexadecimal(JsonObject *object, const char *name, uint64_t value)
{
        char text[24];
        snprintf(text, sizeof(text), "0x%" PRIx64, value);
        return json_add_text(object, name, text);
}

static JsonObject *json_bar(const StatusRow *row, unsigned line)
{
        const BarReport *bar = &row->report->bars[line];
        const PciResource *resource = &row->function->resources.lines[line];
        _cleanup_json_ JsonObject *object = json_object_new_object();

        if (!object || json_add_u64(object, "bar", line) < 0 ||
            add_hexadecimal(object, "start", resource->start) < 0 ||
            json_add_u64(object, "size", resource_size(resource)) < 0 ||
            json_add_text(object, "verdict", bar_verdict_text(bar)) < 0 ||
            json_add_bool(object, "small", bar->small) < 0 ||
            json_add_u64(object, "neighbours", bar->n_neighbours) < 0)
                return NULL;
        if (bar->neighbour &&
            (json_add_address(object, "neighbour", bar->neighbour->address) < 0 ||
             json_add_text(object, "neighbour-line",
                           resource_line_name(bar->neighbour->resources.n_lines, bar->neighbour_line)) < 0))
                return NULL;
        if (!bar->neighbour && bar->neighbour_name &&
            json_add_text(object, "neighbour-name", bar->neighbour_name) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int add_bars(const StatusRow *row, JsonObject *object, const char *key)
{
        _cleanup_json_ JsonObject *array = json_object_new_array();
        if (!array)
                return -ENOMEM;
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                if (row->report->bars[line].verdict == BAR_NONE)
                        continue;
                int r = json_append(array, json_bar(row, line));
                if (r < 0)
                        return r;
        }
        return json_add(object, key, TAKE_PTR(array));
}

static char *text_group(const StatusRow *row)
{
        if (row->function->iommu_group == IOMMU_GROUP_NONE)
                return strdup(EMPTY);
        return text_format("%d", row->function->iommu_group);
}

static int add_group(const StatusRow *row, JsonObject *object, const char *key)
{
        if (row->function->iommu_group == IOMMU_GROUP_NONE)
                return json_object_object_add(object, key, NULL);
        return json_add_u64(object, key, (uint64_t) row->function->iommu_group);
}

static char *text_policy(const StatusRow *row)
{
        return strdup(row->settings ? policy_realign_name(row->settings->realign) : EMPTY);
}

static char *text_scope(const StatusRow *row)
{
        return strdup(row->settings ? policy_scope_name(row->settings->scope) : EMPTY);
}

static char *text_ids(const StatusRow *row)
{
        return text_format("%04x:%04x", row->function->vendor, row->function->device);
}

static char *text_subsystem(const StatusRow *row)
{
        return text_format("%04x:%04x", row->function->subvendor, row->function->subdevice);
}

static char *text_class(const StatusRow *row)
{
        return text_format("%04x", row->function->class >> 8);
}

static char *text_name(const StatusRow *row)
{
        return pci_names_of(row->names, row->function);
}

static char *text_enabled(const StatusRow *row)
{
        return text_format("%u", row->function->enable);
}

static int add_enabled(const StatusRow *row, JsonObject *object, const char *key)
{
        return json_add_u64(object, key, row->function->enable);
}

static char *text_bridge(const StatusRow *row)
{
        return strdup(row->function->bridge ? PCI_ADDRESS_TEXT(row->function->bridge->address) : EMPTY);
}

static char *text_path(const StatusRow *row)
{
        return topology_path(row->function);
}

static const StatusColumn all_columns[] = {
        { "FUNCTION", false, false, text_function, NULL, "address of the function" },
        { "DRIVER", false, false, text_driver, NULL, "driver that it is bound to" },
        { "GROUP", true, false, text_group, add_group, "IOMMU group" },
        { "VERDICT", false, false, text_verdict, NULL, "ok, needs-realign, or cannot" },
        { "REASON", false, false, text_reason, NULL, "why it cannot be realigned" },
        { "BARS", false, true, text_bars, add_bars,
          "memory BARs: number, size, what VFIO says, whose bytes are in the page" },
        { "POLICY", false, false, text_policy, NULL, "realign = auto, report, or never" },
        { "SCOPE", false, false, text_scope, NULL, "scope = bus, function, or smallest" },
        { "IDS", false, false, text_ids, NULL, "vendor and device" },
        { "SUBSYSTEM", false, false, text_subsystem, NULL, "vendor and device of the subsystem" },
        { "CLASS", false, false, text_class, NULL, "class and subclass" },
        { "NAME", false, false, text_name, NULL, "what the vendor calls it" },
        { "ENABLED", true, false, text_enabled, add_enabled,
          "enable count: above 0 while a process has it open" },
        { "BRIDGE", false, false, text_bridge, NULL, "bridge above" },
        { "PATH", false, false, text_path, NULL, "its place, as resource_alignment names it" },
        { "REMEDY", false, false, text_remedy, NULL, "what can be done about the reason" },
};

static const char default_columns[] = "FUNCTION,DRIVER,GROUP,VERDICT,REASON,BARS";

static const StatusColumn *find_column(const char *name, size_t length)
{
        for (size_t i = 0; i < ELEMENTSOF(all_columns); i++)
                if (strncasecmp(all_columns[i].name, name, length) == 0 &&
                    all_columns[i].name[length] == '\0')
                        return &all_columns[i];
        return NULL;
}

static ClientExit add_columns(const char *text, StatusColumns *columns)
{
        for (const char *name = text;; name++) {
                size_t length = strcspn(name, ",");
                const StatusColumn *column = length > 0 ? find_column(name, length) : NULL;
                if (!column || columns->n_columns == STATUS_COLUMNS_MAX) {
                        (void) client_error(
                                        "-o: \"%.*s\" is no column, expected some of %s, …; see \"vfio-realign "
                                        "help status\"",
                                        (int) (length < 40 ? length : 40), name, default_columns);
                        return CLIENT_EXIT_USAGE;
                }
                columns->columns[columns->n_columns++] = column;
                name += length;
                if (*name == '\0')
                        return CLIENT_EXIT_FINE;
        }
}

ClientExit status_columns_choose(const char *text, StatusColumns *ret)
{
        StatusColumns columns = { 0 };
        ClientExit status = CLIENT_EXIT_FINE;

        if (!text || text[0] == '+')
                status = add_columns(default_columns, &columns);
        if (text && status == CLIENT_EXIT_FINE)
                status = add_columns(text[0] == '+' ? text + 1 : text, &columns);
        if (status == CLIENT_EXIT_FINE)
                *ret = columns;
        return status;
}

void status_columns_describe(FILE *out)
{
        for (size_t i = 0; i < ELEMENTSOF(all_columns); i++)
                fprintf(out, "  %-9s  %s\n", all_columns[i].name, all_columns[i].help);
}

/* The cell's text, or null for an empty one. */
static int add_text(const StatusRow *row, const StatusColumn *column, JsonObject *object, const char *key)
{
        _cleanup_free_ char *text = column->text(row);
        if (!text)
                return -ENOMEM;
        if (text_equal(text, EMPTY))
                return json_object_object_add(object, key, NULL);
        return json_add_text(object, key, text);
}

JsonObject *status_row_to_json(const StatusRow *row, const StatusColumns *columns)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object)
                return NULL;
        for (size_t i = 0; i < columns->n_columns; i++) {
                const StatusColumn *column = columns->columns[i];
                char key[16] = "";
                for (size_t at = 0; at + 1 < sizeof(key) && column->name[at] != '\0'; at++)
                        key[at] = (char) tolower((unsigned char) column->name[at]);
                int r = column->add_json ? column->add_json(row, object, key)
                                         : add_text(row, column, object, key);
                if (r < 0)
                        return NULL;
        }
        return TAKE_PTR(object);
}
