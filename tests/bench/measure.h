/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the benchmarks share: a clock, and the median of what it said. */

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t measure_now_nsec(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * UINT64_C(1000000000) + (uint64_t) now.tv_nsec;
}

static inline int measure_compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
        return (x > y) - (x < y);
}

/* Sorts the N values. */
static inline uint64_t measure_median(uint64_t *values, size_t n)
{
        qsort(values, n, sizeof(*values), measure_compare);
        return values[n / 2];
}
