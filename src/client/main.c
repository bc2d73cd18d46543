/* SPDX-License-Identifier: GPL-2.0-or-later */

/* vfio-realign, the command line: options by one table, then the verb by another (client/verb.h). */

#include "base/page.h"
#include "base/text.h"
#include "client/pager.h"
#include "client/verb.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <string.h>

#define DEFAULT_TIMEOUT_USEC UINT64_C(300000000)

/* What the options set, beside what the verbs get to see. */
typedef struct CommandLine {
        ClientContext context;
        bool help, version;
        uint32_t given; /* a bit for each of the options */
} CommandLine;

typedef struct ClientOption {
        const char *name;
        unsigned of; /* the VerbOptions of the verbs that take it; 0: all do */
        int letter;  /* 0: there is none */
        int has_argument;
        const char *argument;
        int (*apply)(CommandLine *line, const char *argument);
        const char *help;
} ClientOption;

static int apply_help(CommandLine *line, const char *argument)
{
        line->help = true;
        return 0;
}

static int apply_version(CommandLine *line, const char *argument)
{
        line->version = true;
        return 0;
}

static int apply_sysroot(CommandLine *line, const char *argument)
{
        line->context.sysroot = argument;
        return 0;
}

static int apply_config(CommandLine *line, const char *argument)
{
        line->context.config = argument;
        return 0;
}

static int apply_worker(CommandLine *line, const char *argument)
{
        line->context.worker = argument;
        return 0;
}

static int apply_page_size(CommandLine *line, const char *argument)
{
        uint64_t page;
        int r = text_to_bytes(argument, &page);
        if (r < 0 || !page_size_valid(page))
                return -EINVAL;
        line->context.page = page;
        return 0;
}

static int apply_json(CommandLine *line, const char *argument)
{
        static const char *const names[] = {
                [CLIENT_JSON_OFF] = "off",
                [CLIENT_JSON_SHORT] = "short",
                [CLIENT_JSON_PRETTY] = "pretty",
        };
        line->context.json = CLIENT_JSON_PRETTY;
        for (size_t i = 0; argument && i < ELEMENTSOF(names); i++)
                if (strcmp(argument, names[i]) == 0) {
                        line->context.json = (ClientJson) i;
                        return 0;
                }
        return argument ? -EINVAL : 0;
}

static int apply_output(CommandLine *line, const char *argument)
{
        line->context.columns = argument;
        return 0;
}

static int apply_no_legend(CommandLine *line, const char *argument)
{
        line->context.no_legend = true;
        return 0;
}

static int apply_timeout(CommandLine *line, const char *argument)
{
        if (strcmp(argument, "infinity") == 0) {
                line->context.timeout_usec = UINT64_MAX;
                return 0;
        }
        return text_to_usec(argument, &line->context.timeout_usec);
}

static int apply_force(CommandLine *line, const char *argument)
{
        line->context.force = true;
        return 0;
}

static int apply_host(CommandLine *line, const char *argument)
{
        line->context.host = argument;
        return 0;
}

static int apply_no_pager(CommandLine *line, const char *argument)
{
        line->context.no_pager = true;
        return 0;
}

static const ClientOption options[] = {
        { "sysroot", 0, 0, required_argument, "DIR", apply_sysroot,
          "look at the tree under DIR instead of this machine" },
        { "config", 0, 0, required_argument, "FILE", apply_config, "the policy is FILE alone" },
        { "page-size", 0, 0, required_argument, "SIZE", apply_page_size,
          "the page of the tree (only with --sysroot): 4K, 64K, …" },
        { "worker", 0, 0, required_argument, "PATH", apply_worker, "run this vfio-realign-worker" },
        { "json", VERB_JSON, 0, optional_argument, "pretty|short|off", apply_json, "print JSON (pretty)" },
        { "output", VERB_COLUMNS, 'o', required_argument, "COLUMNS", apply_output, "print these columns" },
        { "no-legend", VERB_LEGEND, 0, no_argument, NULL, apply_no_legend, "print no header line" },
        { "no-pager", VERB_PAGED, 0, no_argument, NULL, apply_no_pager,
          "do not show long output in a pager" },
        { "timeout", VERB_TIMEOUT, 0, required_argument, "TIME", apply_timeout,
          "wait at most so long (5min): 500ms, 30s, 2min, infinity" },
        { "force", VERB_FORCE, 0, no_argument, NULL, apply_force, "although earlier attempts have failed" },
        { "host", VERB_HOST, 'H', required_argument, "[USER@]HOST", apply_host,
          "ask the daemon of HOST, by ssh" },
        { "help", 0, 'h', no_argument, NULL, apply_help, "print this, or about the verb, and exit" },
        { "version", 0, 'V', no_argument, NULL, apply_version, "print the version and exit" },
};

