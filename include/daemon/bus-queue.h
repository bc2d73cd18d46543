/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The buses on which something happened, and what each is waiting for. A bus is looked at shortly after an event; when
 * there is something to realign it must then have been quiet for its settle-delay, so that functions bound one after
 * another become one plan. Pure: time is handed in, in microseconds of any one clock.
 */

#include "base/pci-address.h"
#include "base/reason.h"
#include "daemon/enable-watch.h"

typedef enum BusState {
        BUS_SETTLING,  /* something happened; to be looked at when DUE */
        BUS_WAITING,   /* something is in use; to be looked at when an enable count changes, or when DUE */
        BUS_PLANNING,  /* a worker makes its plan */
        BUS_EXECUTING, /* a worker carries it out */
        BUS_SETTLED,   /* nothing to do, or nothing that can be done, until the next event */
} BusState;

typedef struct Bus {
        char *key;  /* bus_key_from_path() */
        char *name; /* bus_key_describe() */
        BusState state;
        unsigned n_changes;    /* of state and reason so far */
        bool touched;          /* an event came while planning or executing */
        unsigned lowest_rung;  /* narrower plans have failed, a wider one is being tried; 0: it is not so */
        bool settled_again;    /* bus_settle_again() has been used for the plan that is due */
        bool hurried;          /* somebody waits for it: it need not have been quiet */
        PciAddress *requested; /* functions that an administrator has asked for */
        size_t n_requested;
        uint64_t last_event;
        uint64_t delay;     /* settle-delay of its targets, as far as known */
        uint64_t due;       /* of BUS_SETTLING and BUS_WAITING; BUS_NEVER: only by an event */
        Reason reason;      /* of BUS_WAITING and BUS_SETTLED: why nothing is done */
        EnableWatch *watch; /* of BUS_WAITING */
        char *said;         /* what was last logged about plans for this bus; NULL: nothing */
        char *remarked;     /* the same about functions that stay as they are */
} Bus;

#define BUS_NEVER UINT64_MAX
#define BUS_GLANCE_USEC UINT64_C(200000) /* from an event to the first look: collects what comes together */

typedef struct BusQueue {
        Bus **buses;
        size_t n_buses;
} BusQueue;

int bus_queue_new(BusQueue **ret) _warn_unused_result_ _nonnull_(1);
BusQueue *bus_queue_free(BusQueue *queue);
DEFINE_CLEANUP(BusQueue *, bus_queue_free);

/* "settling", "waiting", "planning", "executing", "settled" */
const char *bus_state_name(BusState state);

/* The bus KEY, or NULL. */
Bus *bus_queue_find(const BusQueue *queue, const char *key) _nonnull_(1, 2);

/* The bus KEY; made (settled, with nothing to do) when it is not known yet. -ENOMEM. */
int bus_queue_get(BusQueue *queue, const char *key, Bus **ret) _warn_unused_result_ _nonnull_(1, 2, 3);

/*
 * Something happened on the bus KEY at NOW: it is to be looked at, and so are the known buses above it, of whose blast
 * radius it is a part. -ENOMEM.
 */
int bus_queue_touch(BusQueue *queue, const char *key, uint64_t now) _warn_unused_result_ _nonnull_(1, 2);

/* Of the buses that are to be looked at by NOW the one that has waited longest, or NULL. */
Bus *bus_queue_due(const BusQueue *queue, uint64_t now) _nonnull_(1);

/* What the buses are judged by has just been read: all that settle are looked at by NOW. */
void bus_queue_hasten(BusQueue *queue, uint64_t now) _nonnull_(1);

/* When the next bus is to be looked at; BUS_NEVER: none. */
uint64_t bus_queue_next(const BusQueue *queue) _nonnull_(1);

/* How many buses are in STATE. */
size_t bus_queue_count(const BusQueue *queue, BusState state) _nonnull_(1);

/* The bus in STATE that comes first, or NULL. */
Bus *bus_queue_first(const BusQueue *queue, BusState state) _nonnull_(1);

/* Something happened on BUS itself at NOW. */
void bus_touch(Bus *bus, uint64_t now) _nonnull_(1);

/* As bus_touch(), but somebody waits for BUS: it need not have been quiet, until it rests or waits. */
void bus_hurry(Bus *bus, uint64_t now) _nonnull_(1);

/* An administrator asks for the function at ADDRESS, until BUS rests or waits. -ENOMEM. */
int bus_request(Bus *bus, PciAddress address) _warn_unused_result_ _nonnull_(1);
bool bus_is_requested(const Bus *bus, PciAddress address) _nonnull_(1);

/* True when the last event is DELAY ago or BUS is hurried; else BUS is to be looked at when it will be. */
bool bus_is_quiet(Bus *bus, uint64_t delay, uint64_t now) _nonnull_(1);

/*
 * Somebody seems to be closing a function of BUS at NOW: it has to be quiet for its delay once more. False, with nothing
 * changed, when it has been granted that before its last plan.
 */
bool bus_settle_again(Bus *bus, uint64_t now) _nonnull_(1);

/* To be looked at again when WATCH (taken over) changes, and by DUE at the latest. */
void bus_wait(Bus *bus, Reason reason, EnableWatch *watch, uint64_t due) _nonnull_(1);

/* A worker plans (or, then, executes) now. */
void bus_plan(Bus *bus) _nonnull_(1);
void bus_execute(Bus *bus) _nonnull_(1);

/* Its transaction has ended: looked at once more at NOW, whatever events the transaction itself made. */
void bus_finish(Bus *bus, uint64_t now) _nonnull_(1);

/* Nothing more to do until the next event; REASON_NONE: all is well. */
void bus_rest(Bus *bus, Reason reason) _nonnull_(1);

/* Back to settling when an event came while a worker was busy with BUS: true; else false, nothing changed. */
bool bus_resume(Bus *bus) _nonnull_(1);

/* True when TEXT is not what was said of BUS last; it is from now on. NULL: nothing is to be said. */
bool bus_says(Bus *bus, const char *text) _nonnull_(1);
bool bus_remarks(Bus *bus, const char *text) _nonnull_(1);
