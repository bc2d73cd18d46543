/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reasons that the product gave by itself; each leaves a line in the test's log, by which test-reasons.sh knows it. */

#include "base/reason.h"

#include <check.h>
#include <stdio.h>

/* An assertion has just shown it. */
static inline void reason_was_given(Reason reason)
{
        printf("# gave: %s\n", reason_name(reason));
        fflush(stdout); /* or a child that is forked would say it again */
}

static inline void assert_reason(Reason given, Reason expected)
{
        ck_assert_str_eq(reason_name(given), reason_name(expected));
        reason_was_given(given);
}
