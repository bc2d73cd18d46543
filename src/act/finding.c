/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/finding.h"

#include <stdarg.h>

int finding_make(Finding *finding, Reason reason, PciAddress culprit, const char *format, ...)
{
        va_list args;

        finding->reason = reason;
        finding->culprit = culprit;
        va_start(args, format);
        vsnprintf(finding->detail, sizeof(finding->detail), format, args);
        va_end(args);
        /* It may quote a file: a byte that is no text would make the whole result unreadable as JSON. */
        for (char *c = finding->detail; *c != '\0'; c++)
                if (*c < ' ' || *c > '~')
                        *c = '?';
        return FINDING_MADE;
}
