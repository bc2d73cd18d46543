/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/attempts.h"

#include "base/json-document.h"
#include "base/text.h"
#include "daemon/bus-key.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define ATTEMPTS_MAX 65536u

typedef struct Attempt {
        char *path;
        uint16_t vendor, device;
        unsigned count;
        Reason reason;
} Attempt;

typedef struct TextSet {
        char **items;
        size_t n_items;
} TextSet;

struct Attempts {
        Attempt *items;
        size_t n_items;
        TextSet blocked; /* keys of buses */
        TextSet kept;    /* names of root buses: "0000:00" */
};

int attempts_new(Attempts **ret)
{
        Attempts *attempts = calloc(1, sizeof(*attempts));
        if (!attempts)
                return -ENOMEM;
        *ret = attempts;
        return 0;
}

Attempts *attempts_free(Attempts *attempts)
{
        if (!attempts)
                return NULL;
        attempts_forget_all(attempts);
        free(attempts->items);
        free(attempts->blocked.items);
        free(attempts->kept.items);
        free(attempts);
        return NULL;
}

static Attempt *find(const Attempts *attempts, AttemptKey key)
{
        for (size_t i = 0; i < attempts->n_items; i++) {
                Attempt *item = &attempts->items[i];
                if (item->vendor == key.vendor && item->device == key.device &&
                    strcmp(item->path, key.path) == 0)
                        return item;
        }
        return NULL;
}

unsigned attempts_count(const Attempts *attempts, AttemptKey key)
{
        const Attempt *item = find(attempts, key);
        return item ? item->count : 0;
}

Reason attempts_reason(const Attempts *attempts, AttemptKey key)
{
        const Attempt *item = find(attempts, key);
        return item ? item->reason : REASON_NONE;
}

static int get(Attempts *attempts, AttemptKey key, Attempt **ret)
{
        Attempt *item = find(attempts, key);
        if (!item) {
                Attempt *items = reallocarray(attempts->items, attempts->n_items + 1, sizeof(*items));
                if (!items)
                        return -ENOMEM;
                attempts->items = items;
                item = &items[attempts->n_items];
                *item = (Attempt){
                        .path = strdup(key.path),
                        .vendor = key.vendor,
                        .device = key.device,
                };
                if (!item->path)
                        return -ENOMEM;
                attempts->n_items++;
        }
        *ret = item;
        return 0;
}

int attempts_add(Attempts *attempts, AttemptKey key, Reason reason)
{
        Attempt *item;
        int r = get(attempts, key, &item);
        if (r < 0)
                return r;
        if (item->count < UINT_MAX)
                item->count++;
        item->reason = reason;
        return 0;
}

void attempts_forget(Attempts *attempts, AttemptKey key)
{
        Attempt *item = find(attempts, key);
        if (!item)
                return;
        free(item->path);
        *item = attempts->items[--attempts->n_items];
}

static bool text_set_has(const TextSet *set, const char *text, size_t size)
{
        for (size_t i = 0; i < set->n_items; i++)
                if (strlen(set->items[i]) == size && memcmp(set->items[i], text, size) == 0)
                        return true;
        return false;
}

static int text_set_add(TextSet *set, const char *text, size_t size)
{
        if (text_set_has(set, text, size))
                return 0;
        char **items = reallocarray(set->items, set->n_items + 1, sizeof(char *));
        if (!items)
                return -ENOMEM;
        set->items = items;
        items[set->n_items] = strndup(text, size);
        if (!items[set->n_items])
                return -ENOMEM;
        set->n_items++;
        return 0;
}

static void text_set_empty(TextSet *set)
{
        for (size_t i = 0; i < set->n_items; i++)
                free(set->items[i]);
        set->n_items = 0;
}

int attempts_block(Attempts *attempts, const char *key)
{
        return text_set_add(&attempts->blocked, key, strlen(key));
}

bool attempts_is_blocked(const Attempts *attempts, const char *key)
{
        for (size_t i = 0; i < attempts->blocked.n_items; i++)
                if (bus_key_related(attempts->blocked.items[i], key))
                        return true;
        return false;
}

/* The root bus in front of the first device: "0000:00" of "0000:00:1c.0/00.0". */
static size_t host_size(const char *path)
{
        size_t domain = strcspn(path, ":/");
        return path[domain] == ':' ? domain + 1 + strcspn(path + domain + 1, ":/") : domain;
}

int attempts_keep_host(Attempts *attempts, const char *path)
{
        return text_set_add(&attempts->kept, path, host_size(path));
}

