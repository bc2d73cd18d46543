/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/restored.h"

#include "base/json-document.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define MARKS_MAX 65536u

typedef struct Mark {
        char *path;
        uint16_t vendor, device;
} Mark;

struct Restored {
        Mark *items;
        size_t n_items;
};

int restored_new(Restored **ret)
{
        Restored *restored = calloc(1, sizeof(*restored));
        if (!restored)
                return -ENOMEM;
        *ret = restored;
        return 0;
}

Restored *restored_free(Restored *restored)
{
        if (!restored)
                return NULL;
        (void) restored_clear_all(restored);
        free(restored->items);
        free(restored);
        return NULL;
}

static Mark *find(const Restored *restored, AttemptKey key)
{
        for (size_t i = 0; i < restored->n_items; i++) {
                Mark *item = &restored->items[i];
                if (item->vendor == key.vendor && item->device == key.device &&
                    strcmp(item->path, key.path) == 0)
                        return item;
        }
        return NULL;
}

bool restored_has(const Restored *restored, AttemptKey key)
{
        return find(restored, key) != NULL;
}

int restored_mark(Restored *restored, AttemptKey key)
{
        if (restored_has(restored, key))
                return 0;
        Mark *items = reallocarray(restored->items, restored->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        restored->items = items;
        Mark mark = { .path = strdup(key.path), .vendor = key.vendor, .device = key.device };
        if (!mark.path)
                return -ENOMEM;
        items[restored->n_items++] = mark;
        return 0;
}

bool restored_clear(Restored *restored, AttemptKey key)
{
        Mark *item = find(restored, key);
        if (!item)
                return false;
        free(item->path);
        *item = restored->items[--restored->n_items];
        return true;
}

bool restored_clear_all(Restored *restored)
{
        bool had_any = restored->n_items > 0;
        for (size_t i = 0; i < restored->n_items; i++)
                free(restored->items[i].path);
        restored->n_items = 0;
        return had_any;
}

static int mark_from_json(JsonObject *object, Restored *restored, char **ret_problem)
{
        const char *path;
        uint64_t vendor, device;
        int r = json_field_text(object, "function", &path, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "vendor", UINT16_MAX, &vendor, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "device", UINT16_MAX, &device, ret_problem);
        if (r < 0)
                return r;
        AttemptKey key = { .path = path, .vendor = (uint16_t) vendor, .device = (uint16_t) device };
        return restored_mark(restored, key);
}

static int from_json(JsonObject *document, Restored *restored, char **ret_problem)
{
        uint64_t version;
        JsonObject *list;
        int r = json_field_u64(document, "version", DOCUMENT_VERSION, &version, ret_problem);
        if (r == 0)
                r = json_field_array(document, "restored", MARKS_MAX, &list, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++)
                r = mark_from_json(json_object_array_get_idx(list, i), restored, ret_problem);
        return r;
}

int restored_load(const Root *root, Restored **ret, char **ret_problem)
{
        _cleanup_(restored_freep) Restored *restored = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *text = NULL;

        int r = restored_new(&restored);
        if (r < 0)
                return r;
        r = root_read_file(root, RESTORED_PATH, &text, NULL);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR) {
                *ret_problem = text_format("it cannot be read: %s", strerror(-r));
                return r;
        }
        if (r == 0) {
                r = json_document_parse(text, &document, ret_problem);
                if (r == 0)
                        r = from_json(document, restored, ret_problem);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(restored);
        return 0;
}

static JsonObject *mark_to_json(const Mark *mark)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "function", mark->path) < 0 ||
            json_add_u64(object, "vendor", mark->vendor) < 0 ||
            json_add_u64(object, "device", mark->device) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int restored_save(const Restored *restored, const Root *root)
{
        _cleanup_json_ JsonObject *document = json_object_new_object(), *list = json_object_new_array();
        int r = document && list ? json_add_u64(document, "version", DOCUMENT_VERSION) : -ENOMEM;

        for (size_t i = 0; i < restored->n_items && r == 0; i++)
                r = json_append(list, mark_to_json(&restored->items[i]));
        if (r == 0)
                r = json_add(document, "restored", json_object_get(list));
        return r == 0 ? root_replace_file(root, RESTORED_PATH, json_object_to_json_string(document), 0644)
                      : r;
}
