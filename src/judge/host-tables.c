/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/host-tables.h"

#include "base/text.h"
#include "judge/host-device.h"

#include <ctype.h>
#include <errno.h>
#include <libmount.h>
#include <string.h>
#include <sys/sysmacros.h>

#define OWN_MOUNTS "proc/self/mountinfo"

/* flags of /proc/net/route and /proc/net/ipv6_route (linux/route.h, linux/ipv6_route.h) */
#define ROUTE_UP 0x0001u
#define ROUTE_REJECT 0x0200u
#define ROUTE_ANYCAST 0x00100000u
#define ROUTE_LOCAL 0x80000000u

/* The file systems that show in /sys/fs by which block device each of them lives on, in whatever mount namespace. */
static const char *const file_systems[] = { "ext4", "xfs", "f2fs", "btrfs", "nilfs2", "erofs", "gfs2" };

typedef struct Mount {
        dev_t number;
        char *source, *target, *type;
        bool elsewhere; /* in another mount namespace than ours */
} Mount;

/* WHAT belongs to the block device or network interface NAME: a file system's type, a loop device, a kind of route. */
typedef struct Pair {
        char *name, *what;
} Pair;

typedef struct Pairs {
        Pair *items;
        size_t n;
} Pairs;

struct HostTables {
        Mount *mounts;
        size_t n_mounts;
        Pairs file_systems, swaps, loops, routes;
        bool has_zfs;
};

static void pairs_clear(Pairs *pairs)
{
        for (size_t i = 0; i < pairs->n; i++) {
                free(pairs->items[i].name);
                free(pairs->items[i].what);
        }
        free(pairs->items);
}

HostTables *host_tables_free(HostTables *tables)
{
        if (!tables)
                return NULL;
        for (size_t i = 0; i < tables->n_mounts; i++) {
                free(tables->mounts[i].source);
                free(tables->mounts[i].target);
                free(tables->mounts[i].type);
        }
        free(tables->mounts);
        pairs_clear(&tables->file_systems);
        pairs_clear(&tables->swaps);
        pairs_clear(&tables->loops);
        pairs_clear(&tables->routes);
        free(tables);
        return NULL;
}

static int pairs_add(Pairs *pairs, const char *name, const char *what)
{
        Pair *more = reallocarray(pairs->items, pairs->n + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        pairs->items = more;
        Pair pair = { .name = strdup(name), .what = strdup(what) };
        if (!pair.name || !pair.what) {
                free(pair.name);
                free(pair.what);
                return -ENOMEM;
        }
        pairs->items[pairs->n++] = pair;
        return 0;
}

/* A table may have a million lines, so it is not read as a whole. */
static int open_stream(const Root *root, const char *path, FILE **ret)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_RDONLY | O_NONBLOCK, 0, &fd);
        if (r < 0)
                return r;
        FILE *stream = fdopen(fd, "r");
        if (!stream)
                return -errno;
        (void) TAKE_FD(fd);
        *ret = stream;
        return 0;
}

/* --- Mounts --- */

