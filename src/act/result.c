/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/result.h"

#include "base/text.h"

#include <errno.h>

static int add_finding(Finding **list, size_t *n, const Finding *finding)
{
        Finding *more = reallocarray(*list, *n + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        *list = more;
        more[(*n)++] = *finding;
        return 0;
}

int result_add_warning(Result *result, const Finding *warning)
{
        return add_finding(&result->warnings, &result->n_warnings, warning);
}

int result_add_state(Result *result, const Finding *finding)
{
        return add_finding(&result->state, &result->n_state, finding);
}

int result_add_step(Result *result, const ResultStep *step)
{
        ResultStep *more = reallocarray(result->steps, result->n_steps + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        result->steps = more;
        result->steps[result->n_steps++] = *step;
        return 0;
}

void result_clear(Result *result)
{
        free(result->warnings);
        free(result->state);
        free(result->steps);
        text_list_free(result->kernel);
        *result = (Result){ 0 };
}

static JsonObject *bar_to_json(const PlanFunction *planned, unsigned line, const PciResource *now)
{
        const PciResource *before = &planned->resources.lines[line];
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_u64(object, "line", line) < 0 ||
            json_add_u64(object, "own", planned->own.lines[line]) < 0 ||
            json_add_u64(object, "before", resource_size(before)) < 0 ||
            json_add_u64(object, "after", now ? resource_size(now) : 0) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *bars_to_json(const PlanFunction *planned, const PciFunction *now)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (unsigned line = 0; list && line <= RESOURCE_ROM; line++) {
                const PciResource *before = &planned->resources.lines[line];
                if (resource_is_assigned_memory(before) &&
                    json_append(list, bar_to_json(planned, line, now ? &now->resources.lines[line] : NULL)) <
                                    0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

static JsonObject *function_to_json(const PlanFunction *planned, const Topology *topology)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        const PciFunction *now = topology ? topology_find_path(topology, planned->path) : NULL;

        if (!object || json_add_address(object, "function", now ? now->address : planned->address) < 0 ||
            json_add_text(object, "path", planned->path) < 0 ||
            json_add_u64(object, "vendor", planned->vendor) < 0 ||
            json_add_u64(object, "device", planned->device) < 0 ||
            json_add_bool(object, "present", now != NULL) < 0 ||
            json_add_text(object, "driver", now ? now->driver : NULL) < 0 ||
            json_add_text(object, "driver-before", planned->driver) < 0 ||
            json_add_bool(object, "target", planned->is_target) < 0 ||
            json_add(object, "group", json_object_new_int(now ? now->iommu_group : IOMMU_GROUP_NONE)) < 0 ||
            json_add(object, "bars", bars_to_json(planned, now)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int finding_add(JsonObject *object, const char *function_name, const Finding *finding)
{
        int r = json_add_text(object, "reason", reason_name(finding->reason));
        if (r == 0)
                r = json_add_text(object, "text", reason_text(finding->reason));
        if (r == 0)
                r = json_add_text(object, "remedy", reason_remedy(finding->reason));
        if (r == 0 && finding->reason != REASON_NONE)
                r = json_add_address(object, function_name, finding->culprit);
        if (r == 0 && finding->detail[0] != '\0')
                r = json_add_text(object, "detail", finding->detail);
        return r;
}

static JsonObject *finding_to_json(const Finding *finding)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || finding_add(object, "function", finding) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *findings_to_json(const Finding *findings, size_t n)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (size_t i = 0; i < n && list; i++)
                if (json_append(list, finding_to_json(&findings[i])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static JsonObject *step_to_json(const ResultStep *step)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "step", step->name) < 0 ||
            (step->has_function && json_add_address(object, "function", step->function) < 0) ||
            json_add_u64(object, "usec", step->usec) < 0 ||
            json_add_u64(object, "kernel-usec", step->kernel_usec) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *lines_to_json(char *const *lines)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (; list && *lines; lines++)
                if (json_append(list, json_object_new_string(*lines)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

static int lists_add(JsonObject *object, const Result *result, const Plan *plan, const Topology *topology)
{
        _cleanup_json_ JsonObject *functions = json_object_new_array(), *steps = json_object_new_array();
        int r = functions && steps ? 0 : -ENOMEM;

        for (size_t i = 0; i < plan->n_functions && r == 0; i++)
                r = json_append(functions, function_to_json(&plan->functions[i], topology));
        for (size_t i = 0; i < result->n_steps && r == 0; i++)
                r = json_append(steps, step_to_json(&result->steps[i]));
        if (r == 0)
                r = json_add(object, "functions", json_object_get(functions));
        if (r == 0)
                r = json_add(object, "warnings", findings_to_json(result->warnings, result->n_warnings));
        if (r == 0)
                r = json_add(object, "state", findings_to_json(result->state, result->n_state));
        return r == 0 ? json_add(object, "steps", json_object_get(steps)) : r;
}

JsonObject *result_to_json(const Result *result, const char *id, const Plan *plan, const Topology *topology)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        uint64_t kernel_usec = 0;

        for (size_t i = 0; i < result->n_steps; i++)
                kernel_usec += result->steps[i].kernel_usec;
        if (!object || json_add_text(object, "transaction", id) < 0 ||
            json_add_text(object, "goal", plan_goal_name(plan->goal)) < 0 ||
            json_add_text(object, "outcome", outcome_name(result->outcome)) < 0 ||
            finding_add(object, "culprit", &result->finding) < 0 ||
            json_add_text(object, "scope", plan_scope_name(plan->scope)) < 0 ||
            json_add_u64(object, "rung", plan->rung) < 0 || json_add_u64(object, "page", plan->page) < 0 ||
            json_add_bool(object, "attempted", result->attempted) < 0 ||
            json_add_u64(object, "usec", result->usec) < 0 ||
            json_add_u64(object, "kernel-usec", kernel_usec) < 0 ||
            (result->kernel && json_add(object, "kernel", lines_to_json(result->kernel)) < 0) ||
            lists_add(object, result, plan, topology) < 0)
                return NULL;
        return TAKE_PTR(object);
}

int result_write(const Root *root, const char *id, JsonObject *document)
{
        _cleanup_free_ char *path = text_format(RESULTS_DIRECTORY "/%s.json", id);
        if (!path)
                return -ENOMEM;
        int r = root_make_directory(root, RESULTS_DIRECTORY, 0755);
        return r < 0 ? r : root_replace_file(root, path, json_object_to_json_string(document), 0644);
}
