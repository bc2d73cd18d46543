/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/entries.h"

#include "act/outcome.h"
#include "base/json-document.h"
#include "base/page.h"
#include "base/text.h"
#include "model/alignment-param.h"

#include <errno.h>
#include <string.h>

#define OURS_PATH RUN_DIRECTORY "/entries.json"

/* A NULL-terminated list of texts. */
typedef char **TextList;

static bool text_list_has(char *const *list, const char *text)
{
        for (size_t i = 0; list[i]; i++)
                if (strcmp(list[i], text) == 0)
                        return true;
        return false;
}

int entries_ours(const Root *root, char ***ret)
{
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *list = NULL;
        size_t n = 0;

        int r = root_read_file(root, OURS_PATH, &text, NULL);
        /* One that cannot be read now is not known to be none: then ours would stay behind. */
        if (r < 0 && r != -ENOENT && r != -EBADMSG && r != -EFBIG)
                return r;
        if (r == 0)
                r = json_document_parse(text, &list, &problem);
        if (r == -ENOMEM)
                return r;
        if (r == 0 && json_object_is_type(list, json_type_array))
                n = json_object_array_length(list);

        _cleanup_(text_list_freep) TextList ours = calloc(n + 1, sizeof(ours[0]));
        if (!ours)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const char *entry = json_object_get_string(json_object_array_get_idx(list, i));
                ours[i] = strdup(entry ? entry : "");
                if (!ours[i])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(ours);
        return 0;
}

/*
 * FUNCTION's entry in a form that nobody else has written: what stands in CURRENT and is not known as ours is somebody
 * else's, and has to survive byte for byte. "012@" says what "12@", or nothing, says (the kernel reads a decimal number).
 */
static char *own_entry(const Plan *plan, const PlanFunction *function, const char *current,
                       char *const *ours)
{
        _cleanup_free_ char *entry = plan_entry(plan, function);
        if (!entry || !alignment_param_has(current, entry) || text_list_has(ours, entry))
                return TAKE_PTR(entry);
        return text_format("0%u@%s", page_order(function->alignment), function->path);
}

static bool is_wanted(const Plan *plan, const PlanFunction *function, EntriesWhich which)
{
        if (function->alignment == 0)
                return false;
        switch (which) {
        case ENTRIES_ALL:
                break;
        case ENTRIES_OF_UNGROWN:
                return !own_sizes_are_exceeded(&function->own, &function->resources);
        case ENTRIES_KEPT:
                return !plan_gives_back(plan, function);
        case ENTRIES_GIVEN_BACK:
                return plan_gives_back(plan, function);
        }
        return true;
}

/* What is to be put in front of CURRENT. */
static int entries_to_add(const Plan *plan, EntriesWhich which, const char *current, char *const *ours,
                          TextList *ret)
{
        _cleanup_(text_list_freep) TextList list = calloc(plan->n_functions + 1, sizeof(list[0]));
        size_t n = 0;
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions; i++) {
                if (!is_wanted(plan, &plan->functions[i], which))
                        continue;
                list[n] = own_entry(plan, &plan->functions[i], current, ours);
                if (!list[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

/* The entries of OURS that are about functions of PLAN, in whatever form. */
static int entries_to_remove(const Plan *plan, char *const *ours, EntriesWhich which, TextList *ret)
{
        size_t n_ours = 0, n = 0;
        while (ours[n_ours])
                n_ours++;
        _cleanup_(text_list_freep) TextList list = calloc(n_ours + 1, sizeof(list[0]));
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n_ours; i++) {
                const char *at = strchr(ours[i], '@');
                const char *path = at ? at + 1 : ours[i];
                for (size_t j = 0; j < plan->n_functions; j++)
                        if (strcmp(plan->functions[j].path, path) == 0 &&
                            is_wanted(plan, &plan->functions[j], which)) {
                                list[n] = strdup(ours[i]);
                                if (!list[n++])
                                        return -ENOMEM;
                                break;
                        }
        }
        *ret = TAKE_PTR(list);
        return 0;
}

/* OURS without what is in LESS, then MORE. */
static int ours_write(const Root *root, char *const *ours, char *const *less, char *const *more)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        int r = list ? 0 : -ENOMEM;

        for (size_t i = 0; ours[i] && r == 0; i++)
                if (!text_list_has(less, ours[i]))
                        r = json_append(list, json_object_new_string(ours[i]));
        for (size_t i = 0; more && more[i] && r == 0; i++)
                r = json_append(list, json_object_new_string(more[i]));
        if (r < 0)
                return r;
        return root_replace_file(root, OURS_PATH, json_object_to_json_string(list), 0644);
}

/* An attribute that was never set reads as nothing at all (KF §1). */
static int attribute_write(const Root *root, const char *text, const Plan *plan, Finding *finding)
{
        _cleanup_free_ char *line = text_format("%s\n", text), *back = NULL;
        if (!line)
                return -ENOMEM;
        int r = root_write_attribute(root, ALIGNMENT_PARAM_PATH, line);
        if (r == 0)
                r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &back);
        if (r < 0)
                return r;
        if (strcmp(back, text) != 0)
                return finding_make(finding, REASON_ENTRY_REJECTED, plan->functions[0].address,
                                    "/" ALIGNMENT_PARAM_PATH " reads back as \"%.100s\"", back);
        return FINDING_NONE;
}

