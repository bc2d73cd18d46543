/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * vfio-realign-worker: plans, executes, recovers or probes, and ends. The only program that writes to sysfs or opens VFIO
 * files.
 */

#include "act/outcome.h"
#include "base/page.h"
#include "base/text.h"
#include "worker/worker.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

enum {
        OPTION_SYSROOT = 0x100,
        OPTION_CONFIG,
        OPTION_PAGE_SIZE,
        OPTION_BY_REQUEST,
        OPTION_NO_LISTENER,
        OPTION_LOWEST_RUNG,
        OPTION_PLAN,
        OPTION_EXECUTE,
        OPTION_RECOVER,
        OPTION_RESTORE,
        OPTION_DETACH,
        OPTION_REATTACH,
        OPTION_PREPARE,
        OPTION_PROBE,
        OPTION_HELP = 'h',
        OPTION_VERSION = 'V',
};

static const struct option options[] = {
        { "plan", no_argument, NULL, OPTION_PLAN },
        { "execute", required_argument, NULL, OPTION_EXECUTE },
        { "recover", no_argument, NULL, OPTION_RECOVER },
        { "restore", no_argument, NULL, OPTION_RESTORE },
        { "detach", no_argument, NULL, OPTION_DETACH },
        { "reattach", no_argument, NULL, OPTION_REATTACH },
        { "prepare", no_argument, NULL, OPTION_PREPARE },
        { "probe", no_argument, NULL, OPTION_PROBE },
        { "sysroot", required_argument, NULL, OPTION_SYSROOT },
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "page-size", required_argument, NULL, OPTION_PAGE_SIZE },
        { "by-request", no_argument, NULL, OPTION_BY_REQUEST },
        { "lowest-rung", required_argument, NULL, OPTION_LOWEST_RUNG },
        { "no-listener", no_argument, NULL, OPTION_NO_LISTENER },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        { 0 },
};

static const char help_text[] =
                "vfio-realign-worker --plan [--restore|--detach|--reattach|--prepare] FUNCTION...\n"
                "vfio-realign-worker --execute FILE|-\n"
                "vfio-realign-worker --recover\n"
                "vfio-realign-worker --restore|--detach|--reattach|--prepare FUNCTION...\n"
                "vfio-realign-worker --probe FUNCTION\n"
                "\n"
                "Does one job for vfio-realignd and ends. Not meant to be called by hand, but for --recover.\n"
                "\n"
                "  --plan             print plans and refusals for the functions as a JSON document\n"
                "  --execute FILE     execute the plan in FILE; \"-\" is standard input\n"
                "  --recover          finish or undo the transaction that was interrupted, if there is one\n"
                "  --restore          give the BARs of the functions their own sizes back\n"
                "  --detach           take the functions off the host's drivers and bind them to vfio-pci\n"
                "  --reattach         take the functions off VFIO drivers and give them back to the host's\n"
                "  --prepare          realign the functions for a guest that is about to start, from whatever driver they are\n"
                "                     on if nobody uses them, and give them back to that\n"
                "  --probe            open the function through VFIO, which resets it, and print what VFIO maps\n"
                "  --by-request       with --plan: an administrator asks; realign = report does not refuse\n"
                "  --lowest-rung N    with --plan: narrower scopes have failed; remove at least the Nth bridge above\n"
                "  --no-listener      do not hold returning functions by listening; take drivers off afterwards\n"
                "  --config FILE      read the policy from FILE alone\n"
                "  --sysroot DIR      work on the tree DIR instead of this machine\n"
                "  --page-size SIZE   with --sysroot: the page of the kernel that the tree stands for\n"
                "  --help, --version\n";

/* What the command line said. */
typedef struct Arguments {
        const char *sysroot;
        const char *execute;
        int verb; /* OPTION_PLAN, OPTION_EXECUTE, OPTION_RECOVER, OPTION_PROBE; 0: none, the goal's own if there is one */
        WorkerContext context;
} Arguments;