bool attempts_host_is_kept(const Attempts *attempts, const char *path)
{
        return text_set_has(&attempts->kept, path, host_size(path));
}

void attempts_forget_all(Attempts *attempts)
{
        for (size_t i = 0; i < attempts->n_items; i++)
                free(attempts->items[i].path);
        attempts->n_items = 0;
        text_set_empty(&attempts->blocked);
        text_set_empty(&attempts->kept);
}

static int item_from_json(JsonObject *object, Attempts *attempts, char **ret_problem)
{
        const char *path, *reason;
        uint64_t vendor, device, count;
        int r = json_field_text(object, "function", &path, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "vendor", UINT16_MAX, &vendor, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "device", UINT16_MAX, &device, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "count", UINT_MAX, &count, ret_problem);
        if (r == 0)
                r = json_field_text(object, "reason", &reason, ret_problem);
        if (r < 0)
                return r;

        AttemptKey key = { .path = path, .vendor = (uint16_t) vendor, .device = (uint16_t) device };
        Attempt *item;
        r = get(attempts, key, &item);
        if (r < 0)
                return r;
        item->count = (unsigned) count;
        /* A reason that only another version knows is no reason to try again. */
        if (reason_parse(reason, &item->reason) < 0)
                item->reason = REASON_STEP_FAILED;
        return 0;
}

static int text_set_from_json(JsonObject *document, const char *name, TextSet *set, char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(document, name, ATTEMPTS_MAX, &list, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
                const char *bus;
                r = json_field_text(json_object_array_get_idx(list, i), "bus", &bus, ret_problem);
                if (r == 0)
                        r = text_set_add(set, bus, strlen(bus));
        }
        return r;
}

static int from_json(JsonObject *document, Attempts *attempts, char **ret_problem)
{
        uint64_t version;
        JsonObject *list;
        int r = json_field_u64(document, "version", DOCUMENT_VERSION, &version, ret_problem);
        if (r == 0)
                r = json_field_array(document, "attempts", ATTEMPTS_MAX, &list, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++)
                r = item_from_json(json_object_array_get_idx(list, i), attempts, ret_problem);
        if (r == 0)
                r = text_set_from_json(document, "blocked", &attempts->blocked, ret_problem);
        return r == 0 ? text_set_from_json(document, "kept", &attempts->kept, ret_problem) : r;
}

int attempts_load(const Root *root, Attempts **ret, char **ret_problem)
{
        _cleanup_(attempts_freep) Attempts *attempts = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *text = NULL;

        int r = attempts_new(&attempts);
        if (r < 0)
                return r;
        r = root_read_file(root, ATTEMPTS_PATH, &text, NULL);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR) {
                *ret_problem = text_format("it cannot be read: %s", strerror(-r));
                return r;
        }
        if (r == 0) {
                r = json_document_parse(text, &document, ret_problem);
                if (r == 0)
                        r = from_json(document, attempts, ret_problem);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(attempts);
        return 0;
}

static JsonObject *item_to_json(const Attempt *item)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "function", item->path) < 0 ||
            json_add_u64(object, "vendor", item->vendor) < 0 ||
            json_add_u64(object, "device", item->device) < 0 ||
            json_add_u64(object, "count", item->count) < 0 ||
            json_add_text(object, "reason", reason_name(item->reason)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *bus_to_json(const char *key)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "bus", key) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *text_set_to_json(const TextSet *set)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (size_t i = 0; i < set->n_items && list; i++)
                if (json_append(list, bus_to_json(set->items[i])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static int to_json(const Attempts *attempts, JsonObject *document)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        int r = json_add_u64(document, "version", DOCUMENT_VERSION);
        if (r == 0)
                r = json_add(document, "attempts", json_object_get(list));
        for (size_t i = 0; i < attempts->n_items && r == 0; i++)
                r = json_append(list, item_to_json(&attempts->items[i]));
        if (r == 0)
                r = json_add(document, "blocked", text_set_to_json(&attempts->blocked));
        return r == 0 ? json_add(document, "kept", text_set_to_json(&attempts->kept)) : r;
}

int attempts_save(const Attempts *attempts, const Root *root)
{
        _cleanup_json_ JsonObject *document = json_object_new_object();
        int r = document ? to_json(attempts, document) : -ENOMEM;
        const char *text = r == 0 ? json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN) : NULL;
        if (!text)
                return -ENOMEM;
        return root_replace_file(root, ATTEMPTS_PATH, text, 0644);
}
