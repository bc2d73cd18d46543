/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "worker-run.h"

#include "base/text.h"
#include "faults.h"
#include "vfio-core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define DEADLINE_MSEC 20000u
#define SLICE_MSEC 500
#define ARGUMENTS_MAX 60

extern char **environ;

bool place_write(const WorkerPlace *place, const char *name, const char *text, char path[static 256])
{
        snprintf(path, 256, "%s/%s", place->directory, name);
        (void) unlink(path);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        size_t size = strlen(text);
        return fd >= 0 && write(fd, text, size) == (ssize_t) size;
}

static char *read_whole(const char *path)
{
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        char *text = NULL;
        size_t room = 0;
        if (file && getdelim(&text, &room, '\0', file) >= 0)
                return text;
        free(text);
        return strdup("");
}

/* Waits for output. False: there is none in time, or the worker is stuck in what it must not have done. */
static bool await_output(Machine *machine, struct pollfd *fd)
{
        for (unsigned spent = 0; spent < DEADLINE_MSEC; spent += SLICE_MSEC) {
                if (poll(fd, 1, SLICE_MSEC) != 0)
                        return true;
                pthread_mutex_lock(&machine->lock);
                bool is_stuck = machine->n_blocked > 0 && machine->n_violations > 0;
                pthread_mutex_unlock(&machine->lock);
                if (is_stuck)
                        return false;
        }
        return false;
}

/* Everything until the worker and what it started have closed it; false: that did not happen in time. */
static bool collect(Machine *machine, int fd, char **ret)
{
        size_t size = 0, room = 1 << 16;
        char *text = malloc(room);
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

        while (text) {
                if (!await_output(machine, &poll_fd))
                        break;
                if (room - size < 4097) {
                        char *more = realloc(text, room * 2);
                        if (!more)
                                break;
                        text = more;
                        room *= 2;
                }
                ssize_t n = read(fd, text + size, room - size - 1);
                if (n <= 0) {
                        text[size] = '\0';
                        *ret = text;
                        return n == 0;
                }
                size += (size_t) n;
        }
        if (text)
                text[size] = '\0';
        *ret = text;
        return false;
}

/* Lets everything go that may hold a worker, so that the next scenario can begin. */
static void free_worker(Machine *machine, pid_t pid)
{
        pthread_mutex_lock(&machine->lock);
        for (size_t i = 0; i < machine->n_users; i++)
                user_end(machine, &machine->users[i]);
        machine->faults->released = true;
        machine_changed(machine);
        pthread_mutex_unlock(&machine->lock);
        kill(pid, SIGKILL);
}

static struct json_object *parse_result(const char *output)
{
        size_t size = strlen(output);
        while (size > 0 && output[size - 1] == '\n')
                size--;
        size_t begin = size;
        while (begin > 0 && output[begin - 1] != '\n')
                begin--;
        _cleanup_free_ char *line = strndup(output + begin, size - begin);
        struct json_object *object = line ? json_tokener_parse(line) : NULL;
        if (object && json_object_object_get_ex(object, "outcome", NULL))
                return object;
        json_object_put(object);
        return NULL;
}

static int spawn(const WorkerPlace *place, const char *const *argv, int output, pid_t *ret)
{
        posix_spawn_file_actions_t actions;
        char complaint[256];

        snprintf(complaint, sizeof(complaint), "%s/stderr", place->directory);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, complaint, O_WRONLY | O_CREAT | O_TRUNC,
                                         0600);
        int r = posix_spawn(ret, place->worker, &actions, NULL, (char *const *) (uintptr_t) argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        return -r;
}

int worker_run(Machine *machine, const WorkerPlace *place, const char *const *arguments, WorkerRun *ret)
{
        const char *argv[ARGUMENTS_MAX] = { place->worker, "--sysroot", place->mount, "--page-size" };
        char page[TEXT_BYTES_MAX], complaint[256];
        size_t n = 4;
        int ends[2], status;
        pid_t pid;

        *ret = (WorkerRun){ .status = NONE };
        argv[n++] = text_from_bytes(machine->options.page, page);
        for (; *arguments && n + 1 < ARGUMENTS_MAX; arguments++)
                argv[n++] = *arguments;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;

        /* With the lock nothing of it is served before it is known who it is. */
        pthread_mutex_lock(&machine->lock);
        int r = spawn(place, argv, ends[1], &pid);
        machine->faults->worker = r < 0 ? 0 : pid;
        machine->listeners_dead = false;
        pthread_mutex_unlock(&machine->lock);
        close(ends[1]);
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        ret->is_stuck = !collect(machine, ends[0], &ret->output);
        close(ends[0]);
        if (ret->is_stuck)
                free_worker(machine, pid);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        machine->faults->worker = 0;
        ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : NONE;
        ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        snprintf(complaint, sizeof(complaint), "%s/stderr", place->directory);
        ret->complaint = read_whole(complaint);
        ret->result = ret->output ? parse_result(ret->output) : NULL;
        return 0;
}

void worker_run_clear(WorkerRun *run)
{
        free(run->output);
        free(run->complaint);
        json_object_put(run->result);
        *run = (WorkerRun){ 0 };
}

const char *result_text(struct json_object *object, const char *name)
{
        struct json_object *value;
        const char *text = NULL;
        if (object && json_object_object_get_ex(object, name, &value))
                text = json_object_get_string(value);
        return text ? text : "";
}

const char *run_outcome(const WorkerRun *run)
{
        return result_text(run->result, "outcome");
}

const char *run_reason(const WorkerRun *run)
{
        return result_text(run->result, "reason");
}

bool result_lists(struct json_object *result, const char *list, const char *reason, const char *address)
{
        struct json_object *findings;

        if (!result || !json_object_object_get_ex(result, list, &findings))
                return false;
        for (size_t i = 0; i < json_object_array_length(findings); i++) {
                struct json_object *finding = json_object_array_get_idx(findings, i);
                if (strcmp(result_text(finding, "reason"), reason) == 0 &&
                    (!*address || strcmp(result_text(finding, "function"), address) == 0))
                        return true;
        }
        return false;
}

bool result_has_warning(struct json_object *result, const char *reason, const char *address)
{
        return result_lists(result, "warnings", reason, address);
}

struct json_object *result_function(struct json_object *result, const char *address)
{
        struct json_object *functions;

        if (!result || !json_object_object_get_ex(result, "functions", &functions))
                return NULL;
        for (size_t i = 0; i < json_object_array_length(functions); i++) {
                struct json_object *function = json_object_array_get_idx(functions, i);
                if (strcmp(result_text(function, "function"), address) == 0)
                        return function;
        }
        return NULL;
}
