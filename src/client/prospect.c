/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/prospect.h"

#include "client/document.h"

#include <errno.h>

void prospect_clear(Prospect *prospect)
{
        plan_set_free(prospect->set);
        *prospect = (Prospect){ 0 };
}

static ClientExit ask_worker(const ClientContext *context, const PciFunction *function, Prospect *prospect)
{
        ClientExit status = plan_request(context, &function->address, 1, &prospect->set, NULL);
        if (status != CLIENT_EXIT_FINE)
                return status;
        prospect->plan = plan_set_plan(prospect->set, function->address);
        const PlanRefusal *refusal = plan_set_refusal(prospect->set, function->address);
        if (refusal) {
                prospect->reason = refusal->reason;
                prospect->culprit = refusal->culprit;
                prospect->detail = refusal->detail;
        }
        return CLIENT_EXIT_FINE;
}

ClientExit prospect_make(const ClientContext *context, const Machine *machine, const PciFunction *function,
                         Prospect *ret)
{
        const FunctionReport *report = verdict_of(machine->verdicts, function);

        *ret = (Prospect){ .culprit = function->address };
        if (report->verdict == FUNCTION_CANNOT)
                ret->reason = report->reason;
        else if (report->verdict != FUNCTION_OK && !function->on_vfio)
                ret->reason = REASON_NOT_VFIO;
        else if (report->verdict != FUNCTION_OK)
                return ask_worker(context, function, ret);
        return CLIENT_EXIT_FINE;
}

static JsonObject *refusal_document(const Prospect *prospect)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "reason", reason_name(prospect->reason)) < 0 ||
            json_add_text(object, "text", reason_text(prospect->reason)) < 0 ||
            json_add_text(object, "remedy", reason_remedy(prospect->reason)) < 0 ||
            json_add_address(object, "culprit", prospect->culprit) < 0 ||
            document_add_text_or_null(object, "detail", prospect->detail) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int prospect_add_json(const Prospect *prospect, JsonObject *object)
{
        int r = prospect->plan ? json_add(object, "plan", plan_to_json(prospect->plan))
                               : json_object_object_add(object, "plan", NULL);
        if (r < 0)
                return -ENOMEM;
        return prospect->reason != REASON_NONE ? json_add(object, "refusal", refusal_document(prospect))
                                               : json_object_object_add(object, "refusal", NULL);
}
