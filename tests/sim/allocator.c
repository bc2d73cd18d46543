/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "allocator.h"

#include <string.h>

#define MEGABYTE UINT64_C(0x100000)
#define FOUR_GIGABYTES UINT64_C(0x100000000)
#define IO_WINDOW_ALIGNMENT UINT64_C(0x1000)
#define ISA_ALIAS UINT64_C(0x300) /* pcibios_align_resource(): I/O ports that old cards alias */
#define ORDERS 24u
#define ENTRIES_MAX (FUNCTIONS_MAX * 10)

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

/* What has to be placed on one bus. */
typedef struct Entry {
        Resource *resource;
        uint64_t size, alignment, optional;
        bool is_optional; /* a ROM that may be left out */
} Entry;

typedef struct Bus {
        Machine *machine;
        Function *bridge; /* NULL: the root bus */
        Host *host;
} Bus;

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
        return (value + alignment - 1) & ~(alignment - 1);
}

static uint64_t resource_bytes(const Resource *resource)
{
        return resource->end - resource->start + 1;
}

static bool is_pending(const Resource *resource)
{
        return (resource->flags & FLAG_UNSET) != 0;
}

static bool is_on(const Function *function, const Bus *bus)
{
        return function->present && function->bridge == bus->bridge && function->host == bus->host;
}

/* pdev_sort_resources() leaves these out (KF §7). */
static bool is_never_assigned(const Function *function)
{
        uint32_t class = function->class >> 8;
        return class == 0x0000 || class == 0x0600;
}

/* --- sizing --- */

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
        uint64_t size, optional;
        uint64_t aligns[ORDERS];
        unsigned max_order;
} Need;

static void need_add(Need *need, const Resource *resource, bool is_optional)
{
        uint64_t size = resource_bytes(resource), alignment = resource->alignment;
        unsigned order = 0;

        if (is_optional) {
                need->optional += size;
                return;
        }
        while (order + 1 < ORDERS && (MEGABYTE << order) < alignment)
                order++;
        need->size += size > alignment ? size : alignment;
        need->optional += resource->optional;
        if (size <= alignment)
                need->aligns[order] += alignment;
        if (order > need->max_order)
                need->max_order = order;
}

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
        return smallest > MEGABYTE ? smallest : MEGABYTE;
}

/* 7.x's calculate_head_align(): the tail of a window need only be aligned to the window's own granularity. */
static uint64_t need_head_alignment(const Need *need)
{
        uint64_t head = MEGABYTE << need->max_order, smaller = 0;
        for (unsigned order = need->max_order; order-- > 0;) {
                smaller += need->aligns[order];
                while (head > MEGABYTE && smaller >= head / 2) {
                        head /= 2;
                        smaller -= head;
                }
        }
        return head;
}

static bool rom_is_optional(const Machine *machine, unsigned line)
{
        return machine->options.optional_roms && line == ROM &&
               !machine->booting; /* firmware sizes with them */
}

static void collect_need(const Bus *bus, int window, Need *need)
{
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!is_on(function, bus) || is_never_assigned(function))
                        continue;
                for (unsigned line = 0; line < LINES; line++)
                        if (is_pending(&function->resources[line]) &&
                            window_of(&function->resources[line]) == window)
                                need_add(need, &function->resources[line],
                                         rom_is_optional(bus->machine, line));
        }
}

static void size_window(const Bus *bus, int window)
{
        Resource *resource = &bus->bridge->resources[FIRST_WINDOW + (unsigned) window];
        uint64_t old = bus->machine->options.floor || bus->machine->booting
                                       ? bus->bridge->window_size[window]
                                       : 0;
        Need need = { 0 };

        if (resource_assigned(resource))
                return; /* pbus_size_mem() returns at once */
        collect_need(bus, window, &need);
        bool is_new = bus->machine->options.optional_roms;
        uint64_t alignment = window == WINDOW_IO ? IO_WINDOW_ALIGNMENT
                             : is_new            ? need_head_alignment(&need)
                                                 : need_alignment(&need);
        uint64_t step = window != WINDOW_IO && is_new ? MEGABYTE : alignment;
        uint64_t size = need.size;
        if (size < old)
                size = old;
        uint64_t wished = size + need.optional;
        if (bus->bridge->hotplug && !bus->machine->booting && wished < hotplug_spare[window])
                wished = hotplug_spare[window];
        wished = align_up(wished, step);
        size = align_up(size, step);
        uint64_t optional = wished - size;
        if (size + optional == 0) {
                *resource = (Resource){ 0 };
                return;
        }
        *resource = (Resource){
                .end = size - 1,
                .flags = window_flags[window] | FLAG_UNSET,
                .alignment = alignment,
                .optional = optional,
        };
}

static void size_below(const Bus *bus)
{
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!is_on(function, bus) || !function->is_bridge)
                        continue;
                Bus below = { bus->machine, function, bus->host };
                size_below(&below);
                for (int window = 0; window < WINDOWS; window++)
                        size_window(&below, window);
        }
}

void allocator_size(Machine *machine, Host *host)
{
        Bus bus = { machine, NULL, host };
        size_below(&bus);
}

/* --- placing --- */

static bool overlaps(const Resource *resource, uint64_t flags, uint64_t start, uint64_t end)
{
        return resource_assigned(resource) && ((resource->flags ^ flags) & FLAG_IO) == 0 &&
               resource->start <= end && resource->end >= start;
}

