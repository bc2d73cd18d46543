/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/worker-job.h"

#include "act/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define READ_SIZE 16384u

struct WorkerJob {
        WorkerVerb verb;
        pid_t pid; /* 0: it has been waited for */
        int output_fd;
        LineReader *lines; /* of a worker that executes or recovers */
        char *output;      /* of one that plans */
        size_t output_size;
        WorkerEndHandler on_end;
        void *userdata;
        sd_event_source *child, *io, *deadline;
};

static const char *const verb_names[] = {
        [WORKER_PLAN] = "plan",       [WORKER_EXECUTE] = "execute", [WORKER_RECOVER] = "recover",
        [WORKER_RESTORE] = "restore", [WORKER_DETACH] = "detach",   [WORKER_REATTACH] = "reattach",
        [WORKER_PREPARE] = "prepare",
};

const char *worker_verb_name(WorkerVerb verb)
{
        return verb_names[verb];
}

WorkerVerb worker_job_verb(const WorkerJob *job)
{
        return job->verb;
}

pid_t worker_job_pid(const WorkerJob *job)
{
        return job->pid;
}

/* A file in memory, because a pipe would have to be fed while the daemon may be gone already. */
static int input_open(const char *input, int *ret_fd)
{
        _cleanup_close_ int fd = memfd_create("worker-input", MFD_CLOEXEC);
        /* The worker takes plans only from files that nobody but root can write. */
        if (fd < 0 || fchmod(fd, 0400) < 0)
                return -errno;
        size_t size = input ? strlen(input) : 0;
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, input + done, size - done);
                if (n < 0)
                        return -errno;
                done += (size_t) n;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/*
 * The event loop blocks signals and the daemon may ignore some: the worker starts with neither. Only the stop signal must not
 * meet it before it is ready for it, and waits for it.
 */
static int attributes_set(posix_spawnattr_t *attributes)
{
        sigset_t stop, all;
        sigemptyset(&stop);
        sigaddset(&stop, WORKER_STOP_SIGNAL);
        sigfillset(&all);
        int r = posix_spawnattr_setsigmask(attributes, &stop);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &all);
        if (r == 0)
                r = posix_spawnattr_setpgroup(attributes, 0);
        if (r == 0)
                r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                                         POSIX_SPAWN_SETPGROUP);
        return -r;
}

static int spawn(const WorkerCommand *command, int input_fd, int output_fd, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = -posix_spawnattr_init(&attributes);
        if (r < 0) {
                posix_spawn_file_actions_destroy(&actions);
                return r;
        }
        r = attributes_set(&attributes);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, input_fd, STDIN_FILENO);
        if (r == 0)
                r = -posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawn(ret, command->arguments[0], &actions, &attributes, command->arguments,
                                 environ);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        return r;
}

static int take_in(WorkerJob *job, const char *data, size_t size)
{
        if (job->lines)
                return line_reader_feed(job->lines, data, size);
        if (size > WORKER_OUTPUT_MAX - job->output_size)
                return -EFBIG;
        char *output = realloc(job->output, job->output_size + size + 1);
        if (!output)
                return -ENOMEM;
        job->output = output;
        memcpy(output + job->output_size, data, size);
        job->output_size += size;
        output[job->output_size] = '\0';
        return 0;
}

/* Reads what is there; no more is read after the end or an error. */
static void drain(WorkerJob *job)
{
        char data[READ_SIZE];
        while (job->output_fd >= 0) {
                ssize_t n = read(job->output_fd, data, sizeof(data));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n > 0 && take_in(job, data, (size_t) n) == 0)
                        continue;
                job->io = sd_event_source_disable_unref(job->io);
                close(TAKE_FD(job->output_fd));
        }
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        drain(userdata);
        return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        WorkerJob *job = userdata;
        job->pid = 0;
        drain(job);
        if (job->lines)
                line_reader_end(job->lines);
        WorkerEnd end = {
                .code = info->si_code,
                .status = info->si_status,
                .output = job->output ? job->output : "",
                .n_dropped = job->lines ? line_reader_dropped(job->lines) : 0,
        };
        job->on_end(&end, job->userdata);
        return 0;
}

static int on_orphan(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        return 0; /* the event loop has waited for it */
}

/* Kills the worker and leaves it to the event loop, because a process that is stuck in the kernel dies much later. */
static void abandon(WorkerJob *job)
{
        sd_event *event = sd_event_source_get_event(job->child);
        kill(job->pid, SIGKILL);
        job->child = sd_event_source_disable_unref(job->child);
        (void) sd_event_add_child(event, NULL, job->pid, WEXITED, on_orphan, NULL);
        job->pid = 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
        WorkerJob *job = userdata;
        WorkerEnd end = { .code = CLD_KILLED, .status = SIGKILL, .output = "", .late = true };
        abandon(job);
        job->on_end(&end, job->userdata);
        return 0;
}

static int watch(WorkerJob *job, sd_event *event)
{
        int r = sd_event_add_io(event, &job->io, job->output_fd, EPOLLIN, on_readable, job);
        if (r < 0)
                return r;
        r = sd_event_add_child(event, &job->child, job->pid, WEXITED, on_child, job);
        if (r < 0)
                return r;
        /* The end is dealt with after what was written before it. */
        r = sd_event_source_set_priority(job->child, SD_EVENT_PRIORITY_NORMAL + 1);
        if (r < 0 || job->verb != WORKER_PLAN)
                return r;
        return sd_event_add_time_relative(event, &job->deadline, CLOCK_MONOTONIC, WORKER_PLAN_DEADLINE_USEC,
                                          0, on_deadline, job);
}

static int job_new(const WorkerCommand *command, WorkerJob **ret)
{
        _cleanup_(worker_job_freep) WorkerJob *job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->output_fd = -1;
        job->verb = command->verb;
        job->on_end = command->on_end;
        job->userdata = command->userdata;
        int r = command->verb == WORKER_PLAN
                                ? 0
                                : line_reader_new(command->on_line, command->userdata, &job->lines);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

int worker_job_start(sd_event *event, const WorkerCommand *command, WorkerJob **ret)
{
        _cleanup_(worker_job_freep) WorkerJob *job = NULL;
        _cleanup_close_ int input_fd = -1, write_fd = -1;
        int pipe_fds[2];

        int r = job_new(command, &job);
        if (r == 0)
                r = input_open(command->input, &input_fd);
        if (r < 0)
                return r;
        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return -errno;
        job->output_fd = pipe_fds[0];
        write_fd = pipe_fds[1];
        /* Only our end: the worker's writes must wait rather than fail. */
        if (fcntl(job->output_fd, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = spawn(command, input_fd, write_fd, &job->pid);
        if (r < 0)
                return r;
        r = watch(job, event);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(job);
        return 0;
}

void worker_job_stop(const WorkerJob *job)
{
        if (job->pid > 0)
                kill(job->pid, WORKER_STOP_SIGNAL);
}

WorkerJob *worker_job_free(WorkerJob *job)
{
        if (!job)
                return NULL;
        if (job->pid > 0 && job->verb == WORKER_PLAN && job->child)
                abandon(job);
        sd_event_source_disable_unref(job->child);
        sd_event_source_disable_unref(job->io);
        sd_event_source_disable_unref(job->deadline);
        if (job->output_fd >= 0)
                close(job->output_fd);
        line_reader_free(job->lines);
        free(job->output);
        free(job);
        return NULL;
}
