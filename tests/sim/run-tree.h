/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The writable tree /run: ordinary files and directories in memory. */

#include "machine.h"

#include <time.h>

typedef struct RunFile {
        char *name;
        bool is_directory;
        unsigned mode;
        char *data;
        size_t size;
        struct timespec changed; /* the contents */
        struct RunFile *parent;  /* NULL: unlinked, or the top */
        struct RunFile *next, *children;
        unsigned opens;
} RunFile;

extern const struct Directory run_directory;
extern const struct FileKind run_file_kind;

/* Empties the tree, but for what udevd puts there (what is open stays until it is closed). */
void run_tree_reset(Machine *machine);

/* The file PATH ("run/vfio-realign/lock"); NULL. */
RunFile *run_find(Machine *machine, const char *path);
/* Makes PATH. 0 or -errno. */
int run_make(Machine *machine, const char *path, bool is_directory, unsigned mode);
int run_remove(Machine *machine, const char *path, bool is_directory);
int run_rename(Machine *machine, const char *from, const char *to);

void run_open(RunFile *file);
void run_close(RunFile *file);
int run_read(const RunFile *file, char *buffer, size_t size, size_t offset);
int run_write(RunFile *file, const char *data, size_t size, size_t offset);
int run_truncate(RunFile *file, size_t size);
