/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The daemon's methods for guests, from the side that calls them. */

#include "hook/domain.h"

typedef struct GuestVerdict {
        char *function, *verdict, *reason, *detail;
        bool refuses; /* on-failure = refuse */
} GuestVerdict;

typedef struct GuestAnswer {
        GuestVerdict *verdicts; /* one for each function, in their order; of PrepareForGuest alone */
        size_t n_verdicts;
} GuestAnswer;

typedef struct GuestTimes {
        uint64_t inhibit_usec;
        bool has_bound; /* METHOD takes the two that follow, from the call on */
        uint64_t stop_usec, answer_usec;
        uint64_t timeout_usec; /* longer the answer is not waited for */
} GuestTimes;

/*
 * Calls METHOD for the functions of DOMAIN. ADDRESS NULL: the system bus. Negative errno with what is wrong in *RET_PROBLEM
 * (the caller frees it).
 */
int guest_call(const char *address, const char *method, const Domain *domain, const GuestTimes *times,
               GuestAnswer *ret, char **ret_problem) _warn_unused_result_ _nonnull_(2, 3, 4, 5, 6);
void guest_answer_clear(GuestAnswer *answer) _nonnull_(1);
