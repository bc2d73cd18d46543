/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/page.h"

#define PAGE_SMALLEST 512u

uint64_t page_size(void)
{
        return (uint64_t) sysconf(_SC_PAGESIZE);
}

bool page_size_valid(uint64_t page)
{
        return page >= PAGE_SMALLEST && (page & (page - 1)) == 0;
}

unsigned page_order(uint64_t page)
{
        return (unsigned) __builtin_ctzll(page);
}
