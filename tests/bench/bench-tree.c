/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * bench-tree FOLDER N [PER-BUS [BAR-SIZE]]: makes a sysfs tree of N PCI functions in the empty FOLDER, bridges included, of
 * the shape that a large host has: root ports with PER-BUS functions (default: 8) behind each, every second bus on vfio-pci.
 * With the default BAR-SIZE, 256 bytes, their BARs are in one page. What lspci reads is there too.
 */

#include "base/util.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define PORTS_MAX 31u          /* devices 1 to 31 of a root bus, one function each */
#define BUS_FUNCTIONS_MAX 256u /* with ARI */
#define BAR_BASE UINT64_C(0x80000000)
#define BUS_ROOM UINT64_C(0x100000)
#define LINES 13u
#define BRIDGE_LINES 17u
#define BRIDGE_WINDOW 14u
#define CLASS_NETWORK 0x020000u
#define CLASS_BRIDGE 0x060400u
#define CONFIG_HEADER 64u
#define DEVICES "sys/devices"
#define LIST "sys/bus/pci/devices"

typedef struct Forest {
        int folder;
        size_t n, wanted;
        unsigned per_bus, bar_size;
} Forest;

/* Where a function is, and what it has beside what all have. */
typedef struct Place {
        char path[256];   /* below DEVICES */
        const char *name; /* the last component of it */
        unsigned depth;   /* components of it */
} Place;

static void make_folder(const Forest *forest, const char *path)
{
        if (mkdirat(forest->folder, path, 0755) < 0)
                err(1, "%s", path);
}

static void write_file(const Forest *forest, const Place *place, const char *name, const void *data,
                       size_t size)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), DEVICES "/%s/%s", place->path, name);
        _cleanup_close_ int fd = openat(forest->folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, data, size) != (ssize_t) size)
                err(1, "%s", path);
}

static void write_text(const Forest *forest, const Place *place, const char *name, const char *text)
{
        write_file(forest, place, name, text, strlen(text));
}

/* A link NAME of the function to TARGET below sys, as relative as sysfs has it. */
static void link_up(const Forest *forest, const Place *place, const char *name, const char *target)
{
        char path[PATH_MAX], up[PATH_MAX] = "..";
        snprintf(path, sizeof(path), DEVICES "/%s/%s", place->path, name);
        for (unsigned i = 0; i < place->depth; i++)
                strcat(up, "/..");
        strcat(up, target);
        if (symlinkat(up, forest->folder, path) < 0)
                err(1, "%s", path);
}

static void write_resource(const Forest *forest, const Place *place, unsigned n_lines, unsigned line,
                           uint64_t start, uint64_t size, uint64_t flags)
{
        char text[BRIDGE_LINES * 64] = "";
        size_t n = 0;
        for (unsigned i = 0; i < n_lines; i++) {
                bool is_used = i == line;
                n += (size_t) snprintf(text + n, sizeof(text) - n,
                                       "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n",
                                       is_used ? start : 0, is_used ? start + size - 1 : 0,
                                       is_used ? flags : 0);
        }
        write_text(forest, place, "resource", text);
}

/* The header of the configuration space: ids, class and header type. */
static void write_config(const Forest *forest, const Place *place, uint32_t class)
{
        unsigned char header[CONFIG_HEADER] = { 0xec, 0x10, 0x39, 0x81 };
        for (unsigned i = 0; i < 3; i++)
                header[9 + i] = (unsigned char) (class >> 8 * i);
        header[14] = class == CLASS_BRIDGE;
        write_file(forest, place, "config", header, sizeof(header));
}

