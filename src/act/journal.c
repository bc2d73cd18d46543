/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/journal.h"

#include "act/deadline.h"
#include "act/outcome.h"
#include "base/text.h"
#include "judge/plan-document.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define JOURNAL_VERSION 1
#define BOOT_ID_PATH "proc/sys/kernel/random/boot_id"
#define SET_ASIDE_SUFFIX ".invalid"

static const char *const stage_names[STAGE_COUNT_] = {
        [STAGE_TAKING] = "taking",   [STAGE_REMOVING] = "removing", [STAGE_BINDING] = "binding",
        [STAGE_UNDOING] = "undoing", [STAGE_UNDONE] = "undone",
};

const char *journal_stage_name(JournalStage stage)
{
        return stage_names[stage];
}

/* What is wrong with a document: always -EBADMSG, to be returned on. */
static int _printf_(2, 3) problem(char **ret_problem, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        if (vasprintf(ret_problem, format, args) < 0)
                *ret_problem = NULL;
        va_end(args);
        return -EBADMSG;
}

static int boot_id(const Root *root, char **ret)
{
        return root_read_attribute(root, BOOT_ID_PATH, ret);
}

int journal_begin(const Root *root, const Journal *journal)
{
        _cleanup_json_ JsonObject *document = json_object_new_object();
        _cleanup_free_ char *boot = NULL;
        int r = boot_id(root, &boot);

        if (!document)
                return -ENOMEM;
        if (r == 0)
                r = json_add_u64(document, "version", JOURNAL_VERSION);
        if (r == 0)
                r = json_add_text(document, "boot", boot);
        if (r == 0)
                r = json_add_text(document, "transaction", journal->id);
        if (r == 0)
                r = json_add(document, "plan", plan_to_json(journal->plan));
        if (r == 0)
                r = json_add(document, "state", saved_state_to_json(journal->state));
        if (r < 0)
                return r;
        /* The progress of an earlier transaction must not be taken for this one's. */
        r = root_unlink(root, PROGRESS_PATH);
        if (r < 0)
                return r;
        return root_replace_file(root, JOURNAL_PATH, json_object_to_json_string(document), 0644);
}

int journal_progress(const Root *root, const Journal *journal, const JournalStep *step)
{
        _cleanup_json_ JsonObject *document = json_object_new_object();
        int r = document ? 0 : -ENOMEM;

        if (r == 0)
                r = json_add_text(document, "transaction", journal->id);
        if (r == 0)
                r = json_add_text(document, "stage", journal_stage_name(journal->stage));
        if (r == 0)
                r = json_add_text(document, "step", step->name);
        if (r == 0 && step->has_function)
                r = json_add_address(document, "function", step->function);
        if (r == 0)
                r = json_add_u64(document, "index", step->index);
        if (r == 0)
                r = json_add_u64(document, "of", step->of);
        if (r == 0)
                r = json_add_text(document, "state", step->state);
        if (r == 0 && step->detail)
                r = json_add_text(document, "detail", step->detail);
        if (r == 0)
                r = json_add_u64(document, "pid", (uint64_t) getpid());
        return r < 0 ? r
                     : root_replace_file(root, PROGRESS_PATH, json_object_to_json_string(document), 0644);
}

int journal_end(const Root *root)
{
        int r = root_unlink(root, JOURNAL_PATH);
        /* A progress that is left without its journal says nothing, and goes when the next one begins. */
        if (r == 0)
                (void) !root_unlink(root, PROGRESS_PATH);
        return r;
}

/*
 * Nobody but root may tell the worker what to do: the file at PATH is root's, and no one else can write it. Sets *RET to
 * its text, or to NULL when it is not there.
 */
