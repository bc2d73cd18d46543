/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/bus-key.h"

#include "base/pci-address.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* "pci0000:00": a root bus. Another one further down (VMD) begins a hierarchy of its own. */
static bool is_root_bus(const char *component)
{
        unsigned domain, bus;
        int n = 0;
        return text_starts_with(component, "pci") &&
               sscanf(component, "pci%8x:%2x%n", &domain, &bus, &n) == 2 && component[n] == '\0';
}

/* One step down: the key of the bus below the bridge COMPONENT, which is on the bus KEY. */
static int descend(char **key, bool on_root_bus, PciAddress bridge)
{
        char *below = on_root_bus ? strdup(PCI_ADDRESS_TEXT(bridge))
                                  : text_format("%s/%02x.%x", *key, bridge.device, bridge.function);
        if (!below)
                return -ENOMEM;
        free(*key);
        *key = below;
        return 0;
}

int bus_key_from_path(const char *sysfs_path, char **ret)
{
        _cleanup_free_ char *copy = strdup(sysfs_path), *key = NULL;
        if (!copy)
                return -ENOMEM;

        /* The last function found is the one itself: the step below it is made only when another follows. */
        PciAddress last;
        bool have_last = false, on_root_bus = true;
        char *rest = copy, *component;
        while ((component = strsep(&rest, "/"))) {
                if (is_root_bus(component)) {
                        free(key);
                        key = strdup(component + strlen("pci"));
                        if (!key)
                                return -ENOMEM;
                        have_last = false;
                        on_root_bus = true;
                } else if (key && *component) {
                        int r = have_last ? descend(&key, on_root_bus, last) : 0;
                        if (r < 0)
                                return r;
                        on_root_bus = on_root_bus && !have_last;
                        have_last = true;
                        r = pci_address_parse(component, &last);
                        if (r < 0)
                                return r;
                }
        }
        if (!have_last)
                return -EINVAL;
        *ret = TAKE_PTR(key);
        return 0;
}

char *bus_key_from_topology_path(const char *path)
{
        const char *slash = strrchr(path, '/');
        const char *end = slash ? slash : strrchr(path, ':');
        return end ? strndup(path, (size_t) (end - path)) : strdup(path);
}

char *bus_key_describe(const char *key)
{
        return strchr(key, '.') ? text_format("the bus below %s", key) : text_format("the root bus %s", key);
}

bool bus_key_ascend(char *key)
{
        char *slash = strrchr(key, '/');
        if (!slash)
                return false;
        *slash = '\0';
        return true;
}

static bool is_at_or_below(const char *key, const char *above)
{
        size_t size = strlen(above);
        return strncmp(key, above, size) == 0 && (key[size] == '\0' || key[size] == '/');
}

bool bus_key_related(const char *a, const char *b)
{
        return is_at_or_below(a, b) || is_at_or_below(b, a);
}
