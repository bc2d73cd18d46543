/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "daemon/worker-job.h"
#include "suite.h"

#include <signal.h>
#include <sys/wait.h>

/* A worker is any program here: /bin/sh with a script. */
static sd_event *event;
static WorkerJob *job;
static char *lines;
static bool ended;
static WorkerEnd end;
static char *output;

static void on_line(const char *line, void *userdata)
{
        ck_assert(!ended);
        text_replace(&lines, "%s%s|", lines, line);
}

static void on_end(const WorkerEnd *how, void *userdata)
{
        ck_assert(!ended);
        ended = true;
        end = *how;
        output = strdup(how->output);
        job = worker_job_free(job);
        sd_event_exit(event, 0);
}

static void setup(void)
{
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        sigaddset(&set, SIGTERM);
        ck_assert_int_eq(sigprocmask(SIG_BLOCK, &set, NULL), 0);
        ck_assert_int_ge(sd_event_default(&event), 0);
        lines = strdup("");
        ended = false;
}

static void teardown(void)
{
        worker_job_free(job);
        sd_event_unref(event);
        free(lines);
        free(output);
}

static void start(WorkerVerb verb, const char *script, const char *input)
{
        char *arguments[] = { (char *) "/bin/sh", (char *) "-c", (char *) script, NULL };
        WorkerCommand command = {
                .verb = verb,
                .arguments = arguments,
                .input = input,
                .on_line = on_line,
                .on_end = on_end,
        };
        ck_assert_int_eq(worker_job_start(event, &command, &job), 0);
        ck_assert_int_eq(worker_job_verb(job), verb);
}

static void run(void)
{
        ck_assert_int_ge(sd_event_loop(event), 0);
        ck_assert(ended);
}

START_TEST(a_plan_comes_whole)
{
        start(WORKER_PLAN, "printf 'one\\ntwo'; exit 0", NULL);
        run();
        ck_assert_int_eq(end.code, CLD_EXITED);
        ck_assert_int_eq(end.status, 0);
        ck_assert_str_eq(output, "one\ntwo");
        ck_assert_str_eq(lines, "");
        ck_assert(!end.late);
}
END_TEST

START_TEST(lines_come_before_the_end)
{
        start(WORKER_EXECUTE, "echo one; echo two; printf three; exit 4", NULL);
        run();
        ck_assert_str_eq(lines, "one|two|three|");
        ck_assert_int_eq(end.status, 4);
}
END_TEST

/* More than a pipe holds, in both directions. */
START_TEST(much_goes_in_and_out)
{
        size_t size = 3u << 20;
        _cleanup_free_ char *input = malloc(size + 1);
        ck_assert_ptr_nonnull(input);
        memset(input, 'p', size);
        input[size] = '\0';
        start(WORKER_PLAN, "cat", input);
        run();
        ck_assert_str_eq(output, input);
}
END_TEST

START_TEST(input_is_only_ours)
{
        start(WORKER_EXECUTE, "stat -L -c '%a %F' /proc/self/fd/0", "plan");
        run();
        ck_assert_str_eq(lines, "400 regular file|");
}
END_TEST

START_TEST(a_signal_is_told)
{
        start(WORKER_EXECUTE, "echo one; kill -KILL $$", NULL);
        run();
        ck_assert_int_eq(end.code, CLD_KILLED);
        ck_assert_int_eq(end.status, SIGKILL);
        ck_assert_str_eq(lines, "one|");
}
END_TEST

/* The event loop blocks SIGTERM, but the worker decides for itself. */
START_TEST(signals_are_not_inherited)
{
        start(WORKER_EXECUTE, "kill -TERM $$; sleep 60", NULL);
        run();
        ck_assert_int_eq(end.status, SIGTERM);
}
END_TEST

/* A worker that is not ready for it yet would die of it, without a word. */
START_TEST(a_stop_waits_for_the_worker)
{
        start(WORKER_EXECUTE, "echo here", NULL);
        worker_job_stop(job);
        run();
        ck_assert_int_eq(end.code, CLD_EXITED);
        ck_assert_str_eq(lines, "here|");
}
END_TEST

START_TEST(a_missing_worker_is_an_error)
{
        char *arguments[] = { (char *) "/nonexistent/worker", NULL };
        WorkerCommand command = { .verb = WORKER_PLAN, .arguments = arguments, .on_end = on_end };
        ck_assert_int_eq(worker_job_start(event, &command, &job), -ENOENT);
        ck_assert_ptr_null(job);
}
END_TEST

static int on_orphan(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        return sd_event_exit(event, info->si_code == CLD_KILLED ? info->si_status : 0);
}

/* A worker that plans dies with its job, one that executes does not. */
START_TEST(only_planning_is_given_up)
{
        start(WORKER_EXECUTE, "exec sleep 60", NULL);
        pid_t pid = worker_job_pid(job);
        job = worker_job_free(job);
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        ck_assert_int_ge(sd_event_add_child(event, NULL, pid, WEXITED, on_orphan, NULL), 0);
        ck_assert_int_eq(kill(pid, SIGINT), 0);
        ck_assert_int_eq(sd_event_loop(event), SIGINT);
        ck_assert(!ended);
}
END_TEST

START_TEST(planning_is_killed_with_its_job)
{
        start(WORKER_PLAN, "exec sleep 60", NULL);
        pid_t pid = worker_job_pid(job);
        job = worker_job_free(job);
        /* The event loop waits for it. */
        while (kill(pid, 0) == 0)
                ck_assert_int_ge(sd_event_run(event, 5000000), 0);
        ck_assert_int_eq(errno, ESRCH);
        ck_assert(!ended);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("worker-job");
        TCase *tests = tcase_create("worker-job");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_set_timeout(tests, 60);
        tcase_add_test(tests, a_plan_comes_whole);
        tcase_add_test(tests, lines_come_before_the_end);
        tcase_add_test(tests, much_goes_in_and_out);
        tcase_add_test(tests, input_is_only_ours);
        tcase_add_test(tests, a_signal_is_told);
        tcase_add_test(tests, signals_are_not_inherited);
        tcase_add_test(tests, a_stop_waits_for_the_worker);
        tcase_add_test(tests, a_missing_worker_is_an_error);
        tcase_add_test(tests, only_planning_is_given_up);
        tcase_add_test(tests, planning_is_killed_with_its_job);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
