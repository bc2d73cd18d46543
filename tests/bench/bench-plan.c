/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * bench-plan FOLDER ROUNDS: plans for every function on VFIO of the tree below FOLDER at once, with nothing in use and
 * the built-in policy; the median over ROUNDS. Prints "functions buses nsec".
 */

#include "base/page.h"
#include "judge/plan.h"
#include "measure.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define ROUNDS_MAX 1000u

typedef struct Bench {
        Topology *topology;
        Verdicts *verdicts;
        Policy *policy;
        PciAddress *targets;
        size_t n_targets;
} Bench;

static void bench_clear(Bench *bench)
{
        policy_free(bench->policy);
        verdict_free(bench->verdicts);
        topology_free(bench->topology);
        free(bench->targets);
}

static int bench_open(const char *folder, Bench *bench)
{
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_free_ char *problem = NULL;
        int r = root_open(folder, &root);
        if (r == 0)
                r = topology_read(root, &bench->topology, &problem);
        if (r == 0)
                r = verdict_compute(bench->topology, NULL, page_size(), &bench->verdicts);
        if (r == 0)
                r = policy_new_default(&bench->policy);
        if (r < 0)
                return r;
        bench->targets = calloc(bench->topology->n_functions + 1, sizeof(*bench->targets));
        if (!bench->targets)
                return -ENOMEM;
        for (size_t i = 0; i < bench->topology->n_functions; i++)
                if (bench->topology->functions[i].on_vfio)
                        bench->targets[bench->n_targets++] = bench->topology->functions[i].address;
        return 0;
}

/* The number of plans: a bus each. */
static int plan_once(const Bench *bench, size_t *ret_plans)
{
        const Usage usage = { .complete = true, .group_files = true };
        const PlanInput input = {
                .topology = bench->topology,
                .verdicts = bench->verdicts,
                .usage = &usage,
                .policy = bench->policy,
        };
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        int r = plan_make(&input, bench->targets, bench->n_targets, &set);
        if (r < 0)
                return r;
        *ret_plans = set->n_plans;
        return set->n_refusals > 0 ? -EBUSY : 0;
}

int main(int argc, char **argv)
{
        _cleanup_(bench_clear) Bench bench = { 0 };
        uint64_t nsec[ROUNDS_MAX];
        size_t rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, n_plans = 0;

        if (rounds == 0 || rounds > ROUNDS_MAX) {
                fprintf(stderr, "usage: bench-plan FOLDER ROUNDS\n");
                return 2;
        }
        int r = bench_open(argv[1], &bench);
        for (size_t i = 0; r == 0 && i < rounds; i++) {
                uint64_t began = measure_now_nsec();
                r = plan_once(&bench, &n_plans);
                nsec[i] = measure_now_nsec() - began;
        }
        if (r < 0) {
                fprintf(stderr, "bench-plan: %s: %s\n", argv[1], strerror(-r));
                return 1;
        }
        printf("%zu %zu %" PRIu64 "\n", bench.n_targets, n_plans, measure_median(nsec, rounds));
        return 0;
}
