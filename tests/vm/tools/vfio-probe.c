/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-probe: the independent judge. It opens a PCI function through VFIO as QEMU or a user-space driver
 * would (group and type 1 container; with --cdev its character device, bound to an iommufd and attached to an address
 * space there), and reads from VFIO's own answer which memory BARs it may map. It
 * shares no code with the programs it judges, and knows nothing of pages, neighbours or the resource file.
 *
 *   vfio-probe [--cdev] FUNCTION...  one line per memory BAR: FUNCTION BAR SIZE MAP (MAP: 0 or 1)
 *   vfio-probe [--cdev] --hold FUNCTION  the same, then "holding", and keeps the function open until killed
 *   vfio-probe --cdev --map FUNCTION  the same, but keeps no file open: only its first BAR that VFIO maps, mapped
 *   vfio-probe [--cdev] --cost N FUNCTION BAR  median nanoseconds of N reads of a register: "trapped NS", "mapped NS"
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Written down from the kernel's include/uapi/linux/{vfio,iommufd}.h: Debian 12 has older ones. */
struct bind_argument {
        uint32_t argsz;
        uint32_t flags;
        int32_t iommufd;
        uint32_t out_devid;
};

struct attach_argument {
        uint32_t argsz;
        uint32_t flags;
        uint32_t pt_id;
};

struct ioas_argument {
        uint32_t size;
        uint32_t flags;
        uint32_t out_ioas_id;
};

#define BIND_IOMMUFD _IO(';', 100 + 18)
#define ATTACH_IOMMUFD_PT _IO(';', 100 + 19)
#define IOAS_ALLOC _IO(';', 0x81)

/* CONTAINER is the iommufd, and GROUP none, when it was opened through its character device. */
typedef struct Opened {
        int container;
        int group;
        int device;
} Opened;

static int complain(const char *function, const char *what)
{
        fprintf(stderr, "vfio-probe: %s: %s: %s\n", function, what, strerror(errno));
        return -1;
}

static void opened_close(Opened *o)
{
        if (o->device >= 0)
                close(o->device);
        if (o->group >= 0)
                close(o->group);
        if (o->container >= 0)
                close(o->container);
}

/* The group's number is the last component of the function's iommu_group link. */
static int open_group(const char *function)
{
        char link[128], target[256], path[64];
        const char *number;
        ssize_t n;

        snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", function);
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return complain(function, "no IOMMU group");
        target[n] = '\0';
        number = strrchr(target, '/');
        snprintf(path, sizeof(path), "/dev/vfio/%.32s", number ? number + 1 : target);

        n = open(path, O_RDWR | O_CLOEXEC);
        return n < 0 ? complain(function, path) : (int) n;
}

static int open_group_device(Opened *o, const char *function)
{
        struct vfio_group_status status = { .argsz = sizeof(status) };

        o->group = open_group(function);
        if (o->group < 0)
                return -1;
        if (ioctl(o->group, VFIO_GROUP_GET_STATUS, &status) < 0)
                return complain(function, "group status");
        if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
                errno = EBUSY;
                return complain(function, "group not viable: a member is on a host driver");
        }
        o->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
        if (o->container < 0)
                return complain(function, "/dev/vfio/vfio");
        if (ioctl(o->group, VFIO_GROUP_SET_CONTAINER, &o->container) < 0)
                return complain(function, "set container");
        if (ioctl(o->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0 &&
            ioctl(o->container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU) < 0)
                return complain(function, "set IOMMU");
        o->device = ioctl(o->group, VFIO_GROUP_GET_DEVICE_FD, function);
        return o->device < 0 ? complain(function, "get device") : 0;
}

/* The device's name, "vfio3", is that of the directory below vfio-dev. */
static int open_node(const char *function)
{
        char path[128];
        DIR *directory;
        struct dirent *entry;
        int fd = -1;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", function);
        directory = opendir(path);
        if (!directory)
                return complain(function, path);
        while ((entry = readdir(directory)) && entry->d_name[0] == '.')
                ;
        errno = ENOENT;
        if (entry) {
                snprintf(path, sizeof(path), "/dev/vfio/devices/%.32s", entry->d_name);
                fd = open(path, O_RDWR | O_CLOEXEC);
        }
        if (fd < 0)
                complain(function, path);
        closedir(directory);
        return fd;
}

