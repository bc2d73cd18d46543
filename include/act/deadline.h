/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Runs one piece of work in a thread of its own and watches its deadline from outside (design §4 rule 8). What blocks in
 * the kernel cannot be given up: past the deadline somebody is told once, and the wait goes on.
 */

#include "base/util.h"

typedef struct Deadline Deadline;

/* The work; its result is passed on. */
typedef int (*DeadlineWork)(void *argument);
/* Called at the deadline, by the thread that waits. */
typedef void (*DeadlineLate)(void *argument);

int deadline_new(Deadline **ret) _warn_unused_result_ _nonnull_(1);
Deadline *deadline_free(Deadline *deadline);
DEFINE_CLEANUP(Deadline *, deadline_free);

/* Runs WORK(ARGUMENT) and returns what it returns, however long that takes; LATE(ARGUMENT) after USEC microseconds. */
int deadline_run(Deadline *deadline, uint64_t usec, DeadlineWork work, DeadlineLate late, void *argument)
                _nonnull_(1, 3, 4);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t deadline_now(void);

/* Waits until FD can be read, or the process whose pidfd it is has ended. -ETIMEDOUT at UNTIL (deadline_now()). */
int deadline_wait_readable(int fd, uint64_t until) _warn_unused_result_;

/* The same, as read_until_end() wants it; USERDATA points to UNTIL. */
int deadline_wait_to_read(int fd, void *userdata) _warn_unused_result_ _nonnull_(2);
