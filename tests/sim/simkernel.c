/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * simkernel: the simulated kernel as a program. It mounts its tree and either leaves it there for others, or runs the
 * worker on it: scenarios, faults, random machines. `tests/sim/run` starts it in namespaces of its own.
 */

#include "base/text.h"
#include "campaign.h"
#include "fuse-main.h"
#include "generate.h"
#include "udevd.h"
#include "uevents.h"

#include <getopt.h>
#include <string.h>

enum {
        OPTION_MOUNT = 0x100,
        OPTION_WORKER,
        OPTION_DAEMON,
        OPTION_DIRECTORY,
        OPTION_SERVE,
        OPTION_FAULTS,
        OPTION_KIND,
        OPTION_AT,
        OPTION_SECOND,
        OPTION_RANDOM,
        OPTION_SEED,
        OPTION_SHOW,
        OPTION_VERBOSE,
        OPTION_TRACE,
        OPTION_PLANNING,
};

static const struct option options[] = {
        { "mount", required_argument, NULL, OPTION_MOUNT },
        { "worker", required_argument, NULL, OPTION_WORKER },
        { "daemon", required_argument, NULL, OPTION_DAEMON },
        { "directory", required_argument, NULL, OPTION_DIRECTORY },
        { "serve", no_argument, NULL, OPTION_SERVE },
        { "faults", required_argument, NULL, OPTION_FAULTS },
        { "kind", required_argument, NULL, OPTION_KIND },
        { "at", required_argument, NULL, OPTION_AT },
        { "second", required_argument, NULL, OPTION_SECOND },
        { "random", required_argument, NULL, OPTION_RANDOM },
        { "seed", required_argument, NULL, OPTION_SEED },
        { "show", no_argument, NULL, OPTION_SHOW },
        { "verbose", no_argument, NULL, OPTION_VERBOSE },
        { "trace", no_argument, NULL, OPTION_TRACE },
        { "planning", no_argument, NULL, OPTION_PLANNING },
        { 0 },
};

static const char usage[] = "simkernel --mount DIR --directory DIR --worker FILE [--verbose] [--trace] …\n"
                            "  --daemon FILE         with the daemon, which starts the worker\n"
                            "  SCENARIO…             run the scenarios as they are\n"
                            "  --faults N SCENARIO…  every fault at each N-th operation of theirs\n"
                            "  --planning            they strike the daemon and the workers that plan\n"
                            "  --kind NAME           only this kind of fault\n"
                            "  --at N                and from the N-th on\n"
                            "  --second N            with the first recovery killed at its N-th\n"
                            "  --random N --seed S   N random machines\n"
                            "  --seed S --show       print the random scenario S\n"
                            "  --serve SCENARIO      leave the machine mounted\n";

typedef struct Arguments {
        const char *mount;
        Campaign campaign;
        bool serve, show;
        uint64_t n_random, seed, stride, first, second;
} Arguments;

static char *read_whole(const char *path)
{
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char *text = NULL;
        size_t room = 0;
        if (file && getdelim(&text, &room, '\0', file) >= 0)
                return text;
        free(text);
        return NULL;
}

static bool parse_option(Arguments *arguments, int option)
{
        switch (option) {
        case OPTION_MOUNT:
                arguments->mount = arguments->campaign.place.mount = optarg;
                return true;
        case OPTION_WORKER:
                arguments->campaign.place.worker = optarg;
                return true;
        case OPTION_DAEMON:
                arguments->campaign.place.daemon = optarg;
                return true;
        case OPTION_DIRECTORY:
                arguments->campaign.place.directory = optarg;
                return true;
        case OPTION_SERVE:
                return arguments->serve = true;
        case OPTION_SHOW:
                return arguments->show = true;
        case OPTION_VERBOSE:
                return arguments->campaign.verbose = true;
        case OPTION_TRACE:
                return arguments->campaign.trace = true;
        case OPTION_PLANNING:
                return arguments->campaign.of_planning = true;
        case OPTION_FAULTS:
                return text_to_u64(optarg, 10, 100000, &arguments->stride) == 0 && arguments->stride > 0;
        case OPTION_KIND:
                return fault_parse(optarg, &arguments->campaign.only);
        case OPTION_AT:
                return text_to_u64(optarg, 10, 100000, &arguments->first) == 0 && arguments->first > 0;
        case OPTION_SECOND:
                return text_to_u64(optarg, 10, 100000, &arguments->second) == 0;
        case OPTION_RANDOM:
                return text_to_u64(optarg, 10, 100000000, &arguments->n_random) == 0;
        case OPTION_SEED:
                return text_to_u64(optarg, 10, UINT64_MAX, &arguments->seed) == 0;
        default:
                return false;
        }
}

