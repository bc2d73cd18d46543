/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/shared-page-log.h"

#include "base/text.h"
#include "daemon/log.h"
#include "judge/shared-page.h"

#include <errno.h>
#include <string.h>

/* A function of the page that is on VFIO: the message is about it. */
static const PciFunction *main_function(const PageView *page)
{
        for (size_t i = 0; i < page->n_owners; i++)
                if (page->owners[i].function && page->owners[i].function->on_vfio)
                        return page->owners[i].function;
        return NULL;
}

static void say(const PageView *page, const char *text)
{
        const PciFunction *function = main_function(page);
        log_say(LOG_WARNING,
                &(LogContext){ .reason = REASON_GROUPS_SHARE_PAGE,
                               .function = function ? PCI_ADDRESS_TEXT(function->address) : NULL },
                "Not isolated: %s. Remedy: %s.", text, reason_remedy(REASON_GROUPS_SHARE_PAGE));
}

static int tell(const SharedPages *pages, char **told)
{
        _cleanup_free_ char *all = strdup("");
        for (size_t i = 0; i < pages->n_pages && all; i++) {
                _cleanup_free_ char *text = shared_page_text(pages->pages[i]);
                if (!text)
                        return -ENOMEM;
                if (!*told || !strstr(*told, text))
                        say(pages->pages[i], text);
                text_replace(&all, "%s%s\n", all, text);
        }
        if (!all)
                return -ENOMEM;
        if (*all == '\0' && *told && **told != '\0')
                log_say(LOG_NOTICE, NULL, "No page belongs to functions of several IOMMU groups any more.");
        free(*told);
        *told = TAKE_PTR(all);
        return 0;
}

int shared_page_log(const Survey *survey, char **told)
{
        _cleanup_(page_index_freep) PageIndex *index = NULL;
        SharedPages pages = { 0 };
        int r = page_index_make(survey->topology, survey->iomem, survey->verdicts->page, &index);
        if (r == 0)
                r = shared_pages_add_on_vfio(&pages, survey->verdicts, index);
        if (r == 0)
                r = tell(&pages, told);
        shared_pages_clear(&pages);
        return r;
}
