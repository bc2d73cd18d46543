/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/grown.h"

#include "base/json-document.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define RECORDS_MAX 65536u

typedef struct Record {
        char *path;
        uint16_t vendor, device, subvendor, subdevice;
        OwnSizes own;
} Record;

struct Grown {
        Record *items;
        size_t n_items;
};

int grown_new(Grown **ret)
{
        Grown *grown = calloc(1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        *ret = grown;
        return 0;
}

Grown *grown_free(Grown *grown)
{
        if (!grown)
                return NULL;
        for (size_t i = 0; i < grown->n_items; i++)
                free(grown->items[i].path);
        free(grown->items);
        free(grown);
        return NULL;
}

static Record *find_at(const Grown *grown, const char *path)
{
        for (size_t i = 0; i < grown->n_items; i++)
                if (strcmp(grown->items[i].path, path) == 0)
                        return &grown->items[i];
        return NULL;
}

/* Another card in the same slot has sizes of its own. */
static bool is_of(const Record *record, const PciFunction *function)
{
        return record->vendor == function->vendor && record->device == function->device &&
               record->subvendor == function->subvendor && record->subdevice == function->subdevice;
}

static bool is_memory(const ResourceTable *table, unsigned line)
{
        const PciResource *resource = &table->lines[line];
        bool is_shadow = line == RESOURCE_ROM && resource->flags & RESOURCE_ROM_SHADOW;
        return resource_is_assigned_memory(resource) && !is_shadow;
}

int grown_own_sizes(const Grown *grown, const PciFunction *function, OwnSizes *ret)
{
        _cleanup_free_ char *path = topology_path(function);
        if (!path)
                return -ENOMEM;
        const Record *record = grown ? find_at(grown, path) : NULL;
        bool is_recorded = record && is_of(record, function);
        OwnSizes own = { 0 };

        for (unsigned line = 0; line <= RESOURCE_ROM; line++) {
                if (!is_memory(&function->resources, line))
                        continue;
                own.lines[line] = resource_size(&function->resources.lines[line]);
                if (is_recorded && record->own.lines[line] != 0 && record->own.lines[line] < own.lines[line])
                        own.lines[line] = record->own.lines[line];
        }
        *ret = own;
        return 0;
}

int grown_sizes_before(const Grown *grown, const PciFunction *function, OwnSizes *ret)
{
        int r = grown_own_sizes(grown, function, ret);
        for (unsigned line = 0; r == 0 && line <= RESOURCE_ROM; line++)
                if (ret->lines[line] == resource_size(&function->resources.lines[line]))
                        ret->lines[line] = 0;
        return r;
}

bool own_sizes_are_exceeded(const OwnSizes *own, const ResourceTable *resources)
{
        for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                if (own->lines[line] != 0 && is_memory(resources, line) &&
                    resource_size(&resources->lines[line]) > own->lines[line])
                        return true;
        return false;
}

bool own_sizes_have_below(const OwnSizes *own, uint64_t alignment)
{
        for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                if (own->lines[line] != 0 && own->lines[line] < alignment)
                        return true;
        return false;
}

int grown_note(Grown *grown, GrownKey key, const OwnSizes *own)
{
        Record *record = find_at(grown, key.path);
        if (!record) {
                Record *items = reallocarray(grown->items, grown->n_items + 1, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                grown->items = items;
                record = &items[grown->n_items];
                *record = (Record){ .path = strdup(key.path) };
                if (!record->path)
                        return -ENOMEM;
                grown->n_items++;
        }
        record->vendor = key.vendor;
        record->device = key.device;
        record->subvendor = key.subvendor;
        record->subdevice = key.subdevice;
        record->own = *own;
        return 0;
}

bool grown_prune(Grown *grown, const Topology *topology)
{
        size_t n_before = grown->n_items;
        for (size_t i = 0; i < grown->n_items;) {
                Record *record = &grown->items[i];
                const PciFunction *function = topology_find_path(topology, record->path);
                bool stays = !function || (is_of(record, function) &&
                                           own_sizes_are_exceeded(&record->own, &function->resources));
                if (stays) {
                        i++;
                        continue;
                }
                free(record->path);
                *record = grown->items[--grown->n_items];
        }
        return grown->n_items != n_before;
}

int own_sizes_from_json(JsonObject *object, const char *name, OwnSizes *ret, char **ret_problem)
{
        JsonObject *list;
        OwnSizes own = { 0 };
        int r = json_field_array(object, name, ELEMENTSOF(own.lines), &list, ret_problem);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                JsonObject *size = json_object_array_get_idx(list, i);
                if (!json_object_is_type(size, json_type_int) || json_object_get_int64(size) < 0) {
                        *ret_problem = text_format("\"%s\" holds what is no size", name);
                        return -EBADMSG;
                }
                own.lines[i] = json_object_get_uint64(size);
        }
        *ret = own;
        return 0;
}

static int record_from_json(JsonObject *object, Grown *grown, char **ret_problem)
{
        const char *path;
        uint64_t ids[4];
        static const char *const names[] = { "vendor", "device", "subvendor", "subdevice" };
        OwnSizes own = { 0 };

        int r = json_field_text(object, "function", &path, ret_problem);
        for (size_t i = 0; i < ELEMENTSOF(names) && r == 0; i++)
                r = json_field_u64(object, names[i], UINT16_MAX, &ids[i], ret_problem);
        if (r == 0)
                r = own_sizes_from_json(object, "sizes", &own, ret_problem);
        if (r < 0)
                return r;
        GrownKey key = { path, (uint16_t) ids[0], (uint16_t) ids[1], (uint16_t) ids[2], (uint16_t) ids[3] };
        return grown_note(grown, key, &own);
}

static int from_json(JsonObject *document, Grown *grown, char **ret_problem)
{
        uint64_t version;
        JsonObject *list;
        int r = json_field_u64(document, "version", DOCUMENT_VERSION, &version, ret_problem);
        if (r == 0)
                r = json_field_array(document, "grown", RECORDS_MAX, &list, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++)
                r = record_from_json(json_object_array_get_idx(list, i), grown, ret_problem);
        return r;
}

int grown_load(const Root *root, Grown **ret, char **ret_problem)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *text = NULL, *problem = NULL;

        int r = grown_new(&grown);
        if (r < 0)
                return r;
        r = root_read_file(root, GROWN_PATH, &text, NULL);
        if (r == 0)
                r = json_document_parse(text, &document, &problem);
        if (r == 0)
                r = from_json(document, grown, &problem);
        if (r == -EBADMSG || r == -EFBIG) {
                grown_free(TAKE_PTR(grown));
                *ret_problem = text_format("/%s: %s", GROWN_PATH,
                                           problem ? problem : "it is not a document");
                r = grown_new(&grown);
        }
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        *ret = TAKE_PTR(grown);
        return 0;
}

JsonObject *own_sizes_to_json(const OwnSizes *own)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (unsigned line = 0; line <= RESOURCE_ROM && list; line++)
                if (json_append(list, json_object_new_uint64(own->lines[line])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static JsonObject *record_to_json(const Record *record)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "function", record->path) < 0 ||
            json_add_u64(object, "vendor", record->vendor) < 0 ||
            json_add_u64(object, "device", record->device) < 0 ||
            json_add_u64(object, "subvendor", record->subvendor) < 0 ||
            json_add_u64(object, "subdevice", record->subdevice) < 0 ||
            json_add(object, "sizes", own_sizes_to_json(&record->own)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int grown_save(const Grown *grown, const Root *root)
{
        _cleanup_json_ JsonObject *document = json_object_new_object(), *list = json_object_new_array();
        int r = document && list ? json_add_u64(document, "version", DOCUMENT_VERSION) : -ENOMEM;
        if (r == 0)
                r = json_add(document, "grown", json_object_get(list));
        for (size_t i = 0; i < grown->n_items && r == 0; i++)
                r = json_append(list, record_to_json(&grown->items[i]));
        const char *text = r == 0 ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN) : NULL;
        return text ? root_replace_file(root, GROWN_PATH, text, 0644) : -ENOMEM;
}
