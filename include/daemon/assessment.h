/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is to be done on one bus by verdict, policy and memory: which functions to plan for, or why none. Pure: made from
 * a survey.
 */

#include "daemon/attempts.h"
#include "daemon/bus-queue.h"
#include "daemon/restored.h"
#include "daemon/survey.h"
#include "model/policy.h"

typedef enum AssessmentAnswer {
        ASSESSMENT_NOTHING, /* nothing to do; REASON says why if there is a function that needs it */
        ASSESSMENT_REPORT,  /* the policy wants to hear what would be done */
        ASSESSMENT_IN_USE,  /* all that is to be realigned is in use */
        ASSESSMENT_PLAN,
} AssessmentAnswer;

typedef struct Assessment {
        AssessmentAnswer answer;
        PciAddress *targets; /* of all answers but ASSESSMENT_NOTHING */
        size_t n_targets;
        uint64_t settle_delay_usec; /* the longest of the targets' */
        Reason reason;              /* of ASSESSMENT_NOTHING */
        char *remarks; /* lines for the administrator about functions that stay as they are; or NULL */
} Assessment;

/* Looks at BUS and makes up its mind; realign = report is auto for what was requested. -ENOMEM. */
int assessment_make(const Survey *survey, const Policy *policy, const Attempts *attempts,
                    const Restored *restored, const Bus *bus, Assessment **ret) _warn_unused_result_
                _nonnull_(1, 2, 3, 4, 5, 6);
Assessment *assessment_free(Assessment *assessment);
DEFINE_CLEANUP(Assessment *, assessment_free);

/* The targets as a text: "0000:03:00.0, 0000:03:00.1". NULL: no memory. */
char *assessment_targets_text(const Assessment *assessment) _warn_unused_result_ _nonnull_(1);

/* Watches every function of the buses that are related to KEY: when one of their counts changes, the answer may change. */
int assessment_watch(const Survey *survey, const char *key, EnableWatch **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);
