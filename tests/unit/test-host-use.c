/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "host-tree.h"
#include "judge/host-tables.h"
#include "judge/host-use.h"
#include "suite.h"

#define NVME HOST_DISK "/nvme/nvme0/nvme0n1"
#define SATA HOST_OTHER "/ata1/host0/target0:0:0/0:0:0:0/block/sda"
#define VIRTUAL "sys/devices/virtual/block"

static const char *folder;
static Root *root;
static Usage *usage;

static PciFunction functions[] = {
        { .address = { .device = 0x1c }, .sysfs_path = (char *) HOST_PORT, .is_bridge = true },
        { .address = { .bus = 4 },
          .sysfs_path = (char *) HOST_DISK,
          .driver = (char *) "nvme",
          .class = 0x010802 },
        { .address = { .bus = 4, .function = 1 },
          .sysfs_path = (char *) HOST_OTHER,
          .driver = (char *) "other",
          .class = 0x020000 },
};
#define DISK (&functions[1])
#define OTHER (&functions[2])

/* What the kernel answers when this attribute is read. */
static const char *answered;
static int answer;

int __real_root_read_attribute(const Root *at, const char *path, char **ret);
int __wrap_root_read_attribute(const Root *at, const char *path, char **ret);

int __wrap_root_read_attribute(const Root *at, const char *path, char **ret)
{
        return text_equal(path, answered) ? answer : __real_root_read_attribute(at, path, ret);
}

static void setup(void)
{
        answered = NULL;
        folder = suite_folder();
        host_write(folder, "", HOST_DISK "/resource");
        host_write(folder, "", HOST_OTHER "/resource");
        ck_assert_int_eq(root_open(folder, &root), 0);
        usage = NULL;
        OTHER->boot_display = false;
}

static void teardown(void)
{
        usage_free(usage);
        root_free(root);
        suite_folder_remove(folder);
}

static void mounts(const char *lines)
{
        suite_write(folder, "proc/self/mountinfo", lines);
}

static void look(void)
{
        static const PciFunction *const all[] = { DISK, OTHER };
        usage_free(usage);
        usage = calloc(1, sizeof(*usage));
        ck_assert_ptr_nonnull(usage);
        ck_assert_int_eq(host_use_add(root, all, ELEMENTSOF(all), usage), 0);
}

/* What FUNCTION carries, after a look: each holder's words and a line end. */
static const char *carried(const PciFunction *function)
{
        static char all[4096];
        static const char prefix[] = "in use by the host: it carries ";
        size_t n;

        look();
        all[0] = '\0';
        const Holder *holders = usage_find(usage, function->address, &n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = holder_text(&holders[i]);
                ck_assert_ptr_nonnull(text);
                strcat(all, text_starts_with(text, prefix) ? text + strlen(prefix) : text);
                strcat(all, "\n");
        }
        return all;
}

static bool is_used(const PciFunction *function)
{
        size_t n;
        bool is_use = false;
        const Holder *holders = usage_find(usage, function->address, &n);
        for (size_t i = 0; i < n; i++)
                is_use |= holder_is_use_of_host(&holders[i]);
        return is_use;
}

static void add_nvme(void)
{
        host_device(folder, HOST_DISK "/nvme/nvme0", "nvme", "nvme0");
        host_block(folder, NVME, "259:0", false);
        host_block(folder, NVME "/nvme0n1p1", "259:1", true);
        host_block(folder, NVME "/nvme0n1p2", "259:2", true);
}

static void add_sata(void)
{
        host_block(folder, SATA, "8:0\n", false);
        host_block(folder, SATA "/sda1", "8:1\n", true);
        host_block(folder, SATA "/sda2", "8:2\n", true);
}

static void add_mapper(const char *name, const char *number, const char *mapper)
{
        char path[200];
        snprintf(path, sizeof(path), VIRTUAL "/%s", name);
        host_block(folder, path, number, false);
        host_write(folder, mapper, "%s/dm/name", path);
}

