/* SPDX-License-Identifier: GPL-2.0-or-later */

#define FUSE_USE_VERSION 35

#include "fuse-main.h"

#include "faults.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <string.h>

/* An open file. */
typedef struct Open {
        Node node;
        unsigned births; /* of the function it belongs to */
        bool holds_group;
        char path[256];
} Open;

static Machine *the_machine;
static struct fuse *the_fuse;
static pthread_t the_thread;

static Machine *enter(void)
{
        pthread_mutex_lock(&the_machine->lock);
        return the_machine;
}

static int leave(int result)
{
        pthread_mutex_unlock(&the_machine->lock);
        return result;
}

static int strike(Machine *machine, const char *name, const char *path, FaultEffect *ret)
{
        return faults_strike(machine, fuse_get_context()->pid, name, path, ret);
}

static Open *open_of(const struct fuse_file_info *info)
{
        return (Open *) (uintptr_t) info->fh;
}

/* --- what a look shows --- */

static void fill(const Node *node, struct stat *st)
{
        *st = (struct stat){ .st_nlink = 1 };
        if (node->run) {
                st->st_mode = (node->run->is_directory ? S_IFDIR : S_IFREG) | node->run->mode;
                st->st_size = (off_t) node->run->size;
                st->st_mtim = node->run->changed;
        } else if (node->directory) {
                st->st_mode = S_IFDIR | 0755;
                st->st_nlink = 2;
        } else if (node->is_link) {
                st->st_mode = S_IFLNK | 0777;
                st->st_size = (off_t) strlen(node->target);
        } else {
                st->st_mode = S_IFREG | node->file->mode;
                st->st_size = node->file->mode & 0222 || !node->file->show ? 0 : 4096;
        }
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
        Machine *machine = enter();
        Node node;
        int r = 0;

        if (info && open_of(info) && !path)
                node = open_of(info)->node;
        else
                r = tree_find(machine, path, &node);
        if (r == 0)
                fill(&node, st);
        return leave(r);
}

static int on_readlink(const char *path, char *buffer, size_t size)
{
        Machine *machine = enter();
        FaultEffect effect;
        Node node;

        int r = strike(machine, "readlink", path, &effect);
        if (r == 0)
                r = tree_find(machine, path, &node);
        if (r == 0 && !node.is_link)
                r = -EINVAL;
        if (r == 0)
                snprintf(buffer, size, "%s", node.target);
        faults_after(machine, &effect);
        return leave(r);
}

/* --- directories --- */

typedef struct Filling {
        void *buffer;
        fuse_fill_dir_t filler;
} Filling;

static void fill_name(void *userdata, const char *name)
{
        Filling *filling = userdata;
        filling->filler(filling->buffer, name, NULL, 0, 0);
}

/* A directory's path may be unknown later (nullpath_ok), so it is remembered. */
static int on_opendir(const char *path, struct fuse_file_info *info)
{
        Machine *machine = enter();
        Node node;
        int r = tree_find(machine, path, &node);
        if (r == 0 && !node.directory)
                r = -ENOTDIR;
        Open *open = r == 0 ? calloc(1, sizeof(*open)) : NULL;
        if (open) {
                snprintf(open->path, sizeof(open->path), "%s", path);
                info->fh = (uintptr_t) open;
        }
        return leave(r == 0 && !open ? -ENOMEM : r);
}

static int on_releasedir(const char *path, struct fuse_file_info *info)
{
        free(open_of(info));
        return 0;
}

static int on_readdir(const char *ignored, void *buffer, fuse_fill_dir_t filler, off_t offset,
                      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
        Machine *machine = enter();
        const char *path = open_of(info)->path;
        Filling filling = { buffer, filler };
        Emit emit = { fill_name, &filling };
        FaultEffect effect;
        Node node;

        int r = strike(machine, "readdir", path, &effect);
        if (r == 0)
                r = tree_find(machine, path, &node);
        if (r == 0 && !node.directory)
                r = -ENOTDIR;
        if (r == 0) {
                filler(buffer, ".", NULL, 0, 0);
                filler(buffer, "..", NULL, 0, 0);
                node.directory->list(machine, &node, &emit);
        }
        faults_after(machine, &effect);
        return leave(r);
}

/* --- files --- */

static int take_group(Machine *machine, Open *open)
{
        Group *group = &machine->groups[open->node.number];
        if (group->held_by_user || group->held_by_worker)
                return -EBUSY;
        group->held_by_worker = open->holds_group = true;
        return 0;
}

