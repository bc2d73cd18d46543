/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The world that the tests of plan_make() begin with, and how they look into what it made. */

#include "reason-given.h"
#include "topology-builder.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"
#define THIRD "0000:01:00.2"
#define WINDOW_START UINT64_C(0xfe800000)
#define WINDOW_SIZE UINT64_C(0x100000)

static World world;
static PciFunction *port, *first, *second, *third;

/* Three functions of one device below a root port, on vfio-pci, their BARs packed in one page. */
static inline void setup(void)
{
        world_init(&world);
        port = world_add_bridge(&world, PORT, NULL, WINDOW_START, WINDOW_SIZE);
        first = world_add_small(&world, FIRST, port, WINDOW_START);
        second = world_add_small(&world, SECOND, port, WINDOW_START + 0x100);
        third = world_add_small(&world, THIRD, port, WINDOW_START + 0x200);
}

/* NULL: PLAN does not take it out. */
static inline const PlanFunction *find_planned(const Plan *plan, const char *address)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (pci_address_equal(plan->functions[i].address, world_address(address)))
                        return &plan->functions[i];
        return NULL;
}

static inline const PlanFunction *planned(const Plan *plan, const char *address)
{
        const PlanFunction *function = find_planned(plan, address);
        if (!function)
                ck_abort_msg("%s is not in the plan", address);
        return function;
}

static inline const PlanRefusal *find_refusal(const PlanSet *set, const char *address)
{
        for (size_t i = 0; i < set->n_refusals; i++)
                if (pci_address_equal(set->refusals[i].address, world_address(address)))
                        return &set->refusals[i];
        ck_abort_msg("no refusal of %s", address);
}

/* ADDRESS is refused, for REASON about CULPRIT. */
static inline void expect_refused(const PlanSet *set, const char *address, Reason reason,
                                  const char *culprit)
{
        const PlanRefusal *refusal = find_refusal(set, address);
        assert_reason(refusal->reason, reason);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(refusal->culprit), culprit);
}
