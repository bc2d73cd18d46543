/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "pci-core.h"

#include "alignment.h"
#include "allocator.h"
#include "driver-core.h"
#include "uevents.h"
#include "vfio-core.h"

#include <string.h>
#include <time.h>

#define LISTENER_QUIET_USEC 10000u
#define ASYNC_DELAY_USEC 2000u

#define RESET_ALONE "pm" /* of a function whose bus is not reset for it */

static const char *const defaults[ATTRIBUTES] = {
        [ATTRIBUTE_OVERRIDE] = "",     [ATTRIBUTE_CONTROL] = "on", [ATTRIBUTE_WAKEUP] = "disabled",
        [ATTRIBUTE_AUTOSUSPEND] = "0", [ATTRIBUTE_D3COLD] = "1",   [ATTRIBUTE_RESET_METHOD] = "pm bus",
        [ATTRIBUTE_NUMA_NODE] = "-1",  [ATTRIBUTE_MSI_BUS] = "1",  [ATTRIBUTE_PARITY] = "0",
        [ATTRIBUTE_CLKPM] = "0",       [ATTRIBUTE_L1_ASPM] = "0",
};

/* --- scanning --- */

static Resource resource_from(const Bar *bar)
{
        if (bar->size == 0)
                return (Resource){ 0 };
        if (bar->fixed)
                return (Resource){ bar->fixed, bar->fixed + bar->size - 1,
                                   bar->flags | FLAG_SIZEALIGN | FLAG_FIXED, bar->size };
        return (Resource){ 0, bar->size - 1, bar->flags | FLAG_SIZEALIGN | FLAG_UNSET, bar->size };
}

/* pci_reassigndev_resource_alignment(): memory BARs and the ROM grow to what was asked for (KF §2). */
static void apply_alignment(Function *function, uint64_t alignment)
{
        for (unsigned line = 0; line <= ROM; line++) {
                Resource *resource = &function->resources[line];
                if (!(resource->flags & FLAG_MEMORY) || resource->flags & FLAG_FIXED ||
                    resource->end - resource->start + 1 >= alignment)
                        continue;
                resource->start = 0;
                resource->end = alignment - 1;
                resource->alignment = alignment;
        }
        /* An entry that names a bridge switches its memory windows off: how large they were is forgotten. */
        if (function->is_bridge && alignment != 0)
                function->window_size[WINDOW_MEMORY] = function->window_size[WINDOW_PREFETCH] = 0;
}

bool pci_can_reset_bus(const Machine *machine, const Function *function)
{
        if (!function->bridge || function->is_bridge)
                return false;
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *other = machine->functions[i];
                if (other != function && other->present && other->bridge == function->bridge)
                        return false;
        }
        return true;
}

static void discover(Machine *machine, Function *function)
{
        function->present = true;
        function->attachable = false;
        function->births++;
        if (function->births > 1 && function->late_vendor) {
                function->vendor = function->late_vendor;
                function->device = function->late_device;
        }
        function->birth = machine->n_births++;
        /* IOMMUs are set up at boot when all slots have been scanned; later each function meets them as it is found. */
        bool is_further = function->address.function > 0;
        function->is_multi = function->multi_bit || (machine->booting && is_further);
        function->driver = NULL;
        function->enable = 0;
        for (unsigned i = 0; i < ATTRIBUTES; i++)
                snprintf(function->attributes[i], VALUE_MAX, "%s", defaults[i]);
        if (!pci_can_reset_bus(machine, function))
                snprintf(function->attributes[ATTRIBUTE_RESET_METHOD], VALUE_MAX, "%s", RESET_ALONE);
        memset(function->resources, 0, sizeof(function->resources));
        for (unsigned line = 0; line <= ROM; line++)
                function->resources[line] = resource_from(&function->bars[line]);
        if (function->class >> 8 != 0x0600 && !machine->options.probe_only)
                apply_alignment(function, alignment_of(machine->alignment, function, machine->options.page));
        group_join(machine, function);
        function->is_multi |= is_further;
        uevents_send(machine, "add", function);
}

static void send_bus(Machine *machine, const char *action, const Function *bridge)
{
        char path[384], text[256];
        snprintf(path, sizeof(path), "%s/pci_bus/%04x:%02x", function_path(bridge, text),
                 bridge->address.domain, (unsigned) bridge->secondary);
        uevents_send_other(machine, action, "pci_bus", path);
}

/* pci_scan_child_bus(): first all that is on the bus, then what is below its bridges. */
static bool scan_bus(Machine *machine, Host *host, Function *bridge)
{
        bool found = false;

        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                if (function->host != host || function->bridge != bridge || function->present ||
                    (function->vanishes && function->births > 0))
                        continue;
                discover(machine, function);
                found = true;
                if (function->is_bridge)
                        send_bus(machine, "add", function);
        }
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                if (function->host == host && function->bridge == bridge && function->present &&
                    function->is_bridge && scan_bus(machine, host, function))
                        found = true;
        }
        return found;
}

