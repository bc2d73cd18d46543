/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/plan-document.h"

#include "base/page.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define DOCUMENT_VERSION 1
#define FUNCTIONS_MAX (1u << 16)
#define PLANS_MAX (1u << 16)
#define STEP_TIMEOUT_MAX (UINT64_C(3600) * 1000000)

/* As sysfs shows it, so that resource_table_parse() reads it again. */
static JsonObject *resources_to_json(const ResourceTable *table)
{
        char text[RESOURCE_LINES * 60] = "";
        size_t size = 0;
        for (unsigned line = 0; line < table->n_lines; line++)
                size += (size_t) snprintf(text + size, sizeof(text) - size,
                                          "0x%016llx 0x%016llx 0x%016llx\n",
                                          (unsigned long long) table->lines[line].start,
                                          (unsigned long long) table->lines[line].end,
                                          (unsigned long long) table->lines[line].flags);
        return json_object_new_string(text);
}

static int ids_to_json(const PlanFunction *function, JsonObject *object)
{
        char ids[32];
        snprintf(ids, sizeof(ids), "%04x:%04x:%04x:%04x", function->vendor, function->device,
                 function->subvendor, function->subdevice);
        return json_add_text(object, "ids", ids);
}

static JsonObject *function_to_json(const PlanFunction *function)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_address(object, "function", function->address) < 0 ||
            json_add_text(object, "path", function->path) < 0 || ids_to_json(function, object) < 0 ||
            json_add_u64(object, "class", function->class) < 0 ||
            json_add_text(object, "driver", function->driver) < 0 ||
            json_add_bool(object, "vfio", function->on_vfio) < 0 ||
            json_add_bool(object, "bridge", function->is_bridge) < 0 ||
            json_add_bool(object, "target", function->is_target) < 0 ||
            json_add(object, "group", json_object_new_int(function->iommu_group)) < 0 ||
            json_add_u64(object, "alignment", function->alignment) < 0 ||
            json_add(object, "resources", resources_to_json(&function->resources)) < 0 ||
            json_add_u64(object, "refused-bars", function->n_refused) < 0 ||
            json_add(object, "own-sizes", own_sizes_to_json(&function->own)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static JsonObject *step_to_json(const Plan *plan, const PlanStep *step)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "step", plan_step_name(step->kind)) < 0)
                return NULL;
        if (plan_step_has_function(step->kind) &&
            json_add_address(object, "function", plan->functions[step->function].address) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int functions_and_steps_to_json(const Plan *plan, JsonObject *object)
{
        JsonObject *functions = json_object_new_array(), *steps = json_object_new_array();
        int r = json_add(object, "functions", functions);
        if (r < 0) {
                json_object_put(steps);
                return r;
        }
        r = json_add(object, "steps", steps);
        for (size_t i = 0; i < plan->n_functions && r == 0; i++)
                r = json_append(functions, function_to_json(&plan->functions[i]));
        for (size_t i = 0; i < plan->n_steps && r == 0; i++)
                r = json_append(steps, step_to_json(plan, &plan->steps[i]));
        return r;
}

JsonObject *plan_to_json(const Plan *plan)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_u64(object, "version", DOCUMENT_VERSION) < 0 ||
            json_add_text(object, "goal", plan_goal_name(plan->goal)) < 0 ||
            json_add_text(object, "scope", plan_scope_name(plan->scope)) < 0 ||
            json_add_u64(object, "rung", plan->rung) < 0 ||
            json_add_text(object, "narrowed", reason_name(plan->narrowed)) < 0 ||
            json_add_address(object, "narrowed-by", plan->narrowed_by) < 0 ||
            json_add_text(object, "narrowed-detail", plan->narrowed_detail) < 0 ||
            json_add_u64(object, "page", plan->page) < 0 ||
            json_add_address(object, "root-bus", plan->root_bus) < 0 ||
            json_add_bool(object, "keep-entry", plan->keep_entry) < 0 ||
            json_add_u64(object, "step-timeout-usec", plan->step_timeout_usec) < 0 ||
            functions_and_steps_to_json(plan, object) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int problem(char **ret_problem, const char *text)
{
        *ret_problem = strdup(text);
        return -EBADMSG;
}

static int ids_from_json(JsonObject *object, PlanFunction *function, char **ret_problem)
{
        const char *ids;
        int r = json_field_text(object, "ids", &ids, ret_problem);
        if (r < 0)
                return r;
        if (strlen(ids) != strlen("10ec:8139:1af4:1100") || ids[strspn(ids, "0123456789abcdef:")] != '\0' ||
            sscanf(ids, "%4hx:%4hx:%4hx:%4hx", &function->vendor, &function->device, &function->subvendor,
                   &function->subdevice) != 4)
                return problem(ret_problem, "\"ids\" is not VVVV:DDDD:VVVV:DDDD");
        return 0;
}

/* A driver's name and a path become parts of file names: they must not lead elsewhere. */
static bool is_driver_name(const char *name)
{
        return name[0] != '\0' && name[0] != '.' && !strpbrk(name, "/\n");
}

/* "0000:00:1c.0/00.0": an address, then "/DD.F" for each step down. */
static bool is_topology_path(const char *path)
{
        char text[PCI_ADDRESS_TEXT_MAX];
        PciAddress address;
        size_t size = strcspn(path, "/");

        if (snprintf(text, sizeof(text), "%.*s", (int) size, path) >= (int) sizeof(text) ||
            pci_address_parse(text, &address) < 0)
                return false;
        for (path += size; *path != '\0'; path += strlen("/00.0")) {
                snprintf(text, sizeof(text), "0000:00:%.4s", path + 1);
                if (*path != '/' || pci_address_parse(text, &address) < 0)
                        return false;
        }
        return true;
}

static int texts_from_json(JsonObject *object, PlanFunction *function, char **ret_problem)
{
        const char *path, *driver, *resources;
        int r = json_field_text(object, "path", &path, ret_problem);
        if (r == 0)
                r = json_field_text_or_null(object, "driver", &driver, ret_problem);
        if (r == 0)
                r = json_field_text(object, "resources", &resources, ret_problem);
        if (r == 0)
                r = resource_table_parse(resources, &function->resources, ret_problem);
        if (r < 0)
                return r;
        if (!is_topology_path(path))
                return problem(ret_problem, "\"path\" is not a path of the form 0000:00:1c.0/00.0");
        if (driver && !is_driver_name(driver))
                return problem(ret_problem, "\"driver\" is not the name of a driver");
        function->path = strdup(path);
        function->driver = driver ? strdup(driver) : NULL;
        return !function->path || (driver && !function->driver) ? -ENOMEM : 0;
}

static int function_from_json(JsonObject *object, uint64_t page, PlanFunction *function, char **ret_problem)
{
        uint64_t class, n_refused;
        int r = json_field_address(object, "function", &function->address, ret_problem);
        if (r == 0)
                r = texts_from_json(object, function, ret_problem);
        if (r == 0)
                r = ids_from_json(object, function, ret_problem);
        if (r == 0)
                r = json_field_u64(object, "class", 0xffffff, &class, ret_problem);
        if (r == 0)
                r = json_field_bool(object, "vfio", &function->on_vfio, ret_problem);
        if (r == 0)
                r = json_field_bool(object, "bridge", &function->is_bridge, ret_problem);
        if (r == 0)
                r = json_field_bool(object, "target", &function->is_target, ret_problem);
        if (r == 0)
                r = json_field_int(object, "group", IOMMU_GROUP_NONE, INT32_MAX, &function->iommu_group,
                                   ret_problem);
        if (r == 0)
                r = json_field_u64(object, "alignment", UINT64_C(1) << 62, &function->alignment,
                                   ret_problem);
        if (r == 0)
                r = json_field_u64(object, "refused-bars", RESOURCE_BARS, &n_refused, ret_problem);
        if (r == 0)
                r = own_sizes_from_json(object, "own-sizes", &function->own, ret_problem);
        if (r < 0)
                return r;
        function->class = (uint32_t) class;
        function->n_refused = (unsigned) n_refused;
        if (function->alignment != 0 &&
            (!page_size_valid(function->alignment) || function->alignment < page))
                return problem(ret_problem, "\"alignment\" is not a power of two of at least a page");
        return 0;
}

static int functions_from_json(JsonObject *document, Plan *plan, char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(document, "functions", FUNCTIONS_MAX, &list, ret_problem);
        if (r < 0)
                return r;
        size_t n = json_object_array_length(list);
        if (n == 0)
                return problem(ret_problem, "\"functions\" is empty");
        plan->functions = calloc(n, sizeof(plan->functions[0]));
        if (!plan->functions)
                return -ENOMEM;
        for (size_t i = 0; i < n && r == 0; i++) {
                _cleanup_free_ char *inner = NULL;
                PlanFunction *function = &plan->functions[plan->n_functions++];
                r = function_from_json(json_object_array_get_idx(list, i), plan->page, function, &inner);
                if (r < 0)
                        *ret_problem = text_format("functions[%zu]: %s", i, inner ? inner : "no memory");
        }
        return r;
}

/* Without a removal there is no radius: every function is one whose driver changes, and that is never a bridge. */
static int check_targets(const Plan *plan, char **ret_problem)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *function = &plan->functions[i];
                if (plan->scope == PLAN_SCOPE_NONE && (!function->is_target || function->is_bridge))
                        return problem(ret_problem, "a function is in a plan that does nothing to it");
        }
        return 0;
}

