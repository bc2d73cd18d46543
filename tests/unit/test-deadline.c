/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/deadline.h"
#include "suite.h"

#include <pthread.h>

#define AT_ONCE 1 /* microseconds: past before any work can have ended that waits for it */
#define NEVER (UINT64_C(3600) * 1000000)

/* A piece of work that waits for its deadline, or does not. */
typedef struct Job {
        int go[2]; /* a pipe: the work ends when something can be read from it */
        bool waits;
        int result;
        unsigned n_worked, n_late;
        pthread_t worked_in, late_in;
} Job;

static Deadline *deadline;
static Job job;

static void setup(void)
{
        memset(&job, 0, sizeof(job));
        ck_assert_int_eq(pipe(job.go), 0);
        ck_assert_int_eq(deadline_new(&deadline), 0);
}

static void teardown(void)
{
        deadline = deadline_free(deadline);
        ck_assert_ptr_null(deadline);
        close(job.go[0]);
        close(job.go[1]);
}

static int work(void *argument)
{
        Job *own = argument;
        char byte;

        own->n_worked++;
        own->worked_in = pthread_self();
        if (own->waits && read(own->go[0], &byte, 1) != 1)
                return -EIO;
        return own->result;
}

/* The work goes on only after this: so it has been called while the work was still running. */
static void late(void *argument)
{
        Job *own = argument;

        own->n_late++;
        own->late_in = pthread_self();
        if (own->waits)
                ck_assert_int_eq(write(own->go[1], "x", 1), 1);
}

START_TEST(test_in_time)
{
        static const int results[] = { 0, 1, 42, -ENOMEM, INT32_MIN };
        for (size_t i = 0; i < ELEMENTSOF(results); i++) {
                job.result = results[i];
                ck_assert_int_eq(deadline_run(deadline, NEVER, work, late, &job), results[i]);
                ck_assert_uint_eq(job.n_worked, i + 1);
        }
        ck_assert_uint_eq(job.n_late, 0);
        ck_assert(!pthread_equal(job.worked_in, pthread_self()));
}
END_TEST

/* Told once, and the result still is the work's. */
START_TEST(test_late)
{
        job.waits = true;
        job.result = -EBUSY;
        ck_assert_int_eq(deadline_run(deadline, AT_ONCE, work, late, &job), -EBUSY);
        ck_assert_uint_eq(job.n_late, 1);
        ck_assert_uint_eq(job.n_worked, 1);
        ck_assert(pthread_equal(job.late_in, pthread_self()));
}
END_TEST

/* What was late once is no reason to be told early the next time. */
START_TEST(test_one_after_the_other)
{
        for (unsigned i = 1; i <= 50; i++) {
                job.waits = true;
                job.result = (int) i;
                ck_assert_int_eq(deadline_run(deadline, AT_ONCE, work, late, &job), (int) i);
                ck_assert_uint_eq(job.n_late, i);
                job.waits = false;
                job.result = -(int) i;
                ck_assert_int_eq(deadline_run(deadline, NEVER, work, late, &job), -(int) i);
                ck_assert_uint_eq(job.n_late, i);
        }
        ck_assert_uint_eq(job.n_worked, 100);
}
END_TEST

/* Work that may end just at its deadline: told at most once, and every result arrives. */
START_TEST(test_at_the_deadline)
{
        for (unsigned i = 1; i <= 2000; i++) {
                unsigned before = job.n_late;
                job.result = (int) i;
                ck_assert_int_eq(deadline_run(deadline, i % 50, work, late, &job), (int) i);
                ck_assert_uint_eq(job.n_worked, i);
                ck_assert_uint_le(job.n_late, before + 1);
        }
}
END_TEST

START_TEST(test_unused)
{
        Deadline *unused;
        ck_assert_int_eq(deadline_new(&unused), 0);
        ck_assert_ptr_null(deadline_free(unused));
        ck_assert_ptr_null(deadline_free(NULL));
}
END_TEST

START_TEST(test_clock)
{
        uint64_t before = deadline_now();
        for (unsigned i = 0; i < 1000; i++) {
                uint64_t now = deadline_now();
                ck_assert_uint_ge(now, before);
                before = now;
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("deadline");
        TCase *cases = tcase_create("deadline");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_in_time);
        tcase_add_test(cases, test_late);
        tcase_add_test(cases, test_one_after_the_other);
        tcase_add_test(cases, test_at_the_deadline);
        tcase_add_test(cases, test_unused);
        tcase_add_test(cases, test_clock);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
