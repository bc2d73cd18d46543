/* SPDX-License-Identifier: GPL-2.0-or-later */

/* /proc with the simulated processes, and /dev/vfio. */

#include "tree.h"
#include "vfio-core.h"

#include <errno.h>
#include <string.h>

/* --- processes --- */

static int show_comm(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "%s\n", node->user->name);
}

static int show_maps(Machine *machine, const Node *node, char *buffer, size_t size)
{
        char path[256];
        Function *function = user_function(machine, node->user);
        int n = show_text(buffer, size, "7f0c00000000-7f0c00001000 r-xp 00000000 08:01 4711 /usr/bin/%s\n",
                          node->user->name);
        if (node->user->active && node->user->kind == USER_MAPPING && function)
                n += show_text(buffer + n, size - (size_t) n,
                               "7f0d00000000-7f0d00001000 rw-s 00000000 00:16 815 /sys/devices/%s/resource0\n",
                               function_path(function, path));
        return n;
}

/* What each descriptor of a user shows; NULL behind the last. */
static const char *descriptor(Machine *machine, const User *user, unsigned number, char buffer[static 288])
{
        char path[256];
        Function *function = user_function(machine, user);

        if (number == 0)
                return "/dev/null";
        if (number > 2 || !user->active || !function)
                return NULL;
        bool holds_device = user->kind == USER_GROUP || user->kind == USER_INVISIBLE;
        if (number == 1 && holds_device)
                return "anon_inode:[vfio-device]";
        if (number == 2 && user->kind == USER_GROUP) {
                snprintf(buffer, 288, "/dev/vfio/%d", user->group);
                return buffer;
        }
        if (number == 1 && user->kind == USER_CDEV) {
                snprintf(buffer, 288, "/dev/vfio/devices/vfio%d", user->vfio);
                return buffer;
        }
        if (number == 1 && user->kind == USER_RESOURCE) {
                snprintf(buffer, 288, "/sys/devices/%s/resource0", function_path(function, path));
                return buffer;
        }
        return NULL;
}

static int find_descriptor(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char buffer[288], *end;
        unsigned long number = strtoul(name, &end, 10);
        if (*end || end == name || number > 2)
                return -ENOENT;
        const char *target = descriptor(machine, node->user, (unsigned) number, buffer);
        return target ? node_link(ret, "%s", target) : -ENOENT;
}

static void list_descriptors(Machine *machine, const Node *node, const Emit *emit)
{
        char buffer[288], name[4];
        for (unsigned i = 0; i <= 2; i++) {
                snprintf(name, sizeof(name), "%u", i);
                if (descriptor(machine, node->user, i, buffer))
                        emit->call(emit->userdata, name);
        }
}

static const Directory descriptors_directory = { find_descriptor, list_descriptors };
static const FileKind comm_kind = { 0644, show_comm, NULL };
static const FileKind maps_kind = { 0444, show_maps, NULL };

static const StaticEntry process_entries[] = {
        { "fd", &descriptors_directory, NULL, NULL },
        { "maps", NULL, &maps_kind, NULL },
        { "comm", NULL, &comm_kind, NULL },
        { 0 },
};

/* --- the rest of /proc --- */

static int show_boot_id(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "%s\n", machine->boot_id);
}

static int show_iomem(Machine *machine, const Node *node, char *buffer, size_t size)
{
        int n = show_text(buffer, size, "00000000-00000fff : Reserved\n");
        for (size_t i = 0; i < machine->n_reserved && n < (int) size; i++)
                if (machine->reserved[i].during == 0)
                        n += show_text(buffer + n, size - (size_t) n, "%08llx-%08llx : Reserved\n",
                                       (unsigned long long) machine->reserved[i].range.start,
                                       (unsigned long long) machine->reserved[i].range.end);
        return n;
}

static const FileKind boot_id_kind = { 0444, show_boot_id, NULL };
static const FileKind iomem_kind = { 0400, show_iomem, NULL };
static const StaticEntry random_entries[] = { { "boot_id", NULL, &boot_id_kind, NULL }, { 0 } };
static const StaticEntry proc_kernel_entries[] = {
        { "random", &static_directory, NULL, random_entries },
        { 0 },
};
static const StaticEntry proc_sys_entries[] = {
        { "kernel", &static_directory, NULL, proc_kernel_entries },
        { 0 },
};
const StaticEntry proc_entries[] = {
        { "sys", &static_directory, NULL, proc_sys_entries },
        { "iomem", NULL, &iomem_kind, NULL },
        { 0 },
};

static int find_proc(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char own[16];

        for (size_t i = 0; i < machine->n_users; i++) {
                snprintf(own, sizeof(own), "%d", machine->users[i].pid);
                if (strcmp(own, name) != 0)
                        continue;
                ret->user = &machine->users[i];
                ret->entries = process_entries;
                return node_directory(ret, &static_directory);
        }
        return node_static(proc_entries, node, name, ret);
}

static void list_proc(Machine *machine, const Node *node, const Emit *emit)
{
        char name[16];

        static_list(proc_entries, emit);
        for (size_t i = 0; i < machine->n_users; i++) {
                snprintf(name, sizeof(name), "%d", machine->users[i].pid);
                emit->call(emit->userdata, name);
        }
}

const Directory proc_directory = { find_proc, list_proc };

/* --- /dev/vfio --- */

static const FileKind device_kind = { 0600, NULL, NULL };
const FileKind group_file_kind = { 0600, NULL, NULL };

static int find_character_device(Machine *machine, const Node *node, const char *name, Node *ret)
{
        int number;
        char more;
        if (sscanf(name, "vfio%d%c", &number, &more) != 1 || number < 0 || number >= FUNCTIONS_MAX ||
            !machine->vfio_numbers[number])
                return -ENOENT;
        return node_file(ret, &device_kind);
}

static void list_character_devices(Machine *machine, const Node *node, const Emit *emit)
{
        for (int i = 0; i < FUNCTIONS_MAX; i++) {
                char name[16];
                snprintf(name, sizeof(name), "vfio%d", i);
                if (machine->vfio_numbers[i])
                        emit->call(emit->userdata, name);
        }
}

static const Directory character_devices_directory = { find_character_device, list_character_devices };

static int find_group_file(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char *end;
        if (strcmp(name, "vfio") == 0)
                return node_file(ret, &device_kind);
        if (strcmp(name, "devices") == 0)
                return node_directory(ret, &character_devices_directory);
        unsigned long number = strtoul(name, &end, 10);
        if (*end || end == name || number >= GROUPS_MAX || !group_has_file(machine, (int) number))
                return -ENOENT;
        ret->number = (int) number;
        return node_file(ret, &group_file_kind);
}

static void list_group_files(Machine *machine, const Node *node, const Emit *emit)
{
        emit->call(emit->userdata, "vfio");
        emit->call(emit->userdata, "devices");
        for (int i = 0; i < GROUPS_MAX; i++) {
                char name[16];
                snprintf(name, sizeof(name), "%d", i);
                if (group_has_file(machine, i))
                        emit->call(emit->userdata, name);
        }
}

static const Directory group_files_directory = { find_group_file, list_group_files };

const StaticEntry dev_entries[] = {
        { "vfio", &group_files_directory, NULL, NULL },
        { "null", NULL, &device_kind, NULL },
        { 0 },
};
