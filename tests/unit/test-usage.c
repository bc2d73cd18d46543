/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "judge/proc-users.h"
#include "judge/usage.h"
#include "suite.h"

#include <sys/mman.h>

static const char *folder;
static Root *root;

/* 01:00.0 and 01:00.1 share group 12 below the port 00:1c.0; 02:00.0 is group 13, 03:00.0 is on a host driver. */
static PciFunction functions[] = {
        { .address = { .bus = 0, .device = 0x1c },
          .sysfs_path = (char *) "sys/devices/pci0000:00/0000:00:1c.0",
          .driver = (char *) "pcieport",
          .is_bridge = true,
          .enable = 2,
          .iommu_group = 12 },
        { .address = { .bus = 1 },
          .sysfs_path = (char *) "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0",
          .driver = (char *) "vfio-pci",
          .on_vfio = true,
          .iommu_group = 12 },
        { .address = { .bus = 1, .function = 1 },
          .sysfs_path = (char *) "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.1",
          .iommu_group = 12 },
        { .address = { .bus = 2 },
          .sysfs_path = (char *) "sys/devices/pci0000:00/0000:02:00.0",
          .driver = (char *) "mlx5_vfio_pci",
          .on_vfio = true,
          .iommu_group = 13 },
        { .address = { .bus = 3 },
          .sysfs_path = (char *) "sys/devices/pci0000:00/0000:03:00.0",
          .driver = (char *) "e1000e",
          .enable = 1,
          .iommu_group = 14 },
};
static Topology topology = { .functions = functions, .n_functions = ELEMENTSOF(functions) };

#define PORT ((PciAddress){ .device = 0x1c })
#define FIRST ((PciAddress){ .bus = 1 })
#define SECOND ((PciAddress){ .bus = 1, .function = 1 })
#define LONE ((PciAddress){ .bus = 2 })
#define HOST ((PciAddress){ .bus = 3 })

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, "dev/vfio/12", "");
        suite_write(folder, "dev/vfio/13", "");
        suite_write(folder, "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/vfio-dev/vfio0/dev", "");
        suite_write(folder, "sys/devices/pci0000:00/0000:02:00.0/vfio-dev/vfio1/dev", "");
        suite_write(folder, "proc/812/comm", "qemu-system-x86\n");
        suite_write(folder, "proc/812/maps", "");
        suite_link(folder, "proc/812/fd/0", "/dev/null");
        suite_write(folder, "proc/sys/kernel/pid_max", "4194304\n"); /* no process */
        ck_assert_int_eq(root_open(folder, &root), 0);
        functions[2].enable = functions[3].enable = 0;
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

static Usage *read_usage(void)
{
        Usage *usage = NULL;
        char *problem = NULL;
        ck_assert_int_eq(usage_read(root, &topology, &usage, &problem), 0);
        ck_assert_ptr_null(problem);
        ck_assert(usage->complete);
        return usage;
}

/* The one holder of ADDRESS has this KIND and TEXT. */
static void expect(const Usage *usage, PciAddress address, HolderKind kind, const char *text)
{
        size_t n;
        const Holder *holder = usage_find(usage, address, &n);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(holder->kind, kind);
        _cleanup_free_ char *found = holder_text(holder);
        ck_assert_str_eq(found, text);
}

static void expect_none(const Usage *usage, PciAddress address)
{
        size_t n = 99;
        ck_assert_ptr_null(usage_find(usage, address, &n));
        ck_assert_uint_eq(n, 0);
}

START_TEST(test_idle)
{
        _cleanup_(usage_freep) Usage *usage = read_usage();
        ck_assert(usage->group_files);
        expect_none(usage, PORT); /* enabled and on a driver, but a port */
        expect_none(usage, FIRST);
        expect_none(usage, SECOND);
        expect_none(usage, LONE);
        expect(usage, HOST, HOLDER_HOST_DRIVER, "on the host driver e1000e");
}
END_TEST

START_TEST(test_group)
{
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/12");
        suite_link(folder, "proc/812/fd/18", "anon_inode:[vfio-device]");
        suite_link(folder, "proc/812/fd/19", "/dev/vfio/12"); /* twice is once */
        suite_link(folder, "proc/812/fd/20", "/dev/vfio/vfio");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, FIRST, HOLDER_GROUP, "open in qemu-system-x86 (pid 812)");
        expect(usage, SECOND, HOLDER_GROUP, "open in qemu-system-x86 (pid 812)");
        expect_none(usage, PORT);
        expect_none(usage, LONE);
}
END_TEST

