/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "generate.h"

#include <stdarg.h>
#include <string.h>

#define OPERATIONS 700u /* about as many as a transaction has */

/* A scenario that is being written. */
typedef struct Generator {
        uint64_t state;
        RandomCase *result;
        size_t size;
        unsigned n_buses, n_functions, n_keys;
        unsigned vfio_percent;
        char vfio[64][16]; /* addresses of functions on VFIO */
        size_t n_vfio;
        char all[128][16];
        size_t n_all;
} Generator;

/* splitmix64 */
static uint64_t next(Generator *g)
{
        uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static unsigned below(Generator *g, unsigned n)
{
        return (unsigned) (next(g) % n);
}

static bool chance(Generator *g, unsigned percent)
{
        return below(g, 100) < percent;
}

static void say(Generator *g, const char *format, ...) _printf_(2, 3);
static void say(Generator *g, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        int n = vsnprintf(g->result->text + g->size, RANDOM_TEXT_MAX - g->size, format, args);
        va_end(args);
        if (n > 0 && (size_t) n < RANDOM_TEXT_MAX - g->size)
                g->size += (size_t) n;
}

static const char *pick(Generator *g, const char *const *words, size_t n)
{
        return words[below(g, (unsigned) n)];
}
#define PICK(g, ...)                                                                                        \
        pick(g, (const char *const[]){ __VA_ARGS__ }, ELEMENTSOF(((const char *const[]){ __VA_ARGS__ })))

static void say_bars(Generator *g)
{
        unsigned n = 1 + below(g, 3);
        for (unsigned line = 0; line < n; line++) {
                unsigned dice = below(g, 100);
                if (dice < 10)
                        say(g, " bar%u=io:%s", line, PICK(g, "32", "128", "256"));
                else if (dice < 80)
                        say(g, " bar%u=mem:%s", line, PICK(g, "16", "128", "256", "256", "512", "1K", "2K"));
                else if (dice < 90)
                        say(g, " bar%u=mem:%s", line, PICK(g, "4K", "16K", "128K", "1M"));
                else {
                        say(g, " bar%u=%s:%s", line, PICK(g, "mem64", "pref"),
                            PICK(g, "256", "1K", "16K", "1M", "16M"));
                        line++;
                }
        }
        if (chance(g, 30))
                say(g, " rom=%s", PICK(g, "2K", "64K", "256K", "1M"));
}

static void say_attributes(Generator *g)
{
        if (chance(g, 30))
                say(g, " power/control=%s", PICK(g, "on", "auto"));
        if (chance(g, 15))
                say(g, " power/wakeup=enabled");
        if (chance(g, 15))
                say(g, " d3cold_allowed=0");
        if (chance(g, 15))
                say(g, " reset_method=pm");
        if (chance(g, 10))
                say(g, " numa_node=1");
        if (chance(g, 10))
                say(g, " broken_parity_status=1");
        if (chance(g, 10))
                say(g, " link/clkpm=1");
}

static void say_driver(Generator *g, const char *address)
{
        if (chance(g, g->vfio_percent)) {
                const char *driver = PICK(g, "vfio-pci", "vfio-pci", "vfio-pci", "variant_vfio");
                say(g, " driver=%s", driver);
                if (chance(g, 80))
                        say(g, " override=%s", driver);
                if (g->n_vfio < ELEMENTSOF(g->vfio))
                        snprintf(g->vfio[g->n_vfio++], sizeof(g->vfio[0]), "%s", address);
        } else if (chance(g, 50))
                say(g, " driver=%s", PICK(g, "8139cp", "nvme"));
        else if (chance(g, 10))
                say(g, " override=vfio-pci");
}

static void say_function(Generator *g, unsigned bus, unsigned device, unsigned function)
{
        char address[16];
        snprintf(address, sizeof(address), "0000:%02x:%02x.%x", bus & 0xffu, device & 0x1fu, function & 7u);
        say(g, "function %s", address);
        if (chance(g, 50))
                say(g, " id=10ec:8139");
        else
                say(g, " id=1b36:0010 class=010802");
        say_bars(g);
        say_attributes(g);
        say_driver(g, address);
        if (chance(g, 30))
                say(g, " group=g%u", g->n_keys);
        if (chance(g, 10))
                say(g, " late-group=l%u", below(g, 3));
        if (chance(g, 1))
                say(g, " vanishes");
        say(g, "\n");
        if (g->n_all < ELEMENTSOF(g->all))
                snprintf(g->all[g->n_all++], sizeof(g->all[0]), "%s", address);
        g->n_functions++;
}

static void say_slots(Generator *g, unsigned bus, unsigned first)
{
        unsigned n = 2 + below(g, 4);

        g->n_keys++;
        if (chance(g, 60)) {
                for (unsigned i = 0; i < n; i++)
                        say_function(g, bus, first, i);
                return;
        }
        for (unsigned i = 0; i < n; i++)
                say_function(g, bus, first + i, 0);
}

static void say_bridge(Generator *g, unsigned bus, unsigned device, unsigned depth)
{
        unsigned secondary = ++g->n_buses;

        say(g, "bridge 0000:%02x:%02x.0 secondary=%02x", bus, device, secondary);
        if (depth == 0 || chance(g, 50))
                say(g, " driver=pcieport");
        if (chance(g, 30))
                say(g, " hotplug");
        if (chance(g, 50))
                say(g, " bar0=mem:%s", PICK(g, "256", "4K"));
        if (chance(g, 50))
                say(g, " window=%s", PICK(g, "1M", "2M", "4M"));
        say_attributes(g);
        say(g, "\n");
        if (depth < 2 && chance(g, 30)) {
                say_bridge(g, secondary, 0, depth + 1);
                if (chance(g, 40))
                        say_slots(g, secondary, 4);
                return;
        }
        say_slots(g, secondary, 0);
}

static void say_users(Generator *g)
{
        unsigned n = chance(g, 30) ? 1 + below(g, 2) : 0;

        for (unsigned i = 0; i < n && g->n_vfio > 0; i++) {
                say(g, "user %s function=%s kind=", PICK(g, "qemu-system-x86", "dpdk", "vfio-user"),
                    g->vfio[below(g, (unsigned) g->n_vfio)]);
                /* Only who opens groups may come later: nothing can keep the others out (design §4 rule 1). */
                if (chance(g, 60))
                        say(g, "group from=%u", 1 + below(g, OPERATIONS));
                else
                        say(g, "%s", PICK(g, "group", "cdev", "resource", "mapping", "invisible"));
                if (chance(g, 40))
                        say(g, " until=%u", 1 + below(g, OPERATIONS));
                say(g, "\n");
        }
}

static void say_machine(Generator *g)
{
        say(g, "kernel %s%s%s", PICK(g, "6.1", "7.3"), chance(g, 30) ? " async" : "",
            chance(g, 8) ? " lose-race" : "");
        if (chance(g, 30))
                say(g, " %s", PICK(g, "no-udev", "slow-udev", "slow-udev"));
        if (chance(g, 4))
                say(g, " probe-only");
        say(g, " page=%s\n", PICK(g, "4K", "4K", "4K", "16K", "64K"));
        say(g, "host 0000:00 io=1000-ffff mem=%s high=800000000-fffffffff\n",
            PICK(g, "e0000000-febfffff", "e0000000-febfffff", "e0000000-e0ffffff", "e0000000-e05fffff"));
        if (chance(g, 20))
                say(g, "reserve e0100000-e01000ff\n");
        say(g, "place %s\n", chance(g, 80) ? "packed" : "spread");
        say(g, "driver 8139cp id=10ec:8139%s\ndriver nvme class=0108 async%s\ndriver variant_vfio vfio%s\n",
            chance(g, 15)   ? " late"
            : chance(g, 10) ? " at-unbind"
                            : "",
            chance(g, 15)   ? " late"
            : chance(g, 30) ? " slow"
                            : "",
            chance(g, 30)  ? " fails-once"
            : chance(g, 5) ? " fails"
                           : "");
        if (chance(g, 50))
                say(g, "alignment %s\n",
                    PICK(g, "12@0000:00:1f.0", "bogus", "16@pci:8086:0;0000:7f:00.0",
                         "pci:1234:5678:9;0000:01:00.0", "0000:7f:00.0;"));
}

static void say_policy(Generator *g)
{
        if (chance(g, 30))
                say(g, "config [default]\nconfig scope = %s\n", PICK(g, "function", "smallest", "bus"));
        if (chance(g, 30))
                say(g, "config [default]\nconfig keep-entry = no\n");
        if (chance(g, 10))
                say(g, "option --no-listener\n");
}

/* Of what is there: the hosts' as well to detach or prepare, and what was realigned before to restore or to reattach. */
static void say_goal(Generator *g)
{
        static const char *const goals[] = { "restore", "detach", "reattach", "prepare" };
        unsigned dice = below(g, (unsigned) ELEMENTSOF(goals));
        bool is_of_all = strcmp(goals[dice], "detach") == 0 || strcmp(goals[dice], "prepare") == 0;
        size_t n = is_of_all ? g->n_all : g->n_vfio;

        say(g, "goal %s\n", goals[dice]);
        if (!is_of_all && g->n_vfio > 0 && chance(g, 80))
                say(g, "realigned %s\n", g->vfio[0]);
        if (chance(g, 50))
                say(g, "config [default]\nconfig after-reattach = restore\n");
        if (n == 0)
                say(g, "target %s\n", g->all[0]);
        for (size_t i = 0; i < n && i < 20; i++)
                if (i == 0 || chance(g, 30))
                        say(g, "target %s\n", is_of_all ? g->all[i] : g->vfio[i]);
}

static void say_targets(Generator *g)
{
        if (chance(g, 30)) {
                say_goal(g);
                return;
        }
        for (size_t i = 0; i < g->n_vfio && i < 20; i++)
                say(g, "target %s\n", g->vfio[i]);
        if (g->n_vfio == 0)
                say(g, "target %s\n", g->all[0]);
}

void generate(uint64_t seed, RandomCase *ret)
{
        Generator g = { .state = seed, .result = ret };

        *ret = (RandomCase){ 0 };
        g.vfio_percent = 60 + below(&g, 41);
        say_machine(&g);
        unsigned n = 1 + below(&g, 4);
        for (unsigned i = 0; i < n; i++)
                say_bridge(&g, 0, 4 + i, 0);
        if (chance(&g, 40))
                say_slots(&g, 0, 0x10);
        say_users(&g);
        say_policy(&g);
        say_targets(&g);
        if (chance(&g, 8))
                say(&g, "rung %u\n", 1 + below(&g, 3));
        ret->plan = below(&g, 4);
        if (chance(&g, 70)) {
                ret->fault = (FaultKind) (FAULT_EIO + below(&g, FAULT_KILL_DAEMON - FAULT_EIO));
                ret->daemon_fault =
                                chance(&g, 60) ? (FaultKind) (FAULT_KILL + below(&g, FAULTS - FAULT_KILL))
                                               : ret->fault;
                ret->at = 1 + below(&g, OPERATIONS);
                if (chance(&g, 30))
                        ret->second_at = 1 + below(&g, OPERATIONS);
        }
}
