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

/*
 * Calls METHOD for the functions of DOMAIN, and waits for TIMEOUT_USEC at most. ADDRESS NULL: the system bus. Negative errno
 * with what is wrong in *RET_PROBLEM (the caller frees it).
 */
int guest_call(const char *address, const char *method, const Domain *domain, uint64_t inhibit_usec,
               uint64_t timeout_usec, GuestAnswer *ret, char **ret_problem) _warn_unused_result_
                _nonnull_(2, 3, 6, 7);
void guest_answer_clear(GuestAnswer *answer) _nonnull_(1);
