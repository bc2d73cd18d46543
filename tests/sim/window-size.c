/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "window-size.h"

#define MEGABYTE UINT64_C(0x100000)
#define IO_WINDOW_ALIGNMENT UINT64_C(0x1000)
#define SMALL_PORTS UINT64_C(0x400)
#define ORDERS 24u

static const uint64_t window_flags[WINDOWS] = {
        [WINDOW_IO] = FLAG_IO,
        [WINDOW_MEMORY] = FLAG_MEMORY,
        [WINDOW_PREFETCH] = FLAG_MEMORY | FLAG_PREFETCH | FLAG_64 | 1,
};

/* pci_hotplug_io_size and the like: at least so much is wished for below a port with a hot-plug slot. */
static const uint64_t hotplug_spare[WINDOWS] = {
        [WINDOW_IO] = 0x100,
        [WINDOW_MEMORY] = 2 * MEGABYTE,
        [WINDOW_PREFETCH] = 2 * MEGABYTE,
};

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
        return (value + alignment - 1) & ~(alignment - 1);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

/* --- what both halves of the allocator ask --- */

Wish *wishes_find(Wishes *wishes, const Resource *resource)
{
        for (size_t i = 0; i < wishes->n; i++)
                if (wishes->items[i].resource == resource)
                        return &wishes->items[i];
        return NULL;
}

void wishes_drop(Wishes *wishes, const Resource *resource)
{
        Wish *wish = wishes_find(wishes, resource);
        if (!wish)
                return;
        wishes->n--;
        for (; wish < &wishes->items[wishes->n]; wish++)
                *wish = wish[1];
}

static void wishes_add(Wishes *wishes, Resource *resource, uint64_t size, uint64_t alignment)
{
        if (wishes->n < WISHES_MAX)
                wishes->items[wishes->n++] = (Wish){ resource, size, alignment };
}

bool bus_has(const Bus *bus, const Function *function)
{
        return function->present && function->bridge == bus->bridge && function->host == bus->host;
}

bool function_is_assignable(const Function *function)
{
        uint32_t class = function->class >> 8;
        return class != 0x0000 && class != 0x0600;
}

uint64_t resource_bytes(const Resource *resource)
{
        return resource->end - resource->start + 1;
}

bool resource_pending(const Resource *resource)
{
        return (resource->flags & FLAG_UNSET) != 0 && !(resource->flags & FLAG_FIXED);
}

bool machine_is_new(const Machine *machine)
{
        return machine->options.optional_roms && !machine->booting;
}

bool line_is_optional(const Machine *machine, unsigned line)
{
        return machine_is_new(machine) && line == ROM;
}

/* --- what is below a bridge --- */

/* Which window a resource below a bridge goes to. */
static int window_of(const Resource *resource)
{
        if (resource->flags & FLAG_IO)
                return WINDOW_IO;
        if (resource->flags & FLAG_PREFETCH && resource->flags & FLAG_64)
                return WINDOW_PREFETCH;
        return WINDOW_MEMORY;
}

typedef struct Need {
        uint64_t size;
        uint64_t small_ports;    /* of it, what is below 1 KiB each */
        uint64_t aligns[ORDERS]; /* from 1 MiB on */
        unsigned max_order;
        uint64_t wished, wished_alignment; /* by what is below */
} Need;

static void need_wish(const Bus *bus, Need *need, Resource *resource, unsigned line)
{
        const Wish *wish = line >= FIRST_WINDOW ? wishes_find(bus->wishes, resource) : NULL;

        if (wish) {
                need->wished += wish->size;
                need->wished_alignment = larger(need->wished_alignment, wish->alignment);
        }
}

/* pbus_size_mem_optional(): true for what is optional as a whole. */
static bool need_optional(const Bus *bus, Need *need, Resource *resource, unsigned line)
{
        bool is_empty_window = line >= FIRST_WINDOW && resource_bytes(resource) == 0;

        if (!line_is_optional(bus->machine, line) && !(machine_is_new(bus->machine) && is_empty_window))
                return false;
        if (!wishes_find(bus->wishes, resource))
                wishes_add(bus->wishes, resource, 0, resource->alignment);
        need->wished += resource_bytes(resource);
        need->wished_alignment = larger(need->wished_alignment, resource->alignment);
        return true;
}

static void need_memory(const Bus *bus, Need *need, Resource *resource, unsigned line)
{
        uint64_t size = resource_bytes(resource), alignment = resource->alignment;
        unsigned order = 0;

        need_wish(bus, need, resource, line);
        if (need_optional(bus, need, resource, line))
                return;
        while (order + 1 < ORDERS && (MEGABYTE << order) < alignment)
                order++;
        need->size += larger(size, alignment);
        if (size <= alignment)
                need->aligns[order] += alignment;
        if (order > need->max_order)
                need->max_order = order;
}

