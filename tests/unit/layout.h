/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A random machine in memory: functions behind bridges and on the root bus, whose BARs, ROMs and VF BARs crowd a few
 * pages as a kernel may have placed them (nothing overlaps unless it lies inside), and ranges of /proc/iomem.
 */

#include "model/iomem.h"
#include "model/topology.h"

#include <string.h>

#define LAYOUT_FUNCTIONS 32
#define LAYOUT_RANGES 6
#define LAYOUT_TAKEN (LAYOUT_FUNCTIONS * RESOURCE_LINES + LAYOUT_RANGES)
#define LAYOUT_BASE UINT64_C(0xe0000000)
#define LAYOUT_WINDOW (UINT64_C(1) << 20)

typedef struct LayoutSpan {
        uint64_t start, end;
} LayoutSpan;

typedef struct Layout {
        uint64_t random; /* state */
        uint64_t crowd;  /* bytes at the beginning of each window that the resources crowd */
        PciFunction functions[LAYOUT_FUNCTIONS];
        IomemRange ranges[LAYOUT_RANGES];
        LayoutSpan taken[LAYOUT_TAKEN];
        size_t n_taken;
        Topology topology;
        Iomem iomem;
} Layout;

/* splitmix64 */
static inline uint64_t layout_random(Layout *layout)
{
        uint64_t z = layout->random += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

/* 0 to N - 1 */
static inline uint64_t layout_below(Layout *layout, uint64_t n)
{
        return layout_random(layout) % n;
}

static inline bool layout_is_free(const Layout *layout, uint64_t start, uint64_t end)
{
        for (size_t i = 0; i < layout->n_taken; i++)
                if (start <= layout->taken[i].end && layout->taken[i].start <= end)
                        return false;
        return true;
}

/* A free, aligned place of SIZE bytes in the crowd at BASE, taken. False when some tries found none. */
static inline bool layout_take(Layout *layout, uint64_t base, uint64_t size, uint64_t alignment,
                               uint64_t *ret_start)
{
        for (unsigned attempt = 0; attempt < 6; attempt++) {
                uint64_t start = base + layout_below(layout, layout->crowd / alignment + 1) * alignment;
                if (!layout_is_free(layout, start, start + size - 1))
                        continue;
                layout->taken[layout->n_taken++] = (LayoutSpan){ start, start + size - 1 };
                *ret_start = start;
                return true;
        }
        return false;
}

static inline PciFunction *layout_add(Layout *layout, const PciFunction *bridge, unsigned n_lines)
{
        size_t n = layout->topology.n_functions++;
        PciFunction *function = &layout->functions[n];
        memset(function, 0, sizeof(*function));
        function->address = (PciAddress){ .bus = bridge ? (uint8_t) (bridge->address.device + 1) : 0,
                                          .device = (uint8_t) n };
        function->bridge = bridge;
        function->class = 0x020000;
        function->iommu_group = IOMMU_GROUP_NONE;
        function->on_vfio = true;
        function->resources.n_lines = n_lines;
        return function;
}

/* Line LINE of FUNCTION becomes a memory resource of 2^ORDER bytes in the crowd at BASE. */
static inline void layout_memory(Layout *layout, PciFunction *function, unsigned line, uint64_t base,
                                 unsigned order, uint64_t flags)
{
        uint64_t size = UINT64_C(1) << order, start;
        if (layout_take(layout, base, size, size, &start))
                function->resources.lines[line] =
                                (PciResource){ start, start + size - 1, RESOURCE_MEMORY | 0x40000 | flags };
}

/* What owns no bytes of memory, whatever addresses it shows. */
static inline void layout_decoy(Layout *layout, PciFunction *function, unsigned line, uint64_t base)
{
        static const uint64_t flags[] = { RESOURCE_IO, RESOURCE_MEMORY | RESOURCE_UNSET,
                                          RESOURCE_MEMORY | RESOURCE_UNSET | RESOURCE_DISABLED, 0x400 };
        uint64_t start = base + layout_below(layout, layout->crowd);
        function->resources.lines[line] =
                        (PciResource){ start, start + 0xff, flags[layout_below(layout, ELEMENTSOF(flags))] };
}

/* VF BAR 0 of FUNCTION, and the virtual functions whose BARs lie in it. */
static inline void layout_virtual(Layout *layout, PciFunction *function, uint64_t base)
{
        uint64_t n = 1 + layout_below(layout, 4), size = UINT64_C(0x1000) << layout_below(layout, 5), start;
        if (!layout_take(layout, base, n * size, size, &start))
                return;
        function->resources.lines[7] = (PciResource){ start, start + n * size - 1, RESOURCE_MEMORY };
        function->has_virtual = true;
        for (uint64_t i = 0; i < n && layout->topology.n_functions < LAYOUT_FUNCTIONS; i++) {
                PciFunction *virtual = layout_add(layout, function->bridge, 13);
                virtual->is_virtual = true;
                virtual->physfn = function->address;
                virtual->resources.lines[0] = (PciResource){ start + i * size, start + (i + 1) * size - 1,
                                                             RESOURCE_MEMORY };
        }
}

static inline void layout_function(Layout *layout, const PciFunction *bridge, uint64_t base)
{
        static const unsigned counts[] = { 7, 13, 13 };
        if (layout->topology.n_functions == LAYOUT_FUNCTIONS)
                return;
        PciFunction *function = layout_add(layout, bridge, counts[layout_below(layout, ELEMENTSOF(counts))]);
        uint64_t n = layout_below(layout, 4);

        for (unsigned line = 0; line < n; line++)
                layout_memory(layout, function, line, base, 4 + (unsigned) layout_below(layout, 13), 0);
        if (layout_below(layout, 3) == 0)
                layout_decoy(layout, function, 4, base);
        switch (layout_below(layout, 5)) {
        case 0:
                layout_memory(layout, function, RESOURCE_ROM, base, 11 + (unsigned) layout_below(layout, 6),
                              0);
                break;
        case 1: /* a copy in RAM, which may seem to lie anywhere */
                function->resources.lines[RESOURCE_ROM] =
                                (PciResource){ base, base + 0x1ff, RESOURCE_MEMORY | RESOURCE_ROM_SHADOW };
                break;
        default:
                break;
        }
        if (function->resources.n_lines == 13 && layout_below(layout, 6) == 0)
                layout_virtual(layout, function, base);
}

/* A range of /proc/iomem beside the resources, or around one of them. */
static inline void layout_range(Layout *layout)
{
        static char name[] = "Reserved";
        uint64_t start, size = UINT64_C(0x100) << layout_below(layout, 10);
        IomemRange *range = &layout->ranges[layout->iomem.n_ranges];

        if (layout->n_taken > 0 && layout_below(layout, 2) == 0) {
                size_t inner = layout_below(layout, layout->n_taken);
                LayoutSpan span = layout->taken[inner];
                *range = (IomemRange){ span.start, (span.start | (size - 1)) + 1, name };
                layout->taken[inner] = (LayoutSpan){ 1, 0 }; /* it may be around this one */
                bool fits = range->end > span.end && layout_is_free(layout, range->start, range->end);
                layout->taken[inner] = fits ? (LayoutSpan){ range->start, range->end } : span;
                layout->iomem.n_ranges += fits;
        } else if (layout_take(layout, LAYOUT_BASE, size, 0x80, &start)) {
                *range = (IomemRange){ start, start + size - 1, name };
                layout->iomem.n_ranges++;
        }
}

static inline void layout_make(Layout *layout, uint64_t seed)
{
        layout->random = seed;
        layout->n_taken = 0;
        layout->topology = (Topology){ .functions = layout->functions };
        layout->iomem = (Iomem){ .visible = true, .ranges = layout->ranges };
        layout->crowd = UINT64_C(0x2000) << layout_below(layout, 6);

        /* the root bus has its own crowd in front of the bridges' windows */
        uint64_t n_bridges = layout_below(layout, 3);
        for (uint64_t i = 0; i < n_bridges; i++) {
                uint64_t base = LAYOUT_BASE + (i + 1) * LAYOUT_WINDOW;
                PciFunction *bridge = layout_add(layout, NULL, layout_below(layout, 2) ? 17 : 11);
                bridge->is_bridge = true;
                bridge->class = 0x060400;
                bridge->resources.lines[bridge->resources.n_lines - 3] =
                                (PciResource){ base, base + LAYOUT_WINDOW - 1,
                                               RESOURCE_MEMORY | RESOURCE_WINDOW };
                layout_memory(layout, bridge, 0, LAYOUT_BASE, 8 + (unsigned) layout_below(layout, 6), 0);
                for (uint64_t n = 1 + layout_below(layout, 4); n > 0; n--)
                        layout_function(layout, bridge, base);
        }
        for (uint64_t n = 1 + layout_below(layout, 3); n > 0; n--)
                layout_function(layout, NULL, LAYOUT_BASE);
        for (uint64_t n = layout_below(layout, 3); n > 0; n--)
                layout_range(layout);
}
