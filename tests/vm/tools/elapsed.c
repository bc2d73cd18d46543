/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elapsed: runs a command and appends the microseconds from its start to its end, as a line, to FILE. Ends as the command
 * did. The clock that a guest's shell has (/proc/uptime) is too coarse for that.
 *
 *   elapsed FILE COMMAND...
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_usec(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (long long) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int fail(const char *what)
{
        fprintf(stderr, "elapsed: %s: %s\n", what, strerror(errno));
        return 1;
}

int main(int argc, char **argv)
{
        int status;

        if (argc < 3) {
                fprintf(stderr, "usage: elapsed FILE COMMAND...\n");
                return 2;
        }
        FILE *file = fopen(argv[1], "ae");
        if (!file)
                return fail(argv[1]);
        long long began = now_usec();
        pid_t pid = fork();
        if (pid == 0) {
                execvp(argv[2], argv + 2);
                _exit(fail(argv[2]));
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return fail(argv[2]);
        fprintf(file, "%lld\n", now_usec() - began);
        if (fclose(file) != 0)
                return fail(argv[1]);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
