/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A made-up tree of what functions on host drivers carry, in the shape that the kernel gives it. */

#include "judge/host-use.h"
#include "suite.h"

#include <stdarg.h>

/* The directories of two functions below one port, and of one on the root bus. */
#define HOST_PORT "sys/devices/pci0000:00/0000:00:1c.0"
#define HOST_DISK HOST_PORT "/0000:04:00.0"
#define HOST_OTHER HOST_PORT "/0000:04:00.1"

/* FOLDER/PATH, where PATH is a format. */
static inline const char *host_path(char buffer[static 400], const char *format, va_list args)
                _printf_(2, 0);
static inline const char *host_path(char buffer[static 400], const char *format, va_list args)
{
        ck_assert_int_lt(vsnprintf(buffer, 400, format, args), 400);
        return buffer;
}

static inline void host_write(const char *folder, const char *text, const char *format, ...) _printf_(3, 4);
static inline void host_write(const char *folder, const char *text, const char *format, ...)
{
        char path[400];
        va_list args;
        va_start(args, format);
        suite_write(folder, host_path(path, format, args), text);
        va_end(args);
}

static inline void host_link(const char *folder, const char *target, const char *format, ...) _printf_(3, 4);
static inline void host_link(const char *folder, const char *target, const char *format, ...)
{
        char path[400];
        va_list args;
        va_start(args, format);
        suite_link(folder, host_path(path, format, args), target);
        va_end(args);
}

/* The device at PATH, which belongs to SUBSYSTEM and has the node NODE below /dev (NULL: none). */
static inline void host_device(const char *folder, const char *path, const char *subsystem, const char *node)
{
        char target[64], text[200] = "";
        snprintf(target, sizeof(target), "/sys/class/%s", subsystem);
        if (node)
                snprintf(text, sizeof(text), "MAJOR=1\nMINOR=1\nDEVNAME=%s\n", node);
        host_link(folder, target, "%s/subsystem", path);
        host_write(folder, text, "%s/uevent", path);
}

/* The block device at PATH, with its entry in sys/class/block. NUMBER: "8:1". */
static inline void host_block(const char *folder, const char *path, const char *number, bool is_partition)
{
        const char *name = strrchr(path, '/') + 1;
        char target[400];

        host_device(folder, path, "block", name);
        host_write(folder, number, "%s/dev", path);
        host_write(folder, "", "%s/holders/.keep", path);
        snprintf(target, sizeof(target), "/%s", path);
        host_link(folder, target, "sys/class/block/%s", name);
        if (is_partition)
                host_write(folder, "1\n", "%s/partition", path);
}

/* The block device at UPPER is built on the one at LOWER. */
static inline void host_hold(const char *folder, const char *lower, const char *upper)
{
        char target[400];
        snprintf(target, sizeof(target), "/%s", upper);
        host_link(folder, target, "%s/holders/%s", lower, strrchr(upper, '/') + 1);
}
