/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reading the snapshot: the list of all functions, and from their paths the place of each in the hierarchy. */

#include "base/text.h"
#include "model/function-read.h"
#include "model/probe-only.h"
#include "model/topology.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LIST_PATH "sys/bus/pci/devices"
#define DEVICES_PATH "sys/devices"
#define LINK_PREFIX "../../../devices/" /* from the list to the functions' own directories */
#define CLASS_USB4_ROUTER 0x0c0340u     /* any generation: the router's host interface */
#define ATTEMPTS 3u /* a rescan that lists a function before its bridge is over by then */

typedef struct Reader {
        const Root *root;
        DIR *list;   /* LIST_PATH */
        int devices; /* DEVICES_PATH */
        char **ret_problem;
        Topology *topology;
        size_t room;
} Reader;

/* "pci0000:00", the directory of a root bus. SIZE bytes at TEXT. */
static bool parse_root_bus(const char *text, size_t size, PciAddress *ret)
{
        char address[PCI_ADDRESS_TEXT_MAX];
        if (size < 4 || size - 3 + sizeof(":00.0") > sizeof(address) || memcmp(text, "pci", 3) != 0)
                return false;
        memcpy(address, text + 3, size - 3);
        memcpy(address + size - 3, ":00.0", sizeof(":00.0"));
        return pci_address_parse(address, ret) == 0;
}

static bool parse_function(const char *text, size_t size, PciAddress *ret)
{
        char address[PCI_ADDRESS_TEXT_MAX];
        if (size >= sizeof(address))
                return false;
        memcpy(address, text, size);
        address[size] = '\0';
        return pci_address_parse(address, ret) == 0;
}

/*
 * Takes root bus and VMD from PATH (below sys/devices), whose form is [ANYTHING/]pciDDDD:BB/FUNCTION[/FUNCTION…]. A VMD
 * controller has a root bus below itself, so it is the last root bus that counts. *RET_HOST is how many bytes come before
 * it. False: PATH is not of this form.
 */
static bool parse_place(const char *path, PciFunction *function, size_t *ret_host)
{
        bool in_function = false, found = false;
        PciAddress address = { 0 };

        for (const char *next, *at = path; *at; at = next) {
                size_t size = strcspn(at, "/");
                next = at + size + (at[size] == '/');
                if (size == 0 || at[0] == '.' || (at[size] == '/' && !*next))
                        return false;
                if (parse_root_bus(at, size, &address)) {
                        function->root_bus = address;
                        function->vmd = in_function;
                        *ret_host = (size_t) (at - path);
                        found = true;
                        in_function = false;
                } else if (parse_function(at, size, &address)) {
                        in_function = true;
                } else if (found) {
                        return false;
                }
        }
        return found && in_function && pci_address_equal(address, function->address) &&
               address.domain == function->root_bus.domain;
}

/*
 * The platform device that a host bridge from a device tree hangs below has a node there. (pseries and powernv have no
 * such device, and removing bridges is fine on them.)
 */
