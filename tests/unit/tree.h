/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A made-up sysfs tree of PCI functions below a test's folder, in the shape that the kernel gives it. */

#include "base/pci-address.h"
#include "base/text.h"
#include "model/resource.h"
#include "suite.h"

#include <inttypes.h>

#define TREE_PATH_MAX 400

/* A text that must fit. */
static inline const char *tree_text(char buffer[static TREE_PATH_MAX], const char *format, ...)
                __attribute__((format(printf, 2, 3)));
static inline const char *tree_text(char buffer[static TREE_PATH_MAX], const char *format, ...)
{
        va_list args;
        va_start(args, format);
        int n = vsnprintf(buffer, TREE_PATH_MAX, format, args);
        va_end(args);
        ck_assert(n >= 0 && n < TREE_PATH_MAX);
        return buffer;
}

/* FOLDER/sys/devices/PATH/FILE of a function at PATH ("pci0000:00/0000:00:1c.0"). */
static inline const char *tree_file(const char *path, const char *file, char buffer[static TREE_PATH_MAX])
{
        return tree_text(buffer, "sys/devices/%s/%s", path, file);
}

static inline void tree_write(const char *folder, const char *path, const char *file, const char *text)
{
        suite_write(folder, tree_file(path, file, (char[TREE_PATH_MAX]){ 0 }), text);
}

static inline void tree_link(const char *folder, const char *path, const char *file, const char *target)
{
        suite_link(folder, tree_file(path, file, (char[TREE_PATH_MAX]){ 0 }), target);
}

static inline void tree_unlink(const char *folder, const char *path, const char *file)
{
        char full[TREE_PATH_MAX];
        tree_text(full, "%s/sys/devices/%s/%s", folder, path, file);
        ck_assert_int_eq(unlink(full), 0);
}

/* The last component of PATH. */
static inline const char *tree_name(const char *path)
{
        return strrchr(path, '/') + 1;
}

/* The entry of sys/bus/pci/devices for the function at PATH. */
static inline void tree_list(const char *folder, const char *path)
{
        char entry[TREE_PATH_MAX], target[TREE_PATH_MAX];
        tree_text(entry, "sys/bus/pci/devices/%s", tree_name(path));
        tree_text(target, "../../../devices/%s", path);
        suite_link(folder, entry, target);
}

static inline void tree_resources(const char *folder, const char *path, const PciResource *lines,
                                  unsigned n_lines)
{
        _cleanup_free_ char *text = NULL;
        for (unsigned i = 0; i < n_lines; i++)
                text_replace(&text, "%s0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64 "\n",
                             text ? text : "", lines[i].start, lines[i].end, lines[i].flags);
        tree_write(folder, path, "resource", text ? text : "");
}

/* Ids and class, of a vendor's DEVICE. */
static inline void tree_ids(const char *folder, const char *path, uint16_t device, uint32_t class)
{
        char modalias[64];
        snprintf(modalias, sizeof(modalias), "pci:v000010ECd%08Xsv00001AF4sd00001100bc%02Xsc%02Xi%02X\n",
                 device, class >> 16, class >> 8 & 0xff, class & 0xff);
        tree_write(folder, path, "modalias", modalias);
}

/* A function of CLASS (24 bits) with all that sysfs shows of every function; its resources are empty lines. */
static inline void tree_add(const char *folder, const char *path, uint32_t class, unsigned n_lines)
{
        static const PciResource none[RESOURCE_LINES];
        tree_ids(folder, path, 0x8139, class);
        tree_write(folder, path, "enable", "0\n");
        tree_resources(folder, path, none, n_lines);
        tree_list(folder, path);
}

/* DEPTH components of PATH up, then BELOW: what sysfs links hold. */
static inline void tree_link_up(const char *folder, const char *path, const char *file, const char *below)
{
        char target[TREE_PATH_MAX] = "../..";
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
                strcat(target, "/..");
        strcat(target, below);
        tree_link(folder, path, file, target);
}

/* Binds it: the driver's link, and for a VFIO driver the directory vfio-dev. */
static inline void tree_bind(const char *folder, const char *path, const char *driver, bool vfio)
{
        char below[128];
        snprintf(below, sizeof(below), "/bus/pci/drivers/%s", driver);
        tree_link_up(folder, path, "driver", below);
        if (vfio)
                tree_write(folder, path, "vfio-dev/vfio0/dev", "511:0\n");
}

/* The reverse, of one on a VFIO driver. */
static inline void tree_unbind(const char *folder, const char *path)
{
        static const char *const directories[] = { "vfio-dev/vfio0", "vfio-dev" };
        char full[TREE_PATH_MAX];
        tree_unlink(folder, path, "driver");
        tree_unlink(folder, path, "vfio-dev/vfio0/dev");
        for (unsigned i = 0; i < ELEMENTSOF(directories); i++) {
                tree_text(full, "%s/sys/devices/%s/%s", folder, path, directories[i]);
                ck_assert_int_eq(rmdir(full), 0);
        }
}

static inline void tree_group(const char *folder, const char *path, unsigned group)
{
        char below[64];
        snprintf(below, sizeof(below), "/kernel/iommu_groups/%u", group);
        tree_link_up(folder, path, "iommu_group", below);
}