START_TEST(test_idle)
{
        add_nvme();
        add_sata();
        mounts("22 1 0:21 / /proc rw,relatime - proc proc rw\n"
               "24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n");
        suite_write(folder, "proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        ck_assert_str_eq(carried(DISK), "");
        ck_assert_str_eq(carried(OTHER), "");
}
END_TEST

START_TEST(test_mounted)
{
        add_nvme();
        add_sata();
        mounts("29 1 259:2 / /srv rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
               "30 1 8:0 / /mnt/with\\040a\\033blank rw - vfat /dev/disk/by-id/usb-1 rw\n");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p2, mounted on /srv (ext4)\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda, mounted on /mnt/with a?blank (vfat)\n");
        ck_assert(is_used(DISK) && is_used(OTHER));
}
END_TEST

START_TEST(test_mounted_more)
{
        add_nvme();
        mounts("29 1 259:2 / /srv rw - ext4 /dev/nvme0n1p2 rw\n"
               "30 1 259:2 /a /a rw - ext4 /dev/nvme0n1p2 rw\n"
               "31 1 259:2 /b /b rw - ext4 /dev/nvme0n1p2 rw\n");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p2, mounted on /srv (ext4) and 2 more times\n");
}
END_TEST

/* btrfs has a device number of its own, so its source counts, and sysfs for the disks that are not named there. */
START_TEST(test_btrfs)
{
        add_nvme();
        add_sata();
        mounts("29 1 0:33 /@ / rw - btrfs /dev/nvme0n1p2 rw,subvol=/@\n");
        host_link(folder, "/" SATA "/sda1", "sys/fs/btrfs/4f2a-11/devices/sda1");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p2, mounted on / (btrfs)\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, part of a mounted file system (btrfs)\n");

        mounts("29 1 0:33 / / rw - bcachefs /dev/vdb:/dev/sda2 rw\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, part of a mounted file system (btrfs)\n"
                                         "/dev/sda2, mounted on / (bcachefs)\n");
}
END_TEST

/* A file system that only a container has mounted. */
START_TEST(test_other_namespace)
{
        add_nvme();
        add_sata();
        mounts("24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n");
        host_link(folder, "mnt:[4026531840]", "proc/self/ns/mnt");
        host_link(folder, "mnt:[4026531840]", "proc/1/ns/mnt");
        host_link(folder, "mnt:[4026532841]", "proc/77/ns/mnt");
        host_write(folder, "29 1 8:2 / /data rw - vfat /dev/sda2 rw\n", "proc/77/mountinfo");
        host_link(folder, "mnt:[4026532841]", "proc/78/ns/mnt"); /* the same namespace once more */
        host_link(folder, "mnt:[4026532842]", "proc/79/ns/mnt"); /* has ended */
        host_write(folder, "", "sys/fs/ext4/nvme0n1p1/session_write_kbytes");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p1, part of a mounted file system (ext4)\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda2, mounted on /data (vfat) in another mount namespace\n");
}
END_TEST

START_TEST(test_swap)
{
        add_nvme();
        add_sata();
        add_mapper("dm-0", "253:0", "vg0-swap\n");
        host_hold(folder, SATA "/sda2", VIRTUAL "/dm-0");
        suite_write(folder, "proc/swaps",
                    "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                    "/dev/nvme0n1p1                          partition\t8388604\t0\t-2\n"
                    "/dev/dm-0                               partition\t8388604\t0\t-3\n"
                    "/swapfile                               file\t\t1024\t0\t-4\n");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p1, used as swap\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda2, part of /dev/mapper/vg0-swap, used as swap\n");
        ck_assert(is_used(DISK) && is_used(OTHER));
}
END_TEST

/* LVM on a partition of md on partitions of both disks. */
START_TEST(test_nested)
{
        add_nvme();
        add_sata();
        host_block(folder, VIRTUAL "/md0", "9:0", false);
        host_block(folder, VIRTUAL "/md0/md0p1", "259:9", true);
        add_mapper("dm-0", "253:0", "vg0-root\n");
        add_mapper("dm-1", "253:1", "vg0-home\n");
        host_hold(folder, SATA "/sda2", VIRTUAL "/md0");
        host_hold(folder, NVME "/nvme0n1p2", VIRTUAL "/md0");
        host_hold(folder, VIRTUAL "/md0/md0p1", VIRTUAL "/dm-0");
        host_hold(folder, VIRTUAL "/md0/md0p1", VIRTUAL "/dm-1");
        mounts("29 1 253:0 / / rw - xfs /dev/mapper/vg0-root rw\n");
        ck_assert_str_eq(carried(OTHER),
                         "/dev/sda2, part of /dev/md0p1, part of /dev/mapper/vg0-root, mounted on / (xfs)\n"
                         "/dev/sda2, part of /dev/md0p1, part of /dev/mapper/vg0-home\n");
        ck_assert_str_eq(
                        carried(DISK),
                        "/dev/nvme0n1p2, part of /dev/md0p1, part of /dev/mapper/vg0-root, mounted on / (xfs)\n"
                        "/dev/nvme0n1p2, part of /dev/md0p1, part of /dev/mapper/vg0-home\n");
}
END_TEST

/* What another device is built on is in use, whatever is done with that. */
START_TEST(test_held)
{
        add_sata();
        host_block(folder, VIRTUAL "/md127", "9:127", false);
        host_hold(folder, SATA "/sda1", VIRTUAL "/md127");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, part of /dev/md127\n");
        ck_assert(is_used(OTHER));
}
END_TEST

/* Holders in a ring end in "perhaps", never in silence. */
START_TEST(test_ring)
{
        add_sata();
        add_mapper("dm-0", "253:0", "a\n");
        add_mapper("dm-1", "253:1", "b\n");
        host_hold(folder, SATA, VIRTUAL "/dm-0");
        host_hold(folder, VIRTUAL "/dm-0", VIRTUAL "/dm-1");
        host_hold(folder, VIRTUAL "/dm-1", VIRTUAL "/dm-0");
        ck_assert_str_eq(
                        carried(OTHER),
                        "perhaps in use: what it carries could not be looked at (Argument list too long)\n");
        ck_assert(is_used(OTHER));
}
END_TEST

START_TEST(test_loop)
{
        add_sata();
        host_block(folder, VIRTUAL "/loop3", "7:3", false);
        host_write(folder, "/dev/sda1\n", VIRTUAL "/loop3/loop/backing_file");
        host_block(folder, VIRTUAL "/loop4", "7:4", false);
        host_write(folder, "/srv/image\n", VIRTUAL "/loop4/loop/backing_file");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, part of /dev/loop3\n");
        mounts("29 1 7:3 / /mnt rw - iso9660 /dev/loop3 ro\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, part of /dev/loop3, mounted on /mnt (iso9660)\n");
}
END_TEST

START_TEST(test_zfs)
{
        add_sata();
        suite_write(folder, "run/udev/data/b8:1",
                    "S:disk/by-id/ata-1\nE:ID_FS_LABEL=tank\nE:ID_FS_TYPE=zfs_member\n");
        ck_assert_str_eq(carried(OTHER), ""); /* nothing here knows how to use it */
        suite_write(folder, "sys/module/zfs/version", "2.1.11-1\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda1, which belongs to the ZFS pool tank\n");
}
END_TEST

/* The disk of a subsystem with several controllers is below none of them. */
START_TEST(test_nvme_paths)
{
        host_device(folder, HOST_DISK "/nvme/nvme1", "nvme", "nvme1");
        host_device(folder, HOST_DISK "/nvme/nvme1/nvme0c1n1", "block", NULL);
        host_block(folder, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "259:4", false);
        host_block(folder, "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1", "259:5",
                   true);
        ck_assert_str_eq(carried(DISK), "");
        mounts("29 1 259:5 / /srv rw - ext4 /dev/nvme0n1p1 rw\n");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0n1p1, mounted on /srv (ext4)\n");
}
END_TEST

START_TEST(test_slash_in_name)
{
        host_block(folder, HOST_OTHER "/cciss0/c0d0/block/cciss!c0d0", "104:0", false);
        suite_write(folder, "proc/swaps", "Filename\n/dev/cciss/c0d0 partition 1 0 -2\n");
        ck_assert_str_eq(carried(OTHER), "/dev/cciss/c0d0, used as swap\n");
}
END_TEST

/* What a bridge has below it belongs to the functions there. */
START_TEST(test_bridge)
{
        static const PciFunction *const port[] = { &functions[0] };
        size_t n;
        add_nvme();
        mounts("29 1 259:2 / /srv rw - ext4 /dev/nvme0n1p2 rw\n");
        usage = calloc(1, sizeof(*usage));
        ck_assert_int_eq(host_use_add(root, port, 1, usage), 0);
        ck_assert_ptr_null(usage_find(usage, functions[0].address, &n));
}
END_TEST

/* --- Network --- */

#define ETH HOST_OTHER "/net/eth1"

static void add_interface(const char *flags)
{
        host_device(folder, ETH, "net", NULL);
        host_write(folder, flags, ETH "/flags");
        host_write(folder, "", ETH "/queues/rx-0/rps_cpus");
}

START_TEST(test_interface)
{
        add_interface("0x1002\n");
        ck_assert_str_eq(carried(OTHER), "");
        add_interface("0x1003\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up)\n");
        ck_assert(is_used(OTHER));
        add_interface("up?\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up)\n");
}
END_TEST

START_TEST(test_routes)
{
        add_interface("0x1003\n");
        suite_write(folder, "proc/net/route",
                    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                    "eth1\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up, has routes)\n");
        suite_write(folder, "proc/net/route",
                    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                    "eth1\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                    "eth1\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up, has the default route)\n");
}
END_TEST

START_TEST(test_routes6)
{
#define ZERO "00000000000000000000000000000000"
        add_interface("0x1003\n");
        suite_write(folder, "proc/net/ipv6_route",
                    "fe800000000000000000000000000000 40 " ZERO " 00 " ZERO
                    " 00000100 00000001 00000000 00000001     eth1\n"
                    "ff000000000000000000000000000000 08 " ZERO " 00 " ZERO
                    " 00000100 00000001 00000000 00000001     eth1\n" ZERO " 00 " ZERO " 00 " ZERO
                    " ffffffff 00000001 00000000 00200200       lo\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up)\n");
        suite_write(folder, "proc/net/ipv6_route",
                    ZERO " 00 " ZERO " 00 fe800000000000000000000000000001"
                         " 00000100 00000001 00000000 00000003     eth1\n");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up, has the default route)\n");
}
END_TEST