static unsigned count_unheld(const Machine *machine, const Host *host)
{
        unsigned n = 0;
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                if (function->host == host && function->present && !function->attachable &&
                    !function->is_bridge && !function->attributes[ATTRIBUTE_OVERRIDE][0])
                        n++;
        }
        return n;
}

static uint64_t now_usec(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000u + (uint64_t) now.tv_nsec / 1000u;
}

/*
 * Between `add` and the drivers lie 10 to 20 ms a function (LF). Whoever listens and writes overrides has that time: it is
 * over when all have one, or when none came for a while.
 */
static void leave_time_for_listeners(Machine *machine, const Host *host)
{
        unsigned n = count_unheld(machine, host);

        if (machine->booting || machine->options.lose_race || !uevents_have_listener())
                return;
        uint64_t end = now_usec() + machine->options.scan_usec;
        while (n > 0 && now_usec() < end && !machine->listeners_dead) {
                machine_wait_usec(machine, LISTENER_QUIET_USEC);
                unsigned left = count_unheld(machine, host);
                if (left < n)
                        end = now_usec() + machine->options.scan_usec;
                n = left;
        }
}

/* --- drivers for what was found --- */

static const Driver *async_driver(Machine *machine, const Function *function)
{
        for (size_t i = 0; machine->options.async && i < machine->n_drivers; i++)
                if (driver_matches(&machine->drivers[i], function))
                        return machine->drivers[i].async ? &machine->drivers[i] : NULL;
        return NULL;
}

typedef struct AsyncProbe {
        Machine *machine;
        Function *function;
        const Driver *driver; /* that had matched */
        unsigned births;
} AsyncProbe;

/*
 * Most look at the override when their turn has come. Of one that had its turn at once nothing can be seen between the
 * match and the link to the driver, and it has the function's lock (__device_attach_async_helper()).
 */
static void probe_in_own_time(const AsyncProbe *job)
{
        Function *function = job->function;

        if (!job->driver->slow)
                machine_wait_usec(job->machine, ASYNC_DELAY_USEC);
        while (function->probing && !function->lock_wanted)
                pthread_cond_wait(&job->machine->changed, &job->machine->lock);
        if (!function->present || function->births != job->births)
                return;
        if (job->driver->slow)
                driver_take(job->machine, function, job->driver);
        else
                driver_attach(job->machine, function);
}

static void *async_main(void *userdata)
{
        AsyncProbe *job = userdata;

        pthread_mutex_lock(&job->machine->lock);
        probe_in_own_time(job);
        job->function->probing = false;
        job->machine->n_async--;
        machine_changed(job->machine);
        pthread_mutex_unlock(&job->machine->lock);
        free(job);
        return NULL;
}

static void attach_later(Machine *machine, Function *function, const Driver *driver)
{
        pthread_t thread;
        AsyncProbe *job = malloc(sizeof(*job));
        if (!job)
                return;
        *job = (AsyncProbe){ machine, function, driver, function->births };
        machine->n_async++;
        function->probing = driver->slow;
        function->lock_wanted = false;
        if (pthread_create(&thread, NULL, async_main, job) == 0) {
                pthread_detach(thread);
                return;
        }
        machine->n_async--;
        function->probing = false;
        free(job);
}

/* pci_bus_add_devices(): only now may drivers match. */
static void attach_all(Machine *machine, const Host *host)
{
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                if (function->host != host || !function->present || function->attachable)
                        continue;
                function->attachable = true;
                const Driver *later = machine->booting ? NULL : async_driver(machine, function);
                if (later)
                        attach_later(machine, function, later);
                else
                        driver_attach(machine, function);
        }
}

static void lock_rescan(Machine *machine, const char *why)
{
        while (machine->rescan_lock)
                machine_wait(machine, why);
        machine->rescan_lock = true;
}

static void unlock_rescan(Machine *machine)
{
        machine->rescan_lock = false;
        machine_changed(machine);
}

void pci_finish_probes(Machine *machine)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                machine->functions[i]->lock_wanted = true;
        machine_changed(machine);
}

void pci_rescan(Machine *machine, Host *host)
{
        lock_rescan(machine, "rescan");
        machine->n_rescans++;
        if (scan_bus(machine, host, NULL))
                leave_time_for_listeners(machine, host);
        allocator_run(machine, host);
        attach_all(machine, host);
        unlock_rescan(machine);
}

/* --- booting --- */

static bool is_for_vfio(Machine *machine, const Function *function)
{
        const Driver *driver = machine_driver(machine, function->boot_driver);
        return driver && driver->vfio;
}

static void load_driver(Machine *machine, const char *name)
{
        const Driver *driver = machine_driver(machine, name);
        if (driver)
                machine->drivers[driver - machine->drivers].loaded = true;
}

