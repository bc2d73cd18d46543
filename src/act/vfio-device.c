/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/vfio-device.h"

#include "base/text.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define NSEC_PER_SEC UINT64_C(1000000000)
#define SAMPLES 64u
#define READS_PER_SAMPLE 32u /* the clock itself costs as much as a mapped read */

/* Headers before Linux 6.6 lack what character devices need. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
        __u32 argsz;
        __u32 flags;
        __s32 iommufd;
        __u32 out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

const char *vfio_way_name(VfioWay way)
{
        return way == VFIO_WAY_GROUP ? "group" : "iommufd";
}

void vfio_device_close(VfioDevice *device)
{
        closep(&device->device);
        closep(&device->iommufd);
        closep(&device->group);
        closep(&device->container);
        *device = (VfioDevice){ .device = -1, .iommufd = -1, .group = -1, .container = -1 };
}

/* Returns -errno, saying that WHAT could not be done. */
static int failed(const PciFunction *function, const char *what, char **ret_problem)
{
        int r = -errno;
        *ret_problem = text_format("%s: %s: %s", PCI_ADDRESS_TEXT(function->address), what, strerror(-r));
        return r;
}

static int busy(const PciFunction *function, const char *what, Finding *finding)
{
        return finding_make(finding, REASON_IN_USE, function->address, "%s (VFIO group %d)", what,
                            function->iommu_group);
}

/* --- through the group */

/* A group without an IOMMU has another name and another kind of container. */
static int open_group_file(const Root *root, const PciFunction *function, int *ret_fd, bool *ret_no_iommu)
{
        static const char *const prefixes[] = { "", "noiommu-" };
        int r = -ENOENT;
        for (size_t i = 0; i < ELEMENTSOF(prefixes) && r == -ENOENT; i++) {
                char path[64];
                snprintf(path, sizeof(path), "dev/vfio/%s%d", prefixes[i], function->iommu_group);
                r = root_open_file(root, path, O_RDWR, 0, ret_fd);
                *ret_no_iommu = i > 0;
        }
        return r;
}

static int set_iommu(int container, bool no_iommu)
{
        static const unsigned long types[] = { VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU,
                                               VFIO_SPAPR_TCE_IOMMU };
        if (no_iommu)
                return ioctl(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU);
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (ioctl(container, VFIO_SET_IOMMU, types[i]) == 0)
                        return 0;
        return -1;
}

static int open_by_group(const Root *root, const PciFunction *function, VfioDevice *device, Finding *finding,
                         char **ret_problem)
{
        struct vfio_group_status status = { .argsz = sizeof(status) };
        bool no_iommu;

        device->way = VFIO_WAY_GROUP;
        int r = open_group_file(root, function, &device->group, &no_iommu);
        if (r == -EBUSY)
                return busy(function, "it, or another member of its group, is open", finding);
        if (r == -ENOENT)
                return r;
        errno = -r;
        if (r < 0)
                return failed(function, "its VFIO group cannot be opened", ret_problem);
        if (ioctl(device->group, VFIO_GROUP_GET_STATUS, &status) < 0)
                return failed(function, "its VFIO group gives no status", ret_problem);
        if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
                return busy(function, "another member of its group is on a host driver", finding);
        r = root_open_file(root, "dev/vfio/vfio", O_RDWR, 0, &device->container);
        errno = -r;
        if (r < 0)
                return failed(function, "/dev/vfio/vfio cannot be opened", ret_problem);
        if (ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container) < 0 ||
            set_iommu(device->container, no_iommu) < 0)
                return failed(function, "its VFIO group cannot be put into a container", ret_problem);
        device->device = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, PCI_ADDRESS_TEXT(function->address));
        return device->device < 0 ? failed(function, "VFIO does not open it", ret_problem) : FINDING_NONE;
}

/* --- through the character device */

/* The name of its device node, "vfio3", is that of the one folder in vfio-dev. */
static int node_of(const Root *root, const PciFunction *function, char **ret)
{
        _cleanup_closedir_ DIR *folder = NULL;
        _cleanup_free_ char *path = text_format("%s/vfio-dev", function->sysfs_path);
        if (!path)
                return -ENOMEM;
        int r = root_open_directory(root, path, &folder);
        if (r < 0)
                return r;
        for (const struct dirent *entry; (entry = readdir(folder));)
                if (text_starts_with(entry->d_name, "vfio")) {
                        *ret = text_format("dev/vfio/devices/%s", entry->d_name);
                        return *ret ? 0 : -ENOMEM;
                }
        return -ENOENT;
}