START_TEST(test_enslaved)
{
        add_interface("0x1002\n");
        host_link(folder, "../../../../virtual/net/br0", ETH "/master");
        host_link(folder, "../../../../virtual/net/br0", ETH "/upper_br0");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (part of br0)\n");
}
END_TEST

START_TEST(test_vlan)
{
        add_interface("0x1003\n");
        host_link(folder, "../../../../virtual/net/eth1.7", ETH "/upper_eth1.7");
        ck_assert_str_eq(carried(OTHER), "network interface eth1 (up, below eth1.7)\n");
}
END_TEST

/* An interface that was moved into a container leaves an empty directory. */
START_TEST(test_net_namespace)
{
        char path[512];
        suite_prepare(folder, HOST_OTHER "/net/x", path);
        ck_assert_str_eq(carried(OTHER), "a network interface of another network namespace\n");
        ck_assert(is_used(OTHER));
}
END_TEST

/* --- The rest --- */

START_TEST(test_display)
{
        host_device(folder, HOST_OTHER "/drm/card0", "drm", "dri/card0");
        host_device(folder, HOST_OTHER "/drm/card0/card0-HDMI-A-1", "drm", NULL);
        host_write(folder, "connected\n", HOST_OTHER "/drm/card0/card0-HDMI-A-1/status");
        host_write(folder, "disabled\n", HOST_OTHER "/drm/card0/card0-HDMI-A-1/enabled");
        ck_assert_str_eq(carried(OTHER), "");
        host_write(folder, "enabled\n", HOST_OTHER "/drm/card0/card0-HDMI-A-1/enabled");
        OTHER->boot_display = true;
        ck_assert_str_eq(carried(OTHER), "display HDMI-A-1 of card0, which is on\n"
                                         "the boot display\n");
        ck_assert(is_used(OTHER));
}
END_TEST

