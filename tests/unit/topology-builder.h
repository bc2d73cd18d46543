/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A world in memory for tests of pure code: functions with bridges above them, BARs packed one behind the other, users
 * and settings. Functions are added in the order of their addresses, so that pointers to them stay valid.
 */

#include "judge/plan-proof.h"
#include "judge/plan.h"
#include "suite.h"

#define WORLD_FUNCTIONS_MAX 96
#define WORLD_HOLDERS_MAX 192
#define WORLD_LINES 13u
#define WORLD_BRIDGE_LINES 17u
#define WORLD_MEMORY_WINDOW 14u
#define WORLD_PAGE 4096u

#define WORLD_BAR UINT64_C(0x40200)         /* 32 bits, memory */
#define WORLD_BAR_64 UINT64_C(0x14220c)     /* 64 bits, prefetchable */
#define WORLD_BAR_IO UINT64_C(0x40101)      /* I/O ports */
#define WORLD_BAR_ROM UINT64_C(0x46200)     /* expansion ROM */
#define WORLD_BAR_WINDOW UINT64_C(0x200200) /* a bridge's memory window */

typedef struct World {
        PciFunction functions[WORLD_FUNCTIONS_MAX];
        PolicySettings settings[WORLD_FUNCTIONS_MAX]; /* parallel to functions */
        Topology topology;
        const Grown *grown; /* NULL: nothing is */
        Holder holders[WORLD_HOLDERS_MAX];
        Usage usage;
        uint64_t page;
        int8_t msix_bars[WORLD_FUNCTIONS_MAX]; /* parallel to functions */
        bool by_request;
        unsigned lowest_rung;
} World;

/* The policy of a test is the settings that the world gives each function. */
struct Policy {
        const World *world;
};

void policy_settings(const Policy *policy, const PciFunction *function, PolicySettings *ret)
{
        *ret = policy->world->settings[function - policy->world->functions];
}

static const PolicySettings world_default_settings = {
        .scope = POLICY_SCOPE_BUS,
        .max_move = UINT64_C(256) << 20,
        .step_timeout_usec = 10000000,
        .attempts = 1,
        .keep_entry = true,
};

static inline void world_init(World *world)
{
        memset(world, 0, sizeof(*world));
        world->page = WORLD_PAGE;
        world->topology.functions = world->functions;
        world->usage = (Usage){ .complete = true, .group_files = true, .holders = world->holders };
}

static inline PciAddress world_address(const char *text)
{
        PciAddress address;
        ck_assert_int_eq(pci_address_parse(text, &address), 0);
        return address;
}

/* An unbound function of class 0x020000 without BARs. BRIDGE NULL: on a root bus. */
static inline PciFunction *world_add_at(World *world, PciAddress address, PciFunction *bridge)
{
        size_t n = world->topology.n_functions;
        PciFunction *function = &world->functions[n];

        ck_assert_uint_lt(n, WORLD_FUNCTIONS_MAX);
        ck_assert(n == 0 || pci_address_compare(function[-1].address, address) < 0);
        *function = (PciFunction){
                .address = address,
                .bridge = bridge,
                .root_bus = bridge ? bridge->root_bus
                                   : (PciAddress){ .domain = address.domain, .bus = address.bus },
                .class = 0x020000,
                .vendor = 0x10ec,
                .device = 0x8139,
                .subvendor = 0x1af4,
                .subdevice = 0x1100,
                .iommu_group = (int) n,
                .resources = { .n_lines = WORLD_LINES },
        };
        world->settings[n] = world_default_settings;
        world->msix_bars[n] = -1;
        world->topology.n_functions = n + 1;
        return function;
}

static inline PciFunction *world_add(World *world, const char *address, PciFunction *bridge)
{
        return world_add_at(world, world_address(address), bridge);
}

static inline PolicySettings *world_settings(World *world, const PciFunction *function)
{
        return &world->settings[function - world->functions];
}

/* The text must outlive the world. */
static inline void world_bind(PciFunction *function, const char *driver, bool on_vfio)
{
        function->driver = (char *) driver;
        function->on_vfio = on_vfio;
}

static inline void world_line(PciFunction *function, unsigned line, uint64_t start, uint64_t size,
                              uint64_t flags)
{
        function->resources.lines[line] =
                        (PciResource){ .start = start, .end = start + size - 1, .flags = flags };
}

