/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/keyed-list.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define ITEMS_MAX 65536u

static bool is_of(const KeyedItem *item, FunctionKey key)
{
        return item->vendor == key.vendor && item->device == key.device && strcmp(item->path, key.path) == 0;
}

void *keyed_list_find(const KeyedList *list, FunctionKey key)
{
        for (size_t i = 0; i < list->n_items; i++)
                if (is_of(list->items[i], key))
                        return list->items[i];
        return NULL;
}

static KeyedItem *item_free(const KeyedList *list, KeyedItem *item)
{
        if (list->item_clear)
                list->item_clear(item);
        free(item->path);
        free(item);
        return NULL;
}

int keyed_list_get(KeyedList *list, FunctionKey key, KeyedItem **ret)
{
        KeyedItem *known = keyed_list_find(list, key);
        if (known) {
                *ret = known;
                return 0;
        }
        KeyedItem **items = reallocarray(list->items, list->n_items + 1, sizeof(KeyedItem *));
        if (!items)
                return -ENOMEM;
        list->items = items;
        _cleanup_free_ KeyedItem *item = calloc(1, list->item_size);
        if (!item)
                return -ENOMEM;
        item->path = strdup(key.path);
        if (!item->path)
                return -ENOMEM;
        item->vendor = key.vendor;
        item->device = key.device;
        *ret = items[list->n_items++] = TAKE_PTR(item);
        return 0;
}

bool keyed_list_drop(KeyedList *list, FunctionKey key)
{
        for (size_t i = 0; i < list->n_items; i++)
                if (is_of(list->items[i], key)) {
                        item_free(list, list->items[i]);
                        list->items[i] = list->items[--list->n_items];
                        return true;
                }
        return false;
}

bool keyed_list_clear(KeyedList *list)
{
        bool had_any = list->n_items > 0;
        while (list->n_items > 0)
                item_free(list, list->items[--list->n_items]);
        free(TAKE_PTR(list->items));
        return had_any;
}

static int item_from_json(KeyedList *list, JsonObject *object, KeyedItemRead read, char **ret_problem)
{
        const char *path;
        uint64_t vendor, device;
        KeyedItem *item;
        int r = json_field_text(object, "function", &path, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "vendor", UINT16_MAX, &vendor, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "device", UINT16_MAX, &device, ret_problem);
        if (r < 0)
                return r;
        r = keyed_list_get(list, (FunctionKey){ path, (uint16_t) vendor, (uint16_t) device }, &item);
        return r == 0 && read ? read(object, item, ret_problem) : r;
}

int keyed_list_from_json(KeyedList *list, JsonObject *document, const char *name, KeyedItemRead read,
                         char **ret_problem)
{
        JsonObject *array;
        int r = json_field_array(document, name, ITEMS_MAX, &array, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++)
                r = item_from_json(list, json_object_array_get_idx(array, i), read, ret_problem);
        return r;
}

static JsonObject *item_to_json(const KeyedItem *item, KeyedItemWrite write)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "function", item->path) < 0 ||
            json_add_u64(object, "vendor", item->vendor) < 0 ||
            json_add_u64(object, "device", item->device) < 0 || (write && write(item, object) < 0))
                return NULL;
        return TAKE_PTR(object);
}

int keyed_list_to_json(const KeyedList *list, JsonObject *document, const char *name, KeyedItemWrite write)
{
        _cleanup_json_ JsonObject *array = json_object_new_array();
        int r = array ? 0 : -ENOMEM;
        for (size_t i = 0; i < list->n_items && r == 0; i++)
                r = json_append(array, item_to_json(list->items[i], write));
        return r == 0 ? json_add(document, name, TAKE_PTR(array)) : r;
}

int keyed_file_load(const Root *root, const char *path, uint64_t version, JsonObject **ret,
                    char **ret_problem)
{
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *text = NULL;
        uint64_t found;

        int r = root_read_file(root, path, &text, NULL);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r < 0) {
                *ret_problem = text_format("it cannot be read: %s", strerror(-r));
                return r;
        }
        r = json_document_parse(text, &document, ret_problem);
        if (r == 0)
                r = json_field_u64(document, "version", version, &found, ret_problem);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(document);
        return 1;
}
