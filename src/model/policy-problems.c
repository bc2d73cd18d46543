/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy-problems.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void note_error(PolicyProblems *problems, int error)
{
        /* What could not be read weighs more than what was read: the answer is then not complete. */
        if (problems->error == 0 || problems->error == -EBADMSG || error == -ENOMEM)
                problems->error = error;
}

void policy_problems_no_memory(PolicyProblems *problems)
{
        note_error(problems, -ENOMEM);
}

static void append(PolicyProblems *problems, const char *file, unsigned line, char *what)
{
        _cleanup_free_ char *where = line > 0 ? text_format("%s:%u", file, line) : text_format("%s", file);
        if (!what || !where) {
                policy_problems_no_memory(problems);
                return;
        }
        for (char *c = what; *c != '\0'; c++)
                if (iscntrl((unsigned char) *c))
                        *c = '?';
        char *text = text_format("%s%s%s: %s", problems->text ? problems->text : "",
                                 problems->text ? "\n" : "", where, what);
        if (!text) {
                policy_problems_no_memory(problems);
                return;
        }
        free(problems->text);
        problems->text = text;
}

void policy_problems_add(PolicyProblems *problems, const char *file, unsigned line, const char *format, ...)
{
        va_list args;
        _cleanup_free_ char *what = NULL;

        va_start(args, format);
        if (vasprintf(&what, format, args) < 0)
                what = NULL;
        va_end(args);
        note_error(problems, -EBADMSG);
        append(problems, file, line, what);
}

void policy_problems_add_unreadable(PolicyProblems *problems, const char *file, int error)
{
        _cleanup_free_ char *what =
                        text_format("cannot be read: %s, expected a readable text file", strerror(-error));
        note_error(problems, error);
        append(problems, file, 0, what);
}
