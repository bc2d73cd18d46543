/* SPDX-License-Identifier: GPL-2.0-or-later */

/* /sys but for the directories of the functions themselves (tree-function.c). */

#include "alignment.h"
#include "driver-core.h"
#include "pci-core.h"
#include "tree.h"
#include "vfio-core.h"

#include <errno.h>
#include <string.h>

/* --- bus/pci --- */

static int show_alignment(Machine *machine, const Node *node, char *buffer, size_t size)
{
        if (!machine->alignment[0])
                return 0; /* never set: nothing at all */
        return show_text(buffer, size, "%s\n", machine->alignment);
}

static int store_alignment(Machine *machine, const Node *node, const char *data, size_t size)
{
        machine->n_changes++;
        return alignment_store(machine->alignment, data, size, machine->options.page);
}

static int store_probe(Machine *machine, const Node *node, const char *data, size_t size)
{
        Function *function = store_function(machine, data, size);
        if (!function)
                return -ENODEV;
        machine->n_changes++;
        driver_probe(machine, function);
        return (int) size; /* whether a driver took it or not */
}

/* kstrtoul(): what is no number is refused, 0 does nothing. */
static int parse_trigger(const char *data, size_t size)
{
        char text[VALUE_MAX], *end;
        if (!store_text(text, sizeof(text), data, size) || !text[0])
                return -EINVAL;
        unsigned long value = strtoul(text, &end, 0);
        return *end ? -EINVAL : value != 0;
}

static int store_rescan_all(Machine *machine, const Node *node, const char *data, size_t size)
{
        int r = parse_trigger(data, size);
        if (r < 0)
                return r;
        for (size_t i = 0; r > 0 && i < machine->n_hosts; i++)
                pci_rescan(machine, &machine->hosts[i]);
        machine->n_changes++;
        return (int) size;
}

static int show_one(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "1\n");
}

static int store_nothing(Machine *machine, const Node *node, const char *data, size_t size)
{
        return (int) size;
}

static const FileKind alignment_kind = { 0644, show_alignment, store_alignment };
static const FileKind probe_kind = { 0200, NULL, store_probe };
static const FileKind rescan_all_kind = { 0200, NULL, store_rescan_all };
static const FileKind autoprobe_kind = { 0644, show_one, store_nothing };

/* --- bus/pci/devices --- */

static int find_device(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char path[256];
        PciAddress address;
        Function *function = pci_address_parse(name, &address) < 0 ? NULL : machine_find(machine, address);
        if (!function || !function->present)
                return -ENOENT;
        return node_link(ret, "../../../devices/%s", function_path(function, path));
}

static void list_devices(Machine *machine, const Node *node, const Emit *emit)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present)
                        emit->call(emit->userdata, PCI_ADDRESS_TEXT(machine->functions[i]->address));
}

static const Directory devices_directory = { find_device, list_devices };

/* --- bus/pci/drivers --- */

static int store_bind(Machine *machine, const Node *node, const char *data, size_t size)
{
        machine->n_changes++;
        int r = driver_bind_store(machine, node->driver, store_function(machine, data, size));
        return r < 0 ? r : (int) size;
}

static int store_unbind(Machine *machine, const Node *node, const char *data, size_t size)
{
        machine->n_changes++;
        int r = driver_unbind_store(machine, node->driver, store_function(machine, data, size));
        return r < 0 ? r : (int) size;
}

static int store_new_id(Machine *machine, const Node *node, const char *data, size_t size)
{
        char text[VALUE_MAX];
        unsigned vendor, device;
        Driver *driver = &machine->drivers[node->driver - machine->drivers];

        if (!store_text(text, sizeof(text), data, size) || sscanf(text, "%x %x", &vendor, &device) != 2)
                return -EINVAL;
        if (driver->n_ids == ELEMENTSOF(driver->ids))
                return -ENOMEM;
        driver->ids[driver->n_ids].vendor = vendor;
        driver->ids[driver->n_ids].device = device;
        driver->ids[driver->n_ids].class = driver->ids[driver->n_ids].class_mask = 0;
        driver->n_ids++;
        return (int) size;
}

static const FileKind bind_kind = { 0200, NULL, store_bind };
static const FileKind unbind_kind = { 0200, NULL, store_unbind };
static const FileKind new_id_kind = { 0200, NULL, store_new_id };

static const StaticEntry driver_entries[] = {
        { "bind", NULL, &bind_kind, NULL },
        { "unbind", NULL, &unbind_kind, NULL },
        { "new_id", NULL, &new_id_kind, NULL },
        { 0 },
};

