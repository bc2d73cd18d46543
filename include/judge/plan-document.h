/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Plans and refusals as JSON documents: how the worker gives them to the daemon and the command line, how the daemon
 * gives one back to be executed, and how the journal keeps it.
 */

#include "judge/plan.h"

#include <json-c/json_object.h>

static inline void json_object_putp(struct json_object **object)
{
        json_object_put(*object);
}
#define _cleanup_json_ _cleanup_(json_object_putp)

/* Parses TEXT wholly. -EBADMSG with *RET_PROBLEM otherwise ("at byte 17: …"). */
int json_document_parse(const char *text, struct json_object **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* {"version", "scope", "page", "root-bus", …, "functions": […], "steps": […]}. NULL: no memory. */
struct json_object *plan_to_json(const Plan *plan) _warn_unused_result_ _nonnull_(1);

/*
 * Reads a document of plan_to_json(), trusting nothing: every field must be there, of its type and within its range, and
 * the steps must be those that follow from the rest. -EBADMSG with *RET_PROBLEM naming the field.
 */
int plan_from_json(struct json_object *document, Plan **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* {"plans": […], "refusals": [{"function", "reason", "text", "remedy", "culprit", "detail"}]}. NULL: no memory. */
struct json_object *plan_set_to_json(const PlanSet *set) _warn_unused_result_ _nonnull_(1);
int plan_set_from_json(struct json_object *document, PlanSet **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);
