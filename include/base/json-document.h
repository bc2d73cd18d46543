/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * JSON documents that come from somewhere else (another program, a file that survived a crash): parsed strictly by
 * json-c, their fields fetched with type and range checked. Every -EBADMSG comes with a *RET_PROBLEM that names the
 * field; the caller frees it (NULL when there was no memory for it).
 */

#include "base/pci-address.h"

#include <json-c/json.h>

typedef struct json_object JsonObject;

static inline void json_object_putp(JsonObject **object)
{
        json_object_put(*object);
}
#define _cleanup_json_ _cleanup_(json_object_putp)

/* Parses TEXT wholly; nothing but blanks may follow the document. -EBADMSG, -ENOMEM. */
int json_document_parse(const char *text, JsonObject **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* A field that must be there. The text and objects belong to OBJECT. */
int json_field_text(JsonObject *object, const char *name, const char **ret,
                    char **ret_problem) _warn_unused_result_;
int json_field_bool(JsonObject *object, const char *name, bool *ret,
                    char **ret_problem) _warn_unused_result_;
int json_field_u64(JsonObject *object, const char *name, uint64_t max, uint64_t *ret,
                   char **ret_problem) _warn_unused_result_;
int json_field_int(JsonObject *object, const char *name, int min, int max, int *ret,
                   char **ret_problem) _warn_unused_result_;
int json_field_address(JsonObject *object, const char *name, PciAddress *ret,
                       char **ret_problem) _warn_unused_result_;
int json_field_array(JsonObject *object, const char *name, size_t max, JsonObject **ret,
                     char **ret_problem) _warn_unused_result_;
int json_field_object(JsonObject *object, const char *name, JsonObject **ret,
                      char **ret_problem) _warn_unused_result_;

/* A text that may be null or missing: then *RET is NULL. */
int json_field_text_or_null(JsonObject *object, const char *name, const char **ret,
                            char **ret_problem) _warn_unused_result_;

/* Adds FIELD to OBJECT, taking the reference over. -ENOMEM when VALUE is NULL (its making failed) or adding fails. */
int json_add(JsonObject *object, const char *name, JsonObject *value) _warn_unused_result_ _nonnull_(1, 2);
int json_add_text(JsonObject *object, const char *name, const char *text) _warn_unused_result_
                _nonnull_(1, 2);
int json_add_u64(JsonObject *object, const char *name, uint64_t value) _warn_unused_result_ _nonnull_(1, 2);
int json_add_bool(JsonObject *object, const char *name, bool value) _warn_unused_result_ _nonnull_(1, 2);
int json_add_address(JsonObject *object, const char *name, PciAddress address) _warn_unused_result_
                _nonnull_(1, 2);

/* Appends ITEM to ARRAY, taking the reference over, as json_add(). */
int json_append(JsonObject *array, JsonObject *item) _warn_unused_result_ _nonnull_(1);
