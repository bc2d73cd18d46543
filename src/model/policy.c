/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy.h"

#include "base/text.h"
#include "model/policy-files.h"
#include "model/policy-reader.h"

#include <errno.h>
#include <string.h>

struct Policy {
        PolicySections sections;
        PolicySettings builtin;
        char **files; /* that were read; NULL-terminated */
        size_t n_files;
};

static int policy_new(size_t n_files, Policy **ret)
{
        _cleanup_(policy_freep) Policy *policy = calloc(1, sizeof(*policy));
        if (!policy)
                return -ENOMEM;
        policy->files = calloc(n_files + 1, sizeof(*policy->files));
        if (!policy->files)
                return -ENOMEM;
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++) {
                int r = policy_key_parse(key, policy_key_builtin(key), &policy->builtin);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(policy);
        return 0;
}

Policy *policy_free(Policy *policy)
{
        if (!policy)
                return NULL;
        policy_sections_clear(&policy->sections);
        text_list_free(policy->files);
        free(policy);
        return NULL;
}

int policy_new_default(Policy **ret)
{
        return policy_new(0, ret);
}

static size_t list_length(char *const *list)
{
        size_t n = 0;
        while (list[n])
                n++;
        return n;
}

/* With ROOT its file PATH, which is shown with a slash in front; else the caller's. */
static void read_file(Policy *policy, const Root *root, const char *path, PolicyProblems *problems)
{
        _cleanup_free_ char *text = NULL, *shown = text_format("%s%s", root ? "/" : "", path);
        size_t size;
        if (!shown) {
                policy_problems_no_memory(problems);
                return;
        }
        int r = policy_file_read(root, path, &text, &size);
        if (r < 0)
                policy_problems_add_unreadable(problems, shown, r);
        else
                policy_read_text(shown, text, size, &policy->sections, problems);
        policy->files[policy->n_files++] = TAKE_PTR(shown);
}

static int read_all(const Root *root, char *const *paths, PolicyProblems *problems, Policy **ret)
{
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r = policy_new(list_length(paths), &policy);
        if (r < 0)
                return r;
        for (; *paths; paths++)
                read_file(policy, root, *paths, problems);
        if (problems->error < 0)
                return problems->error;
        *ret = TAKE_PTR(policy);
        return 0;
}

int policy_load(const Root *root, const char *file, Policy **ret, char **ret_problems)
{
        if (file) {
                char *files[] = { (char *) file, NULL }; /* only read */
                return policy_load_files(files, ret, ret_problems);
        }

        PolicyProblems problems = { 0 };
        _cleanup_(text_list_freep) char **files = NULL;
        int r = policy_files_find(root, &problems, &files);
        if (r >= 0)
                r = read_all(root, files, &problems, ret);
        *ret_problems = problems.text;
        return r;
}

int policy_load_files(char *const *files, Policy **ret, char **ret_problems)
{
        PolicyProblems problems = { 0 };
        int r = read_all(NULL, files, &problems, ret);
        *ret_problems = problems.text;
        return r;
}

char *const *policy_files(const Policy *policy)
{
        return policy->files;
}

/* The section that decides KEY for FUNCTION; NULL: none sets it. */
static const PolicySection *deciding_section(const Policy *policy, const PciFunction *function,
                                             PolicyKeyId key)
{
        const PolicySection *best = NULL;
        for (size_t i = 0; i < policy->sections.n; i++) {
                const PolicySection *section = policy->sections.items[i];
                if (section->sources[key] && (!best || section->kind >= best->kind) &&
                    policy_section_matches(section, function))
                        best = section;
        }
        return best;
}

void policy_settings(const Policy *policy, const PciFunction *function, PolicySettings *ret)
{
        *ret = policy->builtin;
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++) {
                const PolicySection *section = deciding_section(policy, function, key);
                if (section)
                        policy_key_copy(key, ret, &section->settings);
        }
}

const char *policy_source(const Policy *policy, const PciFunction *function, const char *key)
{
        PolicyKeyId id;
        if (policy_key_find(key, &id) < 0)
                return NULL;
        const PolicySection *section = deciding_section(policy, function, id);
        return section ? section->sources[id] : "built in";
}

const char *policy_section(const Policy *policy, const PciFunction *function, const char *key)
{
        PolicyKeyId id;
        if (policy_key_find(key, &id) < 0)
                return NULL;
        const PolicySection *section = deciding_section(policy, function, id);
        return section ? section->header : NULL;
}