static void print_option(const ClientOption *option)
{
        char name[48];
        snprintf(name, sizeof(name), "--%s%s%s%s", option->name,
                 option->has_argument == optional_argument ? "[" : "", option->argument ? "=" : "",
                 option->argument ? option->argument : "");
        if (option->has_argument == optional_argument)
                strncat(name, "]", sizeof(name) - strlen(name) - 1);
        printf("  %c%c%c %-26s  %s\n", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
               option->letter ? ',' : ' ', name, option->help);
}

static void print_help(void)
{
        fputs("Usage: vfio-realign [OPTION…] VERB [ARGUMENT…]\n\n"
              "Finds the functions whose small BARs VFIO does not map because they share a page,\n"
              "and says how they would be realigned.\n\nVerbs:\n",
              stdout);
        verb_describe_all(stdout);
        verb_describe(stdout, "help", "[VERB]", "print this, or about VERB");
        fputs("\nOptions:\n", stdout);
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                print_option(&options[i]);
        fputs("\nFUNCTION is an address such as 0000:03:00.0, 03:00.0 or pci_0000_03_00_0, or a pattern such as\n"
              "\"0000:03:00.*\".\n\n"
              "Exit status: 0 all fine, 1 error, 2 usage, 3 a function needs realignment, 4 one cannot be\n"
              "realigned; of several functions the worst.\n",
              stdout);
}

static void print_verb_help(const Verb *verb)
{
        printf("Usage: vfio-realign [OPTION…] %s%s%s\n\n%s: %s.\n\nOptions:\n", verb->name,
               *verb->arguments ? " " : "", verb->arguments, verb->name, verb->help);
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (options[i].of == 0 || (options[i].of & verb->options) != 0)
                        print_option(&options[i]);
        if (!verb->columns)
                return;
        fputs("\nColumns for -o:\n", stdout);
        columns_describe(verb->columns, stdout);
}