START_TEST(test_character_device)
{
        suite_link(folder, "proc/812/fd/17", "/run/containers/4711/dev/vfio/devices/vfio1 (deleted)");
        suite_link(folder, "proc/812/fd/18", "/dev/vfio/devices/vfio10"); /* no function of ours */
        suite_write(folder, "sys/class/vfio-dev/vfio10/dev", "");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_CDEV, "open in qemu-system-x86 (pid 812)");
        expect_none(usage, FIRST);
}
END_TEST

/* While an unbind waits for whoever has the device open, sysfs shows neither the device nor the driver. */
START_TEST(test_character_device_gone)
{
        static const char text[] =
                        "perhaps open in qemu-system-x86 (pid 812), which has a VFIO device that is being taken away";
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/devices/vfio7 (deleted)");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, SECOND, HOLDER_CDEV_GONE, text);
        expect_none(usage, FIRST);
        expect_none(usage, PORT);
        expect_none(usage, LONE);
        expect(usage, HOST, HOLDER_HOST_DRIVER, "on the host driver e1000e");
}
END_TEST

/* That began after the snapshot was taken. */
START_TEST(test_character_device_going)
{
        char full[512];
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/devices/vfio1");
        snprintf(full, sizeof(full), "%s/sys/devices/pci0000:00/0000:02:00.0/vfio-dev", folder);
        suite_folder_remove(full);
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_CDEV_GONE,
               "perhaps open in qemu-system-x86 (pid 812), which has a VFIO device that is being taken away");
        expect_none(usage, FIRST);
}
END_TEST

START_TEST(test_resource_open)
{
        suite_link(folder, "proc/812/fd/3", "/sys/devices/pci0000:00/0000:02:00.0/resource1_wc");
        suite_link(folder, "proc/812/fd/4", "/sys/devices/pci0000:00/0000:02:00.0/config");
        suite_link(folder, "proc/812/fd/5",
                   "/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/resource0 (deleted)");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_RESOURCE,
               "open in qemu-system-x86 (pid 812) through "
               "/sys/devices/pci0000:00/0000:02:00.0/resource1_wc");
        expect_none(usage, FIRST); /* a file that went with its function leads nowhere */
}
END_TEST

START_TEST(test_resource_mapped)
{
        suite_write(folder, "proc/91/comm", "test\033[2Jpmd\n");
        suite_link(folder, "proc/91/fd/0", "/dev/null");
        suite_write(folder, "proc/91/maps",
                    "5581c8a00000-5581c8a2b000 r--p 00000000 fe:00 131094    /usr/bin/pmd\n"
                    "7f0c2c000000-7f0c2c001000 rw-s 00000000 00:16 4711      "
                    "/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.1/resource2\n"
                    "7ffc7b5a1000-7ffc7b5c2000 rw-p 00000000 00:00 0         [stack]\n");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, SECOND, HOLDER_RESOURCE,
               "open in test?[2Jpmd (pid 91) through "
               "/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.1/resource2");
        expect_none(usage, FIRST);
}
END_TEST

START_TEST(test_several_users)
{
        suite_link(folder, "proc/812/fd/17", "/dev/vfio/13");
        suite_write(folder, "proc/7/comm", "dpdk\n");
        suite_link(folder, "proc/7/fd/3", "/dev/vfio/noiommu-13");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        size_t n;
        const Holder *holder = usage_find(usage, LONE, &n);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(holder[0].pid, 7);
        ck_assert_int_eq(holder[1].pid, 812);
        ck_assert_str_eq(holder[1].object, "/dev/vfio/13");
}
END_TEST

START_TEST(test_enabled)
{
        functions[3].enable = 1;
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_ENABLE,
               "enabled (its enable count is not 0), though no process was found that uses it");

        suite_link(folder, "proc/812/fd/17", "anon_inode:[vfio-device]"); /* came over a socket */
        _cleanup_(usage_freep) Usage *handed = read_usage();
        expect(handed, LONE, HOLDER_GROUP,
               "probably open in qemu-system-x86 (pid 812), which was handed an open VFIO device");
        expect_none(handed, FIRST);

        suite_link(folder, "proc/812/fd/18", "/dev/vfio/13");
        _cleanup_(usage_freep) Usage *attributed = read_usage();
        expect(attributed, LONE, HOLDER_GROUP, "open in qemu-system-x86 (pid 812)");
}
END_TEST

