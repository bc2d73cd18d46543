/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is changed in a recorded tree before the command line is run on it. */

#include "suite.h"

#include <unistd.h>

static const char *folder; /* of one test */
static char root[128];     /* the tree of the test */

#define FUNCTION_08 "root/sys/devices/pci0000:00/0000:00:08.0/"
#define FUNCTION_04 "root/sys/devices/pci0000:00/0000:00:06.0/0000:04:00.0/"
#define FUNCTION_03 "root/sys/devices/pci0000:00/0000:00:05.0/0000:03:00.1/"

static inline void spoil_boot_display(void)
{
        suite_write(folder, FUNCTION_08 "modalias",
                    "pci:v000010ECd00008139sv00001AF4sd00001100bc03sc00i00\n");
        suite_write(folder, FUNCTION_08 "boot_vga", "1\n");
}

static inline void spoil_resource(void)
{
        suite_write(folder, FUNCTION_08 "resource", "0x0 garbage 0x0\n");
}

static inline void spoil_short_resource(void)
{
        suite_write(folder, FUNCTION_08 "resource",
                    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
}

static inline void spoil_iomem(void)
{
        suite_write(folder, "root/proc/iomem", "00000000-00000000 : Reserved\n");
}

static inline void spoil_iomem_garbage(void)
{
        suite_write(folder, "root/proc/iomem", "not a range\n");
}

static inline void spoil_open_group(void)
{
        suite_write(folder, "root/proc/812/comm", "qemu-system-x86\n");
        suite_write(folder, "root/proc/812/maps", "");
        suite_link(folder, "root/proc/812/fd/31", "/dev/vfio/9");
}

/* A kernel without group files: the function is opened through its character device, which here is none. */
static inline void spoil_no_group(void)
{
        char path[160];
        snprintf(path, sizeof(path), "%s/root/dev/vfio/9", folder);
        ck_assert_int_eq(unlink(path), 0);
}

static inline void spoil_group_for_device(void)
{
        spoil_no_group();
        suite_write(folder, "root/dev/vfio/devices/vfio5", "");
        suite_write(folder, "root/dev/iommu", "");
}

static inline void spoil_host_driver(void)
{
        char path[160];
        suite_link(folder, FUNCTION_03 "driver", "../../../../../bus/pci/drivers/8139cp");
        suite_link(folder, FUNCTION_03 "net/eth1/subsystem", "../../../../../../../class/net");
        suite_write(folder, FUNCTION_03 "net/eth1/flags", "0x1003\n");
        snprintf(path, sizeof(path), "%s/" FUNCTION_03 "vfio-dev", folder);
        suite_folder_remove(path);
}

static inline void spoil_policy(void)
{
        suite_write(folder, "root/etc/vfio-realign/vfio-realign.conf",
                    "[default]\nrealign = report\nscope = smallest\n[id 10ec:8139]\nrealign = never\n");
}

static inline void spoil_policy_garbage(void)
{
        suite_write(folder, "root/etc/vfio-realign/vfio-realign.conf", "[default]\nrealign = perhaps\n");
}

static inline void spoil_empty(void)
{
        char devices[sizeof(root) + 32];
        suite_folder_remove(root);
        suite_write(folder, "root/sys/devices/system/cpu/online", "0\n");
        suite_write(folder, "root/sys/bus/pci/drivers_autoprobe", "1\n");
        ck_assert_int_eq(mkdir(strcat(strcpy(devices, root), "/sys/bus/pci/devices"), 0755), 0);
}

#define PARAMETER "root/sys/bus/pci/resource_alignment"
#define OURS "0000:00:05.0/00.0;0000:00:05.0/00.1"

static inline void spoil_booted_with(void)
{
        suite_write(folder, PARAMETER, OURS "\n");
        suite_write(folder, "root/proc/cmdline", "quiet pci=noaer,resource_alignment=" OURS " panic=1\n");
}

/* Ours, what somebody put behind it (with a comma, which the command line cannot take), and what the kernel never reads. */
static inline void spoil_booted_with_another(void)
{
        suite_write(folder, PARAMETER,
                    "0000:00:05.0/00.0;012@0000:00:05.0/00.1;pci:8086:9,pci:10ec:8139;junk;00:1f.0\n");
        suite_write(folder, "root/run/vfio-realign/entries.json",
                    "[\"0000:00:05.0/00.0\", \"012@0000:00:05.0/00.1\"]\n");
        suite_write(folder, "root/proc/cmdline", "pci=resource_alignment=00:1f.0 root=/dev/vda\n");
}

static inline void spoil_booted_without(void)
{
        suite_write(folder, "root/proc/cmdline", "root=/dev/vda -- pci=resource_alignment=" OURS "\n");
}

static inline void spoil_booted_but_cleared(void)
{
        suite_write(folder, PARAMETER, "");
        suite_write(folder, "root/proc/cmdline", "pci=resource_alignment=" OURS "\n");
}

static inline void spoil_policy_layers(void)
{
        suite_write(folder, "root/usr/lib/vfio-realign/vfio-realign.conf",
                    "[default]\nmax-move = 1G\nsettle-delay = 90\n");
        suite_write(folder, "root/etc/vfio-realign/conf.d/50-site.conf",
                    "[default]\nscope = smallest\n\n[id 10ec:*]\nstep-timeout = 2min\nattempts = 3\n"
                    "[class 0200]\nscope = function\n[function 0000:03:00.?]\nalignment = 64K\nkeep-entry = no\n"
                    "msix-table-bar = skip\nsettle-delay = 1500ms\n");
}

/* What the worker noted before it let them grow: of one BAR each, and of one that another card had in that slot. */
static inline void spoil_grown(void)
{
        suite_write(folder, "root/run/vfio-realign/grown.json",
                    "{\"version\": 1, \"grown\": [{\"function\": \"0000:00:05.0/00.0\", \"vendor\": 4332, \"device\": 33081, "
                    "\"subvendor\": 6900, \"subdevice\": 4352, \"sizes\": [0, 256, 0, 0, 0, 0, 0]}, "
                    "{\"function\": \"0000:00:06.0/00.0\", \"vendor\": 1, \"device\": 2, "
                    "\"subvendor\": 3, \"subdevice\": 4, \"sizes\": [128, 0, 256, 1024, 0, 0, 0]}]}\n");
}

static inline void spoil_grown_garbage(void)
{
        suite_write(folder, "root/run/vfio-realign/grown.json", "{\"version\": 1, \"grown\": [7]}\n");
}

/* Gives the function whose directory is PATH an MSI-X table in BAR LINE: a capability in front of its others. */
static inline void write_table(const char *path, uint8_t line)
{
        const uint8_t capability[] = { 0x11, 0xdc, 1, 0, line, 0, 0, 0, (uint8_t) (line | 0x80), 0, 0, 0 };
        char full[200];
        snprintf(full, sizeof(full), "%s/%sconfig", folder, path);
        FILE *file = fopen(full, "r+");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fseek(file, 0x06, SEEK_SET), 0);
        ck_assert_int_eq(fputc(0x10, file), 0x10);
        ck_assert_int_eq(fseek(file, 0x34, SEEK_SET), 0);
        ck_assert_int_eq(fputc(0x40, file), 0x40);
        ck_assert_int_eq(fseek(file, 0x40, SEEK_SET), 0);
        ck_assert_uint_eq(fwrite(capability, sizeof(capability), 1, file), 1);
        ck_assert_int_eq(fclose(file), 0);
}

static inline void spoil_table(void)
{
        write_table(FUNCTION_03, 1);
}

static inline void spoil_table_elsewhere(void)
{
        write_table(FUNCTION_03, 3);
}

static inline void spoil_table_skip(void)
{
        write_table(FUNCTION_04, 2);
        suite_write(folder, "root/etc/vfio-realign/vfio-realign.conf", "[default]\nmsix-table-bar = skip\n");
}

/* As it is for those who are not root: the header alone. */
static inline void spoil_config_hidden(void)
{
        char full[200];
        write_table(FUNCTION_03, 1);
        snprintf(full, sizeof(full), "%s/" FUNCTION_03 "config", folder);
        ck_assert_int_eq(truncate(full, 64), 0);
}
