/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * vfio-realign-hook: what libvirt runs when a QEMU domain starts and ends. It reads the domain's XML, asks the daemon, and
 * says by its exit status whether libvirt may go on, which it may not only before a start, and only where the policy says so:
 * at "reconnect" a failure would end a running guest. It prints nothing on standard output (for a hook in qemu.d that is the
 * domain's new XML), looks at no PCI function itself, and calls libvirt never: that would dead-lock.
 */

#include "act/journal.h"
#include "base/reason.h"
#include "base/text.h"
#include "hook/guest-call.h"
#include "model/policy.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_SEC 60u
#define TIMEOUT_SEC_MAX 3600u
#define JOURNAL_LOOK_MSEC 100
#define INHIBIT_USEC UINT64_C(120000000) /* libvirt is gone then */

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum { OPTION_SYSROOT = 0x100, OPTION_CONFIG, OPTION_BUS, OPTION_TIMEOUT };

static const struct option options[] = {
        { "sysroot", required_argument, NULL, OPTION_SYSROOT },
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "bus", required_argument, NULL, OPTION_BUS },
        { "timeout", required_argument, NULL, OPTION_TIMEOUT },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
};

static const char help_text[] = "vfio-realign-hook [OPTION...] [--] DOMAIN OPERATION SUBOPERATION ... <XML\n"
                                "\n"
                                "libvirt's hook for QEMU: realigns PCI functions before a guest gets them.\n"
                                "\n"
                                "  --timeout SECONDS  longer it takes never; 60\n"
                                "  --bus ADDRESS      of D-Bus, instead of the system bus\n"
                                "  --config FILE      read the policy from FILE alone\n"
                                "  --sysroot DIR      read the policy below DIR\n"
                                "  --help, --version\n";

typedef struct Hook {
        const char *sysroot, *config, *bus;
        const char *domain; /* its name */
        unsigned timeout_sec;
        uint64_t deadline; /* usec of CLOCK_MONOTONIC */
} Hook;

/* What is done at one point of a domain's life. */
typedef struct Operation {
        const char *name, *suboperation;
        const char *method;
        uint64_t inhibit_usec;
        bool is_start; /* the policy may keep the domain from going on */
} Operation;

static const Operation operations[] = {
        { "prepare", "begin", "PrepareForGuest", INHIBIT_USEC, true },
        { "started", "begin", "Inhibit", 0, false },
        { "stopped", "end", "ReleaseFromGuest", INHIBIT_USEC, false },
        { "release", "end", "Inhibit", 0, false },
};

