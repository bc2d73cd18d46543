/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Calls of Realign and Settle that wait for the verdicts of some functions to be final: when the bus of each function has
 * been dealt with, and udev has reported what was bound on the way, with all that it does about it.
 */

#include "daemon/manager.h"

#include <systemd/sd-bus.h>

#define REQUEST_FUNCTIONS_MAX 1024u

typedef struct Requests Requests;

typedef struct RequestTerms {
        const PciAddress *addresses;
        size_t n_addresses;
        bool realign;          /* an administrator asks: realign = report does not keep from it */
        bool force;            /* failed attempts of before do not count */
        uint64_t timeout_usec; /* 0: as it is now; UINT64_MAX: never */
} RequestTerms;

int requests_new(Manager *manager, Requests **ret) _warn_unused_result_ _nonnull_(1, 2);
Requests *requests_free(Requests *requests);
DEFINE_CLEANUP(Requests *, requests_free);

/*
 * Takes CALL up: its functions are looked at as if their bind had just been reported, and without waiting for quiet; it
 * is answered later. Negative errno with ERROR set: it is not taken up.
 */
int requests_add(Requests *requests, sd_bus_message *call, const RequestTerms *terms,
                 sd_bus_error *error) _warn_unused_result_ _nonnull_(1, 2, 3, 4);

/* After every event: answers the calls whose verdicts are final. Negative errno. */
int requests_check(Requests *requests) _warn_unused_result_ _nonnull_(1);

/* The client SENDER has left the bus: its calls are forgotten. */
void requests_sender_gone(Requests *requests, const char *sender) _nonnull_(1, 2);
