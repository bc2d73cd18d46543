/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The running kernel's page, and arithmetic with a page that is given. No number stands for a page anywhere. */

#include "base/util.h"

/* Bytes of a page of the running kernel. */
uint64_t page_size(void);

/* True for the sizes that a page can have here: a power of two, at least 512. */
bool page_size_valid(uint64_t page);

/* log2 of PAGE, the order that the kernel's resource_alignment takes in front of '@'. */
unsigned page_order(uint64_t page);

static inline uint64_t page_start(uint64_t address, uint64_t page)
{
        return address & ~(page - 1);
}

static inline uint64_t page_end(uint64_t address, uint64_t page)
{
        return address | (page - 1);
}
