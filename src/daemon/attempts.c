/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/attempts.h"

#include "daemon/bus-key.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define NOTES_MAX 65536u

typedef struct Attempt {
        KeyedItem key;
        unsigned count;
        Reason reason;
} Attempt;

/* Something that is known by its name, and what is to be said of it. */
typedef struct Note {
        char *name;
        char *text;
} Note;

typedef struct Notes {
        Note *items;
        size_t n_items;
} Notes;

struct Attempts {
        KeyedList failed;
        Notes blocked; /* by the keys of buses, with the state that they were left in */
        Notes kept;    /* by the names of root buses: "0000:00" */
};

int attempts_new(Attempts **ret)
{
        Attempts *attempts = calloc(1, sizeof(*attempts));
        if (!attempts)
                return -ENOMEM;
        attempts->failed.item_size = sizeof(Attempt);
        *ret = attempts;
        return 0;
}

Attempts *attempts_free(Attempts *attempts)
{
        if (!attempts)
                return NULL;
        attempts_forget_all(attempts);
        free(attempts->blocked.items);
        free(attempts->kept.items);
        free(attempts);
        return NULL;
}

unsigned attempts_count(const Attempts *attempts, FunctionKey key)
{
        const Attempt *item = keyed_list_find(&attempts->failed, key);
        return item ? item->count : 0;
}

Reason attempts_reason(const Attempts *attempts, FunctionKey key)
{
        const Attempt *item = keyed_list_find(&attempts->failed, key);
        return item ? item->reason : REASON_NONE;
}

int attempts_add(Attempts *attempts, FunctionKey key, Reason reason)
{
        KeyedItem *found;
        int r = keyed_list_get(&attempts->failed, key, &found);
        if (r < 0)
                return r;
        Attempt *item = (Attempt *) found;
        if (item->count < UINT_MAX)
                item->count++;
        item->reason = reason;
        return 0;
}

void attempts_forget(Attempts *attempts, FunctionKey key)
{
        (void) keyed_list_drop(&attempts->failed, key);
}

static bool notes_have(const Notes *notes, const char *name, size_t size)
{
        for (size_t i = 0; i < notes->n_items; i++)
                if (strlen(notes->items[i].name) == size && memcmp(notes->items[i].name, name, size) == 0)
                        return true;
        return false;
}

