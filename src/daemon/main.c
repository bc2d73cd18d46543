/* SPDX-License-Identifier: GPL-2.0-or-later */

/* vfio-realignd: options, and running the manager. */

#include "base/text.h"
#include "daemon/dbus-introspect.h"
#include "daemon/log.h"
#include "daemon/manager.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define START_TIMEOUT_USEC UINT64_C(30000000)

typedef struct OptionRow {
        char letter;
        const char *name;
        const char *argument; /* NULL: it has none */
        const char *help;
} OptionRow;

static const OptionRow rows[] = {
        { 's', "sysroot", "DIR", "find sys, proc, dev, run, etc and usr under DIR" },
        { 'c', "config", "FILE", "read FILE alone as the policy" },
        { 'w', "worker", "PATH", "the worker to start (" WORKER_PATH ")" },
        { 'b', "bus", "ADDRESS", "be on the D-Bus at ADDRESS (the system bus; with --sysroot none)" },
        { 't', "start-timeout", "TIME", "tell systemd by then that it is there, whatever is pending (30s)" },
        { 'i', "introspect", "INTERFACE", "show the introspection document of an interface, and end" },
        { 'h', "help", NULL, "show this help" },
        { 'v', "version", NULL, "show the version" },
};
#define N_ROWS ELEMENTSOF(rows)

static void print_help(void)
{
        printf("usage: vfio-realignd [OPTION]...\n\n"
               "Realigns the BARs of functions on a VFIO driver when VFIO would refuse to map them.\n\n");
        for (size_t i = 0; i < N_ROWS; i++) {
                char option[40];
                snprintf(option, sizeof(option), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                         rows[i].argument ? rows[i].argument : "");
                printf("  %-22s %s\n", option, rows[i].help);
        }
}

/* Answers beside negative errno. */
enum { OPTIONS_RUN = 0, OPTIONS_DONE = 1 };

static int introspect(const char *interface)
{
        int r = dbus_introspect(interface, stdout);
        if (r == 0)
                return OPTIONS_DONE;
        fprintf(stderr, "vfio-realignd: %s: %s\n", interface,
                r == -ENOENT ? "no such interface" : strerror(-r));
        return -EINVAL;
}

static int take_start_timeout(ManagerOptions *options)
{
        if (text_to_usec(optarg, &options->start_timeout_usec) == 0)
                return OPTIONS_RUN;
        fprintf(stderr, "vfio-realignd: --start-timeout %s: expected a time such as 500ms, 30s or 2min\n",
                optarg);
        return -EINVAL;
}

static int take_option(int letter, ManagerOptions *options)
{
        switch (letter) {
        case 's':
                options->sysroot = optarg;
                return OPTIONS_RUN;
        case 'c':
                options->config = optarg;
                return OPTIONS_RUN;
        case 'w':
                options->worker = optarg;
                return OPTIONS_RUN;
        case 'b':
                options->dbus = optarg;
                return OPTIONS_RUN;
        case 't':
                return take_start_timeout(options);
        case 'i':
                return introspect(optarg);
        case 'h':
                print_help();
                return OPTIONS_DONE;
        case 'v':
                printf("vfio-realignd %s\n", PACKAGE_VERSION);
                return OPTIONS_DONE;
        default:
                fprintf(stderr, "Try \"vfio-realignd --help\".\n");
                return -EINVAL;
        }
}

static int parse_options(int argc, char **argv, ManagerOptions *options)
{
        struct option table[N_ROWS + 1] = { 0 };
        for (size_t i = 0; i < N_ROWS; i++)
                table[i] = (struct option){
                        .name = rows[i].name,
                        .has_arg = rows[i].argument ? required_argument : no_argument,
                        .val = rows[i].letter,
                };
        int letter, r;
        while ((letter = getopt_long(argc, argv, "", table, NULL)) != -1) {
                r = take_option(letter, options);
                if (r != OPTIONS_RUN)
                        return r;
        }
        if (optind < argc) {
                fprintf(stderr, "vfio-realignd: unexpected argument \"%s\". Try \"vfio-realignd --help\".\n",
                        argv[optind]);
                return -EINVAL;
        }
        return OPTIONS_RUN;
}

static int run(const ManagerOptions *options)
{
        _cleanup_(manager_freep) Manager *manager = NULL;
        int r = manager_new(options, &manager);
        return r < 0 ? r : manager_run(manager);
}

int main(int argc, char **argv)
{
        ManagerOptions options = { .worker = WORKER_PATH, .start_timeout_usec = START_TIMEOUT_USEC };
        int r = parse_options(argc, argv, &options);
        if (r != OPTIONS_RUN)
                return r < 0 ? 2 : EXIT_SUCCESS;

        log_open();
        r = run(&options);
        if (r < 0)
                log_say(LOG_ERR, NULL, "Ended by an error: %s", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