static int open_character_device(Opened *o, const char *function)
{
        struct bind_argument bind = { .argsz = sizeof(bind) };
        struct ioas_argument ioas = { .size = sizeof(ioas) };
        struct attach_argument attach = { .argsz = sizeof(attach) };

        o->device = open_node(function);
        if (o->device < 0)
                return -1;
        o->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
        if (o->container < 0)
                return complain(function, "/dev/iommu");
        bind.iommufd = o->container;
        if (ioctl(o->device, BIND_IOMMUFD, &bind) < 0)
                return complain(function, "bind to iommufd");
        if (ioctl(o->container, IOAS_ALLOC, &ioas) < 0)
                return complain(function, "allocate an address space");
        attach.pt_id = ioas.out_ioas_id;
        return ioctl(o->device, ATTACH_IOMMUFD_PT, &attach) < 0 ? complain(function, "attach") : 0;
}

static int opened_open(Opened *o, const char *function, bool cdev)
{
        *o = (Opened){ .container = -1, .group = -1, .device = -1 };
        return cdev ? open_character_device(o, function) : open_group_device(o, function);
}

static int region_info(const Opened *o, unsigned int index, struct vfio_region_info *ret_info)
{
        *ret_info = (struct vfio_region_info){ .argsz = sizeof(*ret_info), .index = index };
        return ioctl(o->device, VFIO_DEVICE_GET_REGION_INFO, ret_info);
}

static int config_read(const Opened *o, unsigned int offset, void *buffer, size_t size)
{
        struct vfio_region_info config;

        if (region_info(o, VFIO_PCI_CONFIG_REGION_INDEX, &config) < 0)
                return -1;
        return pread(o->device, buffer, size, (off_t) config.offset + offset) == (ssize_t) size ? 0 : -1;
}

/* Registers are read at their region only while the function decodes memory. */
static int enable_memory(const Opened *o)
{
        struct vfio_region_info config;
        uint16_t command;

        if (config_read(o, PCI_COMMAND, &command, sizeof(command)) < 0 ||
            region_info(o, VFIO_PCI_CONFIG_REGION_INDEX, &config) < 0)
                return -1;
        command |= PCI_COMMAND_MEMORY;
        return pwrite(o->device, &command, sizeof(command), (off_t) config.offset + PCI_COMMAND) ==
                                               sizeof(command)
                               ? 0
                               : -1;
}

static int print_bars(const Opened *o, const char *function)
{
        for (unsigned int bar = VFIO_PCI_BAR0_REGION_INDEX; bar <= VFIO_PCI_BAR5_REGION_INDEX; bar++) {
                struct vfio_region_info info;
                uint32_t value;

                if (region_info(o, bar, &info) < 0)
                        return complain(function, "region info");
                if (info.size == 0)
                        continue;
                if (config_read(o, PCI_BASE_ADDRESS_0 + 4 * bar, &value, sizeof(value)) < 0)
                        return complain(function, "config space");
                if (value & PCI_BASE_ADDRESS_SPACE_IO)
                        continue;
                printf("%s %u 0x%llx %d\n", function, bar, (unsigned long long) info.size,
                       !!(info.flags & VFIO_REGION_INFO_FLAG_MMAP));
        }
        return 0;
}

static uint64_t nanoseconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC_RAW, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

/* The clock itself costs as much as a mapped read, so a sample is a run of reads. */
enum { READS_PER_SAMPLE = 32 };

static double cost_of_sample(int fd, off_t offset, const volatile uint32_t *mapped)
{
        uint64_t start = nanoseconds();

        for (int i = 0; i < READS_PER_SAMPLE; i++) {
                uint32_t value;

                if (mapped)
                        value = *mapped;
                else if (pread(fd, &value, sizeof(value), offset) != sizeof(value))
                        return -1;
                (void) value;
        }
        return (double) (nanoseconds() - start) / READS_PER_SAMPLE;
}