static int find_in_driver(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char path[256];
        PciAddress address;
        Function *function = pci_address_parse(name, &address) < 0 ? NULL : machine_find(machine, address);
        if (function && function->present && function->driver == node->driver)
                return node_link(ret, "../../../../devices/%s", function_path(function, path));
        return node_static(driver_entries, node, name, ret);
}

static void list_driver(Machine *machine, const Node *node, const Emit *emit)
{
        static_list(driver_entries, emit);
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->driver == node->driver)
                        emit->call(emit->userdata, PCI_ADDRESS_TEXT(machine->functions[i]->address));
}

static const Directory driver_directory = { find_in_driver, list_driver };

static int find_driver(Machine *machine, const Node *node, const char *name, Node *ret)
{
        ret->driver = machine_driver(machine, name);
        return ret->driver && driver_is_loaded(ret->driver) ? node_directory(ret, &driver_directory)
                                                            : -ENOENT;
}

static void list_drivers(Machine *machine, const Node *node, const Emit *emit)
{
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (driver_is_loaded(&machine->drivers[i]))
                        emit->call(emit->userdata, machine->drivers[i].name);
}

static const Directory drivers_directory = { find_driver, list_drivers };

static const StaticEntry pci_entries[] = {
        { "devices", &devices_directory, NULL, NULL }, { "drivers", &drivers_directory, NULL, NULL },
        { "slots", &static_directory, NULL, NULL },    { "resource_alignment", NULL, &alignment_kind, NULL },
        { "drivers_probe", NULL, &probe_kind, NULL },  { "drivers_autoprobe", NULL, &autoprobe_kind, NULL },
        { "rescan", NULL, &rescan_all_kind, NULL },    { 0 },
};

/* --- pci_bus --- */

static int store_rescan_bus(Machine *machine, const Node *node, const char *data, size_t size)
{
        int r = parse_trigger(data, size);
        if (r < 0)
                return r;
        machine->n_changes++;
        /* A bus below a bridge is scanned with its hierarchy: no program of ours may use that door (KF §3). */
        if (node->function)
                machine_violation(machine, "the rescan of bus %02x, which is no root bus, was written",
                                  (unsigned) node->function->secondary);
        if (r > 0)
                pci_rescan(machine, node->function ? node->function->host : node->host);
        return (int) size;
}

static const FileKind rescan_bus_kind = { 0200, NULL, store_rescan_bus };

static const StaticEntry bus_entries[] = {
        { "rescan", NULL, &rescan_bus_kind, NULL },
        { 0 },
};

static const char *bus_name(const Node *node, char buffer[static PCI_ADDRESS_TEXT_MAX])
{
        PciAddress bus = node->function ? node->function->address : node->host->bus;
        if (node->function)
                bus.bus = node->function->secondary;
        return pci_address_format_bus(bus, buffer);
}

/* The directory `pci_bus` of a bridge or a root bus has that bus in it. */
static int find_bus(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char own[PCI_ADDRESS_TEXT_MAX];
        if (strcmp(name, bus_name(node, own)) != 0)
                return -ENOENT;
        ret->function = node->function;
        ret->host = node->host;
        ret->entries = bus_entries;
        return node_directory(ret, &static_directory);
}

static void list_bus(Machine *machine, const Node *node, const Emit *emit)
{
        char own[PCI_ADDRESS_TEXT_MAX];
        emit->call(emit->userdata, bus_name(node, own));
}

const Directory pci_bus_directory = { find_bus, list_bus };

static int find_class_bus(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char own[PCI_ADDRESS_TEXT_MAX], path[256];

        for (size_t i = 0; i < machine->n_hosts; i++) {
                Node host = { .host = &machine->hosts[i] };
                if (strcmp(bus_name(&host, own), name) == 0)
                        return node_link(ret, "../../devices/pci%s/pci_bus/%s", own, own);
        }
        for (size_t i = 0; i < machine->n_functions; i++) {
                Node bridge = { .function = machine->functions[i] };
                if (bridge.function->present && bridge.function->is_bridge &&
                    strcmp(bus_name(&bridge, own), name) == 0)
                        return node_link(ret, "../../devices/%s/pci_bus/%s",
                                         function_path(bridge.function, path), own);
        }
        return -ENOENT;
}

static void list_class_bus(Machine *machine, const Node *node, const Emit *emit)
{
        char own[PCI_ADDRESS_TEXT_MAX];

        for (size_t i = 0; i < machine->n_hosts; i++)
                emit->call(emit->userdata, bus_name(&(Node){ .host = &machine->hosts[i] }, own));
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->is_bridge)
                        emit->call(emit->userdata,
                                   bus_name(&(Node){ .function = machine->functions[i] }, own));
}