static int open_by_iommufd(const Root *root, const PciFunction *function, VfioDevice *device,
                           Finding *finding, char **ret_problem)
{
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
        _cleanup_free_ char *node = NULL;

        device->way = VFIO_WAY_IOMMUFD;
        int r = node_of(root, function, &node);
        if (r >= 0)
                r = root_open_file(root, node, O_RDWR, 0, &device->device);
        errno = -r;
        if (r < 0)
                return failed(function,
                              "it has neither a group file nor a character device that can be opened",
                              ret_problem);
        r = root_open_file(root, "dev/iommu", O_RDWR, 0, &device->iommufd);
        errno = -r;
        if (r < 0)
                return failed(function, "/dev/iommu cannot be opened", ret_problem);
        bind.iommufd = device->iommufd;
        if (ioctl(device->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) == 0)
                return FINDING_NONE;
        return errno == EBUSY || errno == EINVAL ? busy(function, "somebody has it open", finding)
                                                 : failed(function, "iommufd does not take it", ret_problem);
}

int vfio_device_open(const Root *root, const PciFunction *function, VfioDevice *ret, Finding *finding,
                     char **ret_problem)
{
        *ret_problem = NULL;
        *ret = (VfioDevice){ .device = -1, .iommufd = -1, .group = -1, .container = -1 };
        int r = open_by_group(root, function, ret, finding, ret_problem);
        if (r == -ENOENT && !*ret_problem)
                r = open_by_iommufd(root, function, ret, finding, ret_problem);
        if (r != FINDING_NONE)
                vfio_device_close(ret);
        return r;
}

/* --- what it says */

static int region_info(const VfioDevice *device, unsigned index, struct vfio_region_info *ret)
{
        *ret = (struct vfio_region_info){ .argsz = sizeof(*ret), .index = index };
        return ioctl(device->device, VFIO_DEVICE_GET_REGION_INFO, ret) < 0 ? -errno : 0;
}

static int config_transfer(const VfioDevice *device, bool writing, unsigned offset, void *buffer,
                           size_t size)
{
        struct vfio_region_info config;
        int r = region_info(device, VFIO_PCI_CONFIG_REGION_INDEX, &config);
        if (r < 0)
                return r;
        const off_t at = (off_t) config.offset + offset;
        ssize_t n = writing ? pwrite(device->device, buffer, size, at)
                            : pread(device->device, buffer, size, at);
        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

int vfio_device_ask(const VfioDevice *device, unsigned line, VfioBar *ret)
{
        struct vfio_region_info info;
        uint32_t value;

        *ret = (VfioBar){ .line = line };
        int r = region_info(device, VFIO_PCI_BAR0_REGION_INDEX + line, &info);
        if (r < 0 || info.size == 0)
                return r;
        r = config_transfer(device, false, PCI_BASE_ADDRESS_0 + (unsigned) sizeof(value) * line, &value,
                            sizeof(value));
        if (r < 0 || (value & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_IO)
                return r;
        ret->size = info.size;
        ret->offset = info.offset;
        ret->mappable = (info.flags & VFIO_REGION_INFO_FLAG_MMAP) != 0;
        return 0;
}

/* --- what a read costs */

static uint64_t now_nsec(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        return (uint64_t) now.tv_sec * NSEC_PER_SEC + (uint64_t) now.tv_nsec;
}

static int compare_numbers(const void *a, const void *b)
{
        const double *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

/* The time of one read in a run of reads; MAPPED NULL: through the file. Negative: it cannot be read. */
static double sample(const VfioDevice *device, const VfioBar *bar, const volatile uint32_t *mapped)
{
        const uint64_t start = now_nsec();
        for (unsigned i = 0; i < READS_PER_SAMPLE; i++) {
                uint32_t value;
                if (mapped)
                        value = *mapped;
                else if (pread(device->device, &value, sizeof(value), (off_t) bar->offset) != sizeof(value))
                        return -1;
                (void) value;
        }
        return (double) (now_nsec() - start) / READS_PER_SAMPLE;
}

/* The median. */
static int cost(const VfioDevice *device, const VfioBar *bar, const volatile uint32_t *mapped, double *ret)
{
        double samples[SAMPLES];
        for (size_t i = 0; i < SAMPLES; i++) {
                samples[i] = sample(device, bar, mapped);
                if (samples[i] < 0)
                        return -EIO;
        }
        qsort(samples, SAMPLES, sizeof(samples[0]), compare_numbers);
        *ret = samples[SAMPLES / 2];
        return 0;
}

static int cost_mapped(const VfioDevice *device, uint64_t page, VfioBar *bar)
{
        const size_t size = bar->size < page ? (size_t) bar->size : (size_t) page;
        void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, device->device, (off_t) bar->offset);
        /* the first page can be the one that must not be mapped, with the MSI-X table in it */
        if (map == MAP_FAILED)
                return 0;
        int r = cost(device, bar, map, &bar->mapped_nsec);
        munmap(map, size);
        return r;
}

int vfio_device_measure(const VfioDevice *device, uint64_t page, VfioBar *bar)
{
        uint16_t command;
        int r = config_transfer(device, false, PCI_COMMAND, &command, sizeof(command));
        command |= PCI_COMMAND_MEMORY;
        if (r >= 0)
                r = config_transfer(device, true, PCI_COMMAND, &command, sizeof(command));
        if (r >= 0)
                r = cost(device, bar, NULL, &bar->trapped_nsec);
        return r >= 0 && bar->mappable ? cost_mapped(device, page, bar) : r;
}