static void add_function(Forest *forest, const Place *place, uint32_t class)
{
        static const char *const attributes[][2] = {
                { "vendor", "0x10ec\n" },
                { "device", "0x8139\n" },
                { "subsystem_vendor", "0x1af4\n" },
                { "subsystem_device", "0x1100\n" },
                { "enable", "0\n" },
                { "irq", "0\n" },
        };
        char path[PATH_MAX], target[PATH_MAX], number[16], modalias[64];
        snprintf(path, sizeof(path), DEVICES "/%s", place->path);
        make_folder(forest, path);
        snprintf(number, sizeof(number), "0x%06x\n", class);
        write_text(forest, place, "class", number);
        snprintf(modalias, sizeof(modalias), "pci:v000010ECd00008139sv00001AF4sd00001100bc%02Xsc%02Xi%02X\n",
                 class >> 16, class >> 8 & 0xff, class & 0xff);
        write_text(forest, place, "modalias", modalias);
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++)
                write_text(forest, place, attributes[i][0], attributes[i][1]);
        write_config(forest, place, class);
        snprintf(path, sizeof(path), LIST "/%s", place->name);
        snprintf(target, sizeof(target), "../../../devices/%s", place->path);
        if (symlinkat(target, forest->folder, path) < 0)
                err(1, "%s", path);
        forest->n++;
}

static void add_endpoint(Forest *forest, const Place *port, unsigned domain, unsigned bus, unsigned number)
{
        Place place = { .depth = port->depth + 1 };
        char path[PATH_MAX], group[64];
        int n = snprintf(place.path, sizeof(place.path), "%s/", port->path);
        place.name = place.path + n;
        snprintf(place.path + n, sizeof(place.path) - (size_t) n, "%04x:%02x:%02x.%u", domain, bus,
                 number / 8, number % 8);
        add_function(forest, &place, CLASS_NETWORK);
        write_resource(forest, &place, LINES, 0,
                       BAR_BASE + bus * BUS_ROOM + (uint64_t) number * forest->bar_size, forest->bar_size,
                       0x40200);
        snprintf(group, sizeof(group), "/kernel/iommu_groups/%u", domain * BUS_FUNCTIONS_MAX + bus);
        link_up(forest, &place, "iommu_group", group);
        link_up(forest, &place, "driver", bus % 2 ? "/bus/pci/drivers/vfio-pci" : "/bus/pci/drivers/8139cp");
        if (bus % 2 == 0)
                return;
        snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev", place.path);
        make_folder(forest, path);
        snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev/vfio%zu", place.path, forest->n);
        make_folder(forest, path);
}

static void add_port(Forest *forest, unsigned domain, unsigned number)
{
        Place place = { .depth = 2 };
        int n = snprintf(place.path, sizeof(place.path), "pci%04x:00/", domain);
        place.name = place.path + n;
        snprintf(place.path + n, sizeof(place.path) - (size_t) n, "%04x:00:%02x.0", domain, number);
        add_function(forest, &place, CLASS_BRIDGE);
        write_resource(forest, &place, BRIDGE_LINES, BRIDGE_WINDOW, BAR_BASE + number * BUS_ROOM, BUS_ROOM,
                       0x200200);
        for (unsigned i = 0; i < forest->per_bus && forest->n < forest->wanted; i++)
                add_endpoint(forest, &place, domain, number, i);
}

static void add_domain(Forest *forest, unsigned domain)
{
        char path[PATH_MAX];
        snprintf(path, sizeof(path), DEVICES "/pci%04x:00", domain);
        make_folder(forest, path);
        for (unsigned port = 1; port <= PORTS_MAX && forest->n < forest->wanted; port++)
                add_port(forest, domain, port);
}

int main(int argc, char **argv)
{
        static const char *const folders[] = { "sys", DEVICES, "sys/bus", "sys/bus/pci", LIST };
        Forest forest = { .per_bus = argc > 3 ? (unsigned) strtoul(argv[3], NULL, 10) : 8,
                          .bar_size = argc > 4 ? (unsigned) strtoul(argv[4], NULL, 10) : 256 };

        if (argc < 3 || argc > 5 || forest.per_bus == 0 || forest.per_bus > BUS_FUNCTIONS_MAX ||
            forest.bar_size == 0 || forest.bar_size > BUS_ROOM / forest.per_bus)
                errx(2, "usage: bench-tree FOLDER N [PER-BUS [BAR-SIZE]]");
        forest.wanted = strtoul(argv[2], NULL, 10);
        forest.folder = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (forest.folder < 0)
                err(1, "%s", argv[1]);
        for (size_t i = 0; i < ELEMENTSOF(folders); i++)
                make_folder(&forest, folders[i]);
        for (unsigned domain = 0; forest.n < forest.wanted; domain++)
                add_domain(&forest, domain);
        close(forest.folder);
        return 0;
}
