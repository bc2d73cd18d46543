/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/shared-page.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>

void shared_pages_clear(SharedPages *pages)
{
        for (size_t i = 0; i < pages->n_pages; i++)
                page_view_free(pages->pages[i]);
        free((void *) pages->pages);
        *pages = (SharedPages){ 0 };
}

static bool is_listed(const SharedPages *pages, uint64_t address)
{
        for (size_t i = 0; i < pages->n_pages; i++)
                if (pages->pages[i]->start <= address && address <= pages->pages[i]->end)
                        return true;
        return false;
}

static int add_page(SharedPages *pages, const PageIndex *index, uint64_t address)
{
        if (is_listed(pages, address))
                return 0;
        _cleanup_(page_view_freep) PageView *page = NULL;
        int r = page_view_make(index, address, &page);
        if (r < 0 || !page_view_crosses_groups(page))
                return r;

        PageView **more = reallocarray((void *) pages->pages, pages->n_pages + 1, sizeof(PageView *));
        if (!more)
                return -ENOMEM;
        more[pages->n_pages++] = TAKE_PTR(page);
        pages->pages = more;
        return 0;
}

int shared_pages_add(SharedPages *pages, const Verdicts *verdicts, const PageIndex *index,
                     const PciFunction *function)
{
        const FunctionReport *report = verdict_of(verdicts, function);

        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                if (report->bars[line].verdict != BAR_SHARED)
                        continue;
                int r = add_page(pages, index, function->resources.lines[line].start);
                if (r < 0)
                        return r;
        }
        return 0;
}

int shared_pages_add_on_vfio(SharedPages *pages, const Verdicts *verdicts, const PageIndex *index)
{
        const Topology *topology = verdicts->topology;
        int r = 0;

        for (size_t i = 0; i < topology->n_functions && r == 0; i++)
                if (topology->functions[i].on_vfio)
                        r = shared_pages_add(pages, verdicts, index, &topology->functions[i]);
        return r;
}

char *shared_page_text(const PageView *page)
{
        const char *separator = "";
        _cleanup_free_ char *text = text_format("the page at 0x%" PRIx64 " belongs to several IOMMU groups:",
                                                page->start);

        for (size_t i = 0; i < page->n_owners && text; i++) {
                const PageOwner *owner = &page->owners[i];
                if (!owner->function || owner->function->iommu_group == IOMMU_GROUP_NONE)
                        continue;
                text_replace(&text, "%s%s %s %s (group %d)", text, separator,
                             PCI_ADDRESS_TEXT(owner->function->address), page_owner_label(owner),
                             owner->function->iommu_group);
                separator = ",";
        }
        return text ? text_format("%s; who has one of them reaches the registers of the others (XSA-461)",
                                  text)
                    : NULL;
}
