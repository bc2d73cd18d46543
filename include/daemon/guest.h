/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is done for a guest that starts or has ended: which of its functions a worker is to be asked about, what is said of
 * each afterwards, and that nothing else is begun with them while they are on their way.
 */

#include "daemon/manager.h"
#include "daemon/worker-report.h"

#include <systemd/sd-bus.h>

typedef struct GuestFunction {
        PciAddress address;
        bool managed; /* it may be taken off a host driver */
} GuestFunction;

typedef struct Guest {
        GuestFunction *functions;
        size_t n_functions;
        uint64_t inhibit_usec;
        uint64_t stop_usec, timeout_usec; /* of PrepareForGuest, from its call on */
} Guest;

void guest_clear(Guest *guest) _nonnull_(1);

/* The buses of its functions are left alone for inhibit_usec from now on; 0: not any more. -ENOMEM. */
int guest_inhibit(Manager *manager, const Guest *guest) _warn_unused_result_ _nonnull_(1, 2);

/* True when other functions that are on their way keep its own from being taken out. */
bool guest_is_kept_waiting(const Manager *manager, const Guest *guest) _nonnull_(1, 2);

/* Puts at ADDRESSES, which has room for all, those that a worker has to be asked about for VERB; how many they are. */
size_t guest_select(const Manager *manager, const Guest *guest, WorkerVerb verb, PciAddress *addresses)
                _nonnull_(1, 2, 4);

/* True when a transaction that has begun, whoever has begun it, is at one of its functions. */
bool guest_is_midway(const Manager *manager, const Guest *guest) _nonnull_(1, 2);

/* True while udev has not reported that a transaction has bound one of its functions. */
bool guest_awaits_binds(const Manager *manager, const Guest *guest) _nonnull_(1, 2);

/* What a worker has found out for a guest. */
typedef struct GuestReports {
        WorkerReport *const *items;
        size_t n_items;
        Reason otherwise; /* why a function is as it is of which they say nothing */
} GuestReports;

/* Answers CALL with what has become of each function. Negative errno: it cannot be sent. */
int guest_reply(const Manager *manager, const Guest *guest, sd_bus_message *call,
                const GuestReports *reports) _warn_unused_result_ _nonnull_(1, 2, 3, 4);
