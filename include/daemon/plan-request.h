/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Calls of Plan, each answered by a worker of its own beside the manager's one, so that they are answered while a
 * transaction is running or stuck. A bounded number runs at a time, a bounded number waits for its turn.
 */

#include "daemon/manager.h"

#include <systemd/sd-bus.h>

typedef struct PlanRequests PlanRequests;

int plan_requests_new(Manager *manager, PlanRequests **ret) _warn_unused_result_ _nonnull_(1, 2);
PlanRequests *plan_requests_free(PlanRequests *requests);
DEFINE_CLEANUP(PlanRequests *, plan_requests_free);

/* Takes CALL up: it is answered later. Negative errno with ERROR set: it is not taken up. */
int plan_requests_add(PlanRequests *requests, sd_bus_message *call, const PciAddress *addresses,
                      size_t n_addresses, sd_bus_error *error) _warn_unused_result_ _nonnull_(1, 2, 3, 5);

/* The client SENDER has left the bus: its calls are forgotten, their workers ended. */
void plan_requests_sender_gone(PlanRequests *requests, const char *sender) _nonnull_(1, 2);