/* The scenario's name is its file's. */
static const char *name_of(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static bool run_file(Arguments *arguments, const char *path)
{
        _cleanup_free_ char *text = read_whole(path);
        if (!text) {
                fprintf(stderr, "simkernel: %s cannot be read\n", path);
                return false;
        }
        if (arguments->stride > 0) {
                arguments->campaign.stride = (unsigned) arguments->stride;
                arguments->campaign.first = (unsigned) arguments->first;
                arguments->campaign.second = (unsigned) arguments->second;
                return campaign_faults(&arguments->campaign, name_of(path), text);
        }
        return campaign_scenario(&arguments->campaign, name_of(path), text);
}

static bool serve(Machine *machine, const char *path)
{
        static Faults faults;
        char problem[256];
        _cleanup_free_ char *text = read_whole(path);
        Scenario scenario = { .machine = machine };

        machine->faults = &faults;
        snprintf(scenario.name, sizeof(scenario.name), "%s", name_of(path));
        if (!text || !scenario_parse(&scenario, text, problem) || !scenario_boot(&scenario, problem)) {
                fprintf(stderr, "simkernel: %s\n", text ? problem : path);
                return false;
        }
        puts("ready");
        fflush(stdout);
        serve_wait();
        return true;
}

static bool work(Arguments *arguments, Machine *machine, int n, char **files)
{
        bool is_fine = true;

        if (arguments->serve)
                return n == 1 && serve(machine, files[0]);
        for (int i = 0; i < n; i++)
                is_fine = run_file(arguments, files[i]) && is_fine;
        if (arguments->n_random > 0)
                is_fine = campaign_random(&arguments->campaign, arguments->seed, arguments->n_random) &&
                          is_fine;
        campaign_summary(&arguments->campaign);
        if (n > 0 && arguments->stride == 0)
                reasons_print(&arguments->campaign.reasons);
        printf("%lu passed, %lu failed\n", arguments->campaign.passed, arguments->campaign.failed);
        return is_fine;
}

static int show(uint64_t seed)
{
        static RandomCase random;
        generate(seed, &random);
        printf("%s# fault: %s (with the daemon %s) at operation %lu, second at %lu\n", random.text,
               fault_name(random.fault), fault_name(random.daemon_fault), random.at, random.second_at);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
        static Machine machine;
        Arguments arguments = { .campaign.machine = &machine, .campaign.stride = 1, .first = 1 };

        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
                if (!parse_option(&arguments, option)) {
                        fputs(usage, stderr);
                        return 2;
                }
        if (arguments.show)
                return show(arguments.seed);
        const WorkerPlace *place = &arguments.campaign.place;
        if (!place->mount || (!arguments.serve && (!place->directory || !place->worker))) {
                fputs(usage, stderr);
                return 2;
        }
        machine_init(&machine);
        int r = uevents_open(&machine);
        if (r == 0)
                r = udevd_start(&machine);
        if (r == 0)
                r = serve_start(&machine, place->mount);
        if (r < 0) {
                fprintf(stderr, "simkernel: cannot start: %s (use tests/sim/run)\n", strerror(-r));
                return EXIT_FAILURE;
        }
        bool is_fine = work(&arguments, &machine, argc - optind, argv + optind);
        if (!arguments.serve)
                serve_stop();
        return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
