/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/json-document.h"

#include "base/text.h"

#include <errno.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <string.h>

static void json_tokener_freep(struct json_tokener **tokener)
{
        if (*tokener)
                json_tokener_free(*tokener);
}

int json_document_parse(const char *text, JsonObject **ret, char **ret_problem)
{
        _cleanup_(json_tokener_freep) struct json_tokener *tokener = json_tokener_new();
        if (!tokener)
                return -ENOMEM;
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);

        size_t size = strlen(text);
        if (size >= INT_MAX) {
                *ret_problem = text_format("the document is too long");
                return -EBADMSG;
        }
        /* With the final NUL the tokener knows that no more is to come. */
        _cleanup_json_ JsonObject *object = json_tokener_parse_ex(tokener, text, (int) size + 1);
        enum json_tokener_error error = json_tokener_get_error(tokener);
        if (error != json_tokener_success || !object) {
                *ret_problem = text_format("not a JSON document: at byte %zu: %s",
                                           json_tokener_get_parse_end(tokener),
                                           error == json_tokener_success ? "nothing there"
                                                                         : json_tokener_error_desc(error));
                return -EBADMSG;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static int field_problem(const char *name, const char *expected, char **ret_problem)
{
        *ret_problem = text_format("\"%s\" is missing or is not %s", name, expected);
        return -EBADMSG;
}

static int fetch(JsonObject *object, const char *name, enum json_type type, const char *expected,
                 JsonObject **ret, char **ret_problem)
{
        JsonObject *field;
        if (!json_object_is_type(object, json_type_object) ||
            !json_object_object_get_ex(object, name, &field) || !json_object_is_type(field, type))
                return field_problem(name, expected, ret_problem);
        *ret = field;
        return 0;
}

/* A JSON text may hold \u0000; a C string that ends early would not be what was written. */
static bool text_is_whole(JsonObject *field)
{
        return strlen(json_object_get_string(field)) == (size_t) json_object_get_string_len(field);
}

int json_field_text(JsonObject *object, const char *name, const char **ret, char **ret_problem)
{
        JsonObject *field;
        int r = fetch(object, name, json_type_string, "a text", &field, ret_problem);
        if (r < 0)
                return r;
        if (!text_is_whole(field))
                return field_problem(name, "a text without NUL", ret_problem);
        *ret = json_object_get_string(field);
        return 0;
}

int json_field_text_or_null(JsonObject *object, const char *name, const char **ret, char **ret_problem)
{
        JsonObject *field;
        if (json_object_is_type(object, json_type_object) &&
            (!json_object_object_get_ex(object, name, &field) || !field)) {
                *ret = NULL;
                return 0;
        }
        return json_field_text(object, name, ret, ret_problem);
}

int json_field_bool(JsonObject *object, const char *name, bool *ret, char **ret_problem)
{
        JsonObject *field;
        int r = fetch(object, name, json_type_boolean, "true or false", &field, ret_problem);
        if (r < 0)
                return r;
        *ret = json_object_get_boolean(field);
        return 0;
}

int json_field_u64(JsonObject *object, const char *name, uint64_t max, uint64_t *ret, char **ret_problem)
{
        JsonObject *field;
        int r = fetch(object, name, json_type_int, "a number", &field, ret_problem);
        if (r < 0)
                return r;
        uint64_t value = json_object_get_uint64(field);
        if (json_object_get_int64(field) < 0 || value > max)
                return field_problem(name, "a number within its range", ret_problem);
        *ret = value;
        return 0;
}

int json_field_int(JsonObject *object, const char *name, int min, int max, int *ret, char **ret_problem)
{
        JsonObject *field;
        int r = fetch(object, name, json_type_int, "a number", &field, ret_problem);
        if (r < 0)
                return r;
        int64_t value = json_object_get_int64(field);
        if (value < min || value > max)
                return field_problem(name, "a number within its range", ret_problem);
        *ret = (int) value;
        return 0;
}

int json_field_address(JsonObject *object, const char *name, PciAddress *ret, char **ret_problem)
{
        const char *text;
        int r = json_field_text(object, name, &text, ret_problem);
        if (r < 0)
                return r;
        if (pci_address_parse(text, ret) < 0)
                return field_problem(name, "a function's address (0000:03:00.0)", ret_problem);
        return 0;
}

int json_field_array(JsonObject *object, const char *name, size_t max, JsonObject **ret, char **ret_problem)
{
        JsonObject *field;
        int r = fetch(object, name, json_type_array, "a list", &field, ret_problem);
        if (r < 0)
                return r;
        if (json_object_array_length(field) > max)
                return field_problem(name, "a list of this length", ret_problem);
        *ret = field;
        return 0;
}

int json_field_object(JsonObject *object, const char *name, JsonObject **ret, char **ret_problem)
{
        return fetch(object, name, json_type_object, "an object", ret, ret_problem);
}

int json_add(JsonObject *object, const char *name, JsonObject *value)
{
        if (!value)
                return -ENOMEM;
        if (json_object_object_add(object, name, value) == 0)
                return 0;
        json_object_put(value);
        return -ENOMEM;
}

int json_add_text(JsonObject *object, const char *name, const char *text)
{
        if (!text) /* null is a value too */
                return json_object_object_add(object, name, NULL) < 0 ? -ENOMEM : 0;
        return json_add(object, name, json_object_new_string(text));
}

int json_add_u64(JsonObject *object, const char *name, uint64_t value)
{
        return json_add(object, name, json_object_new_uint64(value));
}

int json_add_bool(JsonObject *object, const char *name, bool value)
{
        return json_add(object, name, json_object_new_boolean(value));
}

int json_add_address(JsonObject *object, const char *name, PciAddress address)
{
        return json_add_text(object, name, PCI_ADDRESS_TEXT(address));
}

int json_append(JsonObject *array, JsonObject *item)
{
        if (!item)
                return -ENOMEM;
        if (json_object_array_add(array, item) == 0)
                return 0;
        json_object_put(item);
        return -ENOMEM;
}
