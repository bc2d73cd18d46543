/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `map`: the pages that small BARs are in, drawn as boxes with the BARs in them. */

#include "base/page.h"
#include "base/text.h"
#include "client/document.h"
#include "client/machine.h"
#include "client/page-picture.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/verb.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* All that one run draws. */
typedef struct Map {
        const ClientContext *context;
        const Machine *machine;
        Style style;
        uint64_t *pages; /* the starts of the pages to be drawn, each once */
        size_t n_pages;
} Map;

static void map_clear(Map *map)
{
        free(map->pages);
}

static ClientExit add_page(Map *map, uint64_t start)
{
        for (size_t i = 0; i < map->n_pages; i++)
                if (map->pages[i] == start)
                        return CLIENT_EXIT_FINE;
        uint64_t *more = reallocarray(map->pages, map->n_pages + 1, sizeof(*more));
        if (!more)
                return client_error("out of memory");
        more[map->n_pages++] = start;
        map->pages = more;
        return CLIENT_EXIT_FINE;
}

/* What a picture would show of a larger BAR is that it has its pages for itself. */
static bool is_drawn(const Map *map, const PciResource *resource)
{
        return resource_is_assigned_memory(resource) && resource_size(resource) <= map->context->page;
}

static ClientExit add_pages(Map *map, const Selection *selection)
{
        for (size_t i = 0; i < selection->n_functions; i++)
                for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                        const PciResource *resource = &selection->functions[i]->resources.lines[line];
                        ClientExit status = is_drawn(map, resource)
                                                            ? add_page(map, page_start(resource->start,
                                                                                       map->context->page))
                                                            : CLIENT_EXIT_FINE;
                        if (status != CLIENT_EXIT_FINE)
                                return status;
                }
        return CLIENT_EXIT_FINE;
}

/* What VFIO says of the owner; NULL: it is not asked (a ROM, a bridge's BAR, no PCI function). */
static const BarReport *report_of(const Map *map, const PageOwner *owner)
{
        if (!owner->function || owner->function->is_bridge || owner->line >= RESOURCE_BARS)
                return NULL;
        const BarReport *report = &verdict_of(map->machine->verdicts, owner->function)->bars[owner->line];
        return report->verdict == BAR_NONE ? NULL : report;
}

static StyleColor color_of(const Map *map, const PageOwner *owner)
{
        const BarReport *report = report_of(map, owner);
        if (!report)
                return STYLE_DIM;
        return report->verdict == BAR_MAPPABLE ? STYLE_GOOD : STYLE_BAD;
}

static void print_growth(const Map *map, const PageOwner *owner)
{
        OwnSizes before;
        char size[TEXT_BYTES_MAX];
        if (machine_sizes_before(map->machine, owner->function, &before) == CLIENT_EXIT_FINE &&
            before.lines[owner->line] != 0)
                printf(" (by itself %s)", text_from_bytes(before.lines[owner->line], size));
        putchar('\n');
}

/* "A  +0x100  256  0000:03:00.1 BAR 1  vfio-pci  group 9  shared" */
static void print_owner(const Map *map, const PageView *view, size_t i)
{
        const PageOwner *owner = &view->owners[i];
        const BarReport *report = report_of(map, owner);
        const StyleColor color = color_of(map, owner);
        char size[TEXT_BYTES_MAX];

        printf("  %s%c%s  0x%012" PRIx64 " %5s  ", style_color(map->style, color), page_picture_letter(i),
               style_color(map->style, STYLE_PLAIN), owner->start,
               text_from_bytes(owner->end - owner->start + 1, size));
        if (!owner->function) {
                printf("%s\n", owner->name);
                return;
        }
        char group[16] = "";
        if (owner->function->iommu_group != IOMMU_GROUP_NONE)
                snprintf(group, sizeof(group), "group %d", owner->function->iommu_group);
        printf("%s %-5s  %-9s ", PCI_ADDRESS_TEXT(owner->function->address), page_owner_label(owner),
               owner->function->driver ? owner->function->driver : "-");
        if (report) {
                printf("%-9s %s%s%s", group, style_color(map->style, color), bar_verdict_text(report),
                       style_color(map->style, STYLE_PLAIN));
                print_growth(map, owner);
        } else
                printf("%s\n", group);
}

static void print_title(const Map *map, const PageView *view)
{
        unsigned n_bars = 0, n_mapped = 0;
        char size[TEXT_BYTES_MAX];

        for (size_t i = 0; i < view->n_owners; i++) {
                const BarReport *report = report_of(map, &view->owners[i]);
                n_bars += report != NULL;
                n_mapped += report && report->verdict == BAR_MAPPABLE;
        }
        printf("%sPage 0x%" PRIx64 "%s (%s): %zu owner%s, ", style_color(map->style, STYLE_BOLD),
               view->start, style_color(map->style, STYLE_PLAIN), text_from_bytes(map->context->page, size),
               view->n_owners, view->n_owners == 1 ? "" : "s");
        if (n_mapped == 0)
                puts(n_bars == 1 ? "VFIO does not map it" : "VFIO maps none of them");
        else
                puts(n_bars == 1 ? "VFIO maps it" : "VFIO maps some of them");
}

