/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tripwire: runs a command and stops it at an exact place: in front of the N-th of its calls that rename to, or write
 * to, a file whose path matches an extended regular expression. There the command is killed by SIGKILL
 * (exit status 137), or held until told to go on. Calls of all its threads and children are counted together.
 * Only these calls are intercepted (seccomp), so that the rest runs at full speed.
 *
 *   tripwire N rename|write REGEX COMMAND...
 *   tripwire --hold PREFIX N rename|write REGEX COMMAND...   PREFIX.reached and PREFIX.go are FIFOs: at the place
 *                                                          one line comes out of the first, and it goes on
 *                                                          when one is put into the second; only the thread
 *                                                          that made the call is held meanwhile; "missed"
 *                                                          comes out when the command never got there
 *
 * Ends as the command did, also by the same signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Tripwire {
        unsigned long left; /* matching calls until it trips; 0: it has tripped */
        bool is_write;      /* of a write the descriptor tells the file, of a rename the new name */
        const char *hold;   /* NULL: kill */
        regex_t regex;
        pid_t command;
        pid_t held, gate; /* the thread that is held, and the process that waits for its time */
} Tripwire;

static const int renames[] = {
#ifdef SYS_rename
        SYS_rename,
#endif
#ifdef SYS_renameat
        SYS_renameat,
#endif
        SYS_renameat2,
};
static const int writes[] = { SYS_write, SYS_pwrite64, SYS_writev };

static int fail(const char *what)
{
        fprintf(stderr, "tripwire: %s: %s\n", what, strerror(errno));
        return 1;
}

static int intercept(const int *calls, size_t n)
{
        struct sock_filter filter[16];
        struct sock_fprog program = { .filter = filter };
        unsigned short k = 0;

        filter[k++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                    offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < n; i++) {
                filter[k++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) calls[i],
                                                            0, 1);
                filter[k++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        }
        filter[k++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        program.len = k;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void run_command(char **command, const int *calls, size_t n)
{
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        if (intercept(calls, n) == 0)
                execvp(command[0], command);
        fail(command[0]);
        _exit(127);
}

static ssize_t read_descriptor(pid_t thread, int fd, char path[PATH_MAX])
{
        char link[64];

        snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread, fd);
        return readlink(link, path, PATH_MAX - 1);
}

static ssize_t read_memory(pid_t thread, uint64_t address, char path[PATH_MAX])
{
        char name[64];
        ssize_t n;
        int memory;

        snprintf(name, sizeof(name), "/proc/%d/mem", thread);
        memory = open(name, O_RDONLY | O_CLOEXEC);
        if (memory < 0)
                return -1;
        n = pread(memory, path, PATH_MAX - 1, (off_t) address);
        close(memory);
        return n;
}

/* Which argument of a rename is the new name. */
static unsigned new_name(uint64_t call)
{
#ifdef SYS_rename
        if (call == SYS_rename)
                return 1;
#endif
        (void) call;
        return 3;
}

/* The file that the stopped call is about; "" when it cannot be told. */
static void call_path(const Tripwire *t, pid_t thread, char path[PATH_MAX])
{
        struct __ptrace_syscall_info info;
        ssize_t n = -1;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_SECCOMP)
                n = t->is_write ? read_descriptor(thread, (int) info.seccomp.args[0], path)
                                : read_memory(thread, info.seccomp.args[new_name(info.seccomp.nr)], path);
        path[n < 0 ? 0 : n] = '\0';
}

static void fifo_transfer(const char *prefix, const char *suffix, int flags)
{
        char path[PATH_MAX], line[16] = "reached\n";
        int fd;

        snprintf(path, sizeof(path), "%s.%s", prefix, suffix);
        fd = open(path, flags | O_CLOEXEC);
        if (fd < 0 || (flags == O_WRONLY ? write(fd, line, strlen(line)) : read(fd, line, sizeof(line))) < 0)
                fail(path);
        if (fd >= 0)
                close(fd);
}

/* The FIFOs are waited for in a process of its own, because the other threads are to be followed meanwhile. */
static void hold(Tripwire *t, pid_t thread)
{
        t->gate = fork();
        if (t->gate < 0)
                fail("fork");
        if (t->gate == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                fifo_transfer(t->hold, "reached", O_WRONLY);
                fifo_transfer(t->hold, "go", O_RDONLY);
                _exit(0);
        }
        if (t->gate > 0)
                t->held = thread;
}

static void meet_call(Tripwire *t, pid_t thread)
{
        char path[PATH_MAX];

        if (t->left == 0)
                return;
        call_path(t, thread, path);
        if (regexec(&t->regex, path, 0, NULL, 0) != 0 || --t->left > 0)
                return;
        fprintf(stderr, "tripwire: %s in front of %s\n", t->hold ? "holding" : "killing", path);
        if (t->hold)
                hold(t, thread);
        else
                kill(t->command, SIGKILL);
}

/* Follows all threads and children until the command itself has ended: its wait status, negative on an error. */
static int follow(Tripwire *t)
{
        for (;;) {
                int status, deliver = 0;
                pid_t thread = waitpid(-1, &status, __WALL);

                if (thread < 0)
                        return -fail("wait");
                if (thread == t->gate) {
                        ptrace(PTRACE_CONT, t->held, NULL, 0);
                        t->held = t->gate = 0;
                        continue;
                }
                if (thread == t->command && (WIFEXITED(status) || WIFSIGNALED(status)))
                        return status;
                if (!WIFSTOPPED(status))
                        continue;
                if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
                        meet_call(t, thread);
                else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP)
                        deliver = WSTOPSIG(status);
                if (thread != t->held)
                        ptrace(PTRACE_CONT, thread, NULL, deliver);
        }
}

static void say_missed(const char *prefix)
{
        char path[PATH_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s.reached", prefix);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || dprintf(fd, "missed\n") < 0)
                fail(path);
        if (fd >= 0)
                close(fd);
}

static int end_as(int status)
{
        if (status < 0 || WIFEXITED(status))
                return status < 0 ? 1 : WEXITSTATUS(status);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        return 128 + WTERMSIG(status);
}

static int usage(void)
{
        fprintf(stderr, "usage: tripwire [--hold PREFIX] N rename|write REGEX COMMAND...\n");
        return 2;
}

int main(int argc, char **argv)
{
        const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                             PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
        Tripwire t = { 0 };
        int status;

        if (argc > 3 && strcmp(argv[1], "--hold") == 0) {
                t.hold = argv[2];
                argv += 2;
                argc -= 2;
        }
        if (argc < 5 || (strcmp(argv[2], "rename") != 0 && strcmp(argv[2], "write") != 0) ||
            regcomp(&t.regex, argv[3], REG_EXTENDED | REG_NOSUB) != 0)
                return usage();
        t.left = strtoul(argv[1], NULL, 10);
        t.is_write = strcmp(argv[2], "write") == 0;

        t.command = fork();
        if (t.command < 0)
                return fail("fork");
        if (t.command == 0) {
                if (t.is_write)
                        run_command(argv + 4, writes, sizeof(writes) / sizeof(*writes));
                run_command(argv + 4, renames, sizeof(renames) / sizeof(*renames));
        }
        if (waitpid(t.command, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, t.command, NULL, options) < 0 ||
            ptrace(PTRACE_CONT, t.command, NULL, NULL) < 0)
                return fail(argv[4]);
        status = follow(&t);
        if (t.hold && t.left > 0)
                say_missed(t.hold);
        return end_as(status);
}
