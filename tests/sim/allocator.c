/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "allocator.h"

#include "window-size.h"

#include <string.h>

#define FOUR_GIGABYTES UINT64_C(0x100000000)
#define WINDOW_GRANULARITY UINT64_C(0x100000)
#define ISA_ALIAS UINT64_C(0x300) /* pcibios_align_resource(): I/O ports that old cards alias */
#define ENTRIES_MAX (FUNCTIONS_MAX * 10)

/* What has to be placed on one bus. */
typedef struct Entry {
        Resource *resource;
        Resource saved; /* before wishes were added */
        bool is_rom;
        bool is_optional;
        bool is_settled; /* stays where the first attempt put it */
        bool has_failed;
} Entry;

typedef struct Entries {
        Entry items[ENTRIES_MAX];
        size_t n;
} Entries;

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
        return (value + alignment - 1) & ~(alignment - 1);
}

/* --- finding a place --- */

static bool overlaps(const Resource *resource, uint64_t flags, uint64_t start, uint64_t end)
{
        return resource_assigned(resource) && ((resource->flags ^ flags) & FLAG_IO) == 0 &&
               resource->start <= end && resource->end >= start;
}

/* Something else on the bus that has bytes of the range; NULL: it is free. */
static const Resource *find_taken(const Bus *bus, const Resource *own, uint64_t start, uint64_t end)
{
        const Machine *machine = bus->machine;

        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                if (!bus_has(bus, function))
                        continue;
                for (unsigned line = 0; line < LINES; line++)
                        if (&function->resources[line] != own &&
                            overlaps(&function->resources[line], own->flags, start, end))
                                return &function->resources[line];
        }
        for (size_t i = 0; i < machine->n_reserved; i++) {
                const Reserved *reserved = &machine->reserved[i];
                if ((reserved->during == 0 || reserved->during == machine->n_rescans) &&
                    overlaps(&reserved->range, own->flags, start, end))
                        return &reserved->range;
        }
        return NULL;
}

/*
 * 7.x's pci_align_resource(): what of a window is left over behind its last aligned part goes in front of the aligned place,
 * if that is free.
 */
static uint64_t tail_in_front(const Bus *bus, const Resource *window, const Resource *resource,
                              uint64_t start, uint64_t size, uint64_t alignment)
{
        uint64_t tail = size % alignment;

        if (!machine_is_new(bus->machine) || resource->flags & FLAG_IO || tail == 0 ||
            tail % WINDOW_GRANULARITY != 0 || start < tail || start - tail < window->start ||
            find_taken(bus, resource, start - tail, start - 1))
                return start;
        return start - tail;
}

/* The lowest place, what the resource has now counted as free. */
static bool place_in(const Bus *bus, const Resource *window, Resource *resource, uint64_t size,
                     uint64_t alignment)
{
        uint64_t start = window->start;

        for (;;) {
                start = align_up(start, alignment);
                if (resource->flags & FLAG_IO && start & ISA_ALIAS)
                        start = align_up(start, ISA_ALIAS + 0x100);
                start = tail_in_front(bus, window, resource, start, size, alignment);
                if (start < window->start || start > window->end || size - 1 > window->end - start)
                        return false;
                const Resource *taken = find_taken(bus, resource, start, start + size - 1);
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

static bool place(const Bus *bus, Resource *resource, uint64_t size, uint64_t alignment)
{
        const Resource *windows = bus->bridge ? &bus->bridge->resources[FIRST_WINDOW] : bus->host->windows;
        size_t n = bus->bridge ? WINDOWS : bus->host->n_windows;

        for (unsigned wanted = 2; size > 0 && wanted > 0; wanted--)
                for (size_t i = 0; i < n; i++)
                        if (rank(bus, &windows[i], resource) == wanted &&
                            place_in(bus, &windows[i], resource, size, alignment))
                                return true;
        return false;
}

/* --- one bus: __assign_resources_sorted() --- */

/* pdev_sort_resources(): the largest alignment first; among equals as they were found. */
static void collect(const Bus *bus, Entries *entries)
{
        entries->n = 0;
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!bus_has(bus, function) || !function_is_assignable(function))
                        continue;
                for (unsigned line = 0; line < LINES && entries->n < ENTRIES_MAX; line++) {
                        Resource *resource = &function->resources[line];
                        if (!resource_pending(resource))
                                continue;
                        size_t at = entries->n++;
                        for (; at > 0 && entries->items[at - 1].resource->alignment < resource->alignment;
                             at--)
                                entries->items[at] = entries->items[at - 1];
                        bool is_empty_window = line >= FIRST_WINDOW && resource_bytes(resource) == 0;
                        entries->items[at] = (Entry){
                                .resource = resource,
                                .saved = *resource,
                                .is_rom = line == ROM,
                                .is_optional = line_is_optional(bus->machine, line) || is_empty_window,
                        };
                }
        }
}

