/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The directory of a function: sys/devices/…/DDDD:BB:DD.F. */

#include "pci-core.h"
#include "tree.h"
#include "uevents.h"
#include "vfio-core.h"

#include <errno.h>
#include <string.h>

/* --- what is read only --- */

static int show_resource(Machine *machine, const Node *node, char *buffer, size_t size)
{
        size_t at = 0;
        for (unsigned line = 0; line < function_lines(node->function); line++) {
                const Resource *resource = &node->function->resources[line];
                at += (size_t) snprintf(buffer + at, size - at, "0x%016llx 0x%016llx 0x%016llx\n",
                                        (unsigned long long) resource->start,
                                        (unsigned long long) resource->end,
                                        (unsigned long long) resource->flags);
        }
        return (int) at;
}

static int show_uevent(Machine *machine, const Node *node, char *buffer, size_t size)
{
        const Function *f = node->function;
        return show_text(
                        buffer, size,
                        "%s%s%sPCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\n",
                        f->driver ? "DRIVER=" : "", f->driver ? f->driver->name : "", f->driver ? "\n" : "",
                        f->class, f->vendor, f->device, f->subvendor, f->subdevice,
                        PCI_ADDRESS_TEXT(f->address));
}

/* kobject_synth_uevent(): an action, and perhaps an identifier that the event then carries. */
static int store_uevent(Machine *machine, const Node *node, const char *data, size_t size)
{
        char text[VALUE_MAX], action[16], more, uuid[37] = "";

        if (!store_text(text, sizeof(text), data, size) ||
            sscanf(text, "%15[a-z] %36[0-9a-f-]%c", action, uuid, &more) < 1 ||
            (uuid[0] && strlen(uuid) != sizeof(uuid) - 1))
                return -EINVAL;
        uevents_send_synthetic(machine, action, node->function, uuid[0] ? uuid : "0");
        return (int) size;
}

static int show_modalias(Machine *machine, const Node *node, char *buffer, size_t size)
{
        const Function *f = node->function;
        return show_text(buffer, size, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n", f->vendor, f->device,
                         f->subvendor, f->subdevice, f->class >> 16, f->class >> 8 & 0xff, f->class & 0xff);
}

static int show_enable(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "%u\n", node->function->enable);
}

static int show_removable(Machine *machine, const Node *node, char *buffer, size_t size)
{
        return show_text(buffer, size, "%s\n", node->function->external ? "removable" : "fixed");
}

/* --- attributes that are lost with the function --- */

static int show_attribute(Machine *machine, const Node *node, char *buffer, size_t size)
{
        const char *value = node->function->attributes[node->number];
        if (node->number == ATTRIBUTE_OVERRIDE && !*value)
                value = "(null)";
        return show_text(buffer, size, "%s\n", value);
}

static bool is_one_of(const char *value, const char *const *values)
{
        for (; *values; values++)
                if (strcmp(*values, value) == 0)
                        return true;
        return false;
}

static int store_attribute(Machine *machine, const Node *node, const char *data, size_t size)
{
        static const char *const controls[] = { "on", "auto", NULL };
        static const char *const wakeups[] = { "enabled", "disabled", NULL };
        static const char *const bits[] = { "0", "1", NULL };
        char value[VALUE_MAX];

        machine->n_changes++;
        if (!store_text(value, sizeof(value), data, size))
                return -EINVAL;
        switch ((Attribute) node->number) {
        case ATTRIBUTE_CONTROL:
                if (!is_one_of(value, controls))
                        return -EINVAL;
                break;
        case ATTRIBUTE_WAKEUP:
                if (!is_one_of(value, wakeups))
                        return -EINVAL;
                break;
        case ATTRIBUTE_D3COLD:
        case ATTRIBUTE_MSI_BUS:
        case ATTRIBUTE_PARITY:
        case ATTRIBUTE_CLKPM:
        case ATTRIBUTE_L1_ASPM:
                if (!is_one_of(value, bits))
                        return -EINVAL;
                break;
        case ATTRIBUTE_RESET_METHOD:
                if (strstr(value, "bus") && !pci_can_reset_bus(machine, node->function))
                        return -EINVAL;
                break;
        case ATTRIBUTE_OVERRIDE:
        case ATTRIBUTE_AUTOSUSPEND:
        case ATTRIBUTE_NUMA_NODE:
        case ATTRIBUTES:
                break;
        }
        snprintf(node->function->attributes[node->number], VALUE_MAX, "%s", value);
        machine_changed(machine);
        return (int) size;
}

static const FileKind attribute_kind = { 0644, show_attribute, store_attribute };

