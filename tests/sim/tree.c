/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "tree.h"

#include "control.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const StaticEntry empty_entries[] = { { 0 } };

static const StaticEntry top_entries[] = {
        { "sys", &static_directory, NULL, sys_entries }, { "proc", &proc_directory, NULL, NULL },
        { "dev", &static_directory, NULL, dev_entries }, { "run", &run_directory, NULL, NULL },
        { "control", NULL, &control_kind, NULL },        { 0 },
};

int node_link(Node *ret, const char *format, ...)
{
        va_list args;

        ret->is_link = true;
        va_start(args, format);
        vsnprintf(ret->target, sizeof(ret->target), format, args);
        va_end(args);
        return 0;
}

int node_file(Node *ret, const FileKind *kind)
{
        ret->file = kind;
        return 0;
}

int node_directory(Node *ret, const Directory *directory)
{
        ret->directory = directory;
        return 0;
}

int node_static(const StaticEntry *entries, const Node *from, const char *name, Node *ret)
{
        for (size_t i = 0; entries[i].name; i++) {
                if (strcmp(entries[i].name, name) != 0)
                        continue;
                ret->function = from->function;
                ret->host = from->host;
                ret->driver = from->driver;
                ret->user = from->user;
                ret->number = from->number;
                ret->directory = entries[i].directory;
                ret->file = entries[i].file;
                ret->entries = entries[i].entries ? entries[i].entries : empty_entries;
                return 0;
        }
        return -ENOENT;
}

void static_list(const StaticEntry *entries, const Emit *emit)
{
        for (size_t i = 0; entries[i].name; i++)
                emit->call(emit->userdata, entries[i].name);
}

static int find_static(Machine *machine, const Node *node, const char *name, Node *ret)
{
        return node_static(node->entries, node, name, ret);
}

static void list_static(Machine *machine, const Node *node, const Emit *emit)
{
        static_list(node->entries, emit);
}

const Directory static_directory = { find_static, list_static };

int tree_find(Machine *machine, const char *path, Node *ret)
{
        Node node = { .directory = &static_directory, .entries = top_entries, .number = NONE };
        char name[256];

        for (const char *at = path; *at;) {
                size_t size = strcspn(at, "/");
                if (size == 0) {
                        at++;
                        continue;
                }
                if (size >= sizeof(name))
                        return -ENAMETOOLONG;
                if (!node.directory)
                        return -ENOTDIR;
                memcpy(name, at, size);
                name[size] = '\0';
                at += size;

                Node next = { .number = NONE };
                int r = node.directory->find(machine, &node, name, &next);
                if (r < 0)
                        return r;
                node = next;
        }
        *ret = node;
        return 0;
}

int show_text(char *buffer, size_t size, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int n = vsnprintf(buffer, size, format, args);
        va_end(args);
        return n;
}

bool store_text(char *buffer, size_t room, const char *data, size_t size)
{
        if (size > 0 && data[size - 1] == '\n')
                size--;
        if (size >= room || memchr(data, '\0', size))
                return false;
        memcpy(buffer, data, size);
        buffer[size] = '\0';
        return true;
}

Function *store_function(Machine *machine, const char *data, size_t size)
{
        char text[VALUE_MAX];
        PciAddress address;

        if (!store_text(text, sizeof(text), data, size) || pci_address_parse(text, &address) < 0)
                return NULL;
        Function *function = machine_find(machine, address);
        return function && function->present ? function : NULL;
}
