/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "driver-core.h"

#include "uevents.h"
#include "vfio-core.h"

#include <errno.h>
#include <string.h>

#define ANY 0xffffu

/* Which lines of each function had an address, by its place in machine->functions. */
static uint32_t assigned[FUNCTIONS_MAX];

void driver_remember_assigned(Machine *machine)
{
        memset(assigned, 0, sizeof(assigned));
        for (size_t i = 0; i < machine->n_functions; i++)
                for (unsigned line = 0; line <= ROM; line++)
                        if (resource_assigned(&machine->functions[i]->resources[line]))
                                assigned[i] |= 1u << line;
}

static bool is_half_assigned(const Machine *machine, const Function *function)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                for (unsigned line = 0; machine->functions[i] == function && line < BARS; line++)
                        if (assigned[i] & 1u << line && !resource_assigned(&function->resources[line]))
                                return true;
        return false;
}

bool driver_is_loaded(const Driver *driver)
{
        return !(driver->late || driver->at_unbind) || driver->loaded;
}

bool driver_has_id(const Driver *driver, const Function *function)
{
        for (size_t i = 0; i < driver->n_ids; i++)
                if ((driver->ids[i].vendor == ANY || driver->ids[i].vendor == function->vendor) &&
                    (driver->ids[i].device == ANY || driver->ids[i].device == function->device) &&
                    (function->class & driver->ids[i].class_mask) == driver->ids[i].class)
                        return true;
        return false;
}

bool driver_matches(const Driver *driver, const Function *function)
{
        if (!driver_is_loaded(driver))
                return false;
        if (function->attributes[ATTRIBUTE_OVERRIDE][0])
                return strcmp(function->attributes[ATTRIBUTE_OVERRIDE], driver->name) == 0;
        return driver_has_id(driver, function);
}

static bool probe(Machine *machine, Function *function, const Driver *driver)
{
        bool may_fail = !machine->booting && !machine->drivers_work;

        /* A bridge that came up without driver is none of those that the port driver takes. */
        if ((driver->fails && may_fail) || (driver->vfio && function->is_bridge) ||
            (driver->port && !function->boot_driver[0]) || strcmp(driver->name, function->refuses) == 0)
                return false;
        /* A member of a group that somebody uses through VFIO gets no host driver. */
        if (!driver->vfio && !driver->port && function->group != NONE &&
            machine->groups[function->group].held_by_user) {
                function->was_denied = true;
                return false;
        }
        if (driver->fails_once && may_fail) {
                machine->drivers[driver - machine->drivers].fails_once = false;
                return false;
        }
        function->driver = driver;
        if (driver->vfio)
                vfio_begin(machine, function);
        else
                function->enable = 1;
        uevents_send(machine, "bind", function);
        machine_changed(machine);
        return true;
}

void driver_attach(Machine *machine, Function *function)
{
        for (size_t i = 0; i < machine->n_drivers && !function->driver; i++)
                if (driver_matches(&machine->drivers[i], function))
                        (void) probe(machine, function, &machine->drivers[i]);
}

void driver_take(Machine *machine, Function *function, const Driver *driver)
{
        if (!function->driver)
                (void) probe(machine, function, driver);
}

void driver_await(Machine *machine, Function *function)
{
        while (function->probing) {
                function->lock_wanted = true;
                machine_changed(machine);
                machine_wait(machine, "probe");
        }
}

void driver_offer(Machine *machine, const Driver *driver)
{
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                if (!function->present || !function->attachable || !driver_matches(driver, function))
                        continue;
                driver_await(machine, function);
                driver_take(machine, function, driver);
        }
}

void driver_load(Machine *machine, Driver *driver)
{
        if (driver_is_loaded(driver))
                return;
        driver->loaded = true;
        driver_offer(machine, driver);
}

void driver_probe(Machine *machine, Function *function)
{
        driver_await(machine, function);
        bool had_driver = function->driver != NULL;
        driver_attach(machine, function);
        if (!had_driver && function->driver && !function->is_bridge && is_half_assigned(machine, function))
                machine_violation(machine, "%s was bound to %s although it lost an address",
                                  PCI_ADDRESS_TEXT(function->address), function->driver->name);
}

void driver_detach(Machine *machine, Function *function, const char *by)
{
        unsigned births = function->births;

        driver_await(machine, function);
        const User *user = function_user(machine, function);
        if (!function->driver)
                return;
        if (user)
                machine_violation(machine, "%s %s while %s (pid %d) uses it", by,
                                  PCI_ADDRESS_TEXT(function->address), user->name, user->pid);
        while (function->births == births && function->present && function->driver &&
               function_blocker(machine, function))
                machine_wait(machine, by);
        if (function->births != births || !function->driver)
                return;
        if (function->vfio != NONE)
                vfio_end(machine, function);
        function->driver = NULL;
        function->enable = 0;
        uevents_send(machine, "unbind", function);
        machine_changed(machine);
}

int driver_bind_store(Machine *machine, const Driver *driver, Function *function)
{
        if (function)
                driver_await(machine, function);
        if (!function || function->driver || !driver_matches(driver, function))
                return -ENODEV;
        driver_probe(machine, function);
        return function->driver == driver ? 0 : -ENODEV;
}

int driver_unbind_store(Machine *machine, const Driver *driver, Function *function)
{
        if (!function || function->driver != driver)
                return -ENODEV;
        driver_detach(machine, function, "unbind");
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (machine->drivers[i].at_unbind)
                        driver_load(machine, &machine->drivers[i]);
        return 0;
}
