/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/host-use.h"

#include "base/text.h"
#include "judge/host-look.h"
#include "judge/proc-users.h"

#include <errno.h>
#include <string.h>

typedef int (*SubsystemLook)(HostLook *look, const HostDevice *device);

static const struct {
        const char *subsystem;
        SubsystemLook look;
} subsystems[] = {
        { "block", host_block_look }, { "net", host_net_look }, { "drm", host_display_look },
        { "sound", host_sound_look }, { "usb", host_usb_look },
};

/* udev opens each new device for a moment to see what it is. */
static const char *const udev_names[] = { "(udev-worker)", "systemd-udevd", "udevd" };

int host_look_found(HostLook *look, HolderKind kind, char *words)
{
        if (!words)
                return -ENOMEM;
        text_make_printable(words);
        return usage_add(look->usage,
                         (Holder){ .address = look->function->address, .kind = kind, .object = words });
}

int host_look_node(HostLook *look, const char *name)
{
        HostNode *more = reallocarray(look->nodes, look->n_nodes + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        look->nodes = more;
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        look->nodes[look->n_nodes++] = (HostNode){ .name = copy, .address = look->function->address };
        return 0;
}

static int look_at_device(HostLook *look, const HostDevice *device)
{
        for (size_t i = 0; i < ELEMENTSOF(subsystems); i++) {
                if (strcmp(device->subsystem, subsystems[i].subsystem) != 0)
                        continue;
                int r = subsystems[i].look(look, device);
                if (r < 0)
                        return r;
        }
        /* Block devices have added their nodes, with those of what is built on them. */
        return device->node && strcmp(device->subsystem, "block") != 0 ? host_look_node(look, device->node)
                                                                       : 0;
}

static int look_at_function(HostLook *look)
{
        HostDevices devices = { 0 };
        int r = 0;

        look->n_blocks = 0;
        if (look->function->boot_display)
                r = host_look_found(look, HOLDER_DISPLAY, strdup("the boot display"));
        if (r == 0)
                r = host_device_find(look->root, look->function->sysfs_path, &devices);
        for (size_t i = 0; i < devices.n && r == 0; i++)
                r = look_at_device(look, &devices.items[i]);
        host_devices_clear(&devices);
        return r;
}

/* What could not be looked at may be in use. */
static int add_unseen(HostLook *look, int error)
{
        if (error == -ENOMEM)
                return error;
        return host_look_found(look, HOLDER_UNSEEN,
                               text_format("what it carries could not be looked at (%s)", strerror(-error)));
}

static bool is_udev(const ProcUse *use)
{
        for (size_t i = 0; i < ELEMENTSOF(udev_names); i++)
                if (strcmp(use->process, udev_names[i]) == 0)
                        return true;
        return false;
}

static int add_open_node(HostLook *look, const ProcUse *use, const char *name)
{
        for (size_t i = 0; i < look->n_nodes; i++) {
                if (strcmp(look->nodes[i].name, name) != 0)
                        continue;
                Holder holder = { .address = look->nodes[i].address,
                                  .kind = HOLDER_NODE,
                                  .pid = use->pid,
                                  .process = strdup(use->process),
                                  .object = text_format("/dev/%s", name) };
                int r = usage_add(look->usage, holder);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* One pass over /proc for the nodes of all functions. */
static int look_for_open_nodes(HostLook *look)
{
        _cleanup_free_ const char **names = calloc(look->n_nodes + 1, sizeof(names[0]));
        _cleanup_(proc_users_freep) ProcUsers *users = NULL;
        _cleanup_free_ char *problem = NULL;

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < look->n_nodes; i++)
                names[i] = look->nodes[i].name;
        qsort((void *) names, look->n_nodes, sizeof(names[0]), compare_names);
        size_t n = 0;
        for (size_t i = 0; i < look->n_nodes; i++)
                if (n == 0 || strcmp(names[n - 1], names[i]) != 0)
                        names[n++] = names[i];

        int r = proc_users_of_nodes(look->root, names, n, &users, &problem);
        for (size_t i = 0; r == 0 && i < users->n_uses; i++)
                if (!is_udev(&users->uses[i]))
                        r = add_open_node(look, &users->uses[i], names[users->uses[i].number]);
        return r;
}

static int look_at_all(HostLook *look, const PciFunction *const *functions, size_t n)
{
        int r = n > 0 ? host_tables_read(look->root, &look->tables) : 0, tables = r;

        for (size_t i = 0; i < n; i++) {
                look->function = functions[i];
                r = tables < 0 ? tables : look_at_function(look);
                if (r < 0)
                        r = add_unseen(look, r);
                if (r < 0)
                        return r;
        }
        r = look->n_nodes > 0 ? look_for_open_nodes(look) : 0;
        for (size_t i = 0; r < 0 && r != -ENOMEM && i < n; i++) {
                look->function = functions[i];
                int q = add_unseen(look, r);
                if (q < 0)
                        return q;
        }
        return r == -ENOMEM ? r : 0;
}

int host_use_add(const Root *root, const PciFunction *const *functions, size_t n, Usage *usage)
{
        HostLook look = { .root = root, .usage = usage };
        int r = look_at_all(&look, functions, n);

        for (size_t i = 0; i < look.n_nodes; i++)
                free(look.nodes[i].name);
        free(look.nodes);
        host_tables_free(look.tables);
        usage_sort(usage);
        return r;
}
