/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/document.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>

int document_add_address(JsonObject *object, const char *key, uint64_t address)
{
        char text[24];
        snprintf(text, sizeof(text), "0x%" PRIx64, address);
        return json_add_text(object, key, text);
}

int document_add_group(JsonObject *object, const char *key, const PciFunction *function)
{
        if (function->iommu_group == IOMMU_GROUP_NONE)
                return json_object_object_add(object, key, NULL);
        return json_add_u64(object, key, (uint64_t) function->iommu_group);
}

int document_add_text_or_null(JsonObject *object, const char *key, const char *text)
{
        return text ? json_add_text(object, key, text) : json_object_object_add(object, key, NULL);
}

/* As the daemon names them: "0000:03:00.1 BAR 1", "IOAPIC 0". */
static JsonObject *neighbours_document(const Machine *machine, const PciFunction *function, unsigned line)
{
        const Verdicts *verdicts = machine->verdicts;
        _cleanup_json_ JsonObject *array = json_object_new_array();
        _cleanup_(page_view_freep) PageView *page = NULL;
        _cleanup_(text_list_freep) char **names = NULL;

        if (!array)
                return NULL;
        if (verdict_of(verdicts, function)->bars[line].n_neighbours == 0)
                return TAKE_PTR(array);
        if (page_view_make(machine->pages, function->resources.lines[line].start, &page) < 0 ||
            page_view_neighbours(page, function, line, &names) < 0)
                return NULL;
        for (size_t i = 0; names[i]; i++)
                if (json_append(array, json_object_new_string(names[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static JsonObject *bar_document(const Machine *machine, const PciFunction *function, unsigned line,
                                uint64_t before)
{
        const BarReport *bar = &verdict_of(machine->verdicts, function)->bars[line];
        const PciResource *resource = &function->resources.lines[line];
        _cleanup_json_ JsonObject *object = json_object_new_object();

        if (!object || json_add_u64(object, "bar", line) < 0 ||
            document_add_address(object, "start", resource->start) < 0 ||
            json_add_u64(object, "size", resource_size(resource)) < 0 ||
            json_add_u64(object, "own-size", before != 0 ? before : resource_size(resource)) < 0 ||
            json_add_text(object, "verdict", bar_verdict_text(bar)) < 0 ||
            json_add_bool(object, "small", bar->small) < 0 ||
            json_add(object, "neighbours", neighbours_document(machine, function, line)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

JsonObject *document_bars(const Machine *machine, const PciFunction *function, const OwnSizes *before)
{
        const FunctionReport *report = verdict_of(machine->verdicts, function);
        _cleanup_json_ JsonObject *array = json_object_new_array();
        if (!array)
                return NULL;
        for (unsigned line = 0; line < RESOURCE_BARS; line++)
                if (report->bars[line].verdict != BAR_NONE &&
                    json_append(array, bar_document(machine, function, line, before->lines[line])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

/* What VFIO says of the owner; NULL: it is not asked (a ROM, a bridge's BAR, no PCI function). */
static const char *owner_verdict(const Verdicts *verdicts, const PageOwner *owner)
{
        if (!owner->function || owner->function->is_bridge || owner->line >= RESOURCE_BARS)
                return NULL;
        const BarReport *bar = &verdict_of(verdicts, owner->function)->bars[owner->line];
        return bar->verdict == BAR_NONE ? NULL : bar_verdict_text(bar);
}

static JsonObject *owner_document(const Verdicts *verdicts, const PageOwner *owner)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();

        if (!object || document_add_address(object, "start", owner->start) < 0 ||
            json_add_u64(object, "size", owner->end - owner->start + 1) < 0 ||
            json_add_text(object, "name", page_owner_label(owner)) < 0)
                return NULL;
        if (owner->function &&
            (json_add_address(object, "function", owner->function->address) < 0 ||
             document_add_text_or_null(object, "driver", owner->function->driver) < 0 ||
             document_add_group(object, "group", owner->function) < 0 ||
             document_add_text_or_null(object, "verdict", owner_verdict(verdicts, owner)) < 0))
                return NULL;
        return TAKE_PTR(object);
}

JsonObject *document_page(const Verdicts *verdicts, const PageView *view)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *owners = json_object_new_array();

        if (!object || !owners || document_add_address(object, "start", view->start) < 0 ||
            json_add_bool(object, "several-groups", page_view_crosses_groups(view)) < 0)
                return NULL;
        for (size_t i = 0; i < view->n_owners; i++)
                if (json_append(owners, owner_document(verdicts, &view->owners[i])) < 0)
                        return NULL;
        if (json_add(object, "owners", TAKE_PTR(owners)) < 0)
                return NULL;
        return TAKE_PTR(object);
}