static const Directory class_bus_directory = { find_class_bus, list_class_bus };

/* --- devices --- */

static int find_on_root_bus(Machine *machine, const Node *node, const char *name, Node *ret)
{
        PciAddress address;

        ret->host = node->host;
        if (strcmp(name, "pci_bus") == 0)
                return node_directory(ret, &pci_bus_directory);
        Function *function = pci_address_parse(name, &address) < 0 ? NULL : machine_find(machine, address);
        if (!function || !function->present || function->bridge || function->host != node->host)
                return -ENOENT;
        ret->function = function;
        return node_directory(ret, &function_directory);
}

static void list_root_bus(Machine *machine, const Node *node, const Emit *emit)
{
        emit->call(emit->userdata, "pci_bus");
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                if (function->present && !function->bridge && function->host == node->host)
                        emit->call(emit->userdata, PCI_ADDRESS_TEXT(function->address));
        }
}

static const Directory root_bus_directory = { find_on_root_bus, list_root_bus };

static int find_host(Machine *machine, const Node *node, const char *name, Node *ret)
{
        unsigned domain, bus;
        char more;

        if (sscanf(name, "pci%4x:%2x%c", &domain, &bus, &more) != 2)
                return -ENOENT;
        ret->host = machine_host_of(machine, domain, (uint8_t) bus);
        return ret->host ? node_directory(ret, &root_bus_directory) : -ENOENT;
}

static void list_hosts(Machine *machine, const Node *node, const Emit *emit)
{
        for (size_t i = 0; i < machine->n_hosts; i++) {
                char name[32], bus[PCI_ADDRESS_TEXT_MAX];
                snprintf(name, sizeof(name), "pci%s", pci_address_format_bus(machine->hosts[i].bus, bus));
                emit->call(emit->userdata, name);
        }
}

static const Directory hosts_directory = { find_host, list_hosts };

/* --- kernel/iommu_groups --- */

static int show_type(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "%s\n", machine->groups[node->number].type);
}

static int store_type(Machine *machine, const Node *node, const char *data, size_t size)
{
        Group *group = &machine->groups[node->number];
        machine->n_changes++;
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->group == node->number && machine->functions[i]->driver)
                        return -EBUSY;
        return store_text(group->type, sizeof(group->type), data, size) ? (int) size : -EINVAL;
}

static int find_group_device(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char path[256];
        PciAddress address;
        Function *function = pci_address_parse(name, &address) < 0 ? NULL : machine_find(machine, address);
        if (!function || !function->present || function->group != node->number)
                return -ENOENT;
        return node_link(ret, "../../../../devices/%s", function_path(function, path));
}

static void list_group_devices(Machine *machine, const Node *node, const Emit *emit)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->group == node->number)
                        emit->call(emit->userdata, PCI_ADDRESS_TEXT(machine->functions[i]->address));
}

static const Directory group_devices_directory = { find_group_device, list_group_devices };
static const FileKind type_kind = { 0644, show_type, store_type };

static const StaticEntry group_entries[] = {
        { "devices", &group_devices_directory, NULL, NULL },
        { "type", NULL, &type_kind, NULL },
        { 0 },
};

static int find_group(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char *end;
        unsigned long number = strtoul(name, &end, 10);
        if (*end || end == name || number >= GROUPS_MAX || machine->groups[number].n_members == 0)
                return -ENOENT;
        ret->number = (int) number;
        ret->entries = group_entries;
        return node_directory(ret, &static_directory);
}

static void list_groups(Machine *machine, const Node *node, const Emit *emit)
{
        for (int i = 0; i < GROUPS_MAX; i++) {
                char name[16];
                snprintf(name, sizeof(name), "%d", i);
                if (machine->groups[i].n_members > 0)
                        emit->call(emit->userdata, name);
        }
}

static const Directory groups_directory = { find_group, list_groups };

/* --- the top --- */

static const StaticEntry bus_list[] = { { "pci", &static_directory, NULL, pci_entries }, { 0 } };
static const StaticEntry class_list[] = { { "pci_bus", &class_bus_directory, NULL, NULL }, { 0 } };
static const StaticEntry kernel_list[] = { { "iommu_groups", &groups_directory, NULL, NULL }, { 0 } };

const StaticEntry sys_entries[] = {
        { "bus", &static_directory, NULL, bus_list },
        { "class", &static_directory, NULL, class_list },
        { "devices", &hosts_directory, NULL, NULL },
        { "kernel", &static_directory, NULL, kernel_list },
        { 0 },
};