static const char *const attribute_names[ATTRIBUTES] = {
        [ATTRIBUTE_OVERRIDE] = "driver_override",    [ATTRIBUTE_CONTROL] = "power/control",
        [ATTRIBUTE_WAKEUP] = "power/wakeup",         [ATTRIBUTE_AUTOSUSPEND] = "power/autosuspend_delay_ms",
        [ATTRIBUTE_D3COLD] = "d3cold_allowed",       [ATTRIBUTE_RESET_METHOD] = "reset_method",
        [ATTRIBUTE_NUMA_NODE] = "numa_node",         [ATTRIBUTE_MSI_BUS] = "msi_bus",
        [ATTRIBUTE_PARITY] = "broken_parity_status", [ATTRIBUTE_CLKPM] = "link/clkpm",
        [ATTRIBUTE_L1_ASPM] = "link/l1_aspm",
};

const char *attribute_name(Attribute attribute)
{
        return attribute_names[attribute];
}

/* --- remove, rescan --- */

static int store_remove(Machine *machine, const Node *node, const char *data, size_t size)
{
        machine->n_changes++;
        if (size == 0 || data[0] < '0' || data[0] > '9')
                return -EINVAL;
        if (data[0] != '0')
                pci_remove(machine, node->function);
        return (int) size;
}

static int store_rescan(Machine *machine, const Node *node, const char *data, size_t size)
{
        machine->n_changes++;
        machine_violation(machine, "the rescan of %s was written, which can dead-lock (KF §3)",
                          PCI_ADDRESS_TEXT(node->function->address));
        pci_rescan(machine, node->function->host);
        return (int) size;
}

static const FileKind remove_kind = { 0220, NULL, store_remove };
static const FileKind rescan_kind = { 0200, NULL, store_rescan };
static const FileKind resource_kind = { 0444, show_resource, NULL };
static const FileKind uevent_kind = { 0644, show_uevent, store_uevent };
static const FileKind modalias_kind = { 0444, show_modalias, NULL };
static const FileKind enable_kind = { 0644, show_enable, NULL };
static const FileKind removable_kind = { 0444, show_removable, NULL };

/* --- directories --- */

/* power/ and link/: the attributes with that prefix. */
static const char *const folders[] = { "power/", "link/" };

static int find_attribute(const Node *node, const char *prefix, const char *name, Node *ret)
{
        size_t size = strlen(prefix);
        for (int i = 0; i < ATTRIBUTES; i++)
                if (strncmp(attribute_names[i], prefix, size) == 0 &&
                    strcmp(attribute_names[i] + size, name) == 0) {
                        ret->function = node->function;
                        ret->number = i;
                        return node_file(ret, &attribute_kind);
                }
        return -ENOENT;
}

static void list_attributes(const char *prefix, const Emit *emit)
{
        size_t size = strlen(prefix);
        for (int i = 0; i < ATTRIBUTES; i++)
                if (strncmp(attribute_names[i], prefix, size) == 0 &&
                    !strchr(attribute_names[i] + size, '/'))
                        emit->call(emit->userdata, attribute_names[i] + size);
}

static int find_in_folder(Machine *machine, const Node *node, const char *name, Node *ret)
{
        return find_attribute(node, folders[node->number], name, ret);
}

static void list_folder(Machine *machine, const Node *node, const Emit *emit)
{
        list_attributes(folders[node->number], emit);
}

static const Directory folder_directory = { find_in_folder, list_folder };

static const StaticEntry no_entries[] = { { 0 } };

static int find_vfio(Machine *machine, const Node *node, const char *name, Node *ret)
{
        char own[16];
        snprintf(own, sizeof(own), "vfio%d", node->function->vfio);
        if (node->function->vfio == NONE || strcmp(own, name) != 0)
                return -ENOENT;
        ret->entries = no_entries;
        return node_directory(ret, &static_directory);
}

static void list_vfio(Machine *machine, const Node *node, const Emit *emit)
{
        char own[16];
        snprintf(own, sizeof(own), "vfio%d", node->function->vfio);
        if (node->function->vfio != NONE)
                emit->call(emit->userdata, own);
}

static const Directory vfio_directory = { find_vfio, list_vfio };

/* --- net/eth0: there as long as a host driver has the function, when somebody may want it up --- */

static const User *interface_of(Machine *machine, const Function *function)
{
        for (size_t i = 0; i < machine->n_users; i++)
                if (machine->users[i].kind == USER_INTERFACE && function_on_host(function) &&
                    pci_address_equal(machine->users[i].function, function->address))
                        return &machine->users[i];
        return NULL;
}

static int show_flags(Machine *machine, const Node *node, char *buffer, size_t size)
{
        const User *user = interface_of(machine, node->function);
        return show_text(buffer, size, "0x%x\n", user && user->active ? 0x1003u : 0x1002u);
}

