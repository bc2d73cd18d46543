/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the worker plans for some functions, fetched and read. */

#include "client/client.h"
#include "judge/plan-document.h"

/*
 * Has the worker plan for ADDRESSES, by request. *RET_DOCUMENT (may be NULL) is the document as it came. Says itself on
 * standard error what went wrong. CLIENT_EXIT_FINE, CLIENT_EXIT_ERROR.
 */
ClientExit plan_request(const ClientContext *context, const PciAddress *addresses, size_t n, PlanSet **ret,
                        JsonObject **ret_document) _warn_unused_result_ _nonnull_(1, 2, 4);

/* The plan that ADDRESS is a target of, or NULL. */
const Plan *plan_set_plan(const PlanSet *set, PciAddress address) _nonnull_(1);

/* Why ADDRESS is in no plan, or NULL. */
const PlanRefusal *plan_set_refusal(const PlanSet *set, PciAddress address) _nonnull_(1);