/* A port on pcieport with a memory window. */
static inline PciFunction *world_make_bridge(PciFunction *function, uint64_t start, uint64_t size)
{
        function->is_bridge = true;
        function->class = 0x060400;
        function->resources.n_lines = WORLD_BRIDGE_LINES;
        world_bind(function, "pcieport", false);
        world_line(function, WORLD_MEMORY_WINDOW, start, size, WORLD_BAR_WINDOW);
        return function;
}

static inline PciFunction *world_add_bridge(World *world, const char *address, PciFunction *bridge,
                                            uint64_t start, uint64_t size)
{
        return world_make_bridge(world_add(world, address, bridge), start, size);
}

/* On vfio-pci with one BAR of 256 bytes at START. */
static inline PciFunction *world_add_small(World *world, const char *address, PciFunction *bridge,
                                           uint64_t start)
{
        PciFunction *function = world_add(world, address, bridge);
        world_bind(function, "vfio-pci", true);
        world_line(function, 1, start, 256, WORLD_BAR);
        return function;
}

/* LINE of FUNCTION has BYTES by itself, however large it is now. */
static inline void world_record_grown(Grown *grown, const PciFunction *function, unsigned line,
                                      uint64_t bytes)
{
        _cleanup_free_ char *path = topology_path(function);
        GrownKey key = { path, function->vendor, function->device, function->subvendor,
                         function->subdevice };
        OwnSizes own;
        ck_assert_int_eq(grown_own_sizes(grown, function, &own), 0);
        own.lines[line] = bytes;
        ck_assert_int_eq(grown_note(grown, key, &own), 0);
}

static inline int world_compare_holders(const void *a, const void *b)
{
        return pci_address_compare(((const Holder *) a)->address, ((const Holder *) b)->address);
}

static inline void world_hold(World *world, const PciFunction *function, HolderKind kind)
{
        size_t n = world->usage.n_holders++;
        bool is_process = kind == HOLDER_GROUP || kind == HOLDER_CDEV || kind == HOLDER_RESOURCE;

        ck_assert_uint_lt(n, WORLD_HOLDERS_MAX);
        world->holders[n] = (Holder){
                .address = function->address,
                .kind = kind,
                .pid = is_process ? 812 : 0,
                .process = is_process ? (char *) "qemu" : NULL,
                .object = kind == HOLDER_HOST_DRIVER ? function->driver : NULL,
        };
        qsort(world->holders, n + 1, sizeof(Holder), world_compare_holders);
}

/* Binds FUNCTION to a host driver, as usage_read() reports it. */
static inline void world_bind_host(World *world, PciFunction *function, const char *driver)
{
        world_bind(function, driver, false);
        world_hold(world, function, HOLDER_HOST_DRIVER);
}

static inline Verdicts *world_verdicts(const World *world)
{
        Verdicts *verdicts;
        ck_assert_int_eq(verdict_compute(&world->topology, NULL, world->page, &verdicts), 0);
        return verdicts;
}

static inline PlanSet *world_plan_for(const World *world, const PciAddress *addresses, size_t n)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(world);
        const Policy policy = { .world = world };
        const PlanInput input = {
                .topology = &world->topology,
                .verdicts = verdicts,
                .usage = &world->usage,
                .policy = &policy,
                .msix_bars = world->msix_bars,
                .by_request = world->by_request,
                .lowest_rung = world->lowest_rung,
                .grown = world->grown,
        };
        PlanSet *set;
        ck_assert_int_eq(plan_make(&input, addresses, n, &set), 0);
        return set;
}

static inline PlanSet *world_plan(const World *world, const char *address)
{
        PciAddress parsed = world_address(address);
        return world_plan_for(world, &parsed, 1);
}

/* The one plan of a request that has no refusal. */
static inline Plan *world_only_plan(const World *world, const char *address)
{
        _cleanup_(plan_set_freep) PlanSet *set = world_plan(world, address);
        ck_assert_uint_eq(set->n_refusals, 0);
        ck_assert_uint_eq(set->n_plans, 1);
        return TAKE_PTR(set->plans[0]);
}

/* What stands against PLAN by now. */
static inline Reason world_prove(const World *world, const Plan *plan)
{
        Obstacle obstacle;
        ck_assert_int_eq(plan_prove(plan, &world->topology, &world->usage, world->grown, &obstacle), 0);
        return obstacle.reason;
}