START_TEST(test_sound)
{
        host_device(folder, HOST_OTHER "/sound/card1", "sound", NULL);
        host_write(folder, "closed\n", "proc/asound/card1/pcm0p/sub0/status");
        host_write(folder, "", "proc/asound/card1/id");
        ck_assert_str_eq(carried(OTHER), "");
        host_write(folder, "state: RUNNING\nowner_pid   : 812\n", "proc/asound/card1/pcm0c/sub1/status");
        ck_assert_str_eq(carried(OTHER), "sound card1, of which process 812 plays or records\n");
        ck_assert(is_used(OTHER));
}
END_TEST

/* Told, but nobody loses anything when a USB device that nothing uses is gone. */
START_TEST(test_usb)
{
        host_device(folder, HOST_OTHER "/usb1", "usb", "bus/usb/001/001");
        host_write(folder, "1d6b\n", HOST_OTHER "/usb1/idVendor");
        host_write(folder, "0002\n", HOST_OTHER "/usb1/idProduct");
        host_device(folder, HOST_OTHER "/usb1/1-2", "usb", "bus/usb/001/002");
        host_write(folder, "0781\n", HOST_OTHER "/usb1/1-2/idVendor");
        host_write(folder, "5581\n", HOST_OTHER "/usb1/1-2/idProduct");
        host_device(folder, HOST_OTHER "/usb1/1-2/1-2:1.0", "usb", NULL);
        ck_assert_str_eq(carried(OTHER), "USB device 0781:5581 at port 1-2\n");
        ck_assert(!is_used(OTHER));

        host_block(folder, HOST_OTHER "/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdz", "65:144",
                   false);
        mounts("29 1 65:144 / /media rw - vfat /dev/sdz rw\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sdz, mounted on /media (vfat)\n"
                                         "USB device 0781:5581 at port 1-2\n");
        ck_assert(is_used(OTHER));
}
END_TEST