static bool host_has_node(const Reader *reader, const char *path, size_t host)
{
        _cleanup_close_ int directory = -1;
        char name[PATH_MAX];
        if (host == 0 || host >= sizeof(name))
                return false;
        memcpy(name, path, host - 1);
        name[host - 1] = '\0';
        if (root_open_below(reader->devices, name, O_PATH | O_DIRECTORY, &directory) < 0)
                return false;
        struct stat st;
        return fstatat(directory, "of_node", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A host bridge's own node may say it as well as the machine's. */
static int read_probe_only(const Reader *reader, const char *path, size_t host, PciFunction *function)
{
        _cleanup_free_ char *device = text_format(DEVICES_PATH "/%.*s", (int) host - 1, path);
        int r = device ? probe_only_read_host(reader->root, device, &function->probe_only) : -ENOMEM;
        return r < 0 ? r : PRESENCE_THERE;
}

static int list_problem(const Reader *reader, const char *name, int error, const char *what)
{
        *reader->ret_problem = text_format("/" LIST_PATH "/%s: %s", name, what);
        return error;
}

/* Where the entry NAME of the list leads: the function's path and place. TARGET gets the link. */
static int read_place(const Reader *reader, const char *name, char target[static PATH_MAX],
                      PciFunction *function)
{
        size_t host = 0;

        if (pci_address_parse(name, &function->address) < 0)
                return list_problem(reader, name, -EBADMSG, "expected a function's address as the name");
        ssize_t n = readlinkat(dirfd(reader->list), name, target, PATH_MAX - 1);
        if (n < 0 && (errno == ENOENT || errno == ENODEV))
                return PRESENCE_GONE;
        if (n < 0)
                return list_problem(reader, name, errno == EINVAL ? -EBADMSG : -errno,
                                    errno == EINVAL ? "expected a symbolic link" : strerror(errno));
        target[n] = '\0';
        const char *path = target + strlen(LINK_PREFIX);
        if (!text_starts_with(target, LINK_PREFIX) || !parse_place(path, function, &host))
                return list_problem(reader, name, -EBADMSG,
                                    "expected a link below " LINK_PREFIX
                                    " through pciDDDD:BB to the same name");

        function->sysfs_path = text_format(DEVICES_PATH "/%s", path);
        if (!function->sysfs_path)
                return -ENOMEM;
        function->device_tree = host_has_node(reader, path, host);
        return function->device_tree ? read_probe_only(reader, path, host, function) : PRESENCE_THERE;
}

static int read_function(Reader *reader, const char *name, PciFunction *function)
{
        _cleanup_close_ int directory = -1;
        char target[PATH_MAX];

        int r = read_place(reader, name, target, function);
        if (r != PRESENCE_THERE)
                return r;
        r = root_open_below(reader->devices, target + strlen(LINK_PREFIX), O_RDONLY | O_DIRECTORY,
                            &directory);
        if (presence_is_gone(r))
                return PRESENCE_GONE;
        if (r == -ELOOP)
                return list_problem(reader, name, -EBADMSG,
                                    "leads through a symbolic link, expected directories only");
        if (r < 0)
                return list_problem(reader, name, r, strerror(-r));
        return function_read(directory, function, reader->ret_problem);
}

static int add_function(Reader *reader, const char *name)
{
        Topology *topology = reader->topology;
        if (topology->n_functions == reader->room) {
                size_t room = reader->room ? reader->room * 2 : 64;
                PciFunction *more = reallocarray(topology->functions, room, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                topology->functions = more;
                reader->room = room;
        }

        PciFunction *function = &topology->functions[topology->n_functions++];
        *function = (PciFunction){ .iommu_group = IOMMU_GROUP_NONE };
        int r = read_function(reader, name, function);
        if (r == PRESENCE_GONE) {
                free(function->sysfs_path);
                free(function->driver);
                topology->n_functions--;
        }
        return r < 0 ? r : 0;
}

static int read_list(Reader *reader)
{
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(reader->list);
                if (!entry)
                        return errno ? list_problem(reader, "", -errno, strerror(errno)) : 0;
                if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
                        continue;
                int r = add_function(reader, entry->d_name);
                if (r < 0)
                        return r;
        }
}

static int compare_functions(const void *a, const void *b)
{
        return pci_address_compare(((const PciFunction *) a)->address, ((const PciFunction *) b)->address);
}

/*
 * Points every function to the bridge above it. -EAGAIN when that one is not in the snapshot. That the bridge's path is
 * the function's own without its last component rules out that bridges are above each other.
 */
static int link_bridges(const Topology *topology, char **ret_problem)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                PciFunction *function = &topology->functions[i];
                size_t above = (size_t) (strrchr(function->sysfs_path, '/') - function->sysfs_path),
                       begin = above;
                while (function->sysfs_path[begin - 1] != '/')
                        begin--;
                PciAddress address;
                if (!parse_function(function->sysfs_path + begin, above - begin, &address))
                        continue; /* on the root bus */

                const PciFunction *bridge = topology_find(topology, address);
                if (!bridge || strlen(bridge->sysfs_path) != above ||
                    memcmp(bridge->sysfs_path, function->sysfs_path, above) != 0) {
                        *ret_problem = text_format(
                                        "/" LIST_PATH "/%s: the bridge above it, %s, is not listed there",
                                        PCI_ADDRESS_TEXT(function->address), PCI_ADDRESS_TEXT(address));
                        return -EAGAIN;
                }
                function->bridge = bridge;
        }
        return 0;
}

