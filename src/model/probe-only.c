/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/probe-only.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define TREE "sys/firmware/devicetree/base"
#define PROPERTY "linux,pci-probe-only"
#define CELL 4u /* bytes of a number in the device tree */

typedef enum Property {
        PROPERTY_ABSENT,
        PROPERTY_ZERO,
        PROPERTY_SET,
} Property;

/* PATH as it is, which may be any bytes; at most SIZE of them. How many, or negative errno. */
static ssize_t read_bytes(const Root *root, const char *path, char *buffer, size_t size)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_RDONLY, 0, &fd);
        if (r < 0)
                return r;
        ssize_t n = read(fd, buffer, size);
        return n < 0 ? -errno : n;
}

/* Not there, or nothing that this process may know. */
static bool is_absent(ssize_t r)
{
        return r == -ENOENT || r == -ENOTDIR || r == -EACCES;
}

/* A Property or negative errno. */
static int read_property(const Root *root, const char *path)
{
        char cell[CELL];
        ssize_t n = read_bytes(root, path, cell, sizeof(cell));
        if (is_absent(n))
                return PROPERTY_ABSENT;
        if (n < 0)
                return (int) n;
        /* of_property_read_u32() refuses it, and the kernel goes on as without it. */
        if (n < (ssize_t) CELL)
                return PROPERTY_ABSENT;
        return memcmp(cell, (char[CELL]){ 0 }, CELL) == 0 ? PROPERTY_ZERO : PROPERTY_SET;
}

/* True when the list of texts that NAME holds has TEXT; -ENOMEM and others. */
static int has_text(const Root *root, const char *name, const char *text)
{
        char list[512];
        ssize_t n = read_bytes(root, name, list, sizeof(list) - 1);
        if (n < 0)
                return is_absent(n) ? 0 : (int) n;
        list[n] = '\0';
        for (ssize_t at = 0; at < n; at += (ssize_t) strlen(list + at) + 1)
                if (strcmp(list + at, text) == 0)
                        return 1;
        return 0;
}

/* A chrp machine (pSeries_probe()); powernv is none. */
static int is_pseries(const Root *root)
{
        return has_text(root, TREE "/device_type", "chrp");
}

int probe_only_read(const Root *root, bool *ret)
{
        int property = read_property(root, TREE "/chosen/" PROPERTY);
        if (property < 0)
                return property;
        int pseries = property == PROPERTY_ABSENT ? is_pseries(root) : 0;
        if (pseries < 0)
                return pseries;
        *ret = property == PROPERTY_SET || pseries > 0;
        return 0;
}

int probe_only_read_host(const Root *root, const char *path, bool *ret)
{
        _cleanup_free_ char *full = text_format("%s/of_node/" PROPERTY, path);
        int property = full ? read_property(root, full) : -ENOMEM;
        if (property < 0)
                return property;
        *ret = property == PROPERTY_SET;
        return 0;
}