static bool scope_fits(const Plan *plan)
{
        switch (plan->goal) {
        case PLAN_GOAL_REALIGN:
        case PLAN_GOAL_RESTORE:
        case PLAN_GOAL_PREPARE:
                return plan->scope != PLAN_SCOPE_NONE;
        case PLAN_GOAL_DETACH:
                return plan->scope == PLAN_SCOPE_NONE;
        case PLAN_GOAL_REATTACH:
                return plan->scope !=
                       PLAN_SCOPE_BUS; /* scope function: its BARs get their sizes back on the way */
        case PLAN_GOAL_COUNT_:
                break;
        }
        return false;
}

/* Enumerations are stored by their names. */
static int enums_from_json(JsonObject *document, Plan *plan, char **ret_problem)
{
        const char *goal, *scope, *narrowed, *detail;
        int r = json_field_text(document, "goal", &goal, ret_problem);
        if (r == 0)
                r = json_field_text(document, "scope", &scope, ret_problem);
        if (r == 0)
                r = json_field_text(document, "narrowed", &narrowed, ret_problem);
        if (r == 0)
                r = json_field_text_or_null(document, "narrowed-detail", &detail, ret_problem);
        if (r < 0)
                return r;
        if (plan_goal_parse(goal, &plan->goal) < 0)
                return problem(ret_problem, "\"goal\" is not a goal");
        if (plan_scope_parse(scope, &plan->scope) < 0)
                return problem(ret_problem, "\"scope\" is not a scope");
        if (!scope_fits(plan))
                return problem(ret_problem, "\"scope\" is none that goes with \"goal\"");
        if (reason_parse(narrowed, &plan->narrowed) < 0)
                return problem(ret_problem, "\"narrowed\" is not a reason");
        plan->narrowed_detail = detail ? strdup(detail) : NULL;
        return detail && !plan->narrowed_detail ? -ENOMEM : 0;
}