/* Something on the bus that has bytes of the range; NULL: it is free. */
static const Resource *find_taken(const Bus *bus, uint64_t flags, uint64_t start, uint64_t end)
{
        const Machine *machine = bus->machine;

        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                if (!is_on(function, bus))
                        continue;
                for (unsigned line = 0; line < LINES; line++)
                        if (overlaps(&function->resources[line], flags, start, end))
                                return &function->resources[line];
        }
        for (size_t i = 0; !bus->bridge && i < machine->n_reserved; i++)
                if (overlaps(&machine->reserved[i], flags, start, end))
                        return &machine->reserved[i];
        return NULL;
}

static bool place_in(const Bus *bus, const Resource *window, const Entry *entry, uint64_t size)
{
        Resource *resource = entry->resource;
        uint64_t start = window->start;

        for (;;) {
                start = align_up(start, entry->alignment);
                if (resource->flags & FLAG_IO && start & ISA_ALIAS)
                        start = align_up(start, ISA_ALIAS + 0x100);
                if (start < window->start || start > window->end || size - 1 > window->end - start)
                        return false;
                const Resource *taken = find_taken(bus, resource->flags, start, start + size - 1);
                if (!taken)
                        break;
                start = taken->end + 1;
        }
        resource->start = start;
        resource->end = start + size - 1;
        resource->flags &= ~FLAG_UNSET;
        return true;
}

/* In which order windows are tried: strictly the type first (__pci_assign_resource()). */
static unsigned rank(const Bus *bus, const Resource *window, const Resource *resource)
{
        bool wants_prefetch = (resource->flags & FLAG_PREFETCH) && (resource->flags & FLAG_64);
        if (!resource_assigned(window) || ((window->flags ^ resource->flags) & FLAG_IO))
                return 0;
        if (!bus->bridge) {
                /* 64-bit ones prefer what is above 4 GiB; others cannot go there. */
                bool is_high = window->start >= FOUR_GIGABYTES;
                if (!(resource->flags & FLAG_64))
                        return is_high ? 0 : 1;
                return is_high ? 2 : 1;
        }
        if (window->flags & FLAG_PREFETCH)
                return wants_prefetch ? 2 : 0;
        return 1;
}

static bool place(const Bus *bus, const Entry *entry, uint64_t size)
{
        const Resource *windows = bus->bridge ? &bus->bridge->resources[FIRST_WINDOW] : bus->host->windows;
        size_t n = bus->bridge ? WINDOWS : bus->host->n_windows;

        for (unsigned wanted = 2; size > 0 && wanted > 0; wanted--)
                for (size_t i = 0; i < n; i++)
                        if (rank(bus, &windows[i], entry->resource) == wanted &&
                            place_in(bus, &windows[i], entry, size))
                                return true;
        return false;
}

static void unplace(const Entry *entry)
{
        entry->resource->start = 0;
        entry->resource->end = entry->size - 1;
        entry->resource->flags |= FLAG_UNSET;
}

static size_t collect(const Bus *bus, Entry entries[static ENTRIES_MAX])
{
        size_t n = 0;

        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!is_on(function, bus) || is_never_assigned(function))
                        continue;
                for (unsigned line = 0; line < LINES && n < ENTRIES_MAX; line++) {
                        Resource *resource = &function->resources[line];
                        if (!is_pending(resource))
                                continue;
                        size_t at = n++;
                        /* The largest alignment first; among equals as they were found. */
                        for (; at > 0 && entries[at - 1].alignment < resource->alignment; at--)
                                entries[at] = entries[at - 1];
                        entries[at] = (Entry){ resource, resource_bytes(resource), resource->alignment,
                                               resource->optional, rom_is_optional(bus->machine, line) };
                }
        }
        return n;
}

/* With everything that is optional; false: there is no room for all of it. */
static bool place_all(const Bus *bus, const Entry *entries, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!place(bus, &entries[i], entries[i].size + entries[i].optional)) {
                        for (size_t j = 0; j < i; j++)
                                unplace(&entries[j]);
                        return false;
                }
        return true;
}

/* reset_resource(): what has no place reads as if it were not implemented (KF §6). */
static void lose(const Entry *entry)
{
        *entry->resource = (Resource){ 0 };
}

static void place_what_fits(const Bus *bus, const Entry *entries, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!entries[i].is_optional && !place(bus, &entries[i], entries[i].size))
                        lose(&entries[i]);
        for (size_t i = 0; i < n; i++)
                if (entries[i].is_optional && !place(bus, &entries[i], entries[i].size))
                        lose(&entries[i]);
}

/* pci_setup_bridge() writes the registers, which the next scan finds. */
static void remember_windows(Function *bridge)
{
        for (unsigned window = 0; window < WINDOWS; window++) {
                const Resource *resource = &bridge->resources[FIRST_WINDOW + window];
                bridge->window_size[window] = resource_assigned(resource) ? resource_bytes(resource) : 0;
        }
}

static void assign(const Bus *bus)
{
        static Entry entries
                        [ENTRIES_MAX]; /* the machine's lock is held, and it is used up before the recursion */
        size_t n = collect(bus, entries);

        if (n > 0 && !place_all(bus, entries, n))
                place_what_fits(bus, entries, n);
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!is_on(function, bus) || !function->is_bridge)
                        continue;
                remember_windows(function);
                Bus below = { bus->machine, function, bus->host };
                assign(&below);
        }
}

void allocator_assign(Machine *machine, Host *host)
{
        Bus bus = { machine, NULL, host };
        assign(&bus);
}
