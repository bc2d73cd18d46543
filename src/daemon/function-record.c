/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/function-record.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

struct FunctionRecords {
        FunctionRecord **items;
        size_t n_items;
};

int function_records_new(FunctionRecords **ret)
{
        FunctionRecords *records = calloc(1, sizeof(*records));
        if (!records)
                return -ENOMEM;
        *ret = records;
        return 0;
}

static FunctionRecord *record_free(FunctionRecord *record)
{
        if (!record)
                return NULL;
        free(record->path);
        free(record->refusal_detail);
        free(record->transaction);
        free(record->detail);
        free(record);
        return NULL;
}
DEFINE_CLEANUP(FunctionRecord *, record_free);

FunctionRecords *function_records_free(FunctionRecords *records)
{
        if (!records)
                return NULL;
        for (size_t i = 0; i < records->n_items; i++)
                record_free(records->items[i]);
        free(records->items);
        free(records);
        return NULL;
}

static FunctionRecord *find(const FunctionRecords *records, const char *path)
{
        for (size_t i = 0; i < records->n_items; i++)
                if (strcmp(records->items[i]->path, path) == 0)
                        return records->items[i];
        return NULL;
}

const FunctionRecord *function_records_find(const FunctionRecords *records, const char *path)
{
        return find(records, path);
}

static int get(FunctionRecords *records, const char *path, FunctionRecord **ret)
{
        *ret = find(records, path);
        if (*ret)
                return 0;
        _cleanup_(record_freep) FunctionRecord *record = calloc(1, sizeof(*record));
        if (!record)
                return -ENOMEM;
        record->path = strdup(path);
        FunctionRecord **items = reallocarray(records->items, records->n_items + 1, sizeof(items[0]));
        if (items)
                records->items = items;
        if (!items || !record->path)
                return -ENOMEM;
        *ret = items[records->n_items++] = TAKE_PTR(record);
        return 0;
}

/* "0000:03:00.1: open in qemu (pid 7)", one of the two, or NULL in *RET. */
static int join(const char *function, const char *detail, char **ret)
{
        char *text = NULL;
        if (function || detail) {
                text = text_format("%s%s%s", function ? function : "", function && detail ? ": " : "",
                                   detail ? detail : "");
                if (!text)
                        return -ENOMEM;
        }
        free(*ret);
        *ret = text;
        return 0;
}

int function_records_refuse(FunctionRecords *records, const char *path, const PlanRefusal *refusal)
{
        FunctionRecord *record;
        int r = get(records, path, &record);
        if (r < 0)
                return r;
        bool other = !pci_address_equal(refusal->address, refusal->culprit);
        r = join(other ? PCI_ADDRESS_TEXT(refusal->culprit) : NULL, refusal->detail,
                 &record->refusal_detail);
        if (r < 0)
                return r;
        record->refusal = refusal->reason;
        return 0;
}

static void accept_record(FunctionRecord *record)
{
        record->refusal = REASON_NONE;
        free(TAKE_PTR(record->refusal_detail));
}

void function_records_accept(FunctionRecords *records, const char *path)
{
        FunctionRecord *record = find(records, path);
        if (record)
                accept_record(record);
}

void function_records_forget_refusals(FunctionRecords *records)
{
        for (size_t i = 0; i < records->n_items; i++)
                accept_record(records->items[i]);
}

int function_records_end(FunctionRecords *records, const WorkerResult *result, uint64_t now_usec)
{
        for (size_t i = 0; i < result->n_functions; i++) {
                FunctionRecord *record;
                int r = get(records, result->functions[i].path, &record);
                if (r < 0)
                        return r;
                if (!text_replace(&record->transaction, "%s", result->transaction))
                        return -ENOMEM;
                r = join(result->culprit, result->detail, &record->detail);
                if (r < 0)
                        return r;
                record->outcome = result->outcome;
                record->reason = result->reason;
                record->when_usec = now_usec;
                record->n_results++;
        }
        return 0;
}