static int mark_probe_only(const Root *root, const Topology *topology)
{
        bool probe_only;
        int r = probe_only_read(root, &probe_only);
        for (size_t i = 0; i < topology->n_functions && r == 0; i++)
                topology->functions[i].probe_only |= probe_only;
        return r;
}

static void mark_physical(const Topology *topology)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                const PciFunction *physical =
                                function->is_virtual ? topology_find(topology, function->physfn) : NULL;
                if (physical)
                        topology->functions[physical - topology->functions].has_virtual = true;
        }
}

static bool is_thunderbolt_router(const PciFunction *function)
{
        return function->class == CLASS_USB4_ROUTER || text_equal(function->driver, "thunderbolt");
}

/*
 * Where the firmware marks no external ports: a controller on a card of its own is a switch, with the router's host
 * interface below one of its downstream ports and what is plugged in below the others.
 */
static void mark_thunderbolt(const Topology *topology)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                PciFunction *router = &topology->functions[i];
                if (!is_thunderbolt_router(router))
                        continue;
                router->removable = true;
                const PciFunction *upstream = router->bridge ? router->bridge->bridge : NULL;
                for (size_t j = 0; upstream && j < topology->n_functions; j++)
                        topology->functions[j].removable |=
                                        &topology->functions[j] == upstream ||
                                        topology_is_below(&topology->functions[j], upstream);
        }
}

static int read_once(const Root *root, Topology **ret, char **ret_problem)
{
        _cleanup_(topology_freep) Topology *topology = calloc(1, sizeof(*topology));
        _cleanup_closedir_ DIR *list = NULL;
        _cleanup_close_ int devices = -1;
        if (!topology)
                return -ENOMEM;
        int r = root_open_directory(root, LIST_PATH, &list);
        if (r < 0) {
                *ret_problem = text_format("/" LIST_PATH ": %s", strerror(-r));
                return r;
        }
        r = root_open_file(root, DEVICES_PATH, O_PATH | O_DIRECTORY, 0, &devices);
        if (r < 0) {
                *ret_problem = text_format("/" DEVICES_PATH ": %s", strerror(-r));
                return r;
        }
        Reader reader = {
                .root = root,
                .list = list,
                .devices = devices,
                .ret_problem = ret_problem,
                .topology = topology,
        };
        r = read_list(&reader);
        if (r < 0)
                return r;
        if (topology->n_functions > 0)
                qsort(topology->functions, topology->n_functions, sizeof(PciFunction), compare_functions);
        r = link_bridges(topology, ret_problem);
        if (r == 0)
                r = mark_probe_only(root, topology);
        if (r < 0)
                return r;
        mark_physical(topology);
        mark_thunderbolt(topology);
        *ret = TAKE_PTR(topology);
        return 0;
}

int topology_read(const Root *root, Topology **ret, char **ret_problem)
{
        _cleanup_free_ char *problem = NULL;
        int r = -EAGAIN;

        for (unsigned attempt = 0; r == -EAGAIN && attempt < ATTEMPTS; attempt++) {
                free(TAKE_PTR(problem));
                r = read_once(root, ret, &problem);
        }
        if (r == -EAGAIN)
                r = -EBADMSG;
        if (r < 0)
                *ret_problem = TAKE_PTR(problem);
        return r;
}