static int read_own(const Root *root, const char *path, char **ret, char **ret_problem)
{
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = root_open_file(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd);
        if (r == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        if (r == -ELOOP || r == -ENXIO) /* a symbolic link, a socket */
                return problem(ret_problem, "/%s is not a file", path);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
                return problem(ret_problem, "/%s is not a file that only root can write", path);
        r = root_read_file(root, path, ret, NULL);
        return r == -EFBIG || r == -EBADMSG ? problem(ret_problem, "/%s is not a text", path) : r;
}

static int check_header(const Root *root, JsonObject *document, char **ret_problem)
{
        _cleanup_free_ char *now = NULL;
        const char *boot;
        uint64_t version;
        int r = json_field_u64(document, "version", UINT64_MAX, &version, ret_problem);
        if (r == 0 && version != JOURNAL_VERSION)
                return problem(ret_problem, "it has version %llu, this program knows version %d",
                               (unsigned long long) version, JOURNAL_VERSION);
        if (r == 0)
                r = json_field_text(document, "boot", &boot, ret_problem);
        if (r == 0)
                r = boot_id(root, &now);
        if (r == 0 && strcmp(boot, now) != 0)
                return problem(ret_problem, "it is from another boot (%.40s)", boot);
        return r;
}

static int read_parts(JsonObject *document, Journal *journal, char **ret_problem)
{
        JsonObject *plan, *state;
        const char *id;
        int r = json_field_text(document, "transaction", &id, ret_problem);
        if (r == 0)
                r = json_field_object(document, "plan", &plan, ret_problem);
        if (r == 0)
                r = json_field_object(document, "state", &state, ret_problem);
        if (r == 0)
                r = plan_from_json(plan, &journal->plan, ret_problem);
        if (r == 0)
                r = saved_state_from_json(state, &journal->state, ret_problem);
        if (r < 0)
                return r;
        if (strlen(id) >= sizeof(journal->id) || id[0] == '\0' ||
            id[strspn(id, "0123456789abcdef-")] != '\0')
                return problem(ret_problem, "\"transaction\" is not an identifier");
        strcpy(journal->id, id);
        return 0;
}

static int parse_stage(JsonObject *document, Journal *journal, char **ret_problem)
{
        const char *id, *name;
        int r = json_field_text(document, "transaction", &id, ret_problem);
        if (r == 0)
                r = json_field_text(document, "stage", &name, ret_problem);
        if (r < 0)
                return r;
        if (strcmp(id, journal->id) != 0)
                return problem(ret_problem, "its progress is that of another transaction");
        for (JournalStage stage = 0; stage < STAGE_COUNT_; stage++)
                if (strcmp(name, stage_names[stage]) == 0) {
                        journal->stage = stage;
                        return 0;
                }
        return problem(ret_problem, "\"stage\" is not a stage");
}

/* No progress document: no step was begun. */
static int read_stage(const Root *root, Journal *journal, char **ret_problem)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        journal->stage = STAGE_TAKING;
        int r = read_own(root, PROGRESS_PATH, &text, ret_problem);
        if (r == 0 && text)
                r = json_document_parse(text, &document, ret_problem);
        return r == 0 && text ? parse_stage(document, journal, ret_problem) : r;
}

/* What does not change while the transaction runs. A JournalAnswer but for JOURNAL_INVALID, which is -EBADMSG here. */
static int read_journal(const Root *root, Journal *journal, char **ret_problem)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ JsonObject *document = NULL;

        int r = read_own(root, JOURNAL_PATH, &text, ret_problem);
        if (r == 0 && !text)
                return JOURNAL_NONE;
        if (r == 0)
                r = json_document_parse(text, &document, ret_problem);
        if (r == 0)
                r = check_header(root, document, ret_problem);
        return r == 0 ? read_parts(document, journal, ret_problem) : r;
}

/* Under a name of its own, so that the next one does not hide it. */
static int set_aside(const Root *root, const char *path)
{
        _cleanup_free_ char *aside = text_format("%s" SET_ASIDE_SUFFIX ".%llu", path,
                                                 (unsigned long long) deadline_now());
        if (!aside)
                return -ENOMEM;
        int r = root_rename(root, path, aside);
        return r == -ENOENT ? 0 : r;
}

int journal_read(const Root *root, Journal *ret, char **ret_problem)
{
        Journal journal = { 0 };
        int r = read_journal(root, &journal, ret_problem);
        if (r == JOURNAL_OK)
                r = read_stage(root, &journal, ret_problem);
        if (r == JOURNAL_OK) {
                *ret = journal;
                return r;
        }
        journal_clear(&journal);
        if (r != -EBADMSG)
                return r;
        r = set_aside(root, JOURNAL_PATH);
        if (r == 0)
                r = set_aside(root, PROGRESS_PATH);
        return r < 0 ? r : JOURNAL_INVALID;
}

bool journal_may_name(const Root *root, PciAddress address)
{
        _cleanup_(journal_clear) Journal journal = { 0 };
        _cleanup_free_ char *problem = NULL;
        int r = read_journal(root, &journal, &problem);
        if (r != JOURNAL_OK)
                return r < 0 && r != -EBADMSG;
        for (size_t i = 0; i < journal.plan->n_functions; i++)
                if (pci_address_equal(journal.plan->functions[i].address, address))
                        return true;
        return false;
}

void journal_clear(Journal *journal)
{
        plan_free(journal->plan);
        saved_state_free(journal->state);
        *journal = (Journal){ 0 };
}