static void let_group_go(Machine *machine, Open *open)
{
        if (!open->holds_group)
                return;
        machine->groups[open->node.number].held_by_worker = open->holds_group = false;
        machine_changed(machine);
}

static int open_node(Machine *machine, const char *path, const Node *node, struct fuse_file_info *info)
{
        Open *open = calloc(1, sizeof(*open));
        if (!open)
                return -ENOMEM;
        open->node = *node;
        open->births = node->function ? node->function->births : 0;
        snprintf(open->path, sizeof(open->path), "%s", path);
        int r = node->file == &group_file_kind ? take_group(machine, open) : 0;
        if (r < 0) {
                free(open);
                return r;
        }
        if (node->run)
                run_open(node->run);
        info->fh = (uintptr_t) open;
        info->direct_io = 1;
        return 0;
}

static int on_open(const char *path, struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;
        Node node;

        int r = strike(machine, "open", path, &effect);
        if (r == 0)
                r = tree_find(machine, path, &node);
        if (r == 0 && !node.file)
                r = -EISDIR;
        if (r == 0)
                r = open_node(machine, path, &node, info);
        /* libfuse asks for it in open() and not by truncate(); attributes have no length. */
        if (r == 0 && info->flags & O_TRUNC && node.run)
                r = run_truncate(node.run, 0);
        faults_after(machine, &effect);
        return leave(r);
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;
        Node node;

        int r = strike(machine, "create", path, &effect);
        if (r == 0)
                r = run_make(machine, path, false, mode & 07777);
        if (r == 0)
                r = tree_find(machine, path, &node);
        if (r == 0)
                r = open_node(machine, path, &node, info);
        faults_after(machine, &effect);
        return leave(r);
}

/* What belongs to a function that has gone answers so, whether the function is back or not. */
static bool is_gone(const Open *open)
{
        const Function *function = open->node.function;
        return function && (!function->present || function->births != open->births);
}

static int read_file(Machine *machine, const Open *open, char *buffer, size_t size, size_t offset)
{
        if (open->node.run)
                return run_read(open->node.run, buffer, size, offset);
        if (is_gone(open))
                return -ENODEV;
        if (!open->node.file->show)
                return -EIO;
        _cleanup_free_ char *contents = malloc(CONTENTS_MAX);
        if (!contents)
                return -ENOMEM;
        int n = open->node.file->show(machine, &open->node, contents, CONTENTS_MAX);
        if (n < 0 || offset >= (size_t) n)
                return n < 0 ? n : 0;
        if (size > (size_t) n - offset)
                size = (size_t) n - offset;
        memcpy(buffer, contents + offset, size);
        return (int) size;
}

static int on_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;

        int r = strike(machine, "read", open_of(info)->path, &effect);
        if (r == 0)
                r = read_file(machine, open_of(info), buffer, size, (size_t) offset);
        if (effect.is_short && r > 1)
                r /= 2;
        faults_after(machine, &effect);
        return leave(r);
}

/* A sysfs attribute takes each write as a whole, wherever it is said to go (KF §1). */
static int write_file(Machine *machine, const Open *open, const char *data, size_t size, size_t offset)
{
        if (open->node.run)
                return run_write(open->node.run, data, size, offset);
        if (is_gone(open))
                return -ENODEV;
        if (!open->node.file->store)
                return -EIO;
        return open->node.file->store(machine, &open->node, data, size);
}

static int on_write(const char *path, const char *data, size_t size, off_t offset,
                    struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;

        int r = strike(machine, "write", open_of(info)->path, &effect);
        if (r == 0) {
                /* An ordinary file takes the part; an attribute does its work and says less. */
                size_t part = effect.is_short && open_of(info)->node.run && size > 1 ? size / 2 : size;
                r = write_file(machine, open_of(info), data, part, (size_t) offset);
                if (effect.is_short && r == (int) size && size > 1)
                        r /= 2;
        }
        faults_after(machine, &effect);
        return leave(r);
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
        Machine *machine = enter();
        RunFile *file = info && open_of(info) ? open_of(info)->node.run : run_find(machine, path);
        return leave(file ? run_truncate(file, (size_t) size) : 0);
}

/* close(2) waits for this, but not for release. */
static int on_flush(const char *path, struct fuse_file_info *info)
{
        let_group_go(enter(), open_of(info));
        return leave(0);
}

