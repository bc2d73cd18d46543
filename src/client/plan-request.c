/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/plan-request.h"

#include "client/worker-process.h"

#include <string.h>

ClientExit plan_request(const ClientContext *context, const PciAddress *addresses, size_t n, PlanSet **ret,
                        JsonObject **ret_document)
{
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        ClientExit status = worker_process_plan(context, addresses, n, &text);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = json_document_parse(text, &document, &problem);
        if (r >= 0)
                r = plan_set_from_json(document, ret, &problem);
        if (r < 0)
                return client_error("%s gave a document that cannot be read: %s", context->worker,
                                    problem ? problem : strerror(-r));
        if (ret_document)
                *ret_document = TAKE_PTR(document);
        return CLIENT_EXIT_FINE;
}

const Plan *plan_set_plan(const PlanSet *set, PciAddress address)
{
        for (size_t i = 0; i < set->n_plans; i++)
                for (size_t j = 0; j < set->plans[i]->n_functions; j++)
                        if (set->plans[i]->functions[j].is_target &&
                            pci_address_equal(set->plans[i]->functions[j].address, address))
                                return set->plans[i];
        return NULL;
}

const PlanRefusal *plan_set_refusal(const PlanSet *set, PciAddress address)
{
        for (size_t i = 0; i < set->n_refusals; i++)
                if (pci_address_equal(set->refusals[i].address, address))
                        return &set->refusals[i];
        return NULL;
}