static int mounts_add(HostTables *tables, struct libmnt_fs *fs, bool elsewhere)
{
        const char *source = mnt_fs_get_source(fs), *target = mnt_fs_get_target(fs),
                   *type = mnt_fs_get_fstype(fs);
        bool is_on_device =
                        major(mnt_fs_get_devno(fs)) != 0 || (source && text_starts_with(source, "/dev/"));

        if (!is_on_device)
                return 0;
        Mount *more = reallocarray(tables->mounts, tables->n_mounts + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        tables->mounts = more;
        Mount *mount = &tables->mounts[tables->n_mounts++];
        *mount = (Mount){
                .number = mnt_fs_get_devno(fs),
                .source = strdup(source ? source : ""),
                .target = strdup(target ? target : "?"),
                .type = strdup(type ? type : "?"),
                .elsewhere = elsewhere,
        };
        return mount->source && mount->target && mount->type ? 0 : -ENOMEM;
}

/* A line that cannot be read may be the mount that matters. */
static int on_parse_error(struct libmnt_table *table, const char *file, int line)
{
        return -EBADMSG;
}

static int parse_mounts(HostTables *tables, FILE *stream, const char *path, bool elsewhere)
{
        struct libmnt_table *table = mnt_new_table();
        struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
        struct libmnt_fs *fs;
        int r = table && iterator ? 0 : -ENOMEM;

        if (r == 0)
                r = mnt_table_set_parser_errcb(table, on_parse_error);
        if (r == 0)
                r = mnt_table_parse_stream(table, stream, path);
        while (r == 0 && mnt_table_next_fs(table, iterator, &fs) == 0)
                r = mounts_add(tables, fs, elsewhere);
        mnt_free_iter(iterator);
        mnt_unref_table(table);
        return r > 0 ? -EBADMSG : r;
}

static int read_mounts(const Root *root, HostTables *tables, const char *path, bool elsewhere)
{
        _cleanup_fclose_ FILE *stream = NULL;
        int r = open_stream(root, path, &stream);
        if (r < 0)
                return r;
        /* libmount takes what does not begin with a number for another kind of table. */
        int first = fgetc(stream);
        if (first == EOF)
                return ferror(stream) ? -EIO : 0;
        return isdigit(first) && ungetc(first, stream) != EOF ? parse_mounts(tables, stream, path, elsewhere)
                                                              : -EBADMSG;
}

static bool is_known(const Pairs *namespaces, const char *name)
{
        for (size_t i = 0; i < namespaces->n; i++)
                if (strcmp(namespaces->items[i].name, name) == 0)
                        return true;
        return false;
}

/* The mounts of the process in the folder NAME of proc, if its mount namespace was not looked at yet. */
static int read_process_mounts(const Root *root, HostTables *tables, const char *name, Pairs *namespaces)
{
        _cleanup_free_ char *link = text_format("proc/%s/ns/mnt", name), *namespace = NULL;
        _cleanup_free_ char *path = text_format("proc/%s/mountinfo", name);
        if (!link || !path)
                return -ENOMEM;
        int r = root_read_link(root, link, &namespace);
        if (r == -ENOMEM)
                return r;
        /* One that has ended, or is not ours to look at. */
        if (r < 0 || is_known(namespaces, namespace))
                return 0;
        r = read_mounts(root, tables, path, true);
        if (r == 0)
                r = pairs_add(namespaces, namespace, "");
        return r == -ENOENT || r == -ESRCH || r == -EACCES || r == -EPERM || r == -EINVAL ? 0 : r;
}

static int read_all_mounts(const Root *root, HostTables *tables)
{
        Pairs namespaces = { 0 };
        _cleanup_closedir_ DIR *proc = NULL;
        _cleanup_free_ char *own = NULL;

        int r = read_mounts(root, tables, OWN_MOUNTS, false);
        if (r < 0 && r != -ENOENT)
                return r;
        if (root_read_link(root, "proc/self/ns/mnt", &own) == 0 && pairs_add(&namespaces, own, "") < 0)
                return -ENOMEM;
        r = root_open_directory(root, "proc", &proc);
        const struct dirent *entry;
        while (r == 0 && (entry = readdir(proc)))
                if (isdigit((unsigned char) entry->d_name[0]))
                        r = read_process_mounts(root, tables, entry->d_name, &namespaces);
        pairs_clear(&namespaces);
        return r == -ENOENT ? 0 : r;
}

/* --- File systems, loop devices --- */

/* Each entry of the folder PATH as a name of WHAT. */
static int add_entries(const Root *root, const char *path, Pairs *pairs, const char *what)
{
        _cleanup_closedir_ DIR *folder = NULL;
        int r = root_open_directory(root, path, &folder);
        if (r < 0)
                return host_device_is_gone(root, path, r) ? 0 : r;
        const struct dirent *entry;
        while (r == 0 && (entry = readdir(folder)))
                if (entry->d_name[0] != '.')
                        r = pairs_add(pairs, entry->d_name, what);
        return r;
}

static int read_file_systems(const Root *root, HostTables *tables)
{
        for (size_t i = 0; i < ELEMENTSOF(file_systems); i++) {
                const char *type = file_systems[i];
                _cleanup_free_ char *path = text_format("sys/fs/%s", type);
                size_t first = tables->file_systems.n;
                int r = path ? add_entries(root, path, &tables->file_systems, type) : -ENOMEM;
                size_t end = tables->file_systems.n;
                /* btrfs: an entry a file system, with a folder of its devices */
                for (size_t j = first; j < end && r == 0; j++) {
                        _cleanup_free_ char *devices = text_format("%s/%s/devices", path,
                                                                   tables->file_systems.items[j].name);
                        r = devices ? add_entries(root, devices, &tables->file_systems, type) : -ENOMEM;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_loops(const Root *root, HostTables *tables)
{
        Pairs names = { 0 };
        int r = add_entries(root, "sys/class/block", &names, "");

        for (size_t i = 0; i < names.n && r == 0; i++) {
                if (!text_starts_with(names.items[i].name, "loop"))
                        continue;
                _cleanup_free_ char *path = text_format("sys/class/block/%s/loop/backing_file",
                                                        names.items[i].name),
                                    *file = NULL;
                r = path ? root_read_attribute(root, path, &file) : -ENOMEM;
                if (r == 0 && text_starts_with(file, "/dev/"))
                        r = pairs_add(&tables->loops, file + strlen("/dev/"), names.items[i].name);
                else if (path && host_device_is_gone(root, path, r))
                        r = 0;
        }
        pairs_clear(&names);
        return r;
}

/* --- Tables of lines --- */

typedef int (*LineParser)(HostTables *tables, char *line);

static int read_lines(const Root *root, HostTables *tables, const char *path, LineParser parser)
{
        _cleanup_fclose_ FILE *stream = NULL;
        _cleanup_free_ char *line = NULL;
        size_t room = 0;
        int r = open_stream(root, path, &stream);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while (r == 0 && getline(&line, &room, stream) > 0)
                r = parser(tables, line);
        return r == 0 && ferror(stream) ? -EIO : r;
}

/* "/dev/nvme0n1p3   partition  8388604  0  -2"; a blank in the name is "\040", and so begins " (deleted)". */
static int parse_swap(HostTables *tables, char *line)
{
        if (!text_starts_with(line, "/dev/"))
                return 0; /* the heading, or a file, which lies on something mounted */
        line[strcspn(line, " \t\\\n")] = '\0';
        return pairs_add(&tables->swaps, line + strlen("/dev/"), "");
}

static int add_route(HostTables *tables, const char *name, bool is_default)
{
        HostRoute known = host_tables_route(tables, name);
        if (known == HOST_ROUTE_DEFAULT || (known == HOST_ROUTE_SOME && !is_default))
                return 0;
        return pairs_add(&tables->routes, name, is_default ? "default" : "");
}

/* "eth0  00000000  0102000A  0003  0  0  0  00000000  0  0  0" */
static int parse_route(HostTables *tables, char *line)
{
        char name[64];
        unsigned destination, flags, mask;

        if (sscanf(line, "%63s %8x %*x %x %*s %*s %*s %8x", name, &destination, &flags, &mask) != 4 ||
            !(flags & ROUTE_UP) || flags & ROUTE_REJECT)
                return 0;
        return add_route(tables, name, destination == 0 && mask == 0);
}

/* "fe80… 40 00… 00 00… 00000100 00000001 00000000 00000001     eth0" */
static int parse_route6(HostTables *tables, char *line)
{
        char name[64], destination[33];
        unsigned length, flags;

        if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %63s", destination, &length, &flags, name) != 4)
                return 0;
        if (!(flags & ROUTE_UP) || flags & (ROUTE_REJECT | ROUTE_ANYCAST | ROUTE_LOCAL) ||
            text_starts_with(destination, "fe8") || text_starts_with(destination, "ff"))
                return 0;
        return add_route(tables, name, length == 0);
}

int host_tables_read(const Root *root, HostTables **ret)
{
        _cleanup_(host_tables_freep) HostTables *tables = calloc(1, sizeof(*tables));
        if (!tables)
                return -ENOMEM;
        int r = read_all_mounts(root, tables);
        if (r == 0)
                r = read_file_systems(root, tables);
        if (r == 0)
                r = read_loops(root, tables);
        if (r == 0)
                r = read_lines(root, tables, "proc/swaps", parse_swap);
        if (r == 0)
                r = read_lines(root, tables, "proc/net/route", parse_route);
        if (r == 0)
                r = read_lines(root, tables, "proc/net/ipv6_route", parse_route6);
        if (r == 0)
                r = root_exists(root, "sys/module/zfs");
        if (r < 0)
                return r;
        tables->has_zfs = r > 0;
        *ret = TAKE_PTR(tables);
        return 0;
}

/* --- Questions --- */

/* NAME, which is below /dev, is a node of BLOCK. */
static bool is_node_of(const HostBlockNames *block, const char *name)
{
        if (block->node && strcmp(name, block->node) == 0)
                return true;
        return block->mapper && text_starts_with(name, "mapper/") &&
               strcmp(name + strlen("mapper/"), block->mapper) == 0;
}

/* A source may be a list ("/dev/sda:/dev/sdb") of a file system with several devices. */
static bool is_in_source(const HostBlockNames *block, const char *source)
{
        while (*source) {
                size_t size = strcspn(source, ":");
                _cleanup_free_ char *one = strndup(source, size);
                if (!one || (text_starts_with(one, "/dev/") && is_node_of(block, one + strlen("/dev/"))))
                        return true; /* without memory to look: it may be */
                source += size + (source[size] == ':');
        }
        return false;
}

int host_tables_mount(const HostTables *tables, const HostBlockNames *block, char **ret)
{
        const Mount *first = NULL;
        size_t n = 0;

        for (size_t i = 0; i < tables->n_mounts; i++) {
                const Mount *mount = &tables->mounts[i];
                if (!(block->number != 0 && mount->number == block->number) &&
                    !is_in_source(block, mount->source))
                        continue;
                first = first ? first : mount;
                n += !mount->elsewhere;
        }
        *ret = NULL;
        if (first) {
                *ret = text_format("mounted on %s (%s)%s", first->target, first->type,
                                   first->elsewhere ? " in another mount namespace" : "");
                if (*ret && n > 1)
                        text_replace(ret, "mounted on %s (%s) and %zu more time%s", first->target,
                                     first->type, n - 1, n > 2 ? "s" : "");
                return *ret ? 0 : -ENOMEM;
        }
        for (size_t i = 0; i < tables->file_systems.n; i++) {
                const Pair *pair = &tables->file_systems.items[i];
                if (strcmp(pair->name, block->kernel) != 0)
                        continue;
                *ret = text_format("part of a mounted file system (%s)", pair->what);
                return *ret ? 0 : -ENOMEM;
        }
        return 0;
}

bool host_tables_is_swap(const HostTables *tables, const HostBlockNames *block)
{
        for (size_t i = 0; i < tables->swaps.n; i++)
                if (is_node_of(block, tables->swaps.items[i].name))
                        return true;
        return false;
}

const char *host_tables_loop(const HostTables *tables, const HostBlockNames *block, size_t index)
{
        for (size_t i = 0; i < tables->loops.n; i++)
                if (is_node_of(block, tables->loops.items[i].name) && index-- == 0)
                        return tables->loops.items[i].what;
        return NULL;
}

bool host_tables_has_zfs(const HostTables *tables)
{
        return tables->has_zfs;
}

HostRoute host_tables_route(const HostTables *tables, const char *name)
{
        HostRoute route = HOST_ROUTE_NONE;

        for (size_t i = 0; i < tables->routes.n; i++) {
                if (strcmp(tables->routes.items[i].name, name) != 0)
                        continue;
                if (strcmp(tables->routes.items[i].what, "default") == 0)
                        return HOST_ROUTE_DEFAULT;
                route = HOST_ROUTE_SOME;
        }
        return route;
}
