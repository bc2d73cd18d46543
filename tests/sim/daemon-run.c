/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon-run.h"

#include "faults.h"
#include "vfio-core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define DEADLINE_SEC 90
#define END_DEADLINE_SEC 20
#define SLICE_MSEC 200
#define STARTS_MAX 6u
#define ENVIRONMENT_MAX 200u

extern char **environ;

static bool fail(DaemonRun *run, const char *format, ...) _printf_(2, 3);
static bool fail(DaemonRun *run, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        if (!*run->problem)
                vsnprintf(run->problem, sizeof(run->problem), format, args);
        va_end(args);
        return false;
}

static time_t now_sec(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

/* --- starting --- */

static bool open_notify(DaemonRun *run, struct sockaddr_un *address)
{
        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        int n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/notify", run->place->directory);
        if (n < 0 || (size_t) n >= sizeof(address->sun_path))
                return fail(run, "%s is too long for a socket", run->place->directory);
        (void) unlink(address->sun_path);
        run->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (run->notify < 0 || bind(run->notify, (struct sockaddr *) address, sizeof(*address)) < 0)
                return fail(run, "no socket for readiness: %s", strerror(errno));
        return true;
}

/* Ours, with the socket in front. */
static void make_environment(const char *notify, const char **to)
{
        size_t n = 0;
        to[n++] = notify;
        for (char **at = environ; *at && n + 1 < ENVIRONMENT_MAX; at++)
                if (strncmp(*at, "NOTIFY_SOCKET=", 14) != 0)
                        to[n++] = *at;
        to[n] = NULL;
}

static int spawn(const DaemonRun *run, const char *notify, pid_t *ret)
{
        const char *argv[] = { run->place->daemon, "--sysroot", run->place->mount,  "--config",
                               run->config,        "--worker",  run->place->worker, NULL };
        const char *environment[ENVIRONMENT_MAX];
        char log[256];
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;

        make_environment(notify, environment);
        snprintf(log, sizeof(log), "%s/daemon.log", run->place->directory);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log,
                                         O_WRONLY | O_CREAT | O_APPEND | (run->n_starts ? 0 : O_TRUNC),
                                         0600);
        /* A process group of its own, by which its operations are told from the workers'. */
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        int r = posix_spawn(ret, run->place->daemon, &actions, &attributes, (char *const *) (uintptr_t) argv,
                            (char *const *) (uintptr_t) environment);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static bool start(DaemonRun *run)
{
        struct sockaddr_un address;
        char notify[sizeof(address.sun_path) + 32];

        if (!open_notify(run, &address))
                return false;
        snprintf(notify, sizeof(notify), "NOTIFY_SOCKET=%s", address.sun_path);
        run->ready = run->busy = run->waits = false;
        run->status[0] = '\0';
        /* With the lock nothing of it is served before it is known who it is. */
        pthread_mutex_lock(&run->machine->lock);
        int r = spawn(run, notify, &run->pid);
        run->machine->faults->daemon = r < 0 ? 0 : run->pid;
        pthread_mutex_unlock(&run->machine->lock);
        if (r < 0) {
                run->pid = 0;
                return fail(run, "the daemon cannot be run: %s", strerror(-r));
        }
        run->n_starts++;
        run->process = (int) syscall(SYS_pidfd_open, run->pid, 0);
        return run->process >= 0 || fail(run, "no pidfd: %s", strerror(errno));
}

static void close_all(DaemonRun *run)
{
        if (run->notify >= 0)
                close(run->notify);
        if (run->process >= 0)
                close(run->process);
        run->notify = run->process = -1;
}

/* --- what it says --- */

/* The sentences of manager-status.c; "waiting for quiet" is something that it will do by itself. */
static bool says_one_of(const char *status, const char *const *sentences)
{
        for (; *sentences; sentences++)
                if (strstr(status, *sentences))
                        return true;
        return false;
}

static void take_status(DaemonRun *run, const char *status)
{
        static const char *const work[] = {
                "Planning for ",
                "Realigning on ",
                "Recovering an ",
                "A worker that this ",
                "waiting for quiet",
                "are becoming quiet",
                NULL,
        };
        static const char *const waiting[] = { ": waiting", "wait for what uses", NULL };

        snprintf(run->status, sizeof(run->status), "%s", status);
        run->busy = says_one_of(status, work);
        run->was_busy |= run->busy;
        run->waits = !run->busy && says_one_of(status, waiting);
}

static void take_messages(DaemonRun *run)
{
        char message[2048];
        ssize_t n;

        while ((n = recv(run->notify, message, sizeof(message) - 1, 0)) > 0) {
                char *rest = message, *line;
                message[n] = '\0';
                while ((line = strsep(&rest, "\n"))) {
                        if (strcmp(line, "READY=1") == 0)
                                run->ready = true;
                        if (strncmp(line, "STATUS=", 7) == 0)
                                take_status(run, line + 7);
                }
        }
}

/* --- waiting --- */

static bool was_struck(const DaemonRun *run)
{
        pthread_mutex_lock(&run->machine->lock);
        bool is_killed = run->machine->faults->daemon_killed;
        run->machine->faults->daemon_killed = false;
        pthread_mutex_unlock(&run->machine->lock);
        return is_killed;
}

/* It has ended: by a fault, then it is started again, or by itself. */
static bool go_on(DaemonRun *run)
{
        int status = 0;

        while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
                ;
        run->pid = 0;
        close_all(run);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || !was_struck(run))
                return fail(run, "the daemon ended by itself: %s %d",
                            WIFSIGNALED(status) ? "signal" : "exit status",
                            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (run->n_starts == STARTS_MAX)
                return fail(run, "the daemon was started %u times", run->n_starts);
        return start(run);
}

/* A transaction does what must not be done and blocks in it: nothing more will come. */
static bool is_stuck(Machine *machine)
{
        pthread_mutex_lock(&machine->lock);
        bool stuck = machine->n_blocked > 0 && machine->n_violations > 0;
        pthread_mutex_unlock(&machine->lock);
        return stuck;
}

static bool await(DaemonRun *run, bool (*is_reached)(const DaemonRun *run), const char *what)
{
        time_t end = now_sec() + DEADLINE_SEC;

        for (;;) {
                struct pollfd fds[] = { { .fd = run->notify, .events = POLLIN },
                                        { .fd = run->process, .events = POLLIN } };
                if (run->pid == 0)
                        return fail(run, "the daemon does not run");
                take_messages(run);
                if (is_reached(run))
                        return true;
                if (is_stuck(run->machine))
                        return fail(run, "a worker is stuck in %s", run->machine->why_blocked);
                if (now_sec() >= end)
                        return fail(run, "the daemon was not %s in time: %s", what, run->status);
                if (poll(fds, ELEMENTSOF(fds), SLICE_MSEC) > 0 && fds[1].revents && !go_on(run))
                        return false;
        }
}

static bool is_busy(const DaemonRun *run)
{
        return run->was_busy;
}

static bool goes_on(const DaemonRun *run)
{
        return run->was_busy || !run->waits;
}

static bool is_at_rest(const DaemonRun *run)
{
        return run->ready && !run->busy && *run->status;
}

bool daemon_await_busy(DaemonRun *run)
{
        return await(run, is_busy, "busy");
}

bool daemon_await_going_on(DaemonRun *run)
{
        return await(run, goes_on, "going on");
}

bool daemon_await_rest(DaemonRun *run)
{
        return await(run, is_at_rest, "at rest");
}

/* --- life --- */

bool daemon_begin(DaemonRun *run, Machine *machine, const WorkerPlace *place, const char *config)
{
        *run = (DaemonRun){ .machine = machine, .place = place, .process = -1, .notify = -1 };
        snprintf(run->config, sizeof(run->config), "%s", config);
        /* Workers outlive it: they become ours then, and their end can be waited for. */
        (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
        return start(run);
}

/* What may hold a worker lets go; then it dies. */
static void free_workers(DaemonRun *run)
{
        Machine *machine = run->machine;

        pthread_mutex_lock(&machine->lock);
        for (size_t i = 0; i < machine->n_users; i++)
                user_end(machine, &machine->users[i]);
        machine->faults->released = true;
        machine_changed(machine);
        if (machine->faults->worker > 0)
                kill(-machine->faults->worker, SIGKILL);
        pthread_mutex_unlock(&machine->lock);
}

/* Every process that it has started: -1 with ECHILD when there is none any more. */
static bool await_children(time_t end)
{
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
                if (pid == 0 && now_sec() >= end)
                        return false;
                if (pid == 0)
                        (void) poll(NULL, 0, 5);
        }
        return true;
}

bool daemon_end(DaemonRun *run)
{
        bool is_fine = !*run->problem;
        int status = 0;

        if (run->pid > 0) {
                kill(run->pid, is_fine ? SIGTERM : SIGKILL);
                struct pollfd fd = { .fd = run->process, .events = POLLIN };
                if (poll(&fd, 1, END_DEADLINE_SEC * 1000) == 0) {
                        is_fine = fail(run, "the daemon does not end");
                        kill(run->pid, SIGKILL);
                }
                while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
                        ;
                if (is_fine && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
                        is_fine = fail(run, "the daemon ended badly: wait status 0x%x", (unsigned) status);
        }
        close_all(run);
        run->machine->faults->daemon = 0;
        if (!is_fine)
                free_workers(run);
        if (await_children(now_sec() + END_DEADLINE_SEC))
                return is_fine;
        free_workers(run);
        (void) await_children(now_sec() + END_DEADLINE_SEC);
        return fail(run, "a worker was left behind");
}

char *daemon_log(const WorkerPlace *place)
{
        char path[256], *text = NULL;
        size_t room = 0;

        snprintf(path, sizeof(path), "%s/daemon.log", place->directory);
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        if (file && getdelim(&text, &room, '\0', file) >= 0)
                return text;
        free(text);
        return strdup("");
}