static int notes_add(Notes *notes, const char *name, size_t size, const char *text)
{
        if (notes_have(notes, name, size))
                return 0;
        Note *items = reallocarray(notes->items, notes->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        notes->items = items;
        _cleanup_free_ char *name_copy = strndup(name, size), *text_copy = strdup(text);
        if (!name_copy || !text_copy)
                return -ENOMEM;
        items[notes->n_items++] = (Note){ .name = TAKE_PTR(name_copy), .text = TAKE_PTR(text_copy) };
        return 0;
}

static void notes_empty(Notes *notes)
{
        for (size_t i = 0; i < notes->n_items; i++) {
                free(notes->items[i].name);
                free(notes->items[i].text);
        }
        notes->n_items = 0;
}

int attempts_block(Attempts *attempts, const char *key, const char *state)
{
        return notes_add(&attempts->blocked, key, strlen(key), state);
}

bool attempts_is_blocked(const Attempts *attempts, const char *key)
{
        for (size_t i = 0; i < attempts->blocked.n_items; i++)
                if (bus_key_related(attempts->blocked.items[i].name, key))
                        return true;
        return false;
}

const char *attempts_blocked(const Attempts *attempts, size_t index, const char **ret_state)
{
        if (index >= attempts->blocked.n_items)
                return NULL;
        *ret_state = attempts->blocked.items[index].text;
        return attempts->blocked.items[index].name;
}

/* The root bus in front of the first device: "0000:00" of "0000:00:1c.0/00.0". */
static size_t host_size(const char *path)
{
        size_t domain = strcspn(path, ":/");
        return path[domain] == ':' ? domain + 1 + strcspn(path + domain + 1, ":/") : domain;
}

int attempts_keep_host(Attempts *attempts, const char *path)
{
        return notes_add(&attempts->kept, path, host_size(path), "");
}

bool attempts_host_is_kept(const Attempts *attempts, const char *path)
{
        return notes_have(&attempts->kept, path, host_size(path));
}

static void notes_drop(Notes *notes, size_t i)
{
        free(notes->items[i].name);
        free(notes->items[i].text);
        notes->items[i] = notes->items[--notes->n_items];
}

int attempts_allow(Attempts *attempts, FunctionKey key)
{
        _cleanup_free_ char *bus = bus_key_from_topology_path(key.path);
        if (!bus)
                return -ENOMEM;
        attempts_forget(attempts, key);
        for (size_t i = attempts->blocked.n_items; i-- > 0;)
                if (bus_key_related(attempts->blocked.items[i].name, bus))
                        notes_drop(&attempts->blocked, i);
        for (size_t i = attempts->kept.n_items; i-- > 0;)
                if (notes_have(&(Notes){ &attempts->kept.items[i], 1 }, key.path, host_size(key.path)))
                        notes_drop(&attempts->kept, i);
        return 0;
}

void attempts_forget_all(Attempts *attempts)
{
        (void) keyed_list_clear(&attempts->failed);
        notes_empty(&attempts->blocked);
        notes_empty(&attempts->kept);
}

static int read_attempt(JsonObject *object, KeyedItem *item, char **ret_problem)
{
        Attempt *attempt = (Attempt *) item;
        const char *reason;
        uint64_t count;
        int r = json_field_u64(object, "count", UINT_MAX, &count, ret_problem);
        if (r == 0)
                r = json_field_text(object, "reason", &reason, ret_problem);
        if (r < 0)
                return r;
        attempt->count = (unsigned) count;
        /* A reason that only another version knows is no reason to try again. */
        if (reason_parse(reason, &attempt->reason) < 0)
                attempt->reason = REASON_STEP_FAILED;
        return 0;
}

static int notes_from_json(JsonObject *document, const char *name, Notes *notes, char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(document, name, NOTES_MAX, &list, ret_problem);
        for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
                JsonObject *note = json_object_array_get_idx(list, i);
                const char *bus, *text;
                r = json_field_text(note, "bus", &bus, ret_problem);
                if (r == 0)
                        r = json_field_text_or_null(note, "state", &text, ret_problem);
                if (r == 0)
                        r = notes_add(notes, bus, strlen(bus), text ? text : "");
        }
        return r;
}

int attempts_load(const Root *root, Attempts **ret, char **ret_problem)
{
        _cleanup_(attempts_freep) Attempts *attempts = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        int r = attempts_new(&attempts);
        if (r < 0)
                return r;
        r = keyed_file_load(root, ATTEMPTS_PATH, DOCUMENT_VERSION, &document, ret_problem);
        if (r > 0) {
                r = keyed_list_from_json(&attempts->failed, document, "attempts", read_attempt, ret_problem);
                if (r == 0)
                        r = notes_from_json(document, "blocked", &attempts->blocked, ret_problem);
                if (r == 0)
                        r = notes_from_json(document, "kept", &attempts->kept, ret_problem);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(attempts);
        return 0;
}

static int write_attempt(const KeyedItem *item, JsonObject *object)
{
        const Attempt *attempt = (const Attempt *) item;
        int r = json_add_u64(object, "count", attempt->count);
        return r == 0 ? json_add_text(object, "reason", reason_name(attempt->reason)) : r;
}

static JsonObject *note_to_json(const Note *note)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "bus", note->name) < 0 ||
            json_add_text(object, "state", note->text) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *notes_to_json(const Notes *notes)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (size_t i = 0; i < notes->n_items && list; i++)
                if (json_append(list, note_to_json(&notes->items[i])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static int to_json(const Attempts *attempts, JsonObject *document)
{
        int r = json_add_u64(document, "version", DOCUMENT_VERSION);
        if (r == 0)
                r = keyed_list_to_json(&attempts->failed, document, "attempts", write_attempt);
        if (r == 0)
                r = json_add(document, "blocked", notes_to_json(&attempts->blocked));
        return r == 0 ? json_add(document, "kept", notes_to_json(&attempts->kept)) : r;
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
