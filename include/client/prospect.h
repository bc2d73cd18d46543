/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What would become of a function if it were realigned now: nothing is to be gained, a plan, or a refusal. */

#include "client/machine.h"
#include "client/plan-request.h"

typedef struct Prospect {
        const Plan *plan;   /* NULL: none was made */
        Reason reason;      /* why not; REASON_NONE: there is a plan, or nothing to do */
        PciAddress culprit; /* the function that REASON is about */
        const char *detail; /* who holds it, or what it carries; may be NULL */
        PlanSet *set;       /* what the worker said, if it was asked; the fields above may belong to it */
} Prospect;

/* Asks the worker only if the snapshot does not answer. Says itself what went wrong. */
ClientExit prospect_make(const ClientContext *context, const Machine *machine, const PciFunction *function,
                         Prospect *ret) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
void prospect_clear(Prospect *prospect) _nonnull_(1);

/* Adds "plan" and "refusal", one or both null. */
int prospect_add_json(const Prospect *prospect, JsonObject *object) _warn_unused_result_ _nonnull_(1, 2);