static ClientExit usage_error(const char *format, ...) _printf_(1, 2);
static ClientExit usage_error(const char *format, ...)
{
        va_list args;

        fputs("vfio-realign: ", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputs("\nSee \"vfio-realign --help\".\n", stderr);
        return CLIENT_EXIT_USAGE;
}

static ClientExit unknown_verb(const char *name)
{
        const Verb *nearest = verb_nearest(name);
        if (nearest)
                return usage_error("there is no verb \"%s\"; did you mean \"%s\"?", name, nearest->name);
        return usage_error("there is no verb \"%s\"", name);
}

/* getopt_long() says itself what is wrong with an option that it does not know. */
static ClientExit read_options(CommandLine *line, int argc, char **argv)
{
        struct option long_options[ELEMENTSOF(options) + 1] = { 0 };
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                long_options[i] = (struct option){ .name = options[i].name,
                                                   .has_arg = options[i].has_argument };

        int index, letter;
        for (;;) {
                index = -1;
                letter = getopt_long(argc, argv, "o:H:hV", long_options, &index);
                if (letter == -1)
                        return CLIENT_EXIT_FINE;
                for (size_t i = 0; index < 0 && i < ELEMENTSOF(options); i++)
                        if (options[i].letter == letter)
                                index = (int) i;
                if (letter == '?' || index < 0)
                        return usage_error("the options cannot be understood");
                line->given |= UINT32_C(1) << index;
                if (options[index].apply(line, optarg) < 0)
                        return usage_error("--%s is \"%s\", expected %s", options[index].name, optarg,
                                           options[index].argument);
        }
}

static ClientExit run_help(size_t n, char *const *arguments)
{
        if (n > 1)
                return usage_error("\"help\" takes one verb at most");
        const Verb *verb = n ? verb_find(arguments[0]) : NULL;
        if (n && !verb)
                return unknown_verb(arguments[0]);
        if (verb)
                print_verb_help(verb);
        else
                print_help();
        return CLIENT_EXIT_FINE;
}

/* The options that are not for VERB are no harmless ones: who gives them expects something. */
static ClientExit check_options(const CommandLine *line, const Verb *verb)
{
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if ((line->given >> i & 1) != 0 && options[i].of != 0 &&
                    (options[i].of & verb->options) == 0)
                        return usage_error("\"%s\" takes no --%s", verb->name, options[i].name);
        if (line->context.host && line->context.sysroot)
                return usage_error("--host and --sysroot are of two machines");
        if ((verb->options & VERB_BUS) != 0 && line->context.sysroot)
                return usage_error("\"%s\" is done by the daemon: --sysroot is not for it", verb->name);
        return CLIENT_EXIT_FINE;
}

static ClientExit run_paged(const ClientContext *context, const Verb *verb, size_t n, char *const *arguments)
{
        Pager pager;
        pager_open(&pager);
        ClientExit status = verb->run(context, n, arguments);
        pager_close(&pager);
        return status;
}

static ClientExit run_verb(CommandLine *line, const Verb *verb, size_t n, char *const *arguments)
{
        if (n < verb->n_least || n > verb->n_most)
                return usage_error("\"%s\" takes %s", verb->name,
                                   *verb->arguments ? verb->arguments : "no argument");
        ClientExit status = check_options(line, verb);
        if (status != CLIENT_EXIT_FINE)
                return status;

        _cleanup_(root_freep) Root *root = NULL;
        int r = root_open(line->context.sysroot, &root);
        if (r < 0)
                return client_error("%s: cannot be opened as the root directory: %s",
                                    line->context.sysroot ? line->context.sysroot : "/", strerror(-r));
        line->context.root = root;
        line->context.style = style_of_output();
        if ((verb->options & VERB_PAGED) != 0 && !line->context.no_pager)
                return run_paged(&line->context, verb, n, arguments);
        return verb->run(&line->context, n, arguments);
}

static ClientExit run(int argc, char **argv)
{
        CommandLine line = { .context = { .worker = WORKER_PATH, .timeout_usec = DEFAULT_TIMEOUT_USEC } };
        ClientExit status = read_options(&line, argc, argv);
        if (status != CLIENT_EXIT_FINE)
                return status;
        if (line.version) {
                puts(PACKAGE_STRING);
                return CLIENT_EXIT_FINE;
        }

        size_t n = (size_t) (argc - optind);
        char *const *arguments = argv + optind;
        if (line.help)
                return run_help(n > 1 ? 1 : n, arguments);
        if (n == 0)
                return usage_error("a verb is missing");
        if (strcmp(arguments[0], "help") == 0)
                return run_help(n - 1, arguments + 1);
        const Verb *verb = verb_find(arguments[0]);
        if (!verb)
                return unknown_verb(arguments[0]);
        if (line.context.page != 0 && !line.context.sysroot)
                return usage_error("--page-size is only for --sysroot: this machine's page is known");
        if (line.context.page == 0)
                line.context.page = page_size();
        return run_verb(&line, verb, n - 1, arguments + 1);
}

int main(int argc, char **argv)
{
        setlocale(LC_ALL, "");
        ClientExit status = run(argc, argv);
        if (fflush(stdout) != 0 || ferror(stdout))
                return (int) client_error("cannot write to standard output: %s", strerror(errno));
        return (int) status;
}
