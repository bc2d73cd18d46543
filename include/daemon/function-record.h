/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What is known of a function beside what a survey shows: why the planner left it out last, and how its last transaction
 * ended. Known by path and ids, which outlive the
 * function's removal. Pure.
 */

#include "daemon/keyed-list.h"
#include "daemon/worker-report.h"
#include "judge/plan.h"

typedef struct FunctionRecord {
        KeyedItem key;
        Reason refusal; /* REASON_NONE: it is in a plan, or was never planned for */
        char *refusal_detail; /* the function that stands in the way and who holds it; NULL: nothing more is known */
        char *transaction; /* the last one; NULL: none */
        Outcome outcome;
        Reason reason;
        char *detail;       /* culprit and detail of REASON; NULL: none */
        uint64_t when_usec; /* CLOCK_REALTIME */
        uint64_t n_results; /* how many transactions it has been in, to see a new one by */
} FunctionRecord;

typedef struct FunctionRecords FunctionRecords;

int function_records_new(FunctionRecords **ret) _warn_unused_result_ _nonnull_(1);
FunctionRecords *function_records_free(FunctionRecords *records);
DEFINE_CLEANUP(FunctionRecords *, function_records_free);

/* What is known of the function KEY; NULL: nothing. */
const FunctionRecord *function_records_find(const FunctionRecords *records, FunctionKey key) _nonnull_(1);

/* The planner left the function KEY out. -ENOMEM. */
int function_records_refuse(FunctionRecords *records, FunctionKey key,
                            const PlanRefusal *refusal) _warn_unused_result_ _nonnull_(1, 3);

/* The planner has it in a plan now: true when it had left it out before. */
bool function_records_accept(FunctionRecords *records, FunctionKey key) _nonnull_(1);

/* A transaction of these functions ended at NOW_USEC (CLOCK_REALTIME). -ENOMEM. */
int function_records_end(FunctionRecords *records, const WorkerResult *result,
                         uint64_t now_usec) _warn_unused_result_ _nonnull_(1, 2);

/* Refusals count no more: everything is planned anew. */
void function_records_forget_refusals(FunctionRecords *records) _nonnull_(1);
