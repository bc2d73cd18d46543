/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The driver core: which driver takes a function, binding and unbinding (KF §4). The machine's lock is held. */

#include "machine.h"

/* Tries the drivers that match, in the order of their registration. */
void driver_attach(Machine *machine, Function *function);
/* As driver_attach(), for a write of ours to bind or drivers_probe: binding half-assigned functions is a violation. */
void driver_probe(Machine *machine, Function *function);

/* An asynchronous probe that has matched before: whatever the override says by now. */
void driver_take(Machine *machine, Function *function, const Driver *driver);
/* Waits for the function's lock, which a probe that is under way holds. */
void driver_await(Machine *machine, Function *function);

/* Takes the driver off; waits as long as somebody holds the function. BY says for what, in violations. */
void driver_detach(Machine *machine, Function *function, const char *by);

bool driver_matches(const Driver *driver, const Function *function);
/* Whether its own table names the function, whatever an override says. */
bool driver_has_id(const Driver *driver, const Function *function);

/* To every function that has none: what the kernel does with a driver that registers, and with no other one. */
void driver_offer(Machine *machine, const Driver *driver);
/* A late one is there from now on, and takes what it matches. */
void driver_load(Machine *machine, Driver *driver);
bool driver_is_loaded(const Driver *driver);

/* Writes to drivers/NAME/bind and unbind: 0 or -ENODEV. */
int driver_bind_store(Machine *machine, const Driver *driver, Function *function);
int driver_unbind_store(Machine *machine, const Driver *driver, Function *function);

/* What had an address when the machine was booted: a function that lost one must not be bound (KF §7). */
void driver_remember_assigned(Machine *machine);
