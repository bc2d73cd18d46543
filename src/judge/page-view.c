/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/page-view.h"

#include "base/page.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

struct PageIndex {
        uint64_t page;
        PageOwner *owners; /* sorted by compare_owners() */
        uint64_t *reach;   /* up to where the owners so far reach, at most */
        size_t n_owners;
};

static bool is_owner(const PciFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];

        if (!resource_is_assigned_memory(resource))
                return false;
        switch (resource_kind(function->resources.n_lines, line)) {
        case RESOURCE_KIND_BAR:
                return true;
        case RESOURCE_KIND_ROM: /* the shadow of a boot display's ROM is main memory */
                return !(resource->flags & RESOURCE_ROM_SHADOW);
        case RESOURCE_KIND_VF_BAR:
                return !function->has_virtual;
        case RESOURCE_KIND_WINDOW:
                break;
        }
        return false;
}

static int compare_owners(const void *a, const void *b)
{
        const PageOwner *x = a, *y = b;
        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        return (x->end > y->end) - (x->end < y->end);
}

/* --- the index */

static size_t count_owners(const Topology *topology, const Iomem *iomem)
{
        size_t n = iomem ? iomem->n_ranges : 0;
        for (size_t i = 0; i < topology->n_functions; i++)
                for (unsigned line = 0; line < topology->functions[i].resources.n_lines; line++)
                        n += is_owner(&topology->functions[i], line);
        return n;
}

static void add_function(PageIndex *index, const PciFunction *function)
{
        for (unsigned line = 0; line < function->resources.n_lines; line++) {
                const PciResource *resource = &function->resources.lines[line];
                if (is_owner(function, line))
                        index->owners[index->n_owners++] = (PageOwner){ .start = resource->start,
                                                                        .end = resource->end,
                                                                        .function = function,
                                                                        .line = line };
        }
}

int page_index_make(const Topology *topology, const Iomem *iomem, uint64_t page, PageIndex **ret)
{
        _cleanup_(page_index_freep) PageIndex *index = calloc(1, sizeof(*index));
        size_t most = count_owners(topology, iomem);
        if (!index)
                return -ENOMEM;
        index->page = page;
        index->owners = calloc(most + 1, sizeof(*index->owners));
        index->reach = calloc(most + 1, sizeof(*index->reach));
        if (!index->owners || !index->reach)
                return -ENOMEM;

        for (size_t i = 0; i < topology->n_functions; i++)
                add_function(index, &topology->functions[i]);
        for (size_t i = 0; iomem && i < iomem->n_ranges; i++)
                index->owners[index->n_owners++] = (PageOwner){ .start = iomem->ranges[i].start,
                                                                .end = iomem->ranges[i].end,
                                                                .name = iomem->ranges[i].name };
        qsort(index->owners, index->n_owners, sizeof(*index->owners), compare_owners);
        for (size_t i = 0; i < index->n_owners; i++) {
                uint64_t before = i > 0 ? index->reach[i - 1] : 0, end = index->owners[i].end;
                index->reach[i] = end > before ? end : before;
        }
        *ret = TAKE_PTR(index);
        return 0;
}

PageIndex *page_index_free(PageIndex *index)
{
        if (!index)
                return NULL;
        free(index->owners);
        free(index->reach);
        free(index);
        return NULL;
}

/* The first owner that may reach up to ADDRESS: those before it end earlier. */
static size_t first_reaching(const PageIndex *index, uint64_t address)
{
        size_t low = 0, high = index->n_owners;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (index->reach[middle] < address)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* --- one page */

PageView *page_view_free(PageView *view)
{
        if (!view)
                return NULL;
        free(view->owners);
        free(view);
        return NULL;
}

static int add_owner(PageView *view, const PageOwner *owner)
{
        PageOwner *more = reallocarray(view->owners, view->n_owners + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        more[view->n_owners++] = *owner;
        view->owners = more;
        return 0;
}

/* OWNER fills the page and another one lies within it: a window in all but name (judge/verdict.c). */
static bool is_container(const PageView *view, const PageOwner *owner)
{
        if (owner->start > view->start || owner->end < view->end)
                return false;
        for (size_t i = 0; i < view->n_owners; i++) {
                const PageOwner *other = &view->owners[i];
                if (other->start >= owner->start && other->end <= owner->end &&
                    other->end - other->start < owner->end - owner->start)
                        return true;
        }
        return false;
}

/* From the back, so that those that are looked at later are still all there. */
static void drop_containers(PageView *view)
{
        for (size_t i = view->n_owners; i-- > 0;)
                if (is_container(view, &view->owners[i])) {
                        view->n_owners--;
                        memmove(&view->owners[i], &view->owners[i + 1],
                                (view->n_owners - i) * sizeof(*view->owners));
                }
}

int page_view_make(const PageIndex *index, uint64_t address, PageView **ret)
{
        _cleanup_(page_view_freep) PageView *view = calloc(1, sizeof(*view));
        int r = 0;
        if (!view)
                return -ENOMEM;
        view->start = page_start(address, index->page);
        view->end = page_end(address, index->page);

        for (size_t i = first_reaching(index, view->start);
             i < index->n_owners && index->owners[i].start <= view->end && r == 0; i++)
                if (index->owners[i].end >= view->start)
                        r = add_owner(view, &index->owners[i]);
        if (r < 0)
                return r;
        drop_containers(view);
        *ret = TAKE_PTR(view);
        return 0;
}

bool page_view_crosses_groups(const PageView *view)
{
        int group = IOMMU_GROUP_NONE;

        for (size_t i = 0; i < view->n_owners; i++) {
                const PciFunction *function = view->owners[i].function;
                if (!function || function->iommu_group == IOMMU_GROUP_NONE)
                        continue;
                if (group != IOMMU_GROUP_NONE && group != function->iommu_group)
                        return true;
                group = function->iommu_group;
        }
        return false;
}

const char *page_owner_label(const PageOwner *owner)
{
        return owner->function ? resource_line_name(owner->function->resources.n_lines, owner->line)
                               : owner->name;
}

char *page_owner_name(const PageOwner *owner)
{
        if (!owner->function)
                return strdup(owner->name);
        return text_format("%s %s", PCI_ADDRESS_TEXT(owner->function->address), page_owner_label(owner));
}

int page_view_neighbours(const PageView *view, const PciFunction *function, unsigned line, char ***ret)
{
        _cleanup_(text_list_freep) char **names = calloc(view->n_owners + 1, sizeof(names[0]));
        size_t n = 0;
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < view->n_owners; i++) {
                const PageOwner *owner = &view->owners[i];
                if (owner->function == function && owner->line == line)
                        continue;
                names[n] = page_owner_name(owner);
                if (!names[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(names);
        return 0;
}
