/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The tree of files: sys, proc, dev and run, made from the machine at every look. A node is found by walking a path from
 * the top; directories know how to find and list what is in them, files how to show and store. The machine's lock is
 * held; a store may let it go while it waits.
 */

#include "machine.h"
#include "run-tree.h"

#include <sys/types.h>

typedef struct Node Node;
typedef struct Directory Directory;
typedef struct FileKind FileKind;
typedef struct StaticEntry StaticEntry;

/* Called with the name of each entry of a directory. */
typedef struct Emit {
        void (*call)(void *userdata, const char *name);
        void *userdata;
} Emit;

struct Node {
        const Directory *directory; /* one of these three is set */
        const FileKind *file;
        bool is_link;

        const StaticEntry *entries; /* of a static directory */
        Function *function;
        Host *host;
        const Driver *driver;
        User *user;
        RunFile *run;
        int number;       /* of a group, a resource … */
        char target[288]; /* of a link */
};

struct Directory {
        int (*find)(Machine *machine, const Node *node, const char *name, Node *ret);
        void (*list)(Machine *machine, const Node *node, const Emit *emit);
};

struct FileKind {
        mode_t mode;
        /* Writes the contents (SIZE bytes of room), returns how many bytes or -errno. */
        int (*show)(Machine *machine, const Node *node, char *buffer, size_t size);
        int (*store)(Machine *machine, const Node *node, const char *data, size_t size);
};

struct StaticEntry {
        const char *name;
        const Directory *directory;
        const FileKind *file;
        const StaticEntry *entries;
};

#define CONTENTS_MAX (128u << 10)

/* -ENOENT, -ENOTDIR. */
int tree_find(Machine *machine, const char *path, Node *ret);

extern const Directory static_directory, function_directory, pci_bus_directory;
extern const StaticEntry sys_entries[], proc_entries[], dev_entries[];
extern const Directory proc_directory;
extern const FileKind group_file_kind;

/* For directories: the node becomes one of these. They return 0. */
int node_link(Node *ret, const char *format, ...) _printf_(2, 3);
int node_file(Node *ret, const FileKind *kind);
int node_directory(Node *ret, const Directory *directory);
int node_static(const StaticEntry *entries, const Node *from, const char *name, Node *ret);
void static_list(const StaticEntry *entries, const Emit *emit);

/* "driver_override", "power/control", … */
const char *attribute_name(Attribute attribute);

/* For shows: formatted text. */
int show_text(char *buffer, size_t size, const char *format, ...) _printf_(3, 4);
/* For stores: the data as text without its newline; false when it does not fit. */
bool store_text(char *buffer, size_t room, const char *data, size_t size);
/* The function that DATA names, present or not; NULL. */
Function *store_function(Machine *machine, const char *data, size_t size);