/* Whose device it is can be told only of a process that has a group or character device itself. */
START_TEST(test_handed_devices)
{
        functions[2].enable = 1; /* not on VFIO: no VFIO device of it can be open */
        functions[3].enable = 1;
        suite_link(folder, "proc/812/fd/17", "anon_inode:[vfio-device]");
        suite_write(folder, "proc/7/comm", "dpdk\n");
        suite_link(folder, "proc/7/fd/3", "/dev/vfio/77");
        suite_link(folder, "proc/7/fd/4", "anon_inode:[vfio-device]");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_GROUP,
               "probably open in qemu-system-x86 (pid 812), which was handed an open VFIO device");
        expect(usage, SECOND, HOLDER_ENABLE,
               "enabled (its enable count is not 0), though no process was found that uses it");
}
END_TEST

/* A process that may not be looked into makes the report incomplete; what the others have open is found all the same. */
START_TEST(test_not_permitted)
{
        char path[128];
        if (geteuid() != 0)
                return;
        suite_write(folder, "proc/7/comm", "dpdk\n");
        suite_link(folder, "proc/7/fd/3", "/dev/vfio/13");
        snprintf(path, sizeof(path), "%s/proc/812/fd", folder);
        ck_assert_int_eq(chmod(path, 0), 0);
        ck_assert_int_eq(chmod(folder, 0755), 0);

        Usage *usage = NULL;
        ProcUsers *users = NULL;
        _cleanup_free_ char *problem = NULL;
        _cleanup_(root_freep) Root *host = NULL;
        ck_assert_int_eq(root_open(NULL, &host), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        int r = usage_read(root, &topology, &usage, &problem);
        int host_r = proc_users_read(host, &users, &problem);
        ck_assert_int_eq(seteuid(0), 0);

        ck_assert_int_eq(r, 0);
        ck_assert(!usage->complete);
        expect(usage, LONE, HOLDER_GROUP, "open in dpdk (pid 7)");
        usage_free(usage);
        ck_assert_int_eq(host_r, 0);
        ck_assert(!users->complete);
        proc_users_free(users);
}
END_TEST

/* The first thread has exited, the others go on: only they still have descriptors. */
START_TEST(test_leader_exited)
{
        suite_write(folder, "proc/500/comm", "spdk\n");
        suite_write(folder, "proc/500/maps", "");
        suite_write(folder, "proc/500/fd/.keep", "");
        suite_write(folder, "proc/500/task/500/maps", "");
        suite_link(folder, "proc/500/task/501/fd/9", "/dev/vfio/13");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect(usage, LONE, HOLDER_GROUP, "open in spdk (pid 500)");
}
END_TEST

/* What the kernel's own threads have is nobody's use; a process cannot pass for one by its name. */
START_TEST(test_kernel_thread)
{
        suite_write(folder, "proc/500/comm", "kworker/0:1\n");
        suite_write(folder, "proc/500/stat", "500 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0\n");
        suite_link(folder, "proc/500/fd/9", "/dev/vfio/12");
        suite_write(folder, "proc/501/comm", "a) I 2 0 0 0 -1 69238880\n");
        suite_write(folder, "proc/501/stat",
                    "501 (a) I 2 0 0 0 -1 69238880) S 1 501 501 0 -1 4194560 0 0 0\n");
        suite_link(folder, "proc/501/fd/9", "/dev/vfio/13");
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect_none(usage, FIRST);
        expect(usage, LONE, HOLDER_GROUP, "open in a) I 2 0 0 0 -1 69238880 (pid 501)");
}
END_TEST

START_TEST(test_no_group_files)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/dev/vfio/13", folder);
        ck_assert_int_eq(unlink(path), 0);
        _cleanup_(usage_freep) Usage *usage = read_usage();
        ck_assert(!usage->group_files);

        suite_write(folder, "dev/vfio/noiommu-13", "");
        _cleanup_(usage_freep) Usage *noiommu = read_usage();
        ck_assert(noiommu->group_files);
}
END_TEST

START_TEST(test_no_proc)
{
        char path[128];
        snprintf(path, sizeof(path), "%s/proc", folder);
        suite_folder_remove(path);
        _cleanup_(usage_freep) Usage *usage = read_usage();
        expect_none(usage, LONE);

        suite_write(folder, "proc", "a file");
        Usage *none = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(usage_read(root, &topology, &none, &problem), -ENOTDIR);
        ck_assert_str_eq(problem, "proc cannot be read: Not a directory");
        ck_assert_ptr_null(none);
}
END_TEST

static bool parses(const char *path)
{
        ProcUse use;
        return proc_use_parse(path, &use);
}

