/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A scenario: a machine in words, what is asked of the worker on it, and how that must end. One statement a line, '#'
 * begins a comment; the statements are described in tests/sim/README.md.
 */

#include "faults.h"
#include "machine.h"
#include "pci-core.h"

#define TARGETS_MAX 32
#define EXPECTATIONS_MAX 24

typedef struct Scenario {
        char name[64];
        Machine *machine;
        Placement placement;
        char config[1024];     /* the policy's text */
        char arguments[4][64]; /* further ones of the worker's --execute */
        size_t n_arguments;
        char goal[16]; /* "restore", "detach", "reattach": what --plan is asked to do; "" to realign */
        char rung[8];  /* --lowest-rung of --plan; "" for none */
        PciAddress realigned[TARGETS_MAX]; /* by the worker, before that and undisturbed */
        size_t n_realigned;
        char foreign[128];               /* what somebody then writes to resource_alignment */
        PciAddress targets[TARGETS_MAX]; /* what --plan is asked for */
        size_t n_targets;
        PciAddress absent[8]; /* removed by somebody before */
        size_t n_absent;
        char expect[32];                          /* outcome, "refused", "" for any */
        char expect_reason[32];                   /* "" for any */
        char expect_texts[EXPECTATIONS_MAX][128]; /* lines "ADDRESS LINE START" and others, see README */
        size_t n_expect_texts;
        bool has_other_pages; /* than this machine's */
        FaultKind struck; /* by this, at its first write to a path that ends in STRUCK_WRITE; FAULT_NONE: not */
        char struck_write[64];
        bool has_own_error; /* a driver that fails, a function that vanishes: others come on top */
} Scenario;

/* Reads TEXT into *SCENARIO and its machine, which must be reset. False: *PROBLEM says what is wrong. */
bool scenario_parse(Scenario *scenario, const char *text, char problem[static 256]);

/* Reads one statement at any later time; LINE is cut up. */
bool scenario_statement(Machine *machine, char *line);

/* Boots the machine: after this the scenario can be run, or (machine->binds_later) scenario_begin() called. */
bool scenario_boot(Scenario *scenario, char problem[static 256]);
/* Binds what is to be on VFIO, and users come. */
bool scenario_begin(Scenario *scenario, char problem[static 256]);
