/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/worker-report.h"

#include "base/json-document.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define LIST_MAX 65536u

static const char *const state_names[] = {
        [PROGRESS_BEGIN] = "begin",
        [PROGRESS_DONE] = "done",
        [PROGRESS_LATE] = "late",
        [PROGRESS_FAILED] = "failed",
};

const char *progress_state_name(ProgressState state)
{
        return state_names[state];
}

static int problem(char **ret_problem, const char *name)
{
        *ret_problem = text_format("\"%s\" has a value that is not known", name);
        return -EBADMSG;
}

static int copy_text(JsonObject *object, const char *name, char **ret, char **ret_problem)
{
        const char *text;
        int r = json_field_text(object, name, &text, ret_problem);
        if (r < 0)
                return r;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int copy_text_or_null(JsonObject *object, const char *name, char **ret, char **ret_problem)
{
        const char *text;
        int r = json_field_text_or_null(object, name, &text, ret_problem);
        if (r < 0 || !text)
                return r;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int read_reason(JsonObject *object, Reason *ret, char **ret_problem)
{
        const char *name;
        int r = json_field_text_or_null(object, "reason", &name, ret_problem);
        if (r < 0)
                return r;
        if (reason_parse(name ? name : reason_name(REASON_NONE), ret) < 0)
                return problem(ret_problem, "reason");
        return 0;
}

/* A number that may be left out: then 0. */
static int read_number(JsonObject *object, const char *name, uint64_t *ret, char **ret_problem)
{
        JsonObject *field;
        if (!json_object_object_get_ex(object, name, &field))
                return 0;
        return json_field_u64(object, name, UINT64_MAX, ret, ret_problem);
}

static int read_state(JsonObject *object, ProgressState *ret, char **ret_problem)
{
        const char *name;
        int r = json_field_text(object, "state", &name, ret_problem);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(state_names); i++)
                if (strcmp(state_names[i], name) == 0) {
                        *ret = (ProgressState) i;
                        return 0;
                }
        return problem(ret_problem, "state");
}

static int read_progress(JsonObject *object, WorkerProgress *progress, char **ret_problem)
{
        int r = copy_text(object, "transaction", &progress->transaction, ret_problem);
        if (r == 0)
                r = copy_text(object, "step", &progress->step, ret_problem);
        if (r == 0)
                r = copy_text_or_null(object, "function", &progress->function, ret_problem);
        if (r == 0)
                r = copy_text_or_null(object, "detail", &progress->detail, ret_problem);
        if (r == 0)
                r = read_state(object, &progress->state, ret_problem);
        if (r == 0)
                r = read_number(object, "index", &progress->index, ret_problem);
        if (r == 0)
                r = read_number(object, "of", &progress->of, ret_problem);
        return r < 0 ? r : read_number(object, "usec", &progress->usec, ret_problem);
}

/* Workers before those of this version do not tell it, and their results stay until the next boot. */
static int read_id(JsonObject *object, const char *name, uint16_t *ret, char **ret_problem)
{
        uint64_t id;
        JsonObject *field;
        if (!json_object_object_get_ex(object, name, &field))
                return 0;
        int r = json_field_u64(object, name, UINT16_MAX, &id, ret_problem);
        if (r == 0)
                *ret = (uint16_t) id;
        return r;
}

static int read_function(JsonObject *object, ReportFunction *function, char **ret_problem)
{
        int r = json_field_address(object, "function", &function->address, ret_problem);
        if (r == 0)
                r = copy_text(object, "path", &function->path, ret_problem);
        if (r == 0)
                r = read_id(object, "vendor", &function->vendor, ret_problem);
        if (r == 0)
                r = read_id(object, "device", &function->device, ret_problem);
        return r < 0 ? r : json_field_bool(object, "target", &function->target, ret_problem);
}

static int read_functions(JsonObject *object, WorkerResult *result, char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(object, "functions", LIST_MAX, &list, ret_problem);
        if (r < 0)
                return r;
        size_t n = json_object_array_length(list);
        result->functions = calloc(n + 1, sizeof(*result->functions));
        if (!result->functions)
                return -ENOMEM;
        result->n_functions = n;
        for (size_t i = 0; i < n && r == 0; i++)
                r = read_function(json_object_array_get_idx(list, i), &result->functions[i], ret_problem);
        return r;
}

static int read_warning(JsonObject *object, ReportWarning *warning, char **ret_problem)
{
        int r = read_reason(object, &warning->reason, ret_problem);
        if (r == 0)
                r = copy_text_or_null(object, "function", &warning->function, ret_problem);
        return r < 0 ? r : copy_text_or_null(object, "detail", &warning->detail, ret_problem);
}

static int read_warnings(JsonObject *object, const char *name, ReportWarning **ret, size_t *ret_n,
                         char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(object, name, LIST_MAX, &list, ret_problem);
        if (r < 0)
                return r;
        size_t n = json_object_array_length(list);
        *ret = calloc(n + 1, sizeof(**ret));
        if (!*ret)
                return -ENOMEM;
        *ret_n = n;
        for (size_t i = 0; i < n && r == 0; i++)
                r = read_warning(json_object_array_get_idx(list, i), &(*ret)[i], ret_problem);
        return r;
}

static int read_outcome(JsonObject *object, WorkerResult *result, char **ret_problem)
{
        const char *name;
        int r = json_field_text(object, "outcome", &name, ret_problem);
        if (r < 0)
                return r;
        if (outcome_parse(name, &result->outcome) < 0)
                return problem(ret_problem, "outcome");
        return read_reason(object, &result->reason, ret_problem);
}

/* Left out by those that know one goal only. */
static int read_goal(JsonObject *object, WorkerResult *result, char **ret_problem)
{
        const char *goal;
        int r = json_field_text_or_null(object, "goal", &goal, ret_problem);
        result->goal = PLAN_GOAL_REALIGN;
        if (r == 0 && goal && plan_goal_parse(goal, &result->goal) < 0)
                return problem(ret_problem, "goal");
        return r;
}

static int read_result(JsonObject *object, WorkerResult *result, char **ret_problem)
{
        int r = copy_text(object, "transaction", &result->transaction, ret_problem);
        if (r == 0)
                r = read_outcome(object, result, ret_problem);
        if (r == 0)
                r = read_goal(object, result, ret_problem);
        if (r == 0)
                r = copy_text_or_null(object, "culprit", &result->culprit, ret_problem);
        if (r == 0)
                r = copy_text_or_null(object, "detail", &result->detail, ret_problem);
        if (r == 0)
                r = json_field_bool(object, "attempted", &result->attempted, ret_problem);
        if (r == 0)
                r = read_number(object, "usec", &result->usec, ret_problem);
        if (r == 0)
                r = read_number(object, "kernel-usec", &result->kernel_usec, ret_problem);
        if (r == 0)
                r = read_functions(object, result, ret_problem);
        if (r == 0)
                r = read_warnings(object, "warnings", &result->warnings, &result->n_warnings, ret_problem);
        JsonObject *refusals, *state;
        if (r == 0 && json_object_object_get_ex(object, "refusals", &refusals))
                r = read_warnings(object, "refusals", &result->refusals, &result->n_refusals, ret_problem);
        if (r < 0 || !json_object_object_get_ex(object, "state", &state))
                return r;
        return read_warnings(object, "state", &result->state, &result->n_state, ret_problem);
}

int worker_report_parse(const char *line, WorkerReport **ret, char **ret_problem)
{
        _cleanup_json_ JsonObject *object = NULL;
        int r = json_document_parse(line, &object, ret_problem);
        if (r < 0)
                return r;
        _cleanup_(worker_report_freep) WorkerReport *report = calloc(1, sizeof(*report));
        if (!report)
                return -ENOMEM;

        JsonObject *outcome;
        if (json_object_is_type(object, json_type_object) &&
            json_object_object_get_ex(object, "outcome", &outcome)) {
                report->kind = WORKER_REPORT_RESULT;
                r = read_result(object, &report->result, ret_problem);
        } else {
                report->kind = WORKER_REPORT_PROGRESS;
                r = read_progress(object, &report->progress, ret_problem);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(report);
        return 0;
}

static void warnings_free(ReportWarning *warnings, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(warnings[i].function);
                free(warnings[i].detail);
        }
        free(warnings);
}

WorkerReport *worker_report_free(WorkerReport *report)
{
        if (!report)
                return NULL;
        free(report->progress.transaction);
        free(report->progress.step);
        free(report->progress.function);
        free(report->progress.detail);
        free(report->result.transaction);
        free(report->result.culprit);
        free(report->result.detail);
        for (size_t i = 0; i < report->result.n_functions; i++)
                free(report->result.functions[i].path);
        free(report->result.functions);
        warnings_free(report->result.warnings, report->result.n_warnings);
        warnings_free(report->result.refusals, report->result.n_refusals);
        warnings_free(report->result.state, report->result.n_state);
        free(report);
        return NULL;
}

char *worker_result_functions_text(const WorkerResult *result, bool only_targets)
{
        char *text = strdup("");
        for (size_t i = 0; i < result->n_functions && text; i++)
                if (result->functions[i].target || !only_targets)
                        text_replace(&text, "%s%s%s", text, *text ? ", " : "",
                                     PCI_ADDRESS_TEXT(result->functions[i].address));
        return text;
}