static ClientExit draw_page(const Map *map, uint64_t start)
{
        _cleanup_(page_view_freep) PageView *view = NULL;
        int r = page_view_make(map->machine->pages, start, &view);
        if (r < 0)
                return client_error("out of memory");
        _cleanup_free_ StyleColor *colors = calloc(view->n_owners + 1, sizeof(*colors));
        if (!colors)
                return client_error("out of memory");
        for (size_t i = 0; i < view->n_owners; i++)
                colors[i] = color_of(map, &view->owners[i]);

        print_title(map, view);
        r = page_picture_draw(stdout, view, map->context->page, map->style, colors);
        if (r < 0)
                return client_error("out of memory");
        for (size_t i = 0; i < view->n_owners; i++)
                print_owner(map, view, i);
        if (page_view_crosses_groups(view))
                printf("  %sSeveral IOMMU groups: each owner reaches the others' registers (XSA-461).%s\n",
                       style_color(map->style, STYLE_BAD), style_color(map->style, STYLE_PLAIN));
        return CLIENT_EXIT_FINE;
}

/* BARs that have several pages for themselves, a line each. */
static void list_large(const Map *map, const Selection *selection)
{
        bool first = true;

        for (size_t i = 0; i < selection->n_functions; i++)
                for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                        const PciFunction *function = selection->functions[i];
                        const PciResource *resource = &function->resources.lines[line];
                        char size[TEXT_BYTES_MAX];
                        if (!resource_is_assigned_memory(resource) || is_drawn(map, resource))
                                continue;
                        if (first)
                                printf("%sLarger than a page, so with nobody else in their pages:\n",
                                       map->n_pages > 0 ? "\n" : "");
                        first = false;
                        printf("     0x%012" PRIx64 " %5s  %s %s\n", resource->start,
                               text_from_bytes(resource_size(resource), size),
                               PCI_ADDRESS_TEXT(function->address),
                               resource_line_name(function->resources.n_lines, line));
                }
}

static int compare_pages(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

static ClientExit draw(const Map *map, const Selection *selection)
{
        ClientExit status = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < map->n_pages && status == CLIENT_EXIT_FINE; i++) {
                if (i > 0)
                        putchar('\n');
                status = draw_page(map, map->pages[i]);
        }
        list_large(map, selection);
        return status;
}

static int add_page_documents(const Map *map, JsonObject *object)
{
        _cleanup_json_ JsonObject *pages = json_object_new_array();

        for (size_t i = 0; i < map->n_pages; i++) {
                _cleanup_(page_view_freep) PageView *view = NULL;
                int r = page_view_make(map->machine->pages, map->pages[i], &view);
                if (r < 0)
                        return r;
                if (!pages || json_append(pages, document_page(map->machine->verdicts, view)) < 0)
                        return -ENOMEM;
        }
        return json_add(object, "pages", TAKE_PTR(pages));
}

static int add_large_documents(const Map *map, const Selection *selection, JsonObject *object)
{
        _cleanup_json_ JsonObject *large = json_object_new_array();

        for (size_t i = 0; i < selection->n_functions; i++)
                for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                        const PciFunction *function = selection->functions[i];
                        const PciResource *resource = &function->resources.lines[line];
                        _cleanup_json_ JsonObject *one = json_object_new_object();
                        if (!resource_is_assigned_memory(resource) || is_drawn(map, resource))
                                continue;
                        if (!large || !one || document_add_address(one, "start", resource->start) < 0 ||
                            json_add_u64(one, "size", resource_size(resource)) < 0 ||
                            json_add_text(one, "name",
                                          resource_line_name(function->resources.n_lines, line)) < 0 ||
                            json_add_address(one, "function", function->address) < 0 ||
                            json_append(large, TAKE_PTR(one)) < 0)
                                return -ENOMEM;
                }
        return json_add(object, "large", TAKE_PTR(large));
}

/* {"page", "iomem-seen", "pages": […], "large": […]} */
static ClientExit print_as_json(const Map *map, const Selection *selection)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_u64(object, "page", map->context->page) < 0 ||
            json_add_bool(object, "iomem-seen", map->machine->iomem->visible) < 0 ||
            add_page_documents(map, object) < 0 || add_large_documents(map, selection, object) < 0)
                return client_error("out of memory");
        return client_print_json(map->context, object);
}

static ClientExit show(Map *map, const Selection *selection)
{
        ClientExit status = add_pages(map, selection);
        if (status != CLIENT_EXIT_FINE)
                return status;
        if (map->n_pages > 0)
                qsort(map->pages, map->n_pages, sizeof(*map->pages), compare_pages);
        status = map->context->json != CLIENT_JSON_OFF ? print_as_json(map, selection)
                                                       : draw(map, selection);
        fflush(stdout);
        machine_say_unseen(map->machine);
        return status;
}

ClientExit verb_map(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(map_clear) Map map = { .context = context, .style = context->style };
        _cleanup_(machine_freep) Machine *machine = NULL;
        _cleanup_(selection_clear) Selection selection = { 0 };

        ClientExit status = machine_read(context, &machine);
        if (status != CLIENT_EXIT_FINE)
                return status;
        map.machine = machine;
        status = n > 0 ? selection_add_named_with_buses(&selection, machine->topology, n, arguments)
                       : selection_add_on_vfio(&selection, machine->topology);
        if (n == 0 && selection.n_functions == 0 && context->json == CLIENT_JSON_OFF)
                puts("No function is on a VFIO driver.");
        return client_exit_worse(status, show(&map, &selection));
}
