/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reading the snapshot from sysfs. One directory descriptor a function, every attribute opened below it without
 * following links, one read(2) each.
 */

#include "base/text.h"
#include "model/topology.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define LIST_PATH "sys/bus/pci/devices"
#define DEVICES_PATH "sys/devices"
#define LINK_PREFIX "../../../devices/" /* from the list to the functions' own directories */
#define ATTRIBUTE_MAX 8192u             /* the longest, a bridge's `resource`, has less than 1000 bytes */
#define ATTEMPTS 3u /* a rescan that lists a function before its bridge is over by then */

#define CLASS_BRIDGE_PCI 0x0604u

/* Whether a function could be read; what is gone is left out of the snapshot. */
typedef enum Presence {
        PRESENCE_THERE,
        PRESENCE_GONE,
} Presence;

typedef struct Reader {
        const Root *root;
        DIR *list;   /* LIST_PATH */
        int devices; /* DEVICES_PATH */
        char **ret_problem;
        Topology *topology;
        size_t room;
} Reader;

/* One function that is being read. */
typedef struct Subject {
        Reader *reader;
        PciFunction *function;
        int directory;
} Subject;

static bool is_gone(int error)
{
        return error == -ENOENT || error == -ENODEV;
}

/* Notes that FILE of the function is not as expected, and returns ERROR. */
static int subject_problem(const Subject *subject, const char *file, int error, const char *what)
{
        *subject->reader->ret_problem = text_format("/%s/%s: %s", subject->function->sysfs_path, file, what);
        return error;
}

static int subject_unreadable(const Subject *subject, const char *file, int error)
{
        if (error == -ELOOP)
                return subject_problem(subject, file, -EBADMSG, "is a symbolic link, expected a file");
        if (error == -EBADMSG || error == -EFBIG || error == -EISDIR)
                return subject_problem(subject, file, -EBADMSG, "expected a short text file");
        return subject_problem(subject, file, error, strerror(-error));
}

/* --- attributes --- */

static int parse_pair(const char *text, uint16_t *ret_first, uint16_t *ret_second)
{
        char first[8];
        uint64_t a, b;
        size_t size = strcspn(text, ":");
        if (text[size] != ':' || size >= sizeof(first))
                return -EBADMSG;
        memcpy(first, text, size);
        first[size] = '\0';
        if (text_to_u64(first, 16, UINT16_MAX, &a) < 0 ||
            text_to_u64(text + size + 1, 16, UINT16_MAX, &b) < 0)
                return -EBADMSG;
        *ret_first = (uint16_t) a;
        *ret_second = (uint16_t) b;
        return 0;
}

#define IDENTITY_KEYS "PCI_CLASS, PCI_ID and PCI_SUBSYS_ID"
enum {
        SEEN_CLASS = 1,
        SEEN_ID = 2,
        SEEN_SUBSYSTEM = 4,
        SEEN_ALL = SEEN_CLASS | SEEN_ID | SEEN_SUBSYSTEM,
};

/* Takes what one line of `uevent` says; returns which of the keys it was, 0 for another, -EBADMSG. */
static int parse_identity_line(const char *line, PciFunction *function)
{
        const char *equals = strchr(line, '=');
        if (!equals)
                return -EBADMSG;
        if (text_starts_with(line, "PCI_CLASS=")) {
                uint64_t class;
                if (text_to_u64(equals + 1, 16, 0xffffff, &class) < 0)
                        return -EBADMSG;
                function->class = (uint32_t) class;
                return SEEN_CLASS;
        }
        if (text_starts_with(line, "PCI_ID="))
                return parse_pair(equals + 1, &function->vendor, &function->device) < 0 ? -EBADMSG : SEEN_ID;
        if (text_starts_with(line, "PCI_SUBSYS_ID="))
                return parse_pair(equals + 1, &function->subvendor, &function->subdevice) < 0
                                       ? -EBADMSG
                                       : SEEN_SUBSYSTEM;
        return 0;
}

