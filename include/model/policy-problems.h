/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is wrong in the policy's files: all of it, in the order of reading, a line each. */

#include "base/util.h"

typedef struct PolicyProblems {
        char *text; /* lines without a final newline; NULL: none */
        int error; /* the first: -EBADMSG for what a file says, else why a file could not be read, or -ENOMEM */
} PolicyProblems;

/* Adds "FILE:LINE: …" (LINE 0: "FILE: …"). Control characters, which a file may hold, are shown as "?". */
void policy_problems_add(PolicyProblems *problems, const char *file, unsigned line, const char *format, ...)
                _printf_(4, 5) _nonnull_(1, 2, 4);

/* Adds that FILE cannot be read because of ERROR, a negative errno. */
void policy_problems_add_unreadable(PolicyProblems *problems, const char *file, int error) _nonnull_(1, 2);

/* Notes that memory ran out. */
void policy_problems_no_memory(PolicyProblems *problems) _nonnull_(1);
