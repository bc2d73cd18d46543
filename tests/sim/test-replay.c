/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The simulator held to the real thing: what was done to recorded guests (tests/vm/guest/record-trees) is done to a
 * simulated machine that begins as they did, and every address that the real kernel gave must come out.
 */

#include "allocator.h"
#include "driver-core.h"
#include "model/topology.h"
#include "pci-core.h"

#include "../unit/suite.h"

#include <spawn.h>
#include <sys/wait.h>

#define ROOT_PORT_VENDOR 0x1b36
#define ROOT_PORT_DEVICE 0x000c

extern char **environ;

static Machine machine;

static Topology *unpack(const char *name)
{
        char archive[512];
        _cleanup_(root_freep) Root *root = NULL;
        char *problem = NULL;
        Topology *topology;
        const char *folder = suite_folder(), *data = getenv("REALIGN_TEST_DATA");
        pid_t child;
        int status;

        ck_assert_msg(data != NULL, "REALIGN_TEST_DATA must name tests/data");
        snprintf(archive, sizeof(archive), "%s/recorded/%s.tar.xz", data, name);
        const char *arguments[] = { "tar", "-x", "-f", archive, "-C", folder, NULL };
        ck_assert_int_eq(posix_spawnp(&child, "tar", NULL, NULL, (char *const *) (uintptr_t) arguments,
                                      environ),
                         0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_eq(topology_read(root, &topology, &problem), 0);
        suite_folder_remove(folder);
        return topology;
}

static void take_resources(Function *function, const PciFunction *recorded)
{
        for (unsigned line = 0; line < recorded->resources.n_lines; line++) {
                const PciResource *from = &recorded->resources.lines[line];
                if (from->flags == 0)
                        continue;
                uint64_t size = from->end - from->start + 1;
                function->resources[line] = (Resource){ from->start, from->end, from->flags, size };
                if (line <= ROM)
                        function->bars[line] = (Bar){ size, from->flags & ~FLAG_SIZEALIGN, 0 };
                else if (line >= FIRST_WINDOW)
                        function->window_size[line - FIRST_WINDOW] = size;
        }
}

static void take_function(const Topology *topology, const PciFunction *recorded)
{
        Function *function = machine_add(&machine, recorded->address);
        ck_assert_ptr_nonnull(function);
        function->class = recorded->class;
        function->vendor = recorded->vendor;
        function->device = recorded->device;
        function->is_bridge = recorded->is_bridge;
        /* QEMU's root ports have a hot-plug slot. */
        function->hotplug = recorded->vendor == ROOT_PORT_VENDOR && recorded->device == ROOT_PORT_DEVICE;
        for (size_t i = 0; i < topology->n_functions; i++)
                if (topology->functions[i].bridge == recorded)
                        function->secondary = topology->functions[i].address.bus;
        function->present = function->attachable = true;
        function->births = 1;
        take_resources(function, recorded);
}

/* The machine as the firmware left it; its apertures are those of its /proc/iomem. */
static void begin(const char *kernel)
{
        char name[64];
        snprintf(name, sizeof(name), "%s-firmware", kernel);
        Topology *topology = unpack(name);

        machine_init(&machine);
        machine.options.floor = strcmp(kernel, "x86-6.1") == 0;
        machine.options.optional_roms = !machine.options.floor;
        machine.options.page = (uint64_t) 1 << 12;
        machine.n_hosts = 1;
        machine.hosts[0] = (Host){
                .windows = { { 0x1000, 0xffff, FLAG_IO, 0 },
                             { 0x30000000, 0xafffffff, FLAG_MEMORY, 0 },
                             { 0xc0000000, 0xfebfffff, FLAG_MEMORY, 0 },
                             { 0x100000000, 0x8ffffffff, FLAG_MEMORY | FLAG_64, 0 } },
                .n_windows = 4,
        };
        for (size_t i = 0; i < topology->n_functions; i++)
                take_function(topology, &topology->functions[i]);
        ck_assert(machine_link(&machine));
        topology_free(topology);
}

/* What the recording's script takes out: root ports, and the two small functions on the root bus. */
static void take_out_and_rescan(void)
{
        for (size_t i = 0; i < machine.n_functions; i++) {
                Function *function = machine.functions[i];
                if (function->bridge || !function->present)
                        continue;
                if (function->is_bridge || function->address.device == 8 || function->address.device == 9)
                        pci_remove(&machine, function);
        }
        pci_rescan(&machine, &machine.hosts[0]);
}

static void compare(const char *kernel, const char *state)
{
        char name[64];
        snprintf(name, sizeof(name), "%s-%s", kernel, state);
        Topology *topology = unpack(name);
        unsigned n = 0;

        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *recorded = &topology->functions[i];
                const Function *function = machine_find(&machine, recorded->address);
                ck_assert_ptr_nonnull(function);
                for (unsigned line = 0; line < recorded->resources.n_lines; line++) {
                        const PciResource *there = &recorded->resources.lines[line];
                        const Resource *here = &function->resources[line];
                        n += there->flags != 0;
                        ck_assert_msg(there->start == here->start && there->end == here->end &&
                                                      there->flags == here->flags,
                                      "%s: line %u of %s is %llx-%llx %llx, recorded %llx-%llx %llx", name,
                                      line, PCI_ADDRESS_TEXT(recorded->address),
                                      (unsigned long long) here->start, (unsigned long long) here->end,
                                      (unsigned long long) here->flags, (unsigned long long) there->start,
                                      (unsigned long long) there->end, (unsigned long long) there->flags);
                }
        }
        ck_assert_uint_gt(n, 30);
        topology_free(topology);
}

static void replay(const char *kernel)
{
        static const char entries[] =
                        "0000:00:04.0/00.0/01.0;0000:00:04.0/00.0/02.0;0000:00:04.0/00.0/03.0;0000:00:04.0/00.0/04.0;"
                        "0000:00:05.0/00.0;0000:00:05.0/00.1;0000:00:05.0/00.2;0000:00:06.0/00.0;0000:00:08.0;0000:00:09.0";

        begin(kernel);
        take_out_and_rescan();
        compare(kernel, "packed");
        snprintf(machine.alignment, sizeof(machine.alignment), "%s", entries);
        take_out_and_rescan();
        compare(kernel, "realigned");
        machine_reset(&machine);
}

START_TEST(test_kernel_6_1)
{
        replay("x86-6.1");
}
END_TEST

START_TEST(test_kernel_7_3)
{
        replay("x86-7.3");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("replay");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_kernel_6_1);
        tcase_add_test(tcase, test_kernel_7_3);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
