/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Plans and refusals as JSON documents: how the worker gives them to the daemon and the command line, how the daemon
 * gives one back to be executed, and how the journal keeps it.
 */

#include "base/json-document.h"
#include "judge/plan.h"

/* {"version", "scope", "page", "root-bus", …, "functions": […], "steps": […]}. NULL: no memory. */
JsonObject *plan_to_json(const Plan *plan) _warn_unused_result_ _nonnull_(1);

/*
 * Reads a document of plan_to_json(), trusting nothing: every field must be there, of its type and within its range, and
 * the steps must be those that follow from the rest. DOCUMENT may be NULL, which is JSON's null. -EBADMSG with *RET_PROBLEM naming the field.
 */
int plan_from_json(JsonObject *document, Plan **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(2, 3);

/* {"plans": […], "refusals": [{"function", "reason", "text", "remedy", "culprit", "detail"}]}. NULL: no memory. */
JsonObject *plan_set_to_json(const PlanSet *set) _warn_unused_result_ _nonnull_(1);
/* The list of refusals alone. */
JsonObject *plan_refusals_to_json(const PlanSet *set) _warn_unused_result_ _nonnull_(1);
int plan_set_from_json(JsonObject *document, PlanSet **ret, char **ret_problem) _warn_unused_result_
                _nonnull_(2, 3);