static int read_identity(const Subject *subject)
{
        char text[ATTRIBUTE_MAX], what[128];
        int r = root_read_below(subject->directory, "uevent", text, sizeof(text));
        if (is_gone(r))
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, "uevent", r);

        unsigned n = 0;
        int seen = 0;
        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                if (!rest && !*line)
                        break; /* behind the last newline */
                n++;
                r = parse_identity_line(line, subject->function);
                if (r < 0) {
                        snprintf(what, sizeof(what),
                                 "line %u: expected KEY=VALUE, with hexadecimal " IDENTITY_KEYS, n);
                        return subject_problem(subject, "uevent", r, what);
                }
                seen |= r;
        }
        if (seen != SEEN_ALL) {
                snprintf(what, sizeof(what), "line %u: the file ends here, expected " IDENTITY_KEYS, n);
                return subject_problem(subject, "uevent", -EBADMSG, what);
        }
        subject->function->is_bridge = subject->function->class >> 8 == CLASS_BRIDGE_PCI;
        return PRESENCE_THERE;
}

static int read_resources(const Subject *subject)
{
        char text[ATTRIBUTE_MAX];
        _cleanup_free_ char *problem = NULL;
        int r = root_read_below(subject->directory, "resource", text, sizeof(text));
        if (is_gone(r))
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, "resource", r);
        r = resource_table_parse(text, &subject->function->resources, &problem);
        if (r < 0)
                return subject_problem(subject, "resource", r, problem ? problem : "");
        return PRESENCE_THERE;
}

/* An attribute that not every function has: TEXT is empty then. */
static int read_optional(const Subject *subject, const char *name, char text[static ATTRIBUTE_MAX])
{
        int r = root_read_below(subject->directory, name, text, ATTRIBUTE_MAX);
        if (r == -ENOENT) {
                text[0] = '\0';
                return PRESENCE_THERE;
        }
        if (r == -ENODEV)
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, name, r);
        size_t size = strlen(text);
        if (size == 0)
                return subject_problem(subject, name, -EBADMSG,
                                       "line 1: the file is empty, expected a value");
        if (text[size - 1] == '\n')
                text[size - 1] = '\0';
        return PRESENCE_THERE;
}

static int read_number(const Subject *subject, const char *name, uint64_t max, unsigned *ret)
{
        char text[ATTRIBUTE_MAX];
        uint64_t value = 0;
        int r = read_optional(subject, name, text);
        if (r != PRESENCE_THERE)
                return r;
        if (*text && text_to_u64(text, 10, max, &value) < 0)
                return subject_problem(subject, name, -EBADMSG, "line 1: expected a decimal number");
        *ret = (unsigned) value;
        return PRESENCE_THERE;
}

static int read_display(const Subject *subject)
{
        unsigned value;
        int r = read_number(subject, "boot_vga", 1, &value);
        if (r == PRESENCE_THERE)
                subject->function->boot_display = value == 1;
        return r;
}

static int read_removable(const Subject *subject)
{
        static const char *const words[] = { "", "removable", "fixed", "unknown" };
        char text[ATTRIBUTE_MAX];
        int r = read_optional(subject, "removable", text);
        if (r != PRESENCE_THERE)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (text_equal(text, words[i])) {
                        subject->function->removable = text_equal(text, "removable");
                        return PRESENCE_THERE;
                }
        return subject_problem(subject, "removable", -EBADMSG,
                               "line 1: expected removable, fixed or unknown");
}

/* --- links and directories --- */

/*
 * The last component of the link NAME, which must be relative and end in FOLDER and that component; empty at BUFFER when
 * there is no such link.
 */
static int read_link_name(const Subject *subject, const char *name, const char *folder, char *buffer,
                          size_t size)
{
        char target[PATH_MAX], what[128];
        ssize_t n = readlinkat(subject->directory, name, target, sizeof(target) - 1);
        if (n < 0 && errno == ENOENT) {
                buffer[0] = '\0';
                return PRESENCE_THERE;
        }
        if (n < 0 && errno == ENODEV)
                return PRESENCE_GONE;
        if (n < 0 && errno != EINVAL)
                return subject_unreadable(subject, name, -errno);
        target[n < 0 ? 0 : n] = '\0';

        char *slash = strrchr(target, '/');
        size_t length = strlen(folder), above = slash ? (size_t) (slash - target) : 0;
        if (above < length || !text_starts_with(target, "../") ||
            memcmp(target + above - length, folder, length) != 0 || slash[1] == '\0' || slash[1] == '.' ||
            strlen(slash + 1) >= size) {
                snprintf(what, sizeof(what), "expected a symbolic link to a name below %s", folder);
                return subject_problem(subject, name, -EBADMSG, what);
        }
        memcpy(buffer, slash + 1, strlen(slash + 1) + 1);
        return PRESENCE_THERE;
}