START_TEST(test_parse)
{
        ProcUse use;
        ck_assert(proc_use_parse("/dev/vfio/12", &use));
        ck_assert(use.kind == PROC_USE_GROUP && use.number == 12);
        ck_assert(proc_use_parse("/dev/vfio/noiommu-3", &use));
        ck_assert(use.kind == PROC_USE_GROUP && use.number == 3);
        ck_assert(proc_use_parse("/dev/vfio/devices/vfio7", &use));
        ck_assert(use.kind == PROC_USE_CDEV && use.number == 7);
        ck_assert(proc_use_parse("anon_inode:[vfio-device]", &use));
        ck_assert(use.kind == PROC_USE_DEVICE);
        ck_assert(proc_use_parse("/sys/bus/pci/devices/10000:e1:00.1/resource4", &use));
        ck_assert(use.kind == PROC_USE_RESOURCE && use.number == 4);
        ck_assert(pci_address_equal(use.address,
                                    (PciAddress){ .domain = 0x10000, .bus = 0xe1, .function = 1 }));

        static const char *const others[] = {
                "",
                "/",
                "/dev/vfio",
                "/dev/vfio/",
                "/dev/vfio/vfio",
                "/dev/vfio/12x",
                "/dev/vfio/-1",
                "/dev/vfio/noiommu-",
                "/dev/vfio/99999999999999999999",
                "/dev/vfio/devices/vfio",
                "/dev/vfio/devices/12",
                "vfio/12",
                "/vfi/12",
                "anon_inode:[eventfd]",
                "anon_inode:[vfio-device]x",
                "socket:[4711]",
                "/resource0",
                "//resource0",
                "/x/resource0",
                "/sys/bus/pci/devices/0000:01:00.0/resource",
                "/sys/bus/pci/devices/0000:01:00.0/resource0x",
                "/sys/bus/pci/devices/0000:01:00.0/resource0_wcx",
                "/sys/bus/pci/devices/0000:01:00.0000000000000000000000000000/resource0",
        };
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                ck_assert_msg(!parses(others[i]), "\"%s\"", others[i]);
}
END_TEST

static bool has_use(const ProcUsers *users, int pid)
{
        for (size_t i = 0; i < users->n_uses; i++)
                if (users->uses[i].pid == pid && users->uses[i].kind == PROC_USE_RESOURCE)
                        return true;
        return false;
}

/*
 * The same on this machine's own /proc: a file named like a resource of a function that no machine has, opened by us
 * and by a child. We ourselves do not count.
 */
START_TEST(test_real_processes)
{
        char path[128];
        int up[2], down[2];
        char byte = 0;
        suite_write(folder, "sys/fffffff1:f1:1f.7/resource0", "text");
        snprintf(path, sizeof(path), "%s/sys/fffffff1:f1:1f.7/resource0", folder);
        int fd = open(path, O_RDONLY);
        ck_assert_int_ge(fd, 0);
        ck_assert(pipe(up) == 0 && pipe(down) == 0);
        pid_t child = suite_fork();
        if (child == 0) { /* maps it, and closes the descriptor */
                if (mmap(NULL, 4, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
                        _exit(1);
                close(fd);
                close(down[1]);
                if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) < 0)
                        _exit(1);
                _exit(0);
        }
        ck_assert_int_eq(read(up[0], &byte, 1), 1);

        _cleanup_(root_freep) Root *host = NULL;
        _cleanup_(proc_users_freep) ProcUsers *users = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(root_open(NULL, &host), 0);
        ck_assert_int_eq(proc_users_read(host, &users, &problem), 0);
        ck_assert(has_use(users, child));
        ck_assert(!has_use(users, getpid()));
        if (geteuid() != 0)
                ck_assert(!users->complete);
        close(fd);
        close(down[1]);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("usage");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_idle);
        tcase_add_test(tcase, test_group);
        tcase_add_test(tcase, test_character_device);
        tcase_add_test(tcase, test_character_device_gone);
        tcase_add_test(tcase, test_character_device_going);
        tcase_add_test(tcase, test_resource_open);
        tcase_add_test(tcase, test_resource_mapped);
        tcase_add_test(tcase, test_several_users);
        tcase_add_test(tcase, test_enabled);
        tcase_add_test(tcase, test_handed_devices);
        tcase_add_test(tcase, test_not_permitted);
        tcase_add_test(tcase, test_leader_exited);
        tcase_add_test(tcase, test_kernel_thread);
        tcase_add_test(tcase, test_no_group_files);
        tcase_add_test(tcase, test_no_proc);
        tcase_add_test(tcase, test_parse);
        tcase_add_test(tcase, test_real_processes);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
