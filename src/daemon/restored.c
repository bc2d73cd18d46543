/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/restored.h"

#include <errno.h>

#define DOCUMENT_VERSION 1

struct Restored {
        KeyedList marks;
};

int restored_new(Restored **ret)
{
        Restored *restored = calloc(1, sizeof(*restored));
        if (!restored)
                return -ENOMEM;
        restored->marks.item_size = sizeof(KeyedItem);
        *ret = restored;
        return 0;
}

Restored *restored_free(Restored *restored)
{
        if (!restored)
                return NULL;
        (void) keyed_list_clear(&restored->marks);
        free(restored);
        return NULL;
}

bool restored_has(const Restored *restored, FunctionKey key)
{
        return keyed_list_find(&restored->marks, key) != NULL;
}

int restored_mark(Restored *restored, FunctionKey key)
{
        KeyedItem *mark;
        return keyed_list_get(&restored->marks, key, &mark);
}

bool restored_any(const Restored *restored)
{
        return restored->marks.n_items > 0;
}

bool restored_clear(Restored *restored, FunctionKey key)
{
        return keyed_list_drop(&restored->marks, key);
}

bool restored_clear_all(Restored *restored)
{
        return keyed_list_clear(&restored->marks);
}

int restored_load(const Root *root, Restored **ret, char **ret_problem)
{
        _cleanup_(restored_freep) Restored *restored = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        int r = restored_new(&restored);
        if (r == 0)
                r = keyed_file_load(root, RESTORED_PATH, DOCUMENT_VERSION, &document, ret_problem);
        if (r > 0)
                r = keyed_list_from_json(&restored->marks, document, "restored", NULL, ret_problem);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(restored);
        return 0;
}

int restored_save(const Restored *restored, const Root *root)
{
        _cleanup_json_ JsonObject *document = json_object_new_object();
        int r = document ? json_add_u64(document, "version", DOCUMENT_VERSION) : -ENOMEM;
        if (r == 0)
                r = keyed_list_to_json(&restored->marks, document, "restored", NULL);
        return r == 0 ? root_replace_file(root, RESTORED_PATH, json_object_to_json_string(document), 0644)
                      : r;
}