START_TEST(test_open_nodes)
{
        add_nvme();
        add_sata();
        add_mapper("dm-0", "253:0", "vg0-vm1\n");
        host_hold(folder, SATA, VIRTUAL "/dm-0");
        host_write(folder, "qemu-system-x86\n", "proc/812/comm");
        host_write(folder, "", "proc/812/maps");
        host_link(folder, "/dev/dm-0", "proc/812/fd/7");
        host_link(folder, "/dev/dm-0", "proc/812/fd/8");
        host_write(folder, "smartd\n", "proc/5/comm");
        host_write(folder, "", "proc/5/maps");
        host_link(folder, "/run/host/dev/nvme0 (deleted)", "proc/5/fd/3");
        host_link(folder, "/tmp/nvme0n1", "proc/5/fd/4");  /* no node */
        host_link(folder, "/dev/nvme0n10", "proc/5/fd/5"); /* another one */
        host_write(folder, "(udev-worker)\n", "proc/6/comm");
        host_write(folder, "", "proc/6/maps");
        host_link(folder, "/dev/nvme0n1", "proc/6/fd/3");
        ck_assert_str_eq(carried(DISK), "/dev/nvme0, open in smartd (pid 5)\n");
        ck_assert_str_eq(carried(OTHER), "/dev/sda, part of /dev/mapper/vg0-vm1\n"
                                         "/dev/dm-0, open in qemu-system-x86 (pid 812)\n");
        ck_assert(is_used(DISK));
}
END_TEST

START_TEST(test_mapped_node)
{
        host_device(folder, HOST_OTHER "/uio/uio0", "uio", "uio0");
        host_write(folder, "pmd\n", "proc/812/comm");
        host_link(folder, "/dev/null", "proc/812/fd/0");
        host_write(folder, "7f0c2c000000-7f0c2c001000 rw-s 00000000 00:05 4711      /dev/uio0\n",
                   "proc/812/maps");
        ck_assert_str_eq(carried(OTHER), "/dev/uio0, open in pmd (pid 812)\n");
}
END_TEST

#define UNREADABLE "perhaps in use: what it carries could not be looked at"

/* What cannot be looked at is not idle. */
START_TEST(test_unreadable)
{
        add_sata();
        host_write(folder, "", SATA "/dm/name/is-a-directory");
        ck_assert_str_eq(carried(OTHER),
                         "perhaps in use: what it carries could not be looked at (Is a directory)\n");
        ck_assert(is_used(OTHER));

        static const char *const garbage[] = { "this is no mountinfo\n",
                                               "29 1 254:1 / / rw - ext4 /dev/vda1 rw\n30 1 8\n" };
        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                mounts(garbage[i]);
                ck_assert(text_starts_with(carried(DISK), UNREADABLE));
                ck_assert(is_used(DISK));
        }
}
END_TEST

/* An interface that is up, and whose attributes answer as those of one that goes away: as long as it is there, it may be used. */
START_TEST(test_going)
{
        static const int answers[] = { -EINVAL, -ENODEV };

        add_interface("0x1003\n");
        answered = ETH "/flags";
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                answer = answers[i];
                ck_assert(text_starts_with(carried(OTHER), UNREADABLE));
                ck_assert(is_used(OTHER));
        }
        char full[512];
        snprintf(full, sizeof(full), "%s/" ETH "/flags", folder);
        ck_assert_int_eq(unlink(full), 0);
        ck_assert_str_eq(carried(OTHER), "");
}
END_TEST