/* The attribute as it is, as it is to be, and the lists that lead from one to the other. */
typedef struct Merge {
        char *current, *text;
        TextList entries, ours, dropped;
} Merge;

static void merge_clear(Merge *merge)
{
        free(merge->current);
        free(merge->text);
        text_list_free(merge->entries);
        text_list_free(merge->ours);
        text_list_free(merge->dropped);
}

static int merge_make(const Root *root, const Plan *plan, EntriesWhich which, Merge *merge, Finding *finding)
{
        int r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &merge->current);
        if (r == 0)
                r = entries_ours(root, &merge->ours);
        if (r == 0)
                r = entries_to_add(plan, which, merge->current, merge->ours, &merge->entries);
        if (r == 0)
                r = alignment_param_merge(merge->current, merge->entries, merge->ours,
                                          alignment_param_limit(plan->page), &merge->text, &merge->dropped);
        if (r == ALIGNMENT_FULL)
                return finding_make(finding, REASON_ATTRIBUTE_FULL, plan->functions[0].address,
                                    "%zu bytes are taken by others", strlen(merge->current));
        return r;
}

int entries_check(const Root *root, const Plan *plan, Finding *finding)
{
        _cleanup_(merge_clear) Merge merge = { 0 };
        return merge_make(root, plan, ENTRIES_KEPT, &merge, finding);
}

int entries_install(const Root *root, const Plan *plan, EntriesWhich which, size_t *ret_dropped,
                    Finding *finding)
{
        _cleanup_(merge_clear) Merge merge = { 0 };
        int r = merge_make(root, plan, which, &merge, finding);
        if (r != 0)
                return r;

        size_t n_dropped = 0;
        while (merge.dropped[n_dropped])
                n_dropped++;
        /* Remember them first: an entry that is written and not known as ours would stay for ever. */
        r = ours_write(root, merge.ours, merge.entries, merge.entries);
        if (r == 0)
                r = attribute_write(root, merge.text, plan, finding);
        if (r == 0)
                *ret_dropped = n_dropped;
        return r;
}

/* The first of PLAN's entries that is in the attribute, or is not: 1 with *RET, 0: none. */
static int find_entry(const Root *root, const Plan *plan, EntriesWhich which, bool is_there, char **ret)
{
        _cleanup_(text_list_freep) TextList entries = NULL, ours = NULL;
        _cleanup_free_ char *current = NULL;
        int r = entries_ours(root, &ours);
        if (r == 0)
                r = entries_to_remove(plan, ours, which, &entries);
        if (r == 0)
                r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &current);
        for (size_t i = 0; r == 0 && entries[i]; i++)
                if (alignment_param_has(current, entries[i]) == is_there) {
                        *ret = strdup(entries[i]);
                        return *ret ? 1 : -ENOMEM;
                }
        return r;
}

int entries_stand(const Root *root, const Plan *plan, Finding *finding)
{
        _cleanup_free_ char *entry = NULL;
        int r = find_entry(root, plan, ENTRIES_ALL, false, &entry);
        return r <= 0 ? r
                      : finding_make(finding, REASON_ENTRY_REJECTED, plan->functions[0].address,
                                     "somebody has taken \"%s\" out of /" ALIGNMENT_PARAM_PATH, entry);
}

int entries_left(const Root *root, const Plan *plan, Finding *finding)
{
        _cleanup_free_ char *entry = NULL;
        int r = find_entry(root, plan, ENTRIES_OF_UNGROWN, true, &entry);
        return r <= 0 ? r
                      : finding_make(finding, REASON_STATE_NOT_RESTORED, plan->functions[0].address,
                                     "\"%s\" of ours is still in /" ALIGNMENT_PARAM_PATH, entry);
}

int entries_remove(const Root *root, const Plan *plan, EntriesWhich which, Finding *finding)
{
        _cleanup_(text_list_freep) TextList entries = NULL, ours = NULL;
        _cleanup_free_ char *current = NULL, *text = NULL;
        int r = entries_ours(root, &ours);
        if (r == 0)
                r = entries_to_remove(plan, ours, which, &entries);
        if (r == 0)
                r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &current);
        if (r == 0)
                r = alignment_param_remove(current, entries, &text);
        if (r == 0 && strcmp(text, current) != 0)
                r = attribute_write(root, text, plan, finding);
        return r == 0 && entries[0] ? ours_write(root, ours, entries, NULL) : r;
}
