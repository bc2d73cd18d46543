/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Calls of Restore, Detach and Reattach, and of PrepareForGuest and ReleaseFromGuest: each is one run of the manager's worker,
 * in the order of their coming, and is answered with the results that the worker gives. One that has begun is finished, whether
 * its caller is there or not; but what is done for a guest is stopped when nobody waits for it any more.
 */

#include "daemon/guest.h"
#include "daemon/manager.h"

#include <systemd/sd-bus.h>

typedef struct Errands Errands;

int errands_new(Manager *manager, Errands **ret) _warn_unused_result_ _nonnull_(1, 2);
Errands *errands_free(Errands *errands);
DEFINE_CLEANUP(Errands *, errands_free);

/* Takes CALL up, for VERB (WORKER_RESTORE, WORKER_DETACH or WORKER_REATTACH). Negative errno with ERROR set: it is not taken up. */
int errands_add(Errands *errands, sd_bus_message *call, WorkerVerb verb, const PciAddress *addresses,
                size_t n_addresses, sd_bus_error *error) _warn_unused_result_ _nonnull_(1, 2, 4, 6);

/*
 * The same for GUEST, whose functions are taken over: WORKER_PREPARE (its buses are left alone as soon as it is begun, and it
 * waits for other functions that are on their way; it has until guest->stop_usec and is answered by guest->timeout_usec), or WORKER_RESTORE of those that the policy says it of.
 */
int errands_add_guest(Errands *errands, sd_bus_message *call, WorkerVerb verb, Guest *guest,
                      sd_bus_error *error) _warn_unused_result_ _nonnull_(1, 2, 4, 5);

/* The way is free: starts the worker for the one that came first, if there is any. -ENOMEM. */
int errands_start_next(Errands *errands) _warn_unused_result_ _nonnull_(1);

/* The worker of the one that has begun gives a result; taken over. -ENOMEM. */
int errands_take_result(Errands *errands, WorkerReport *report) _warn_unused_result_ _nonnull_(1, 2);

/* Its worker has ended. -ENOMEM. */
int errands_end(Errands *errands, const WorkerEnd *end) _warn_unused_result_ _nonnull_(1, 2);

/* After every event: gives the answers that waited, and stops what is out of time. -ENOMEM. */
int errands_check(Errands *errands) _warn_unused_result_ _nonnull_(1);

/* The functions that the one that has begun is about; 0: none has. */
size_t errands_functions(const Errands *errands, const PciAddress **ret) _nonnull_(1, 2);

/* The client SENDER (NULL: each) has left the bus: what it asked for is not begun any more, nor answered. */
void errands_sender_gone(Errands *errands, const char *sender) _nonnull_(1);
