/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/worker-process.h"

#include "act/deadline.h"
#include "base/read-until-end.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define DEADLINE_USEC (40 * USEC_PER_SEC) /* the worker ends itself after 30 s */
#define KILL_DEADLINE_USEC USEC_PER_SEC

extern char **environ;

static int read_output(int fd, uint64_t until, char **ret)
{
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = read_until_end(fd, WORKER_OUTPUT_MAX, deadline_wait_to_read, &until, &text, &size);
        if (r < 0)
                return r;
        if (strlen(text) != size)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

/* Waits for the end of PID, at the longest until UNTIL. */
static int reap(pid_t pid, uint64_t until, int *ret_status)
{
        _cleanup_close_ int fd = pidfd_open(pid, 0);
        if (fd < 0)
                return -errno;
        int r = deadline_wait_readable(fd, until);
        if (r < 0)
                return r;
        int status;
        if (waitpid(pid, &status, 0) < 0)
                return -errno;
        if (!WIFEXITED(status))
                return -ECHILD;
        *ret_status = WEXITSTATUS(status);
        return 0;
}

/* A process that is stuck in the kernel outlives even this: it is not waited for. */
static void kill_and_reap(pid_t pid)
{
        int status;
        kill(pid, SIGKILL);
        (void) reap(pid, deadline_now() + KILL_DEADLINE_USEC, &status);
}

static int spawn(char *const *arguments, int output, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        int r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn(ret, arguments[0], &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

int worker_process_run(char *const *arguments, uint64_t deadline_usec, char **ret_text, int *ret_status)
{
        _cleanup_free_ char *text = NULL;
        const uint64_t until = deadline_now() + deadline_usec;
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int reading = ends[0];
        _cleanup_close_ int writing = ends[1];

        pid_t pid;
        int r = spawn(arguments, writing, &pid);
        if (r < 0)
                return r;
        close(TAKE_FD(writing));

        int status;
        r = read_output(reading, until, &text);
        if (r == 0)
                r = reap(pid, until, &status);
        if (r < 0) {
                if (r != -ECHILD)
                        kill_and_reap(pid);
                return r;
        }
        *ret_text = TAKE_PTR(text);
        *ret_status = status;
        return 0;
}

static ClientExit explain_failure(const char *worker, int error)
{
        switch (-error) {
        case ETIMEDOUT:
                return client_error("%s did not answer within %llu s and was killed", worker,
                                    (unsigned long long) (DEADLINE_USEC / USEC_PER_SEC));
        case EFBIG:
                return client_error("%s wrote more than %u MiB and was killed", worker,
                                    WORKER_OUTPUT_MAX >> 20);
        case ECHILD:
                return client_error("%s was ended by a signal", worker);
        case EBADMSG:
                return client_error("%s wrote what is no text", worker);
        default:
                return client_error("%s cannot be run: %s", worker, strerror(-error));
        }
}

/* Appends to ARGUMENTS, which has room. */
static void append(char **arguments, size_t *n, const char *argument)
{
        arguments[(*n)++] = (char *) argument; /* posix_spawn() changes none of them */
}

/* Runs "vfio-realign-worker VERB… ADDRESSES" with the options of CONTEXT passed on. */
static ClientExit run_verb(const ClientContext *context, const char *const *verb,
                           const PciAddress *addresses, size_t n, const char *what, char **ret_text)
{
        /* the program, three options with their arguments, two words of the verb, and the final NULL */
        _cleanup_free_ char **arguments = calloc(n + 10, sizeof(*arguments));
        _cleanup_free_ char(*names)[PCI_ADDRESS_TEXT_MAX] = calloc(n + 1, sizeof(*names));
        char page[TEXT_BYTES_MAX];
        size_t at = 0;
        if (!arguments || !names)
                return client_error("out of memory");

        append(arguments, &at, context->worker);
        if (context->sysroot) {
                append(arguments, &at, "--sysroot");
                append(arguments, &at, context->sysroot);
                append(arguments, &at, "--page-size");
                append(arguments, &at, text_from_bytes(context->page, page));
        }
        if (context->config) {
                append(arguments, &at, "--config");
                append(arguments, &at, context->config);
        }
        for (; *verb; verb++)
                append(arguments, &at, *verb);
        for (size_t i = 0; i < n; i++)
                append(arguments, &at, pci_address_format(addresses[i], names[i]));

        _cleanup_free_ char *text = NULL;
        int status;
        int r = worker_process_run(arguments, DEADLINE_USEC, &text, &status);
        if (r < 0)
                return explain_failure(context->worker, r);
        if (status != 0)
                return client_error("%s %s (exit status %d)", context->worker, what, status);
        *ret_text = TAKE_PTR(text);
        return CLIENT_EXIT_FINE;
}

ClientExit worker_process_plan(const ClientContext *context, const PciAddress *addresses, size_t n,
                               char **ret_text)
{
        static const char *const verb[] = { "--by-request", "--plan", NULL };
        return run_verb(context, verb, addresses, n, "made no plan", ret_text);
}

ClientExit worker_process_probe(const ClientContext *context, PciAddress address, char **ret_text)
{
        static const char *const verb[] = { "--probe", NULL };
        return run_verb(context, verb, &address, 1, "could not probe it", ret_text);
}
