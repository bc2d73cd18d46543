/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

/* What the environment says; NULL: nothing. */
static const char *wanted(void)
{
        const char *own = getenv("VFIO_REALIGN_PAGER");
        return own ? own : getenv("PAGER");
}

static int spawn(char *const *arguments, int input, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (r == 0)
                r = posix_spawnp(ret, arguments[0], &actions, NULL, arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

/* Starts what COMMAND says, or the first that is installed. */
static int start(const char *command, int input, pid_t *ret)
{
        char *const by_shell[] = { (char *) "sh", (char *) "-c", (char *) command, NULL };
        if (command)
                return spawn(by_shell, input, ret);

        static const char *const usual[] = { "less", "more" };
        int r = -ENOENT;
        for (size_t i = 0; i < ELEMENTSOF(usual) && r < 0; i++) {
                char *const arguments[] = { (char *) usual[i], NULL };
                r = spawn(arguments, input, ret);
        }
        return r;
}

/* Leads FD to TO; returns a copy of where it led before, or -1. */
static int redirect(int fd, int to)
{
        int before = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (before >= 0)
                (void) dup2(to, fd);
        return before;
}

static void give_back(int fd, int *before)
{
        if (*before < 0)
                return;
        (void) dup2(*before, fd);
        close(TAKE_FD(*before));
}

void pager_open(Pager *pager)
{
        const char *command = wanted();
        int ends[2];

        *pager = (Pager){ .output = -1, .error = -1 };
        if (!isatty(STDOUT_FILENO) || (command && (*command == '\0' || strcmp(command, "cat") == 0)))
                return;
        /* Quit when all fits, colours pass through, long lines are cut, what was shown stays. */
        (void) setenv("LESS", "FRSX", 0);
        if (geteuid() == 0) /* a reader that starts no commands and writes no files */
                (void) setenv("LESSSECURE", "1", 1);
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        _cleanup_close_ int reading = ends[0];
        _cleanup_close_ int writing = ends[1];
        if (start(command, reading, &pager->pid) < 0) {
                pager->pid = 0;
                return;
        }
        /* Who quits the pager early has not made anything go wrong. */
        signal(SIGPIPE, SIG_IGN);
        fflush(stdout);
        pager->output = redirect(STDOUT_FILENO, writing);
        if (isatty(STDERR_FILENO))
                pager->error = redirect(STDERR_FILENO, writing);
}

void pager_close(Pager *pager)
{
        if (pager->pid == 0)
                return;
        fflush(stdout);
        clearerr(stdout);
        give_back(STDOUT_FILENO, &pager->output);
        give_back(STDERR_FILENO, &pager->error);
        while (waitpid(pager->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        pager->pid = 0;
}