static int print_cost_of(const char *word, size_t reads, int fd, off_t offset,
                         const volatile uint32_t *mapped)
{
        size_t n = reads / READS_PER_SAMPLE ? reads / READS_PER_SAMPLE : 1;
        double *samples = calloc(n, sizeof(*samples));

        if (!samples)
                return -1;
        for (size_t i = 0; i < n; i++) {
                samples[i] = cost_of_sample(fd, offset, mapped);
                if (samples[i] < 0) {
                        free(samples);
                        return -1;
                }
        }
        qsort(samples, n, sizeof(*samples), compare);
        printf("%s %.0f\n", word, samples[n / 2]);
        free(samples);
        return 0;
}

static int print_cost(const Opened *o, const char *function, size_t reads, unsigned int bar)
{
        struct vfio_region_info info;
        void *map;
        int r;

        if (region_info(o, bar, &info) < 0 || info.size == 0) {
                errno = ENXIO;
                return complain(function, "no such BAR");
        }
        if (enable_memory(o) < 0)
                return complain(function, "enable memory");
        if (print_cost_of("trapped", reads, o->device, (off_t) info.offset, NULL) < 0)
                return complain(function, "read register");
        if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
                printf("mapped -\n");
                return 0;
        }
        map = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, o->device, (off_t) info.offset);
        if (map == MAP_FAILED)
                return complain(function, "map");
        r = print_cost_of("mapped", reads, -1, 0, map);
        munmap(map, info.size);
        return r;
}

/* Maps the first BAR that may be mapped; the mapping stays when the files are closed. */
static int map_one(const Opened *o, const char *function)
{
        for (unsigned int bar = VFIO_PCI_BAR0_REGION_INDEX; bar <= VFIO_PCI_BAR5_REGION_INDEX; bar++) {
                struct vfio_region_info info;

                if (region_info(o, bar, &info) < 0)
                        return complain(function, "region info");
                if (info.size == 0 || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
                        continue;
                if (mmap(NULL, info.size, PROT_READ, MAP_SHARED, o->device, (off_t) info.offset) ==
                    MAP_FAILED)
                        return complain(function, "map");
                return 0;
        }
        errno = ENXIO;
        return complain(function, "no BAR to map");
}

static void hold(void)
{
        printf("holding\n");
        fflush(stdout);
        pause();
}

static int usage(void)
{
        fprintf(stderr, "usage: vfio-probe [--cdev] FUNCTION... | --hold FUNCTION | --map FUNCTION"
                        " | --cost READS FUNCTION BAR\n");
        return 2;
}

static bool is_option(int argc, char **argv, int n, const char *option)
{
        return argc == n && strcmp(argv[1], option) == 0;
}

int main(int argc, char **argv)
{
        bool cdev = argc > 1 && strcmp(argv[1], "--cdev") == 0;
        if (cdev) {
                argc--;
                argv++;
        }
        bool holds = is_option(argc, argv, 3, "--hold");
        bool map = is_option(argc, argv, 3, "--map");
        bool cost = is_option(argc, argv, 5, "--cost");
        int r = 0;

        if (argc < 2 || (argv[1][0] == '-' && !holds && !map && !cost))
                return usage();

        for (int i = cost ? 3 : holds || map ? 2 : 1; i < (cost ? 4 : argc) && r == 0; i++) {
                Opened o;

                r = opened_open(&o, argv[i], cdev);
                if (r == 0)
                        r = cost ? print_cost(&o, argv[i], strtoul(argv[2], NULL, 10),
                                              (unsigned int) strtoul(argv[4], NULL, 10))
                                 : print_bars(&o, argv[i]);
                fflush(stdout);
                if (r == 0 && map)
                        r = map_one(&o, argv[i]);
                if (r == 0 && holds)
                        hold();
                opened_close(&o);
                if (r == 0 && map)
                        hold();
        }
        return r == 0 ? 0 : 1;
}