static const FileKind flags_kind = { 0644, show_flags, NULL };
static const StaticEntry interface_entries[] = { { "flags", NULL, &flags_kind, NULL }, { 0 } };

static int find_in_interface(Machine *machine, const Node *node, const char *name, Node *ret)
{
        ret->function = node->function;
        if (strcmp(name, "subsystem") == 0)
                return node_link(ret, "../../../../class/net");
        return node_static(interface_entries, node, name, ret);
}

static void list_interface(Machine *machine, const Node *node, const Emit *emit)
{
        static_list(interface_entries, emit);
        emit->call(emit->userdata, "subsystem");
}

static const Directory interface_directory = { find_in_interface, list_interface };

static int find_in_net(Machine *machine, const Node *node, const char *name, Node *ret)
{
        ret->function = node->function;
        return strcmp(name, "eth0") == 0 ? node_directory(ret, &interface_directory) : -ENOENT;
}

static void list_net(Machine *machine, const Node *node, const Emit *emit)
{
        emit->call(emit->userdata, "eth0");
}

static const Directory net_directory = { find_in_net, list_net };

static const StaticEntry function_entries[] = {
        { "resource", NULL, &resource_kind, NULL },
        { "uevent", NULL, &uevent_kind, NULL },
        { "modalias", NULL, &modalias_kind, NULL },
        { "enable", NULL, &enable_kind, NULL },
        { "remove", NULL, &remove_kind, NULL },
        { "rescan", NULL, &rescan_kind, NULL },
        { 0 },
};

/* From the function's directory up to sys. */
static const char *to_sys(const Function *function, char buffer[static 128])
{
        char path[256];
        size_t at = 0;

        at += (size_t) snprintf(buffer, 128, "../../");
        for (const char *slash = strchr(function_path(function, path), '/'); slash;
             slash = strchr(slash + 1, '/'))
                at += (size_t) snprintf(buffer + at, 128 - at, "../");
        return buffer;
}

static int find_link(const Node *node, const char *name, Node *ret)
{
        const Function *function = node->function;
        char up[128];

        if (strcmp(name, "subsystem") == 0)
                return node_link(ret, "%sbus/pci", to_sys(function, up));
        if (strcmp(name, "driver") == 0 && function->driver)
                return node_link(ret, "%sbus/pci/drivers/%s", to_sys(function, up), function->driver->name);
        if (strcmp(name, "iommu_group") == 0 && function->group != NONE)
                return node_link(ret, "%skernel/iommu_groups/%d", to_sys(function, up), function->group);
        return -ENOENT;
}

static int find_in_function(Machine *machine, const Node *node, const char *name, Node *ret)
{
        Function *function = node->function;
        PciAddress address;

        if (find_link(node, name, ret) == 0 || node_static(function_entries, node, name, ret) == 0 ||
            find_attribute(node, "", name, ret) == 0)
                return 0;
        ret->function = function;
        if (strcmp(name, "removable") == 0)
                return node_file(ret, &removable_kind);
        if (strcmp(name, "vfio-dev") == 0 && function->vfio != NONE)
                return node_directory(ret, &vfio_directory);
        if (strcmp(name, "net") == 0 && interface_of(machine, function))
                return node_directory(ret, &net_directory);
        if (strcmp(name, "pci_bus") == 0 && function->is_bridge)
                return node_directory(ret, &pci_bus_directory);
        for (int i = 0; i < (int) ELEMENTSOF(folders); i++)
                if (strncmp(name, folders[i], strlen(name)) == 0 && folders[i][strlen(name)] == '/') {
                        ret->number = i;
                        return node_directory(ret, &folder_directory);
                }
        Function *child = pci_address_parse(name, &address) < 0 ? NULL : machine_find(machine, address);
        if (!child || !child->present || child->bridge != function)
                return -ENOENT;
        ret->function = child;
        return node_directory(ret, &function_directory);
}

static void list_function(Machine *machine, const Node *node, const Emit *emit)
{
        static const char *const others[] = { "subsystem", "driver",  "iommu_group", "removable", "vfio-dev",
                                              "net",       "pci_bus", "power",       "link" };

        static_list(function_entries, emit);
        list_attributes("", emit);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                Node found = { .number = NONE };
                if (find_in_function(machine, node, others[i], &found) == 0)
                        emit->call(emit->userdata, others[i]);
        }
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->bridge == node->function)
                        emit->call(emit->userdata, PCI_ADDRESS_TEXT(machine->functions[i]->address));
}

const Directory function_directory = { find_in_function, list_function };