/* The entry moves before the first one with a smaller alignment. */
static void move_forward(Entries *entries, size_t from)
{
        Entry moved = entries->items[from];
        size_t to = 0;

        while (to < from && entries->items[to].resource->alignment >= moved.resource->alignment)
                to++;
        memmove(&entries->items[to + 1], &entries->items[to], (from - to) * sizeof(moved));
        entries->items[to] = moved;
}

static void add_wishes(const Bus *bus, Entries *entries)
{
        for (size_t i = 0; i < entries->n; i++) {
                Resource *resource = entries->items[i].resource;
                const Wish *wish = wishes_find(bus->wishes, resource);
                if (!wish)
                        continue;
                resource->end += wish->size;
                if (wish->alignment <= resource->alignment)
                        continue;
                resource->end += wish->alignment - resource->start;
                resource->start = resource->alignment = wish->alignment;
                move_forward(entries, i);
        }
}

/* assign_requested_resources_sorted(). False: something has no place; 6.x does not count a ROM. */
static bool assign_requested(const Bus *bus, Entries *entries, bool with_optional)
{
        bool all = true;

        for (size_t i = 0; i < entries->n; i++) {
                Entry *entry = &entries->items[i];
                Resource *resource = entry->resource;
                entry->has_failed = false;
                if (entry->is_settled || resource_bytes(resource) == 0 ||
                    (machine_is_new(bus->machine) && entry->is_optional && !with_optional) ||
                    place(bus, resource, resource_bytes(resource), resource->alignment))
                        continue;
                entry->has_failed = true;
                all &= !machine_is_new(bus->machine) && entry->is_rom;
        }
        return all;
}

/* reset_resource(): what has no place reads as if it were not implemented (KF §6). */
static void lose_unplaced(const Entries *entries)
{
        for (size_t i = 0; i < entries->n; i++)
                if (!resource_assigned(entries->items[i].resource))
                        *entries->items[i].resource = (Resource){ 0 };
}

static bool is_in_prefetch_window(const Bus *bus, const Resource *resource)
{
        const Resource *window =
                        bus->bridge ? &bus->bridge->resources[FIRST_WINDOW + WINDOW_PREFETCH] : NULL;
        return window && resource_assigned(window) && resource->start >= window->start &&
               resource->end <= window->end;
}

/* pci_need_to_release() */
static bool must_go(const Bus *bus, uint64_t failed, const Resource *resource)
{
        if (resource->flags & FLAG_IO)
                return failed & FLAG_IO;
        if (resource->flags & FLAG_PREFETCH)
                return failed & FLAG_PREFETCH ||
                       (failed & FLAG_MEMORY && !is_in_prefetch_window(bus, resource));
        return failed & FLAG_MEMORY;
}

/* What the failure concerns goes back to what it was before; the rest stays, wishes and all. */
static void start_over(const Bus *bus, Entries *entries)
{
        uint64_t failed = 0;

        for (size_t i = 0; i < entries->n; i++)
                if (entries->items[i].has_failed &&
                    (machine_is_new(bus->machine) || !entries->items[i].is_rom))
                        failed |= entries->items[i].saved.flags;
        for (size_t i = 0; i < entries->n; i++) {
                Entry *entry = &entries->items[i];
                if (resource_assigned(entry->resource) && !must_go(bus, failed, entry->resource)) {
                        entry->is_settled = true;
                        wishes_drop(bus->wishes, entry->resource);
                } else {
                        *entry->resource = entry->saved;
                }
        }
}

