/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Something that is remembered of each of some functions, and how it is kept in a file. A function is known by topology path
 * and ids, so that another card in the same slot is another function.
 */

#include "base/json-document.h"
#include "base/root.h"

/* What identifies a function from one boot to the next rescan. */
typedef struct FunctionKey {
        const char *path; /* topology_path() */
        uint16_t vendor, device;
} FunctionKey;

/* What every item begins with. */
typedef struct KeyedItem {
        char *path;
        uint16_t vendor, device;
} KeyedItem;

typedef struct KeyedList {
        size_t item_size;                    /* of the structure that begins with a KeyedItem */
        void (*item_clear)(KeyedItem *item); /* frees what it has beside the KeyedItem; NULL: nothing */
        KeyedItem **items;
        size_t n_items;
} KeyedList;

/* The item of the function KEY, or NULL. */
void *keyed_list_find(const KeyedList *list, FunctionKey key) _nonnull_(1);

/* The same; when there is none, one of zeros is made. -ENOMEM. */
int keyed_list_get(KeyedList *list, FunctionKey key, KeyedItem **ret) _warn_unused_result_ _nonnull_(1, 3);

/* Takes the item of the function KEY out: true; false: there is none. */
bool keyed_list_drop(KeyedList *list, FunctionKey key) _nonnull_(1);

/* Takes all out; true when there were any. What the list itself holds is freed. */
bool keyed_list_clear(KeyedList *list) _nonnull_(1);

typedef int (*KeyedItemRead)(JsonObject *object, KeyedItem *item, char **ret_problem);
typedef int (*KeyedItemWrite)(const KeyedItem *item, JsonObject *object);

/*
 * The array NAME of DOCUMENT: objects with "function", "vendor" and "device", and what READ (NULL: nothing) takes from each.
 * -EBADMSG with *RET_PROBLEM (the caller frees it); -ENOMEM.
 */
int keyed_list_from_json(KeyedList *list, JsonObject *document, const char *name, KeyedItemRead read,
                         char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3, 5);
int keyed_list_to_json(const KeyedList *list, JsonObject *document, const char *name,
                       KeyedItemWrite write) _warn_unused_result_ _nonnull_(1, 2, 3);

/*
 * The document in the file PATH, of version VERSION: 1; 0 when there is no such file. Negative errno with *RET_PROBLEM (the
 * caller frees it) when it cannot be used.
 */
int keyed_file_load(const Root *root, const char *path, uint64_t version, JsonObject **ret,
                    char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 4, 5);
