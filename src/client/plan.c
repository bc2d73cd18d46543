/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `plan`: what would be done for some functions, step by step, or what stands against it. Changes nothing. */

#include "client/plan-request.h"
#include "client/plan-text.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/verb.h"

#include <string.h>

static ClientExit print_set(const PlanSet *set, const PciAddress *addresses, size_t n)
{
        const char *separator = "";

        for (size_t i = 0; i < n; i++) {
                if (plan_set_plan(set, addresses[i]) || plan_set_refusal(set, addresses[i]))
                        continue;
                printf("%s: nothing to do, VFIO maps all of its memory BARs.\n",
                       PCI_ADDRESS_TEXT(addresses[i]));
                separator = "\n";
        }
        for (size_t i = 0; i < set->n_refusals; i++) {
                fputs(separator, stdout);
                plan_text_print_refusal(stdout, PLAN_GOAL_REALIGN, &set->refusals[i]);
                separator = "\n";
        }
        for (size_t i = 0; i < set->n_plans; i++) {
                fputs(separator, stdout);
                int r = plan_text_print(stdout, set->plans[i]);
                if (r < 0)
                        return client_error("the plan cannot be printed: %s", strerror(-r));
                separator = "\n";
        }
        return CLIENT_EXIT_FINE;
}

/* What the exit status says of the set itself. */
static ClientExit set_exit_status(const PlanSet *set)
{
        ClientExit status = set->n_plans > 0 ? CLIENT_EXIT_NEEDS_REALIGN : CLIENT_EXIT_FINE;
        for (size_t i = 0; i < set->n_refusals; i++)
                status = client_exit_worse(status, set->refusals[i].reason == REASON_NOT_FOUND
                                                                   ? CLIENT_EXIT_ERROR
                                                                   : CLIENT_EXIT_CANNOT);
        return status;
}

ClientExit verb_plan(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_free_ PciAddress *addresses = NULL;
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        size_t n_addresses;

        ClientExit status = selection_parse_addresses(context, n, arguments, &addresses, &n_addresses);
        if (status == CLIENT_EXIT_FINE)
                status = plan_request(context, addresses, n_addresses, &set, &document);
        if (status != CLIENT_EXIT_FINE)
                return status;
        status = context->json != CLIENT_JSON_OFF ? client_print_json(context, document)
                                                  : print_set(set, addresses, n_addresses);
        return client_exit_worse(status, set_exit_status(set));
}
