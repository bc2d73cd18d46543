/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "run-tree.h"

#include "tree.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX (16u << 20)

static RunFile *file_new(const char *name, bool is_directory, unsigned mode)
{
        RunFile *file = calloc(1, sizeof(*file));
        if (!file)
                return NULL;
        file->name = strdup(name);
        file->is_directory = is_directory;
        file->mode = mode;
        clock_gettime(CLOCK_REALTIME, &file->changed);
        if (file->name)
                return file;
        free(file);
        return NULL;
}

static void file_free(RunFile *file)
{
        free(file->name);
        free(file->data);
        free(file);
}

/* Without a name: it goes when it is closed. */
static void file_drop(RunFile *file)
{
        while (file->children) {
                RunFile *child = file->children;
                file->children = child->next;
                file_drop(child);
        }
        file->parent = NULL;
        if (file->opens == 0)
                file_free(file);
}

void run_tree_reset(Machine *machine)
{
        if (machine->run)
                file_drop(machine->run);
        machine->run = file_new("run", true, 0755);
        if (machine->options.udev) {
                (void) run_make(machine, "run/udev", true, 0755);
                (void) run_make(machine, "run/udev/control", false, 0600);
        }
}

static RunFile *find_child(const RunFile *directory, const char *name)
{
        for (RunFile *child = directory->children; child; child = child->next)
                if (strcmp(child->name, name) == 0)
                        return child;
        return NULL;
}

RunFile *run_find(Machine *machine, const char *path)
{
        Node node;
        if (tree_find(machine, path, &node) < 0)
                return NULL;
        return node.directory == &run_directory && !node.run ? machine->run : node.run;
}

/* The directory that PATH is in; *RET_NAME is its last component. */
static RunFile *find_parent(Machine *machine, const char *path, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        if (!slash)
                return NULL;
        _cleanup_free_ char *parent = strndup(path, (size_t) (slash - path));
        RunFile *directory = parent ? run_find(machine, parent) : NULL;
        *ret_name = slash + 1;
        return directory && directory->is_directory ? directory : NULL;
}

static void unlink_from_parent(RunFile *file)
{
        RunFile **at = &file->parent->children;
        while (*at != file)
                at = &(*at)->next;
        *at = file->next;
        file->next = NULL;
        file->parent = NULL;
}

int run_make(Machine *machine, const char *path, bool is_directory, unsigned mode)
{
        const char *name;
        RunFile *parent = find_parent(machine, path, &name);
        if (!parent)
                return -EACCES;
        if (find_child(parent, name))
                return -EEXIST;
        RunFile *file = file_new(name, is_directory, mode);
        if (!file)
                return -ENOMEM;
        file->parent = parent;
        file->next = parent->children;
        parent->children = file;
        return 0;
}

int run_remove(Machine *machine, const char *path, bool is_directory)
{
        RunFile *file = run_find(machine, path);
        if (!file || !file->parent)
                return -EACCES;
        if (file->is_directory != is_directory)
                return is_directory ? -ENOTDIR : -EISDIR;
        if (file->children)
                return -ENOTEMPTY;
        unlink_from_parent(file);
        file_drop(file);
        return 0;
}

int run_rename(Machine *machine, const char *from, const char *to)
{
        const char *name;
        RunFile *file = run_find(machine, from), *parent = find_parent(machine, to, &name);
        if (!file || !file->parent || !parent)
                return -EACCES;
        RunFile *there = find_child(parent, name);
        char *fresh = strdup(name);
        if (!fresh)
                return -ENOMEM;
        if (there) {
                unlink_from_parent(there);
                file_drop(there);
        }
        unlink_from_parent(file);
        free(file->name);
        file->name = fresh;
        file->parent = parent;
        file->next = parent->children;
        parent->children = file;
        return 0;
}

void run_open(RunFile *file)
{
        file->opens++;
}

void run_close(RunFile *file)
{
        if (--file->opens == 0 && !file->parent && strcmp(file->name, "run") != 0)
                file_free(file);
}

int run_read(const RunFile *file, char *buffer, size_t size, size_t offset)
{
        if (offset >= file->size)
                return 0;
        if (size > file->size - offset)
                size = file->size - offset;
        memcpy(buffer, file->data + offset, size);
        return (int) size;
}

int run_truncate(RunFile *file, size_t size)
{
        if (size > FILE_MAX)
                return -EFBIG;
        char *data = realloc(file->data, size + 1);
        if (!data)
                return -ENOMEM;
        if (size > file->size)
                memset(data + file->size, 0, size - file->size);
        data[size] = '\0';
        file->data = data;
        file->size = size;
        clock_gettime(CLOCK_REALTIME, &file->changed);
        return 0;
}

int run_write(RunFile *file, const char *data, size_t size, size_t offset)
{
        if (offset + size > file->size || !file->data) {
                int r = run_truncate(file, offset + size);
                if (r < 0)
                        return r;
        }
        memcpy(file->data + offset, data, size);
        clock_gettime(CLOCK_REALTIME, &file->changed);
        return (int) size;
}

/* --- as a part of the tree --- */

static int find(Machine *machine, const Node *node, const char *name, Node *ret)
{
        RunFile *file = find_child(node->run ? node->run : machine->run, name);
        if (!file)
                return -ENOENT;
        ret->run = file;
        return file->is_directory ? node_directory(ret, &run_directory) : node_file(ret, &run_file_kind);
}

static void list(Machine *machine, const Node *node, const Emit *emit)
{
        const RunFile *directory = node->run ? node->run : machine->run;
        for (const RunFile *child = directory->children; child; child = child->next)
                emit->call(emit->userdata, child->name);
}

const Directory run_directory = { find, list };
const FileKind run_file_kind = { .mode = 0644 };
