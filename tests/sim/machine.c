/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "machine.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000L
#define NSEC_PER_USEC 1000L

void machine_init(Machine *machine)
{
        pthread_condattr_t attributes;

        *machine = (Machine){ .uevents = -1 };
        pthread_mutex_init(&machine->lock, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&machine->changed, &attributes);
        pthread_condattr_destroy(&attributes);
        machine_reset(machine);
}

void machine_reset(Machine *machine)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                free(machine->functions[i]);
        machine->n_functions = machine->n_hosts = machine->n_drivers = machine->n_users = 0;
        machine->n_reserved = machine->n_violations = 0;
        memset(machine->groups, 0, sizeof(machine->groups));
        memset(machine->vfio_numbers, 0, sizeof(machine->vfio_numbers));
        machine->alignment[0] = '\0';
        machine->rescan_lock = machine->listeners_dead = machine->drivers_work = false;
        machine->binds_later = false;
        machine->n_changes = 0;
        machine->n_rescans = 0;
        machine->options = (KernelOptions){
                .page = (uint64_t) sysconf(_SC_PAGESIZE),
                .floor = true,
                .scan_usec = 100000,
                .udev = true,
        };
        snprintf(machine->boot_id, sizeof(machine->boot_id), "5d0c6b52-6a7f-4c65-8a11-%012u", 1u);
}

Function *machine_add(Machine *machine, PciAddress address)
{
        if (machine->n_functions == FUNCTIONS_MAX)
                return NULL;
        Function *function = calloc(1, sizeof(*function));
        if (!function)
                return NULL;
        function->address = address;
        function->group = function->vfio = NONE;
        machine->functions[machine->n_functions++] = function;
        return function;
}

static int compare(const void *a, const void *b)
{
        return pci_address_compare((*(Function *const *) a)->address, (*(Function *const *) b)->address);
}

Host *machine_host_of(Machine *machine, uint32_t domain, uint8_t root_bus)
{
        for (size_t i = 0; i < machine->n_hosts; i++)
                if (machine->hosts[i].bus.domain == domain && machine->hosts[i].bus.bus == root_bus)
                        return &machine->hosts[i];
        return NULL;
}

static Function *bridge_of(Machine *machine, PciAddress address)
{
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *other = machine->functions[i];
                if (other->is_bridge && other->address.domain == address.domain &&
                    other->secondary == address.bus)
                        return other;
        }
        return NULL;
}

bool machine_link(Machine *machine)
{
        qsort(machine->functions, machine->n_functions, sizeof(machine->functions[0]), compare);
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                function->host = machine_host_of(machine, function->address.domain, function->address.bus);
                if (function->host)
                        continue;
                function->bridge = bridge_of(machine, function->address);
                if (!function->bridge)
                        return false;
        }
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *top = machine->functions[i];
                while (top->bridge)
                        top = top->bridge;
                machine->functions[i]->host = top->host;
        }
        return true;
}

Function *machine_find(Machine *machine, PciAddress address)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                if (pci_address_equal(machine->functions[i]->address, address))
                        return machine->functions[i];
        return NULL;
}

const Driver *machine_driver(Machine *machine, const char *name)
{
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (strcmp(machine->drivers[i].name, name) == 0)
                        return &machine->drivers[i];
        return NULL;
}

bool function_is_below(const Function *function, const Function *bridge)
{
        for (const Function *above = function->bridge; above; above = above->bridge)
                if (above == bridge)
                        return true;
        return false;
}

unsigned function_lines(const Function *function)
{
        return function->is_bridge ? LINES : LINES_FUNCTION;
}

bool resource_assigned(const Resource *resource)
{
        return resource->flags != 0 && !(resource->flags & FLAG_UNSET);
}

const char *function_path(const Function *function, char buffer[static 256])
{
        size_t size = 0;
        if (function->bridge)
                size = strlen(function_path(function->bridge, buffer));
        else
                size = (size_t) snprintf(buffer, 256, "pci%04x:%02x", function->host->bus.domain,
                                         (unsigned) function->host->bus.bus);
        snprintf(buffer + size, 256 - size, "/%s", PCI_ADDRESS_TEXT(function->address));
        return buffer;
}

void machine_wait(Machine *machine, const char *why)
{
        machine->n_blocked++;
        machine->why_blocked = why;
        pthread_cond_wait(&machine->changed, &machine->lock);
        machine->n_blocked--;
}

void machine_wait_usec(Machine *machine, unsigned usec)
{
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long) (usec % 1000000u) * NSEC_PER_USEC;
        until.tv_sec += usec / 1000000u;
        if (until.tv_nsec >= NSEC_PER_SEC) {
                until.tv_nsec -= NSEC_PER_SEC;
                until.tv_sec++;
        }
        pthread_cond_timedwait(&machine->changed, &machine->lock, &until);
}

void machine_changed(Machine *machine)
{
        pthread_cond_broadcast(&machine->changed);
}

void machine_violation(Machine *machine, const char *format, ...)
{
        va_list args;

        if (machine->n_violations == VIOLATIONS_MAX)
                return;
        va_start(args, format);
        vsnprintf(machine->violations[machine->n_violations++], sizeof(machine->violations[0]), format,
                  args);
        va_end(args);
}
