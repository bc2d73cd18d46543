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