static void collect_need(const Bus *bus, int window, Need *need)
{
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!bus_has(bus, function) || !function_is_assignable(function))
                        continue;
                for (unsigned line = 0; line < LINES; line++) {
                        Resource *resource = &function->resources[line];
                        if (!resource_pending(resource) || window_of(resource) != window)
                                continue;
                        if (window != WINDOW_IO) {
                                need_memory(bus, need, resource, line);
                                continue;
                        }
                        need_wish(bus, need, resource, line);
                        need->size += resource_bytes(resource);
                        if (resource_bytes(resource) < SMALL_PORTS)
                                need->small_ports += resource_bytes(resource);
                }
        }
}

/* --- alignments --- */

/* calculate_mem_align() */
static uint64_t need_alignment(const Need *need)
{
        uint64_t alignment = 0, smallest = 0;
        for (unsigned order = 0; order <= need->max_order; order++) {
                uint64_t step = MEGABYTE << order;
                if (alignment == 0)
                        smallest = step;
                else if (align_up(alignment + smallest, smallest) < step)
                        smallest = step >> 1;
                alignment += need->aligns[order];
        }
        return larger(smallest, MEGABYTE);
}

/* 7.x's calculate_head_align(): the tail of a window need only be aligned to the window's own granularity. */
static uint64_t need_head_alignment(const Need *need)
{
        uint64_t head = MEGABYTE << need->max_order, smaller = 0;
        for (unsigned order = need->max_order; order-- > 0;) {
                smaller += need->aligns[order];
                while (head > MEGABYTE << order && smaller >= head / 2) {
                        head /= 2;
                        smaller -= head;
                }
        }
        return head;
}

/* --- windows --- */

typedef struct WindowSize {
        uint64_t needed, wished; /* with what is needed */
        uint64_t alignment, wished_alignment;
} WindowSize;

/* calculate_iosize(), twice. */
static WindowSize size_io(const Bus *bus, const Need *need, uint64_t old, uint64_t spare)
{
        uint64_t step = IO_WINDOW_ALIGNMENT;
        WindowSize size = { .alignment = step, .wished_alignment = step };

        size.needed = size.wished = align_up(larger(need->size, old), step);
        if (spare == 0 && need->wished == 0)
                return size;
        /* 7.x counts small ones once more, beside all that is needed. */
        uint64_t all = machine_is_new(bus->machine) ? need->small_ports + size.needed : need->size;
        size.wished = larger(all, spare) + need->wished;
        size.wished = align_up(larger(size.wished, old), step);
        return size;
}

/* calculate_memsize() of 6.x: a window never shrinks, and is a multiple of its alignment. */
static WindowSize size_memory(const Need *need, uint64_t old, uint64_t spare)
{
        WindowSize size = { .alignment = need_alignment(need) };

        size.needed = size.wished = align_up(larger(need->size, old), size.alignment);
        size.wished_alignment = larger(size.alignment, need->wished_alignment);
        if (spare == 0 && need->wished == 0)
                return size;
        size.wished = align_up(larger(larger(need->size, spare) + need->wished, old), size.wished_alignment);
        return size;
}

static WindowSize size_memory_new(const Need *need, uint64_t spare)
{
        WindowSize size = { .alignment = need_head_alignment(need) };

        size.needed = size.wished = align_up(need->size, MEGABYTE);
        if (spare == 0 && need->wished == 0)
                return size;
        size.wished_alignment = larger(size.alignment, need->wished_alignment);
        size.wished = align_up(larger(need->size + need->wished, spare), MEGABYTE);
        return size;
}

static void size_window(const Bus *bus, int window)
{
        Function *bridge = bus->bridge;
        Resource *resource = &bridge->resources[FIRST_WINDOW + (unsigned) window];
        /* A bridge that was found just now has the size that its registers say. */
        uint64_t old = bridge->attachable ? 0 : bridge->window_size[window];
        uint64_t spare = bridge->hotplug && !bus->machine->booting ? hotplug_spare[window] : 0;
        Need need = { 0 };

        if (resource_assigned(resource))
                return; /* whatever is below it */
        collect_need(bus, window, &need);
        WindowSize size = window == WINDOW_IO            ? size_io(bus, &need, old, spare)
                          : machine_is_new(bus->machine) ? size_memory_new(&need, spare)
                                                         : size_memory(&need, old, spare);
        *resource = (Resource){ 0 };
        if (size.needed == 0 && size.wished == 0)
                return;
        *resource = (Resource){
                .start = size.alignment,
                .end = size.alignment + size.needed - 1,
                .flags = window_flags[window] | FLAG_UNSET,
                .alignment = size.alignment,
        };
        bool aligns_more = machine_is_new(bus->machine) && size.wished_alignment > size.alignment;
        if (size.wished > size.needed || aligns_more)
                wishes_add(bus->wishes, resource, size.wished - size.needed, size.wished_alignment);
}

/* __pci_bus_size_bridges(): the innermost first. */
void window_sizes(const Bus *bus)
{
        static const int order[WINDOWS] = { WINDOW_IO, WINDOW_PREFETCH, WINDOW_MEMORY };

        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!bus_has(bus, function) || !function->is_bridge)
                        continue;
                Bus below = { bus->machine, function, bus->host, bus->wishes };
                window_sizes(&below);
                for (size_t window = 0; window < WINDOWS; window++)
                        size_window(&below, order[window]);
        }
}
