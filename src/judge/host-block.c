/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Block devices, and what is built on them. */

#include "base/text.h"
#include "judge/host-look.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DEPTH_MAX 24u     /* device-mapper on md on partitions on …: six is a lot */
#define BLOCKS_MAX 16384u /* of one function; each logical volume counts once for each disk below it */

/* A block device on the way up from the function. */
typedef struct Block {
        const char *path;
        HostBlockNames names;
        char *words; /* "/dev/sda2, part of /dev/mapper/vg0-root" */
        unsigned depth;
} Block;

static int look_at(HostLook *look, const char *path, const char *words_below, unsigned depth,
                   bool *ret_used);

static int read_number(const Root *root, const char *path, dev_t *ret)
{
        _cleanup_free_ char *file = text_format("%s/dev", path), *text = NULL;
        unsigned high, low;
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(root, file, &text);
        if (r < 0)
                return host_device_is_gone(root, file, r) ? 0 : r;
        if (sscanf(text, "%u:%u", &high, &low) == 2)
                *ret = makedev(high, low);
        return 0;
}

static int read_mapper(const Root *root, const char *path, char **ret)
{
        _cleanup_free_ char *file = text_format("%s/dm/name", path);
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(root, file, ret);
        return r < 0 && !host_device_is_gone(root, file, r) ? r : 0;
}

/* "cciss!c0d0" is the node cciss/c0d0. */
static char *node_of(const char *kernel)
{
        char *node = strdup(kernel);
        for (char *at = node; at && *at; at++)
                if (*at == '!')
                        *at = '/';
        return node;
}

static int found(HostLook *look, HolderKind kind, const Block *block, const char *what, bool *ret_used)
{
        *ret_used = true;
        return host_look_found(look, kind, text_format("%s, %s", block->words, what));
}

static int look_for_mount(HostLook *look, const Block *block, bool *ret_used)
{
        _cleanup_free_ char *mount = NULL;
        int r = host_tables_mount(look->tables, &block->names, &mount);
        if (r == 0 && mount)
                r = found(look, HOLDER_MOUNT, block, mount, ret_used);
        if (r == 0 && host_tables_is_swap(look->tables, &block->names))
                r = found(look, HOLDER_SWAP, block, "used as swap", ret_used);
        return r;
}

/* udev has looked at what is on the disk: "E:ID_FS_TYPE=zfs_member", "E:ID_FS_LABEL=tank". */
static int look_for_zfs(HostLook *look, const Block *block, bool *ret_used)
{
        static const char key[] = "E:ID_FS_LABEL=";
        if (!host_tables_has_zfs(look->tables))
                return 0;
        _cleanup_free_ char *path = text_format("run/udev/data/b%u:%u", major(block->names.number),
                                                minor(block->names.number)),
                            *text = NULL;
        if (!path)
                return -ENOMEM;
        int r = root_read_attribute(look->root, path, &text);
        if (r < 0)
                return host_device_is_gone(look->root, path, r) ? 0 : r;
        if (!strstr(text, "E:ID_FS_TYPE=zfs_member"))
                return 0;
        char *label = strstr(text, key);
        if (label) {
                label += strlen(key);
                label[strcspn(label, "\n")] = '\0';
        }
        _cleanup_free_ char *what = text_format("which belongs to the ZFS pool %s", label ? label : "?");
        return what ? found(look, HOLDER_BLOCK, block, what, ret_used) : -ENOMEM;
}

/* What is built on BLOCK is at PATH: BLOCK is in use, whatever is done with that. */
static int look_at_holder(HostLook *look, const Block *block, const char *path, bool *ret_used)
{
        bool is_used_above = false;

        *ret_used = true;
        int r = look_at(look, path, block->words, block->depth + 1, &is_used_above);
        if (r < 0 || is_used_above)
                return r;
        _cleanup_free_ char *mapper = NULL;
        r = read_mapper(look->root, path, &mapper);
        if (r < 0)
                return r;
        _cleanup_free_ char *what = text_format("part of /dev/%s%s", mapper ? "mapper/" : "",
                                                mapper ? mapper : host_device_name(path));
        return what ? found(look, HOLDER_BLOCK, block, what, ret_used) : -ENOMEM;
}

static int look_at_holders(HostLook *look, const Block *block, bool *ret_used)
{
        _cleanup_closedir_ DIR *folder = NULL;
        _cleanup_free_ char *path = text_format("%s/holders", block->path);
        if (!path)
                return -ENOMEM;
        int r = root_open_directory(look->root, path, &folder);
        if (r < 0)
                return host_device_is_gone(look->root, path, r) ? 0 : r;
        const struct dirent *entry;
        while (r == 0 && (entry = readdir(folder))) {
                if (entry->d_name[0] == '.')
                        continue;
                _cleanup_free_ char *holder = text_format("%s/%s", path, entry->d_name);
                r = holder ? look_at_holder(look, block, holder, ret_used) : -ENOMEM;
        }
        return r;
}

