/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "vfio-core.h"

#include "iommu.h"
#include "uevents.h"

#include <string.h>

/* --- groups --- */

static const char *key_of(const Function *function)
{
        return function->births > 1 && function->late_key[0] ? function->late_key : function->group_key;
}

static int find_group(const Machine *machine, const char *key)
{
        int free_one = NONE;

        for (int i = 0; i < GROUPS_MAX; i++) {
                const Group *group = &machine->groups[i];
                bool exists = group->n_members > 0 || group->held_by_worker || group->held_by_user;
                if (exists && group->n_members > 0 && *key && strcmp(group->key, key) == 0)
                        return i;
                if (!exists && free_one == NONE)
                        free_one = i;
        }
        return free_one; /* ida_alloc(): the lowest */
}

void group_join(Machine *machine, Function *function)
{
        const char *key = key_of(function);
        int number = machine->options.iommu && !*key ? iommu_group_of(machine, function) : NONE;
        if (number == NONE)
                number = find_group(machine, key);
        if (number == NONE || strcmp(key, "none") == 0)
                return;
        Group *group = &machine->groups[number];
        if (group->n_members++ == 0) {
                snprintf(group->key, sizeof(group->key), "%s", key);
                snprintf(group->type, sizeof(group->type), "DMA");
        }
        if (machine->booting && function->group_type[0])
                snprintf(group->type, sizeof(group->type), "%s", function->group_type);
        function->group = number;
}

void group_leave(Machine *machine, Function *function)
{
        if (function->group == NONE)
                return;
        machine->groups[function->group].n_members--;
        function->group = NONE;
}

bool group_has_file(const Machine *machine, int group)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->group == group && machine->functions[i]->vfio != NONE)
                        return true;
        return false;
}

/* --- VFIO devices --- */

void vfio_begin(Machine *machine, Function *function)
{
        char path[384], function_text[256];
        int number = 0;

        while (machine->vfio_numbers[number])
                number++;
        machine->vfio_numbers[number] = true;
        function->vfio = number;
        /* vfio-pci itself does pm_runtime_allow() (KF §4). */
        snprintf(function->attributes[ATTRIBUTE_CONTROL], VALUE_MAX, "auto");
        snprintf(path, sizeof(path), "virtual/vfio/%d", function->group);
        uevents_send_other(machine, "add", "vfio", path);
        snprintf(path, sizeof(path), "%s/vfio-dev/vfio%d", function_path(function, function_text), number);
        uevents_send_other(machine, "add", "vfio-dev", path);
}

void vfio_end(Machine *machine, Function *function)
{
        char path[384], function_text[256];

        snprintf(path, sizeof(path), "%s/vfio-dev/vfio%d", function_path(function, function_text),
                 function->vfio);
        uevents_send_other(machine, "remove", "vfio-dev", path);
        snprintf(path, sizeof(path), "virtual/vfio/%d", function->group);
        uevents_send_other(machine, "remove", "vfio", path);
        machine->vfio_numbers[function->vfio] = false;
        function->vfio = NONE;
        snprintf(function->attributes[ATTRIBUTE_CONTROL], VALUE_MAX, "on");
}

bool function_on_host(const Function *function)
{
        return function->driver && !function->driver->vfio && !function->driver->port;
}

/* --- users --- */

static bool is_of(const User *user, const Function *function)
{
        return user->active && pci_address_equal(user->function, function->address) &&
               user->births == function->births;
}

/* Through a group, a device or a descriptor of VFIO. */
static bool is_vfio_use(const User *user)
{
        return user->kind == USER_GROUP || user->kind == USER_CDEV || user->kind == USER_INVISIBLE;
}

const User *function_blocker(const Machine *machine, const Function *function)
{
        for (size_t i = 0; i < machine->n_users; i++) {
                const User *user = &machine->users[i];
                if (is_of(user, function) && is_vfio_use(user))
                        return user;
        }
        return NULL;
}

const User *function_user(const Machine *machine, const Function *function)
{
        for (size_t i = 0; i < machine->n_users; i++) {
                const User *user = &machine->users[i];
                if (is_of(user, function))
                        return user;
                /* A group is used as a whole, but for its members that are unbound. */
                if (user->active && is_vfio_use(user) && user->kind != USER_INVISIBLE &&
                    function->vfio != NONE && function->group != NONE && !function->is_bridge &&
                    user->group == function->group)
                        return user;
        }
        return NULL;
}

Function *user_function(Machine *machine, const User *user)
{
        Function *function = machine_find(machine, user->function);
        return function && function->present ? function : NULL;
}

/* iommu_group_claim_dma_owner(): a group with a member on a host driver is nobody's else; ports manage their own DMA. */
static bool has_host_driver(const Machine *machine, int group)
{
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *member = machine->functions[i];
                if (member->present && member->group == group && member->driver && !member->driver->vfio &&
                    !member->driver->port)
                        return true;
        }
        return false;
}

void user_try(Machine *machine, User *user)
{
        Function *function = user_function(machine, user);

        if (!function || user->active || (user->is_late && function->births < 2) ||
            (is_vfio_use(user) && function->vfio == NONE) ||
            (user->kind == USER_INTERFACE && !function_on_host(function)))
                return;
        Group *group = function->group == NONE ? NULL : &machine->groups[function->group];
        if (user->kind == USER_GROUP) {
                if (!group || group->held_by_worker || group->held_by_user ||
                    has_host_driver(machine, function->group))
                        return;
                group->held_by_user = true;
        }
        if (user->kind == USER_GROUP || user->kind == USER_INVISIBLE)
                function->enable++;
        user->active = user->was_active = true;
        user->births = function->births;
        user->group = function->group;
        user->vfio = function->vfio;
        machine_changed(machine);
}

void user_end(Machine *machine, User *user)
{
        Function *function = user_function(machine, user);

        if (!user->active)
                return;
        user->active = false;
        if (user->kind == USER_GROUP && user->group != NONE)
                machine->groups[user->group].held_by_user = false;
        if (function && function->births == user->births && function->enable > 0 &&
            (user->kind == USER_GROUP || user->kind == USER_INVISIBLE))
                function->enable--;
        machine_changed(machine);
}