static int header_from_json(JsonObject *document, Plan *plan, char **ret_problem)
{
        uint64_t version, rung;
        int r = json_field_u64(document, "version", UINT64_MAX, &version, ret_problem);
        if (r < 0)
                return r;
        if (version != DOCUMENT_VERSION) {
                *ret_problem = text_format("version %llu, this program knows version %d",
                                           (unsigned long long) version, DOCUMENT_VERSION);
                return -EBADMSG;
        }
        r = enums_from_json(document, plan, ret_problem);
        if (r == 0)
                r = json_field_u64(document, "rung", UINT8_MAX, &rung, ret_problem);
        if (r == 0)
                r = json_field_address(document, "narrowed-by", &plan->narrowed_by, ret_problem);
        if (r == 0)
                r = json_field_u64(document, "page", UINT64_C(1) << 40, &plan->page, ret_problem);
        if (r == 0)
                r = json_field_address(document, "root-bus", &plan->root_bus, ret_problem);
        if (r == 0)
                r = json_field_bool(document, "keep-entry", &plan->keep_entry, ret_problem);
        if (r == 0)
                r = json_field_u64(document, "step-timeout-usec", STEP_TIMEOUT_MAX, &plan->step_timeout_usec,
                                   ret_problem);
        if (r < 0)
                return r;
        plan->rung = (unsigned) rung;
        return page_size_valid(plan->page) ? 0 : problem(ret_problem, "\"page\" is not a power of two");
}