/* It is no device, for all that can be read: that is not believed either. */
START_TEST(test_without_subsystem)
{
        host_write(folder, "0x1003\n", ETH "/flags");
        host_write(folder, "", ETH "/subsystem");
        ck_assert(text_starts_with(carried(OTHER), UNREADABLE));
        ck_assert(is_used(OTHER));
}
END_TEST

START_TEST(test_text)
{
        add_nvme();
        mounts("29 1 259:1 / /boot rw - ext4 /dev/nvme0n1p1 rw\n"
               "30 1 259:2 / /srv rw - ext4 /dev/nvme0n1p2 rw\n");
        look();
        ck_assert_int_eq(usage_add(usage, (Holder){ .address = DISK->address,
                                                    .kind = HOLDER_HOST_DRIVER,
                                                    .object = strdup("nvme") }),
                         0);
        usage_sort(usage);
        size_t n;
        const Holder *holder = usage_find(usage, DISK->address, &n);
        ck_assert_uint_eq(n, 3);
        _cleanup_free_ char *text = usage_text(usage, holder);
        ck_assert_str_eq(text,
                         "on the host driver nvme and carries /dev/nvme0n1p1, mounted on /boot (ext4); "
                         "/dev/nvme0n1p2, mounted on /srv (ext4)");
        _cleanup_free_ char *one = holder_text(&holder[2]);
        ck_assert_str_eq(one, "in use by the host: it carries /dev/nvme0n1p2, mounted on /srv (ext4)");

        for (int i = 0; i < 10; i++)
                ck_assert_int_eq(usage_add(usage, (Holder){ .address = DISK->address,
                                                            .kind = HOLDER_NET,
                                                            .object = text_format("interface %d", i) }),
                                 0);
        usage_sort(usage);
        holder = usage_find(usage, DISK->address, &n);
        _cleanup_free_ char *many = usage_text(usage, holder);
        const char *end = strstr(many, "interface 3");
        ck_assert_ptr_nonnull(end);
        ck_assert_str_eq(end, "interface 3; and 6 more");
}
END_TEST

/* This machine's own mounts, swap and routes can be read. */
START_TEST(test_real_tables)
{
        _cleanup_(root_freep) Root *host = NULL;
        _cleanup_(host_tables_freep) HostTables *tables = NULL;
        ck_assert_int_eq(root_open(NULL, &host), 0);
        ck_assert_int_eq(host_tables_read(host, &tables), 0);
        ck_assert_int_eq(host_tables_route(tables, "no such interface"), HOST_ROUTE_NONE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("host-use");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_idle);
        tcase_add_test(tcase, test_mounted);
        tcase_add_test(tcase, test_mounted_more);
        tcase_add_test(tcase, test_btrfs);
        tcase_add_test(tcase, test_other_namespace);
        tcase_add_test(tcase, test_swap);
        tcase_add_test(tcase, test_nested);
        tcase_add_test(tcase, test_held);
        tcase_add_test(tcase, test_ring);
        tcase_add_test(tcase, test_loop);
        tcase_add_test(tcase, test_zfs);
        tcase_add_test(tcase, test_nvme_paths);
        tcase_add_test(tcase, test_slash_in_name);
        tcase_add_test(tcase, test_bridge);
        tcase_add_test(tcase, test_interface);
        tcase_add_test(tcase, test_routes);
        tcase_add_test(tcase, test_routes6);
        tcase_add_test(tcase, test_enslaved);
        tcase_add_test(tcase, test_vlan);
        tcase_add_test(tcase, test_net_namespace);
        tcase_add_test(tcase, test_display);
        tcase_add_test(tcase, test_sound);
        tcase_add_test(tcase, test_usb);
        tcase_add_test(tcase, test_open_nodes);
        tcase_add_test(tcase, test_mapped_node);
        tcase_add_test(tcase, test_unreadable);
        tcase_add_test(tcase, test_going);
        tcase_add_test(tcase, test_without_subsystem);
        tcase_add_test(tcase, test_text);
        tcase_add_test(tcase, test_real_tables);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
