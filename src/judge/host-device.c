/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/host-device.h"

#include "base/pci-address.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 32u           /* a disk behind five USB hubs is 15 deep */
#define DIRECTORIES_MAX 100000u /* of one function; a large storage adapter has some thousands */

typedef struct Walk {
        const Root *root;
        HostDevices found;
        size_t room;
        unsigned n_directories;
} Walk;

/* Directories that no device is in. */
static const char *const barren[] = { "power", "msi_irqs", "statistics", "vfio-dev", "driver", "link" };

const char *host_device_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

bool host_device_is_gone(const Root *root, const char *path, int error)
{
        if (error == -ENOENT || error == -ENOTDIR)
                return true;
        /* EINVAL: what `flags` of a network interface gives that is being unregistered */
        return (error == -ENODEV || error == -ENXIO || error == -EINVAL) && root_exists(root, path) == 0;
}

void host_devices_clear(HostDevices *devices)
{
        for (size_t i = 0; i < devices->n; i++) {
                free(devices->items[i].path);
                free(devices->items[i].subsystem);
                free(devices->items[i].node);
        }
        free(devices->items);
        *devices = (HostDevices){ 0 };
}

int host_device_node(const Root *root, const char *path, char **ret)
{
        static const char key[] = "DEVNAME=";
        _cleanup_free_ char *file = text_format("%s/uevent", path), *text = NULL;
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(root, file, &text);
        if (r < 0 && !host_device_is_gone(root, file, r))
                return r;
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                if (!text_starts_with(line, key))
                        continue;
                *ret = strdup(line + strlen(key));
                return *ret ? 0 : -ENOMEM;
        }
        *ret = NULL;
        return 0;
}

static int add(Walk *walk, const char *path, const char *subsystem, bool is_hidden)
{
        HostDevices *found = &walk->found;
        HostDevice device = { .path = strdup(path), .subsystem = strdup(subsystem), .is_hidden = is_hidden };
        int r = device.path && device.subsystem ? 0 : -ENOMEM;

        if (r == 0 && !is_hidden)
                r = host_device_node(walk->root, path, &device.node);
        if (r == 0 && found->n == walk->room) {
                size_t room = walk->room ? walk->room * 2 : 16;
                HostDevice *more = reallocarray(found->items, room, sizeof(*more));
                if (more) {
                        found->items = more;
                        walk->room = room;
                } else
                        r = -ENOMEM;
        }
        if (r < 0) {
                free(device.path);
                free(device.subsystem);
                free(device.node);
                return r;
        }
        found->items[found->n++] = device;
        return 0;
}

/* A function or a root bus of its own: each has its own place in the snapshot. */
static bool is_another_function(const char *name)
{
        PciAddress address;
        return pci_address_parse(name, &address) == 0 ||
               (text_starts_with(name, "pci") && strchr(name, ':'));
}

static bool is_barren(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(barren); i++)
                if (strcmp(name, barren[i]) == 0)
                        return true;
        return name[0] == '.';
}

static bool is_directory(DIR *folder, const struct dirent *entry)
{
        struct stat st;

        if (entry->d_type != DT_UNKNOWN)
                return entry->d_type == DT_DIR;
        return fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int look_below(Walk *walk, const char *path, unsigned depth);

/* The directory PATH is a device, or one that devices are in. */
static int look_at(Walk *walk, const char *path, unsigned depth)
{
        _cleanup_free_ char *link = text_format("%s/subsystem", path), *subsystem = NULL;
        if (!link)
                return -ENOMEM;
        int r = root_read_link_name(walk->root, link, &subsystem);
        if (r < 0)
                return host_device_is_gone(walk->root, path, r) ? look_below(walk, path, depth) : r;
        r = add(walk, path, subsystem, false);
        if (r < 0 || strcmp(subsystem, "block") == 0 || strcmp(subsystem, "net") == 0)
                return r;
        return look_below(walk, path, depth);
}

static int look_below(Walk *walk, const char *path, unsigned depth)
{
        _cleanup_closedir_ DIR *folder = NULL;
        bool is_empty = true;

        if (depth > DEPTH_MAX || ++walk->n_directories > DIRECTORIES_MAX)
                return -E2BIG;
        int r = root_open_directory(walk->root, path, &folder);
        if (r < 0)
                return host_device_is_gone(walk->root, path, r) ? 0 : r;
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(folder);
                if (!entry && errno != 0)
                        return -errno;
                if (!entry)
                        break;
                if (is_barren(entry->d_name) || !is_directory(folder, entry) ||
                    is_another_function(entry->d_name))
                        continue;
                is_empty = false;
                _cleanup_free_ char *below = text_format("%s/%s", path, entry->d_name);
                if (!below)
                        return -ENOMEM;
                r = look_at(walk, below, depth + 1);
                if (r < 0)
                        return r;
        }
        /* The kernel keeps this directory as long as it has an interface, whoever may see that. */
        return is_empty && strcmp(host_device_name(path), "net") == 0 ? add(walk, path, "net", true) : 0;
}

int host_device_find(const Root *root, const char *sysfs_path, HostDevices *ret)
{
        Walk walk = { .root = root };
        int r = look_below(&walk, sysfs_path, 0);
        if (r < 0) {
                host_devices_clear(&walk.found);
                return r;
        }
        *ret = walk.found;
        return 0;
}
