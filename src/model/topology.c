/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/topology.h"

#include "base/text.h"

#include <string.h>

Topology *topology_free(Topology *topology)
{
        if (!topology)
                return NULL;
        for (size_t i = 0; i < topology->n_functions; i++) {
                free(topology->functions[i].sysfs_path);
                free(topology->functions[i].driver);
        }
        free(topology->functions);
        free(topology);
        return NULL;
}

const PciFunction *topology_find(const Topology *topology, PciAddress address)
{
        size_t low = 0, high = topology->n_functions;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = pci_address_compare(topology->functions[middle].address, address);
                if (order == 0)
                        return &topology->functions[middle];
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

bool topology_is_below(const PciFunction *function, const PciFunction *bridge)
{
        for (const PciFunction *above = function->bridge; above; above = above->bridge)
                if (above == bridge)
                        return true;
        return false;
}

bool topology_same_bus(const PciFunction *a, const PciFunction *b)
{
        if (a->bridge || b->bridge)
                return a->bridge == b->bridge;
        return pci_address_equal(a->root_bus, b->root_bus);
}

char *topology_path(const PciFunction *function)
{
        if (!function->bridge)
                return text_format("%s", PCI_ADDRESS_TEXT(function->address));
        _cleanup_free_ char *above = topology_path(function->bridge);
        if (!above)
                return NULL;
        return text_format("%s/%02x.%x", above, function->address.device, function->address.function);
}

/* The function that STEP ("DD.F", SIZE bytes) names on the bus below BRIDGE. */
static const PciFunction *find_step(const Topology *topology, const PciFunction *bridge, const char *step,
                                    size_t size)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                char name[PCI_ADDRESS_TEXT_MAX];
                if (function->bridge != bridge)
                        continue;
                int n = snprintf(name, sizeof(name), "%02x.%x", function->address.device,
                                 function->address.function);
                if ((size_t) n == size && memcmp(name, step, size) == 0)
                        return function;
        }
        return NULL;
}

const PciFunction *topology_find_path(const Topology *topology, const char *path)
{
        char top[PCI_ADDRESS_TEXT_MAX];
        size_t size = strcspn(path, "/");
        if (size >= sizeof(top))
                return NULL;
        memcpy(top, path, size);
        top[size] = '\0';

        PciAddress address;
        if (pci_address_parse(top, &address) < 0)
                return NULL;
        const PciFunction *function = topology_find(topology, address);
        if (function && function->bridge)
                return NULL; /* a path begins on a root bus */

        for (path += size; function && *path; path += size) {
                path++;
                size = strcspn(path, "/");
                function = find_step(topology, function, path, size);
        }
        return function;
}
