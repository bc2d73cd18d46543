/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/plan-request.h"

#include "client/bus-client.h"
#include "client/worker-process.h"

#include <string.h>

static int append_addresses(sd_bus_message *call, const PciAddress *addresses, size_t n)
{
        int r = sd_bus_message_open_container(call, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(call, "s", PCI_ADDRESS_TEXT(addresses[i]));
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* Another machine's worker is its daemon's. */
static ClientExit plan_by_daemon(const ClientContext *context, const PciAddress *addresses, size_t n,
                                 char **ret_text)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const char *text;

        ClientExit status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = bus_client_new_call(bus, "Plan", &call);
        if (r >= 0)
                r = append_addresses(call, addresses, n);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        status = bus_client_run(context, bus, call, &reply);
        if (status != CLIENT_EXIT_FINE)
                return status;
        r = sd_bus_message_read(reply, "s", &text);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        *ret_text = strdup(text);
        return *ret_text ? CLIENT_EXIT_FINE : client_error("out of memory");
}

ClientExit plan_request(const ClientContext *context, const PciAddress *addresses, size_t n, PlanSet **ret,
                        JsonObject **ret_document)
{
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        ClientExit status = context->host ? plan_by_daemon(context, addresses, n, &text)
                                          : worker_process_plan(context, addresses, n, &text);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = json_document_parse(text, &document, &problem);
        if (r >= 0)
                r = plan_set_from_json(document, ret, &problem);
        if (r < 0)
                return client_error("%s gave a document that cannot be read: %s",
                                    context->host ? context->host : context->worker,
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
