/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/deadline.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define NSEC_PER_USEC 1000

struct Deadline {
        pthread_t thread;
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        DeadlineWork work; /* NULL: the thread is idle */
        void *argument;
        int result;
        bool ending;
};

uint64_t deadline_now(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / NSEC_PER_USEC;
}

int deadline_wait_readable(int fd, uint64_t until)
{
        for (;;) {
                uint64_t now = deadline_now();
                if (now >= until)
                        return -ETIMEDOUT;
                uint64_t left = until - now;
                struct timespec timeout = {
                        .tv_sec = (time_t) (left / USEC_PER_SEC),
                        .tv_nsec = (long) (left % USEC_PER_SEC * NSEC_PER_USEC),
                };
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
                int n = ppoll(&poll_fd, 1, &timeout, NULL);
                if (n > 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return -errno;
        }
}

int deadline_wait_to_read(int fd, void *userdata)
{
        const uint64_t *until = userdata;
        return deadline_wait_readable(fd, *until);
}

static void *thread_main(void *userdata)
{
        Deadline *deadline = userdata;

        pthread_mutex_lock(&deadline->mutex);
        while (!deadline->ending) {
                if (!deadline->work) {
                        pthread_cond_wait(&deadline->changed, &deadline->mutex);
                        continue;
                }
                DeadlineWork work = deadline->work;
                void *argument = deadline->argument;
                pthread_mutex_unlock(&deadline->mutex);
                int result = work(argument);
                pthread_mutex_lock(&deadline->mutex);
                deadline->result = result;
                deadline->work = NULL;
                pthread_cond_broadcast(&deadline->changed);
        }
        pthread_mutex_unlock(&deadline->mutex);
        return NULL;
}

int deadline_new(Deadline **ret)
{
        Deadline *deadline = calloc(1, sizeof(*deadline));
        if (!deadline)
                return -ENOMEM;
        pthread_mutex_init(&deadline->mutex, NULL);
        pthread_cond_init(&deadline->changed, NULL);
        int r = pthread_create(&deadline->thread, NULL, thread_main, deadline);
        if (r != 0) {
                pthread_cond_destroy(&deadline->changed);
                pthread_mutex_destroy(&deadline->mutex);
                free(deadline);
                return -r;
        }
        *ret = deadline;
        return 0;
}

Deadline *deadline_free(Deadline *deadline)
{
        if (!deadline)
                return NULL;
        pthread_mutex_lock(&deadline->mutex);
        deadline->ending = true;
        pthread_cond_broadcast(&deadline->changed);
        pthread_mutex_unlock(&deadline->mutex);
        pthread_join(deadline->thread, NULL);
        pthread_cond_destroy(&deadline->changed);
        pthread_mutex_destroy(&deadline->mutex);
        free(deadline);
        return NULL;
}

int deadline_run(Deadline *deadline, uint64_t usec, DeadlineWork work, DeadlineLate late, void *argument)
{
        uint64_t end = deadline_now() + usec;
        struct timespec until = {
                .tv_sec = (time_t) (end / USEC_PER_SEC),
                .tv_nsec = (long) (end % USEC_PER_SEC) * NSEC_PER_USEC,
        };
        bool told = false;

        pthread_mutex_lock(&deadline->mutex);
        deadline->argument = argument;
        deadline->work = work;
        pthread_cond_broadcast(&deadline->changed);
        while (deadline->work) {
                if (told) {
                        pthread_cond_wait(&deadline->changed, &deadline->mutex);
                        continue;
                }
                if (pthread_cond_clockwait(&deadline->changed, &deadline->mutex, CLOCK_MONOTONIC, &until) ==
                    ETIMEDOUT) {
                        told = true;
                        if (!deadline->work)
                                break;
                        pthread_mutex_unlock(&deadline->mutex);
                        late(argument);
                        pthread_mutex_lock(&deadline->mutex);
                }
        }
        int result = deadline->result;
        pthread_mutex_unlock(&deadline->mutex);
        return result;
}
