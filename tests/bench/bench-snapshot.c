/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * bench-snapshot FOLDER ROUNDS: reads the snapshot of the tree below FOLDER and judges all its functions; the median
 * over ROUNDS, beside the memory that both take. Prints "functions nsec bytes".
 */

#include "base/page.h"
#include "judge/verdict.h"
#include "measure.h"

#include <inttypes.h>
#include <malloc.h>

#define ROUNDS_MAX 1000u

static int judge_once(const Root *root, size_t *ret_n, size_t *ret_bytes)
{
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        _cleanup_free_ char *problem = NULL;
        size_t before = mallinfo2().uordblks;

        int r = topology_read(root, &topology, &problem);
        if (r == 0)
                r = verdict_compute(topology, NULL, page_size(), &verdicts);
        if (r < 0) {
                fprintf(stderr, "bench-snapshot: %s\n", problem ? problem : "out of memory");
                return r;
        }
        *ret_n = topology->n_functions;
        *ret_bytes = mallinfo2().uordblks - before;
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(root_freep) Root *root = NULL;
        uint64_t nsec[ROUNDS_MAX];
        size_t rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, n = 0, bytes = 0;

        if (rounds == 0 || rounds > ROUNDS_MAX || root_open(argv[1], &root) < 0) {
                fprintf(stderr, "usage: bench-snapshot FOLDER ROUNDS\n");
                return 2;
        }
        for (size_t i = 0; i < rounds; i++) {
                uint64_t began = measure_now_nsec();
                if (judge_once(root, &n, &bytes) < 0)
                        return 1;
                nsec[i] = measure_now_nsec() - began;
        }
        printf("%zu %" PRIu64 " %zu\n", n, measure_median(nsec, rounds), bytes);
        return 0;
}
