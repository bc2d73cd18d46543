/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How large the windows of bridges are to be: pbus_size_io() and pbus_size_mem(). What must be goes into the window's
 * size, what would be good to have beside it into the wishes (the kernel's realloc_head).
 */

#include "machine.h"

#define WISHES_MAX ((size_t) FUNCTIONS_MAX * 4)

typedef struct Wish {
        Resource *resource;
        uint64_t size; /* in addition to its own */
        uint64_t alignment;
} Wish;

typedef struct Wishes {
        Wish items[WISHES_MAX]; /* the kernel goes through them from the last to the first */
        size_t n;
} Wishes;

/* One bus of the machine. */
typedef struct Bus {
        Machine *machine;
        Function *bridge; /* NULL: the root bus */
        Host *host;
        Wishes *wishes;
} Bus;

/* NULL: nothing more is wished for the resource. */
Wish *wishes_find(Wishes *wishes, const Resource *resource);
void wishes_drop(Wishes *wishes, const Resource *resource);

bool bus_has(const Bus *bus, const Function *function);
/* Neither a classless function nor a host bridge (KF §7). */
bool function_is_assignable(const Function *function);
/* The bytes of a resource, placed or not; a window may have none. */
uint64_t resource_bytes(const Resource *resource);
bool resource_pending(const Resource *resource);
/* 7.x places a ROM that is not switched on only if there is room. The firmware knows no such thing. */
bool line_is_optional(const Machine *machine, unsigned line);
/* As 7.x does it, not 6.x; the firmware, too, is like 6.x. */
bool machine_is_new(const Machine *machine);

void window_sizes(const Bus *root_bus);