/* The steps are there for whoever reads the document; what is executed is derived anew, and must be the same. */
static int steps_check(JsonObject *document, Plan *plan, char **ret_problem)
{
        JsonObject *list;
        int r = json_field_array(document, "steps", SIZE_MAX, &list, ret_problem);
        if (r < 0)
                return r;
        r = plan_derive_steps(plan);
        if (r < 0)
                return r;
        bool same = json_object_array_length(list) == plan->n_steps;
        for (size_t i = 0; i < plan->n_steps && same; i++) {
                _cleanup_json_ JsonObject *expected = step_to_json(plan, &plan->steps[i]);
                if (!expected)
                        return -ENOMEM;
                same = json_object_equal(expected, json_object_array_get_idx(list, i));
        }
        return same ? 0 : problem(ret_problem, "\"steps\" are not the steps that follow from the plan");
}

int plan_from_json(JsonObject *document, Plan **ret, char **ret_problem)
{
        _cleanup_(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;
        int r = header_from_json(document, plan, ret_problem);
        if (r == 0)
                r = functions_from_json(document, plan, ret_problem);
        if (r == 0)
                r = check_targets(plan, ret_problem);
        if (r == 0)
                r = steps_check(document, plan, ret_problem);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(plan);
        return 0;
}

static JsonObject *refusal_to_json(const PlanRefusal *refusal)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_address(object, "function", refusal->address) < 0 ||
            json_add_text(object, "reason", reason_name(refusal->reason)) < 0 ||
            json_add_text(object, "text", reason_text(refusal->reason)) < 0 ||
            json_add_text(object, "remedy", reason_remedy(refusal->reason)) < 0 ||
            json_add_address(object, "culprit", refusal->culprit) < 0 ||
            json_add_text(object, "detail", refusal->detail) < 0)
                return NULL;
        return TAKE_PTR(object);
}

JsonObject *plan_refusals_to_json(const PlanSet *set)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        for (size_t i = 0; list && i < set->n_refusals; i++)
                if (json_append(list, refusal_to_json(&set->refusals[i])) < 0)
                        return NULL;
        return TAKE_PTR(list);
}

JsonObject *plan_set_to_json(const PlanSet *set)
{
        _cleanup_json_ JsonObject *object = json_object_new_object(), *plans = json_object_new_array();
        int r = object && plans ? 0 : -ENOMEM;

        for (size_t i = 0; i < set->n_plans && r == 0; i++)
                r = json_append(plans, plan_to_json(set->plans[i]));
        if (r == 0)
                r = json_add(object, "plans", json_object_get(plans));
        if (r == 0)
                r = json_add(object, "refusals", plan_refusals_to_json(set));
        return r < 0 ? NULL : TAKE_PTR(object);
}

static int refusal_from_json(JsonObject *object, PlanRefusal *refusal, char **ret_problem)
{
        const char *reason, *detail;
        int r = json_field_address(object, "function", &refusal->address, ret_problem);
        if (r == 0)
                r = json_field_address(object, "culprit", &refusal->culprit, ret_problem);
        if (r == 0)
                r = json_field_text(object, "reason", &reason, ret_problem);
        if (r == 0)
                r = json_field_text_or_null(object, "detail", &detail, ret_problem);
        if (r < 0)
                return r;
        if (reason_parse(reason, &refusal->reason) < 0)
                return problem(ret_problem, "\"reason\" is not a reason");
        refusal->detail = detail ? strdup(detail) : NULL;
        return detail && !refusal->detail ? -ENOMEM : 0;
}

int plan_set_from_json(JsonObject *document, PlanSet **ret, char **ret_problem)
{
        _cleanup_(plan_set_freep) PlanSet *set = calloc(1, sizeof(*set));
        JsonObject *plans, *refusals;
        if (!set)
                return -ENOMEM;
        int r = json_field_array(document, "plans", PLANS_MAX, &plans, ret_problem);
        if (r == 0)
                r = json_field_array(document, "refusals", PLANS_MAX, &refusals, ret_problem);
        if (r < 0)
                return r;

        size_t n_plans = json_object_array_length(plans), n_refusals = json_object_array_length(refusals);
        set->plans = calloc(n_plans + 1, sizeof(set->plans[0]));
        set->refusals = calloc(n_refusals + 1, sizeof(set->refusals[0]));
        if (!set->plans || !set->refusals)
                return -ENOMEM;
        for (size_t i = 0; i < n_plans && r == 0; i++) {
                r = plan_from_json(json_object_array_get_idx(plans, i), &set->plans[i], ret_problem);
                set->n_plans += r == 0;
        }
        for (size_t i = 0; i < n_refusals && r == 0; i++)
                r = refusal_from_json(json_object_array_get_idx(refusals, i),
                                      &set->refusals[set->n_refusals++], ret_problem);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(set);
        return 0;
}
