/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What went wrong, or is worth a warning: a reason, the function that it is about, and a detail in words. */

#include "base/pci-address.h"
#include "base/reason.h"

#define FINDING_DETAIL_MAX 256

typedef struct Finding {
        Reason reason; /* REASON_NONE: nothing was found */
        PciAddress culprit;
        char detail[FINDING_DETAIL_MAX]; /* printable ASCII; may be empty */
} Finding;

/* Answers of whatever looks for findings, beside negative errno. */
typedef enum FindingAnswer {
        FINDING_NONE = 0,
        FINDING_MADE = 1,
} FindingAnswer;

/* Fills *FINDING; FORMAT may be "" for no detail. Always returns FINDING_MADE, to be returned on. */
int finding_make(Finding *finding, Reason reason, PciAddress culprit, const char *format, ...) _printf_(4, 5)
                _nonnull_(1, 4);