static uint64_t now_usec(void)
{
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* The backstop: whatever blocks, libvirt does not wait longer. */
static volatile sig_atomic_t late_status;
static void on_late(int signal_number)
{
        static const char text[] = "vfio-realign: it took too long: see \"vfio-realign status\"\n";
        (void) !write(STDERR_FILENO, text, sizeof(text) - 1);
        _exit(late_status);
}

static void set_backstop(unsigned seconds)
{
        struct sigaction action = { .sa_handler = on_late };
        (void) sigaction(SIGALRM, &action, NULL);
        (void) alarm(seconds + 1);
}

/* What the policy says without knowing more of a function than its address; a policy that cannot be read says nothing. */
static bool policy_refuses(const Hook *hook, const Domain *domain)
{
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *problems = NULL;
        PolicySettings settings;

        if (root_open(hook->sysroot, &root) < 0 || policy_load(root, hook->config, &policy, &problems) < 0)
                return false;
        policy_settings(policy, NULL, &settings);
        bool refuses = settings.on_failure == POLICY_ON_FAILURE_REFUSE;
        for (size_t i = 0; i < domain->n_functions && !refuses; i++) {
                PciFunction function = { .address = domain->functions[i].address };
                policy_settings(policy, &function, &settings);
                refuses = settings.on_failure == POLICY_ON_FAILURE_REFUSE;
        }
        return refuses;
}

/* Names come from outside. */
static void say(const Hook *hook, const char *what, const char *why)
{
        _cleanup_free_ char *name = strdup(hook->domain);
        if (name)
                text_make_printable(name);
        fprintf(stderr, "vfio-realign: %s: %s%s%s\n", name ? name : "a domain", what, why ? ": " : "",
                why ? why : "");
}

static int fail(const Hook *hook, const Domain *domain, const char *what, const char *why)
{
        bool refuses = policy_refuses(hook, domain);
        _cleanup_free_ char *text = text_format("%s%s", what,
                                                refuses ? ", and the policy says on-failure = refuse" : "");
        say(hook, text ? text : what, why);
        return refuses ? EXIT_REFUSED : EXIT_SUCCESS;
}

static bool is_midway(const GuestVerdict *verdict)
{
        return strcmp(verdict->reason, reason_name(REASON_MIDWAY)) == 0;
}

static char *verdict_text(const GuestVerdict *verdict)
{
        Reason reason;
        if (reason_parse(verdict->reason, &reason) < 0)
                return text_format("%s cannot be realigned (%s)", verdict->function, verdict->reason);
        return text_format("%s cannot be %s: %s%s%s%s. Remedy: %s", verdict->function,
                           is_midway(verdict) ? "handed over now" : "realigned", reason_text(reason),
                           *verdict->detail ? " (" : "", verdict->detail, *verdict->detail ? ")" : "",
                           reason_remedy(reason));
}

/* One line, about what keeps the domain from starting if there is such, else about what makes it slow. */
static int judge(const Hook *hook, const GuestAnswer *answer)
{
        const GuestVerdict *told = NULL;
        for (size_t i = 0; i < answer->n_verdicts; i++) {
                const GuestVerdict *verdict = &answer->verdicts[i];
                if (strcmp(verdict->verdict, "ok") != 0 && (!told || (verdict->refuses && !told->refuses) ||
                                                            (is_midway(verdict) && !is_midway(told))))
                        told = verdict;
        }
        if (!told)
                return EXIT_SUCCESS;
        _cleanup_free_ char *text = verdict_text(told);
        if (is_midway(told)) {
                say(hook, "not started", text);
                return EXIT_REFUSED;
        }
        say(hook,
            told->refuses ? "not started, as the policy says on-failure = refuse" : "some BARs will be slow",
            text);
        return told->refuses ? EXIT_REFUSED : EXIT_SUCCESS;
}

/*
 * The daemon does not answer, and a transaction may go on without it. That libvirt takes functions which are being taken out,
 * no policy can want: waits for its end as long as there is time. NULL: none (any more) is at a function of DOMAIN.
 */
static const DomainFunction *find_midway(const Hook *hook, const Domain *domain)
{
        _cleanup_(root_freep) Root *root = NULL;
        if (root_open(hook->sysroot, &root) < 0)
                return NULL;
        for (;;) {
                const DomainFunction *found = NULL;
                for (size_t i = 0; i < domain->n_functions && !found; i++)
                        if (journal_may_name(root, domain->functions[i].address))
                                found = &domain->functions[i];
                if (!found || now_usec() >= hook->deadline)
                        return found;
                /* Only where the daemon has died in the middle of it, or hangs: not worth to listen to the folder. */
                (void) poll(NULL, 0, JOURNAL_LOOK_MSEC);
        }
}

static int go_without_daemon(const Hook *hook, const Domain *domain, const char *why)
{
        const DomainFunction *midway = find_midway(hook, domain);
        if (!midway)
                return fail(hook, domain, "its functions are not realigned", why);
        GuestVerdict verdict = { .function = (char *) (uintptr_t) PCI_ADDRESS_TEXT(midway->address),
                                 .reason = (char *) (uintptr_t) reason_name(REASON_MIDWAY),
                                 .detail = (char *) (uintptr_t) why };
        _cleanup_free_ char *text = verdict_text(&verdict);
        say(hook, "not started", text);
        return EXIT_REFUSED;
}

/* Of the time that is left: what is not begun or still can be stopped by 2/3 of it is so, and the answer is due by 5/6. */
static GuestTimes times_left(const Hook *hook, const Operation *operation)
{
        uint64_t now = now_usec();
        uint64_t left = hook->deadline > now ? hook->deadline - now : 1;
        return (GuestTimes){ .inhibit_usec = operation->inhibit_usec,
                             .has_bound = operation->is_start,
                             .stop_usec = left / 3 * 2,
                             .answer_usec = left / 6 * 5,
                             .timeout_usec = left };
}

static int run(const Hook *hook, const Operation *operation)
{
        _cleanup_(domain_clear) Domain domain = { 0 };
        _cleanup_(guest_answer_clear) GuestAnswer answer = { 0 };
        _cleanup_free_ char *problem = NULL;

        int r = domain_read(STDIN_FILENO, hook->deadline, &domain, &problem);
        if (r < 0 && !operation->is_start)
                return EXIT_SUCCESS;
        if (r < 0)
                return fail(hook, &domain, "its XML cannot be used, so that nothing is realigned",
                            problem ? problem : strerror(-r));
        if (domain.n_functions == 0)
                return EXIT_SUCCESS;
        if (operation->is_start)
                late_status = policy_refuses(hook, &domain) ? EXIT_REFUSED : EXIT_SUCCESS;
        GuestTimes times = times_left(hook, operation);
        r = guest_call(hook->bus, operation->method, &domain, &times, &answer, &problem);
        if (r < 0 && operation->is_start)
                return go_without_daemon(hook, &domain, problem ? problem : strerror(-r));
        if (r < 0)
                say(hook, "vfio-realignd could not be told", problem ? problem : strerror(-r));
        return r < 0 ? EXIT_SUCCESS : judge(hook, &answer);
}

/* -EINVAL; or 1: it has done what it was asked for. */
static int parse_option(Hook *hook, int option)
{
        uint64_t seconds;
        switch (option) {
        case OPTION_SYSROOT:
                hook->sysroot = optarg;
                return 0;
        case OPTION_CONFIG:
                hook->config = optarg;
                return 0;
        case OPTION_BUS:
                hook->bus = optarg;
                return 0;
        case OPTION_TIMEOUT:
                if (text_to_u64(optarg, 10, TIMEOUT_SEC_MAX, &seconds) < 0)
                        return -EINVAL;
                hook->timeout_sec = (unsigned) seconds;
                return 0;
        case 'h':
                fputs(help_text, stdout);
                return 1;
        case 'V':
                puts(PACKAGE_STRING);
                return 1;
        default:
                return -EINVAL;
        }
}

int main(int argc, char **argv)
{
        Hook hook = { .timeout_sec = TIMEOUT_SEC };

        for (int option; (option = getopt_long(argc, argv, "+hV", options, NULL)) != -1;) {
                int r = parse_option(&hook, option);
                if (r != 0)
                        return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        }
        if (optind == argc) {
                fputs("vfio-realign-hook: is run by libvirt; see --help\n", stderr);
                return EXIT_USAGE;
        }
        if (argc - optind < 3)
                return EXIT_SUCCESS;
        hook.domain = argv[optind];
        for (size_t i = 0; i < ELEMENTSOF(operations); i++)
                if (strcmp(argv[optind + 1], operations[i].name) == 0 &&
                    strcmp(argv[optind + 2], operations[i].suboperation) == 0) {
                        hook.deadline = now_usec() + hook.timeout_sec * UINT64_C(1000000);
                        set_backstop(hook.timeout_sec);
                        return run(&hook, &operations[i]);
                }
        return EXIT_SUCCESS;
}