static const Entry *entry_of(const Entries *entries, const Resource *resource)
{
        for (size_t i = 0; i < entries->n; i++)
                if (entries->items[i].resource == resource && !entries->items[i].is_settled)
                        return &entries->items[i];
        return NULL;
}

static void grant(const Bus *bus, const Entry *entry, const Wish *wish)
{
        Resource *resource = entry->resource;
        uint64_t size = resource_bytes(resource);
        bool was_placed = resource_assigned(resource);

        if (!was_placed && size > 0 && !entry->is_optional)
                return; /* it has failed before */
        if (was_placed && machine_is_new(bus->machine) && wish->size == 0 &&
            resource->start % wish->alignment == 0)
                return;
        /* Where it is stays as it is when there is no larger place. */
        if (place(bus, resource, size + wish->size, wish->alignment))
                resource->alignment = wish->alignment;
        else if (was_placed)
                resource->flags |= FLAG_STARTALIGN; /* left behind by pci_reassign_resource() */
}

/* reassign_resources_sorted() */
static void grant_wishes(const Bus *bus, Entries *entries)
{
        for (size_t i = bus->wishes->n; i-- > 0;) {
                Wish wish = bus->wishes->items[i];
                const Entry *entry = entry_of(entries, wish.resource);
                if (!entry)
                        continue;
                grant(bus, entry, &wish);
                wishes_drop(bus->wishes, wish.resource);
        }
}

static bool has_required_failed(const Entries *entries)
{
        for (size_t i = 0; i < entries->n; i++)
                if (entries->items[i].has_failed && !entries->items[i].is_rom)
                        return true;
        return false;
}

/* Everything, and what is wished for besides. True: that is all, there is nothing to start over for. */
static bool assign_generously(const Bus *bus, Entries *entries)
{
        bool had_wishes = bus->wishes->n > 0;

        add_wishes(bus, entries);
        bool all = assign_requested(bus, entries, true);
        if (all)
                for (size_t i = 0; i < entries->n; i++)
                        wishes_drop(bus->wishes, entries->items[i].resource);
        return all || (!had_wishes && !has_required_failed(entries));
}

static void assign_bus(const Bus *bus)
{
        /* The machine's lock is held, and it is used up before the recursion. */
        static Entries entries;

        collect(bus, &entries);
        bool tries_all = bus->wishes->n > 0 || machine_is_new(bus->machine);
        if (!tries_all || !assign_generously(bus, &entries)) {
                if (tries_all)
                        start_over(bus, &entries);
                (void) assign_requested(bus, &entries, false);
                grant_wishes(bus, &entries);
        }
        lose_unplaced(&entries);
}

/* pci_setup_bridge() writes the registers, which the next scan finds; not those of a bridge that is in use already. */
static void remember_windows(Function *bridge)
{
        for (unsigned window = 0; window < WINDOWS && bridge->enable == 0; window++) {
                const Resource *resource = &bridge->resources[FIRST_WINDOW + window];
                bridge->window_size[window] = resource_assigned(resource) ? resource_bytes(resource) : 0;
        }
}

static void assign(const Bus *bus)
{
        assign_bus(bus);
        for (size_t i = 0; i < bus->machine->n_functions; i++) {
                Function *function = bus->machine->functions[i];
                if (!bus_has(bus, function) || !function->is_bridge)
                        continue;
                Bus below = { bus->machine, function, bus->host, bus->wishes };
                assign(&below);
                remember_windows(function);
        }
}

void allocator_run(Machine *machine, Host *host)
{
        static Wishes wishes; /* the machine's lock is held */
        Bus bus = { machine, NULL, host, &wishes };

        wishes.n = 0;
        window_sizes(&bus);
        assign(&bus);
}