void worker_complain(const char *format, ...)
{
        va_list args;

        fputs("vfio-realign-worker: ", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
}

static int set_verb(Arguments *arguments, int verb)
{
        if (arguments->verb != 0) {
                worker_complain("only one of --plan, --execute, --recover and --probe can be given");
                return -EINVAL;
        }
        arguments->verb = verb;
        return 0;
}

static int set_goal(Arguments *arguments, PlanGoal goal)
{
        if (arguments->context.goal != PLAN_GOAL_REALIGN) {
                worker_complain("only one of --restore, --detach, --reattach and --prepare can be given");
                return -EINVAL;
        }
        arguments->context.goal = goal;
        return 0;
}

static int set_page_size(Arguments *arguments, const char *text)
{
        if (text_to_bytes(text, &arguments->context.page) == 0 && page_size_valid(arguments->context.page))
                return 0;
        worker_complain("--page-size %s: expected a power of two with suffix K or M", text);
        return -EINVAL;
}

static int set_lowest_rung(Arguments *arguments, const char *text)
{
        uint64_t rung;
        if (text_to_u64(text, 10, UINT8_MAX, &rung) < 0) {
                worker_complain("--lowest-rung %s: expected a small number", text);
                return -EINVAL;
        }
        arguments->context.lowest_rung = (unsigned) rung;
        return 0;
}

/* 0, -EINVAL after a message, or 1: the program has done what it was asked for. */
static int parse_option(Arguments *arguments, int option)
{
        switch (option) {
        case OPTION_EXECUTE:
                arguments->execute = optarg;
                return set_verb(arguments, option);
        case OPTION_PLAN:
        case OPTION_RECOVER:
        case OPTION_PROBE:
                return set_verb(arguments, option);
        case OPTION_RESTORE:
                return set_goal(arguments, PLAN_GOAL_RESTORE);
        case OPTION_DETACH:
                return set_goal(arguments, PLAN_GOAL_DETACH);
        case OPTION_REATTACH:
                return set_goal(arguments, PLAN_GOAL_REATTACH);
        case OPTION_PREPARE:
                return set_goal(arguments, PLAN_GOAL_PREPARE);
        case OPTION_SYSROOT:
                arguments->sysroot = optarg;
                return 0;
        case OPTION_CONFIG:
                arguments->context.config = optarg;
                return 0;
        case OPTION_PAGE_SIZE:
                return set_page_size(arguments, optarg);
        case OPTION_BY_REQUEST:
                arguments->context.by_request = true;
                return 0;
        case OPTION_LOWEST_RUNG:
                return set_lowest_rung(arguments, optarg);
        case OPTION_NO_LISTENER:
                arguments->context.no_listener = true;
                return 0;
        case OPTION_HELP:
                fputs(help_text, stdout);
                return 1;
        case OPTION_VERSION:
                puts(PACKAGE_STRING);
                return 1;
        default:
                return -EINVAL; /* getopt_long() has said what is wrong */
        }
}

static int check_arguments(const Arguments *arguments, int n_functions)
{
        bool has_goal = arguments->context.goal != PLAN_GOAL_REALIGN;

        if (arguments->verb == 0 && !has_goal)
                worker_complain("one of --plan, --execute, --recover, --restore, --detach, --reattach, --prepare and --probe must be given; see --help");
        else if (arguments->verb == OPTION_PROBE && has_goal)
                worker_complain("--probe goes with none of --restore, --detach, --reattach and --prepare");
        else if (arguments->verb != OPTION_PLAN && arguments->verb != OPTION_PROBE && arguments->verb != 0 &&
                 (n_functions > 0 || has_goal))
                worker_complain("only --plan, --restore, --detach, --reattach, --prepare and --probe take functions");
        else if ((arguments->verb == OPTION_PLAN || arguments->verb == 0) && n_functions == 0)
                worker_complain("at least one function must be given");
        else if (arguments->context.page != page_size() && !arguments->sysroot)
                worker_complain("--page-size goes with --sysroot only");
        else
                return 0;
        return -EINVAL;
}

static int run(const Arguments *arguments, size_t n_functions, char *const *functions)
{
        switch (arguments->verb) {
        case OPTION_PLAN:
                return worker_plan(&arguments->context, n_functions, functions);
        case OPTION_PROBE:
                return worker_probe(&arguments->context, n_functions, functions);
        case OPTION_EXECUTE:
                return worker_execute(&arguments->context, arguments->execute);
        case OPTION_RECOVER:
                return worker_recover(&arguments->context);
        default:
                return worker_errand(&arguments->context, n_functions, functions);
        }
}

int main(int argc, char **argv)
{
        Arguments arguments = { .context.page = page_size() };
        _cleanup_(root_freep) Root *root = NULL;

        for (int option; (option = getopt_long(argc, argv, "hV", options, NULL)) != -1;) {
                int r = parse_option(&arguments, option);
                if (r != 0)
                        return r < 0 ? WORKER_EXIT_USAGE : EXIT_SUCCESS;
        }
        if (check_arguments(&arguments, argc - optind) < 0)
                return WORKER_EXIT_USAGE;
        int r = root_open(arguments.sysroot, &root);
        if (r < 0) {
                worker_complain("cannot open the root directory %s: %s",
                                arguments.sysroot ? arguments.sysroot : "/", strerror(-r));
                return WORKER_EXIT_ERROR;
        }
        arguments.context.root = root;
        return run(&arguments, (size_t) (argc - optind), argv + optind);
}
