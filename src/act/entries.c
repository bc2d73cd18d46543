/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/entries.h"

#include "act/outcome.h"
#include "base/json-document.h"
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

static int entries_of(const Plan *plan, TextList *ret)
{
        _cleanup_(text_list_freep)
        TextList list = calloc(plan->n_functions + 1, sizeof(list[0]));
        size_t n = 0;
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions; i++) {
                if (plan->functions[i].alignment == 0)
                        continue;
                list[n] = plan_entry(plan, &plan->functions[i]);
                if (!list[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

/* The entries that are ours, oldest first. A file that is not there or broken: none; then none is dropped. */
static int ours_read(const Root *root, TextList *ret)
{
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *list = NULL;
        size_t n = 0;

        int r = root_read_file(root, OURS_PATH, &text, NULL);
        if (r == 0)
                r = json_document_parse(text, &list, &problem);
        if (r == -ENOMEM)
                return r;
        if (r == 0 && json_object_is_type(list, json_type_array))
                n = json_object_array_length(list);

        _cleanup_(text_list_freep)
        TextList ours = calloc(n + 1, sizeof(ours[0]));
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

static int merge(const Root *root, const Plan *plan, char *const *ours, char *const *entries, char **ret,
                 TextList *ret_dropped, Finding *finding)
{
        _cleanup_free_ char *current = NULL;
        int r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &current);
        if (r < 0)
                return r;
        r = alignment_param_merge(current, entries, ours, alignment_param_limit(plan->page), ret,
                                  ret_dropped);
        if (r == ALIGNMENT_FULL)
                return finding_make(finding, REASON_ATTRIBUTE_FULL, plan->functions[0].address,
                                    "%zu bytes are taken by others", strlen(current));
        return r;
}

int entries_check(const Root *root, const Plan *plan, Finding *finding)
{
        _cleanup_(text_list_freep)
        TextList entries = NULL, ours = NULL, dropped = NULL;
        _cleanup_free_ char *text = NULL;
        int r = entries_of(plan, &entries);
        if (r == 0)
                r = ours_read(root, &ours);
        return r == 0 ? merge(root, plan, ours, entries, &text, &dropped, finding) : r;
}

int entries_install(const Root *root, const Plan *plan, size_t *ret_dropped, Finding *finding)
{
        _cleanup_(text_list_freep)
        TextList entries = NULL, ours = NULL, dropped = NULL;
        _cleanup_free_ char *text = NULL;
        int r = entries_of(plan, &entries);
        if (r == 0)
                r = ours_read(root, &ours);
        if (r == 0)
                r = merge(root, plan, ours, entries, &text, &dropped, finding);
        if (r != 0)
                return r;

        size_t n_dropped = 0;
        while (dropped[n_dropped])
                n_dropped++;
        /* Remember them first: an entry that is written and not known as ours would stay for ever. */
        r = ours_write(root, ours, entries, entries);
        if (r == 0)
                r = attribute_write(root, text, plan, finding);
        if (r == 0)
                *ret_dropped = n_dropped;
        return r;
}

int entries_remove(const Root *root, const Plan *plan, Finding *finding)
{
        _cleanup_(text_list_freep)
        TextList entries = NULL, ours = NULL;
        _cleanup_free_ char *current = NULL, *text = NULL;
        int r = entries_of(plan, &entries);
        if (r == 0)
                r = ours_read(root, &ours);
        if (r == 0)
                r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &current);
        if (r == 0)
                r = alignment_param_remove(current, entries, &text);
        if (r == 0 && strcmp(text, current) != 0)
                r = attribute_write(root, text, plan, finding);
        return r == 0 ? ours_write(root, ours, entries, NULL) : r;
}
