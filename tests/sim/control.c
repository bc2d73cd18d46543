/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control.h"

#include "driver-core.h"
#include "scenario.h"
#include "vfio-core.h"

#include <errno.h>
#include <string.h>

static bool user_gone(Machine *machine, const char *name)
{
        for (size_t i = 0; i < machine->n_users; i++)
                if (strcmp(machine->users[i].name, name) == 0) {
                        user_end(machine, &machine->users[i]);
                        machine->users[i] = machine->users[--machine->n_users];
                        return true;
                }
        return false;
}

/* Its place stays: functions point to drivers. */
static bool driver_unload(Machine *machine, const char *name)
{
        Driver *driver = NULL;
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (strcmp(machine->drivers[i].name, name) == 0)
                        driver = &machine->drivers[i];
        if (!driver)
                return false;
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->driver == driver)
                        driver_detach(machine, machine->functions[i], "unload");
        *driver = (Driver){ .late = true }; /* and never loaded */
        return true;
}

static bool statement(Machine *machine, char *line)
{
        size_t n_users = machine->n_users, n_drivers = machine->n_drivers;

        if (!scenario_statement(machine, line))
                return false;
        for (size_t i = n_users; i < machine->n_users; i++)
                user_try(machine, &machine->users[i]);
        for (size_t i = n_drivers; i < machine->n_drivers; i++)
                driver_offer(machine, &machine->drivers[i]);
        return true;
}

static int store_control(Machine *machine, const Node *node, const char *data, size_t size)
{
        char line[256];
        bool is_fine = false;

        if (!store_text(line, sizeof(line), data, size))
                return -EINVAL;
        if (strncmp(line, "gone ", 5) == 0)
                is_fine = user_gone(machine, line + 5);
        else if (strncmp(line, "unload ", 7) == 0)
                is_fine = driver_unload(machine, line + 7);
        else if (strncmp(line, "user ", 5) == 0 || strncmp(line, "driver ", 7) == 0)
                is_fine = statement(machine, line);
        return is_fine ? (int) size : -EINVAL;
}

const FileKind control_kind = { 0200, NULL, store_control };