/* Loop devices show in no `holders`. */
static int look_at_loops(HostLook *look, const Block *block, bool *ret_used)
{
        const char *name;
        int r = 0;
        for (size_t i = 0; r == 0 && (name = host_tables_loop(look->tables, &block->names, i)); i++) {
                _cleanup_free_ char *path = text_format("sys/class/block/%s", name);
                r = path ? look_at_holder(look, block, path, ret_used) : -ENOMEM;
        }
        return r;
}

/* Partitions are directories with an attribute `partition`. */
static int look_at_partitions(HostLook *look, const Block *block, const char *words_below, bool *ret_used)
{
        _cleanup_closedir_ DIR *folder = NULL;
        int r = root_open_directory(look->root, block->path, &folder);
        if (r < 0)
                return host_device_is_gone(look->root, block->path, r) ? 0 : r;
        const struct dirent *entry;
        while (r >= 0 && (entry = readdir(folder))) {
                if (!text_starts_with(entry->d_name, block->names.kernel))
                        continue;
                _cleanup_free_ char *path = text_format("%s/%s", block->path, entry->d_name);
                _cleanup_free_ char *mark = path ? text_format("%s/partition", path) : NULL;
                r = mark ? root_exists(look->root, mark) : -ENOMEM;
                if (r > 0)
                        r = look_at(look, path, words_below, block->depth + 1, ret_used);
        }
        return r < 0 ? r : 0;
}

/*
 * The disk of an NVMe subsystem with several controllers hangs below none of them: what a controller has then is a hidden
 * path to it, nvme0c1n2 for the disk nvme0n2.
 */
static int look_at_nvme_head(HostLook *look, const Block *block, const char *words_below, bool *ret_used)
{
        unsigned subsystem, controller, space;
        char rest;

        if (sscanf(block->names.kernel, "nvme%uc%un%u%c", &subsystem, &controller, &space, &rest) != 3)
                return 0;
        _cleanup_free_ char *path = text_format("sys/class/block/nvme%un%u", subsystem, space);
        return path ? look_at(look, path, words_below, block->depth + 1, ret_used) : -ENOMEM;
}

static int look_at_uses(HostLook *look, const Block *block, const char *words_below, bool *ret_used)
{
        int r = host_look_node(look, block->names.node);
        if (r == 0 && block->names.mapper) {
                _cleanup_free_ char *node = text_format("mapper/%s", block->names.mapper);
                r = node ? host_look_node(look, node) : -ENOMEM;
        }
        if (r == 0)
                r = look_for_mount(look, block, ret_used);
        if (r == 0)
                r = look_for_zfs(look, block, ret_used);
        if (r == 0)
                r = look_at_holders(look, block, ret_used);
        if (r == 0)
                r = look_at_loops(look, block, ret_used);
        if (r == 0)
                r = look_at_nvme_head(look, block, words_below, ret_used);
        return r == 0 ? look_at_partitions(look, block, words_below, ret_used) : r;
}

/*
 * The block device at PATH, which is built on what WORDS_BELOW names (NULL: on nothing). *RET_USED becomes true when a use
 * was found, and stays as it is otherwise.
 */
static int look_at(HostLook *look, const char *path, const char *words_below, unsigned depth, bool *ret_used)
{
        _cleanup_free_ char *node = NULL, *mapper = NULL, *words = NULL;
        Block block = { .path = path, .depth = depth, .names.kernel = host_device_name(path) };

        if (depth > DEPTH_MAX || ++look->n_blocks > BLOCKS_MAX)
                return -E2BIG;
        int r = read_number(look->root, path, &block.names.number);
        if (r == 0)
                r = read_mapper(look->root, path, &mapper);
        if (r < 0)
                return r;
        node = node_of(block.names.kernel);
        if (!node)
                return -ENOMEM;
        words = text_format("%s%s/dev/%s%s", words_below ? words_below : "", words_below ? ", part of " : "",
                            mapper ? "mapper/" : "", mapper ? mapper : node);
        if (!words)
                return -ENOMEM;
        block.names.node = node;
        block.names.mapper = mapper;
        block.words = words;
        return look_at_uses(look, &block, words_below, ret_used);
}

int host_block_look(HostLook *look, const HostDevice *device)
{
        bool is_used = false;
        return look_at(look, device->path, NULL, 0, &is_used);
}
