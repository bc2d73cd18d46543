/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Network interfaces. */

#include "base/text.h"
#include "judge/host-look.h"

#include <errno.h>
#include <string.h>

#define INTERFACE_UP 0x1u /* IFF_UP */

static int read_up(const Root *root, const char *path, bool *ret)
{
        _cleanup_free_ char *file = text_format("%s/flags", path), *text = NULL;
        uint64_t flags;
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(root, file, &text);
        if (r < 0)
                return host_device_is_gone(root, file, r) ? 0 : r;
        r = text_to_u64(text, 0, UINT64_MAX, &flags);
        *ret = r < 0 || flags & INTERFACE_UP; /* garbage is no sign of idleness */
        return 0;
}

/* Interfaces that are above this one: a bridge, bond, VLAN …, each a link "upper_NAME". */
static int add_uppers(const Root *root, const char *path, char **words)
{
        static const char prefix[] = "upper_";
        _cleanup_closedir_ DIR *folder = NULL;
        int r = root_open_directory(root, path, &folder);
        if (r < 0)
                return host_device_is_gone(root, path, r) ? 0 : r;
        const struct dirent *entry;
        while ((entry = readdir(folder)))
                if (text_starts_with(entry->d_name, prefix) &&
                    !text_replace(words, "%s, below %s", *words, entry->d_name + strlen(prefix)))
                        return -ENOMEM;
        return 0;
}

static int add_master(const Root *root, const char *path, char **words)
{
        _cleanup_free_ char *link = text_format("%s/master", path), *master = NULL;
        if (!link)
                return -ENOMEM;
        int r = root_read_link_name(root, link, &master);
        if (r < 0)
                return host_device_is_gone(root, path, r) ? 0 : r;
        return text_replace(words, "%s, part of %s", *words, master) ? 0 : -ENOMEM;
}

int host_net_look(HostLook *look, const HostDevice *device)
{
        static const char *const route_words[] = {
                [HOST_ROUTE_NONE] = "",
                [HOST_ROUTE_SOME] = ", has routes",
                [HOST_ROUTE_DEFAULT] = ", has the default route",
        };
        const char *name = host_device_name(device->path);
        bool is_up = false;

        if (device->is_hidden)
                return host_look_found(look, HOLDER_NET,
                                       strdup("a network interface of another network namespace"));
        int r = read_up(look->root, device->path, &is_up);
        if (r < 0)
                return r;
        _cleanup_free_ char *words = text_format("%s%s", is_up ? ", up" : "",
                                                 route_words[host_tables_route(look->tables, name)]);
        if (!words)
                return -ENOMEM;
        r = add_master(look->root, device->path, &words);
        /* A master is one of the uppers. */
        if (r == 0 && !strstr(words, ", part of "))
                r = add_uppers(look->root, device->path, &words);
        if (r < 0 || words[0] == '\0')
                return r;
        return host_look_found(look, HOLDER_NET,
                               text_format("network interface %s (%s)", name, words + strlen(", ")));
}