static int on_release(const char *path, struct fuse_file_info *info)
{
        Open *open = open_of(info);
        let_group_go(enter(), open);
        if (open->node.run)
                run_close(open->node.run);
        free(open);
        return leave(0);
}

static int on_fsync(const char *path, int only_data, struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;
        int r = strike(machine, "fsync", open_of(info)->path, &effect);
        faults_after(machine, &effect);
        return leave(r);
}

static int on_fsyncdir(const char *path, int only_data, struct fuse_file_info *info)
{
        Machine *machine = enter();
        FaultEffect effect;
        int r = strike(machine, "fsyncdir", open_of(info)->path, &effect);
        faults_after(machine, &effect);
        return leave(r);
}

/* --- names in /run --- */

static int on_mkdir(const char *path, mode_t mode)
{
        Machine *machine = enter();
        FaultEffect effect;
        int r = strike(machine, "mkdir", path, &effect);
        if (r == 0)
                r = run_make(machine, path, true, mode & 07777);
        faults_after(machine, &effect);
        return leave(r);
}

static int on_unlink(const char *path)
{
        Machine *machine = enter();
        FaultEffect effect;
        int r = strike(machine, "unlink", path, &effect);
        if (r == 0)
                r = run_remove(machine, path, false);
        faults_after(machine, &effect);
        return leave(r);
}

static int on_rmdir(const char *path)
{
        return leave(run_remove(enter(), path, true));
}

/* The worker tells in its progress that it knows of being late: then what hangs may go on. */
static void look_for_late(Machine *machine, const char *path)
{
        RunFile *file = run_find(machine, path);
        if (!file || !file->data || !strstr(file->data, "\"late\""))
                return;
        machine->faults->released = true;
        machine_changed(machine);
}

static int on_rename(const char *from, const char *to, unsigned flags)
{
        Machine *machine = enter();
        FaultEffect effect;
        int r = flags ? -EINVAL : strike(machine, "rename", to, &effect);
        if (flags)
                return leave(r);
        if (r == 0)
                r = run_rename(machine, from, to);
        if (r == 0)
                look_for_late(machine, to);
        faults_after(machine, &effect);
        return leave(r);
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *info)
{
        RunFile *file = run_find(enter(), path);
        if (file)
                file->mode = mode & 07777;
        return leave(file ? 0 : -EPERM);
}

static int on_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *info)
{
        return 0;
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
        config->hard_remove = 1;
        config->nullpath_ok = 1;
        config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
        config->direct_io = 1;
        return NULL;
}

static const struct fuse_operations operations = {
        .init = on_init,
        .getattr = on_getattr,
        .readlink = on_readlink,
        .opendir = on_opendir,
        .readdir = on_readdir,
        .releasedir = on_releasedir,
        .open = on_open,
        .create = on_create,
        .read = on_read,
        .write = on_write,
        .truncate = on_truncate,
        .flush = on_flush,
        .release = on_release,
        .fsync = on_fsync,
        .fsyncdir = on_fsyncdir,
        .mkdir = on_mkdir,
        .unlink = on_unlink,
        .rmdir = on_rmdir,
        .rename = on_rename,
        .chmod = on_chmod,
        .utimens = on_utimens,
};

/* --- serving --- */

static void *serve(void *userdata)
{
        struct fuse_loop_config config = { .clone_fd = 0, .max_idle_threads = 16 };
        (void) fuse_loop_mt(the_fuse, &config);
        return NULL;
}

int serve_start(Machine *machine, const char *directory)
{
        char name[] = "simkernel", options[] = "-ofsname=simkernel";
        char *argv[] = { name, options, NULL };
        struct fuse_args arguments = FUSE_ARGS_INIT(2, argv);

        the_machine = machine;
        run_tree_reset(machine);
        the_fuse = fuse_new(&arguments, &operations, sizeof(operations), NULL);
        fuse_opt_free_args(&arguments);
        if (!the_fuse)
                return -EINVAL;
        if (fuse_mount(the_fuse, directory) < 0) {
                fuse_destroy(the_fuse);
                return -EPERM;
        }
        return -pthread_create(&the_thread, NULL, serve, NULL);
}

void serve_wait(void)
{
        pthread_join(the_thread, NULL);
}

void serve_stop(void)
{
        /* Unmounting wakes the threads. What the process leaves behind ends with it. */
        fuse_exit(the_fuse);
        fuse_unmount(the_fuse);
        pthread_join(the_thread, NULL);
        fuse_destroy(the_fuse);
}
