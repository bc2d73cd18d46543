/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/function-record.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

struct FunctionRecords {
        KeyedList list;
};

static void clear_record(KeyedItem *item)
{
        FunctionRecord *record = (FunctionRecord *) item;
        free(record->refusal_detail);
        free(record->transaction);
        free(record->detail);
}

int function_records_new(FunctionRecords **ret)
{
        FunctionRecords *records = calloc(1, sizeof(*records));
        if (!records)
                return -ENOMEM;
        records->list = (KeyedList){ .item_size = sizeof(FunctionRecord), .item_clear = clear_record };
        *ret = records;
        return 0;
}

FunctionRecords *function_records_free(FunctionRecords *records)
{
        if (!records)
                return NULL;
        (void) keyed_list_clear(&records->list);
        free(records);
        return NULL;
}

const FunctionRecord *function_records_find(const FunctionRecords *records, FunctionKey key)
{
        return keyed_list_find(&records->list, key);
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

int function_records_refuse(FunctionRecords *records, FunctionKey key, const PlanRefusal *refusal)
{
        KeyedItem *item;
        int r = keyed_list_get(&records->list, key, &item);
        if (r < 0)
                return r;
        FunctionRecord *record = (FunctionRecord *) item;
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

bool function_records_accept(FunctionRecords *records, FunctionKey key)
{
        FunctionRecord *record = keyed_list_find(&records->list, key);
        if (!record || record->refusal == REASON_NONE)
                return false;
        accept_record(record);
        return true;
}

void function_records_forget_refusals(FunctionRecords *records)
{
        for (size_t i = 0; i < records->list.n_items; i++)
                accept_record((FunctionRecord *) records->list.items[i]);
}

int function_records_end(FunctionRecords *records, const WorkerResult *result, uint64_t now_usec)
{
        for (size_t i = 0; i < result->n_functions; i++) {
                const ReportFunction *function = &result->functions[i];
                KeyedItem *item;
                int r = keyed_list_get(&records->list,
                                       (FunctionKey){ function->path, function->vendor, function->device },
                                       &item);
                if (r < 0)
                        return r;
                FunctionRecord *record = (FunctionRecord *) item;
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