/* As the administrator set it up. */
static void set_up_one(Machine *machine, Function *function)
{
        for (unsigned i = 0; i < ATTRIBUTES; i++)
                if (function->boot_attributes[i][0] && i != ATTRIBUTE_OVERRIDE)
                        snprintf(function->attributes[i], VALUE_MAX, "%s", function->boot_attributes[i]);
        if (function->boot_driver[0]) {
                load_driver(machine, function->boot_driver);
                snprintf(function->attributes[ATTRIBUTE_OVERRIDE], VALUE_MAX, "%s", function->boot_driver);
                driver_attach(machine, function);
        }
        snprintf(function->attributes[ATTRIBUTE_OVERRIDE], VALUE_MAX, "%s",
                 function->boot_attributes[ATTRIBUTE_OVERRIDE]);
        if (function->boot_attributes[ATTRIBUTE_CONTROL][0])
                snprintf(function->attributes[ATTRIBUTE_CONTROL], VALUE_MAX, "%s",
                         function->boot_attributes[ATTRIBUTE_CONTROL]);
}

/* The firmware's way to keep BARs apart: their places are a page each, their sizes their own. */
static void spread(Machine *machine, uint64_t page)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                for (unsigned line = 0; line <= ROM; line++) {
                        Resource *resource = &machine->functions[i]->resources[line];
                        if (resource->flags & FLAG_MEMORY && resource->flags & FLAG_UNSET &&
                            resource->alignment < page) {
                                resource->alignment = page;
                                resource->end = page - 1;
                        }
                }
}

static void shrink_to_own_size(Machine *machine)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                for (unsigned line = 0; line <= ROM; line++) {
                        Resource *resource = &machine->functions[i]->resources[line];
                        if (resource_assigned(resource))
                                resource->end = resource->start + machine->functions[i]->bars[line].size - 1;
                }
}

static void take_recorded(Machine *machine)
{
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                memcpy(function->resources, function->recorded, sizeof(function->resources));
        }
}

void pci_boot(Machine *machine, Placement placement)
{
        char saved[TEXT_MAX];

        machine->booting = true;
        /* What the firmware assigned does not follow the attribute. */
        memcpy(saved, machine->alignment, sizeof(saved));
        machine->alignment[0] = '\0';
        for (size_t i = 0; i < machine->n_hosts; i++) {
                (void) scan_bus(machine, &machine->hosts[i], NULL);
                if (placement == PLACEMENT_RECORDED)
                        continue;
                if (placement == PLACEMENT_SPREAD)
                        spread(machine, machine->options.page);
                allocator_run(machine, &machine->hosts[i]);
                shrink_to_own_size(machine);
        }
        if (placement == PLACEMENT_RECORDED)
                take_recorded(machine);
        for (size_t i = 0; i < machine->n_functions; i++) {
                machine->functions[i]->attachable = true;
                if (!machine->binds_later || !is_for_vfio(machine, machine->functions[i]))
                        set_up_one(machine, machine->functions[i]);
        }
        memcpy(machine->alignment, saved, sizeof(saved));
        driver_remember_assigned(machine);
        machine->booting = false;
}

void pci_bind_vfio(Machine *machine)
{
        machine->drivers_work = true;
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && is_for_vfio(machine, machine->functions[i]))
                        set_up_one(machine, machine->functions[i]);
        machine->drivers_work = false;
}

/* --- removal --- */

static void stop_one(Machine *machine, Function *function)
{
        const User *user = function_user(machine, function);

        if (user && !function->is_bridge)
                machine_violation(machine, "remove %s while %s (pid %d) uses it",
                                  PCI_ADDRESS_TEXT(function->address), user->name, user->pid);
        else if (function->driver && !function->driver->port)
                machine_violation(machine, "remove %s while %s is bound to it",
                                  PCI_ADDRESS_TEXT(function->address), function->driver->name);
        driver_detach(machine, function, "remove");
}

static void destroy_one(Machine *machine, Function *function)
{
        uevents_send(machine, "remove", function);
        if (function->is_bridge)
                send_bus(machine, "remove", function);
        group_leave(machine, function);
        function->present = function->attachable = false;
        memset(function->resources, 0, sizeof(function->resources));
}

/* Depth first, children in reverse (pci_stop_bus_device()). */
static void for_each_below(Machine *machine, Function *top, void (*work)(Machine *, Function *))
{
        for (size_t i = machine->n_functions; i-- > 0;) {
                Function *function = machine->functions[i];
                if (function->present && function->bridge == top)
                        for_each_below(machine, function, work);
        }
        if (top->present)
                work(machine, top);
}

void pci_remove(Machine *machine, Function *function)
{
        unsigned births = function->births;

        lock_rescan(machine, "remove");
        if (function->present && function->births == births) {
                for_each_below(machine, function, stop_one);
                for_each_below(machine, function, destroy_one);
        }
        unlock_rescan(machine);
}