static int read_driver(const Subject *subject)
{
        char name[NAME_MAX + 1];
        int r = read_link_name(subject, "driver", "/bus/pci/drivers", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        subject->function->driver = strdup(name);
        return subject->function->driver ? PRESENCE_THERE : -ENOMEM;
}

static int read_group(const Subject *subject)
{
        char name[NAME_MAX + 1];
        uint64_t group;
        int r = read_link_name(subject, "iommu_group", "/kernel/iommu_groups", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        if (text_to_u64(name, 10, INT_MAX, &group) < 0)
                return subject_problem(subject, "iommu_group", -EBADMSG,
                                       "expected a link to a group's number");
        subject->function->iommu_group = (int) group;
        return PRESENCE_THERE;
}

static int read_physfn(const Subject *subject)
{
        char name[NAME_MAX + 1];
        int r = read_link_name(subject, "physfn", "..", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        if (pci_address_parse(name, &subject->function->physfn) < 0)
                return subject_problem(subject, "physfn", -EBADMSG, "expected a link to a function");
        subject->function->is_virtual = true;
        return PRESENCE_THERE;
}

static bool has_entry(int directory, const char *name, mode_t type)
{
        struct stat st;
        return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type;
}

static int read_entries(const Subject *subject)
{
        subject->function->has_virtual = has_entry(subject->directory, "virtfn0", S_IFLNK);
        subject->function->on_vfio = has_entry(subject->directory, "vfio-dev", S_IFDIR);
        subject->function->zpci = has_entry(subject->directory, "function_id", S_IFREG);
        return PRESENCE_THERE;
}

static int read_enable(const Subject *subject)
{
        return read_number(subject, "enable", UINT_MAX, &subject->function->enable);
}

static int read_attributes(const Subject *subject)
{
        static int (*const readers[])(const Subject *) = { read_identity, read_resources, read_enable,
                                                           read_driver,   read_group,     read_physfn,
                                                           read_entries,  read_display,   read_removable };
        for (size_t i = 0; i < ELEMENTSOF(readers); i++) {
                int r = readers[i](subject);
                if (r != PRESENCE_THERE)
                        return r;
        }
        return PRESENCE_THERE;
}

/* --- the place in the hierarchy --- */

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
                if (size == 0 || at[0] == '.')
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
        return has_entry(directory, "of_node", S_IFLNK) || has_entry(directory, "of_node", S_IFDIR);
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
        size_t host;

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

        function->device_tree = host_has_node(reader, path, host);
        function->sysfs_path = text_format(DEVICES_PATH "/%s", path);
        return function->sysfs_path ? PRESENCE_THERE : -ENOMEM;
}

/* --- one function, then all --- */

static int read_function(Reader *reader, const char *name, PciFunction *function)
{
        _cleanup_close_ int directory = -1;
        char target[PATH_MAX];

        int r = read_place(reader, name, target, function);
        if (r != PRESENCE_THERE)
                return r;
        Subject subject = { .reader = reader, .function = function };
        r = root_open_below(reader->devices, target + strlen(LINK_PREFIX), O_RDONLY | O_DIRECTORY,
                            &directory);
        if (is_gone(r))
                return PRESENCE_GONE;
        if (r == -ELOOP)
                return list_problem(reader, name, -EBADMSG,
                                    "leads through a symbolic link, expected directories only");
        if (r < 0)
                return list_problem(reader, name, r, strerror(-r));
        subject.directory = directory;
        return read_attributes(&subject);
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

static int read_once(const Root *root, Topology **ret, char **ret_problem)
{
        _cleanup_(topology_freep)
        Topology *topology = calloc(1, sizeof(*topology));
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
        Reader reader = { .root = root,
                          .list = list,
                          .devices = devices,
                          .ret_problem = ret_problem,
                          .topology = topology };
        r = read_list(&reader);
        if (r < 0)
                return r;
        if (topology->n_functions > 0)
                qsort(topology->functions, topology->n_functions, sizeof(PciFunction), compare_functions);
        r = link_bridges(topology, ret_problem);
        if (r < 0)
                return r;
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
