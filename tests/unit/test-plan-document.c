/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "judge/plan-document.h"
#include "topology-builder.h"

#include <errno.h>

#define PORT "0000:00:1c.0"
#define WINDOW_START UINT64_C(0xfe800000)

static World world;
static PlanSet *set;
static JsonObject *document; /* of the one plan in SET */

/* A port with two targets, one of them with a larger alignment, and an unbound function; what is refused is elsewhere. */
static void setup(void)
{
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        PciFunction *first = world_add_small(&world, "0000:01:00.0", port, WINDOW_START);
        PciFunction *second = world_add_small(&world, "0000:01:00.1", port, WINDOW_START + 0x100);
        world_add(&world, "0000:01:00.2", port)->iommu_group = IOMMU_GROUP_NONE;
        PciFunction *busy = world_add_small(&world, "0001:00:08.0", NULL, WINDOW_START + 0x200);
        world_hold(&world, busy, HOLDER_GROUP);
        world_settings(&world, second)->alignment = 0x10000;
        world_settings(&world, first)->keep_entry = false;
        world_line(first, 2, UINT64_C(0x4000000000), 0x4000, WORLD_BAR_64);
        const PciAddress asked[] = { first->address, busy->address, world_address("0000:77:00.0") };
        set = world_plan_for(&world, asked, ELEMENTSOF(asked));
        ck_assert_uint_eq(set->n_plans, 1);
        ck_assert_uint_eq(set->n_refusals, 2);
        set->plans[0]->narrowed_detail = strdup("on the host driver nvme");
        document = plan_to_json(set->plans[0]);
        ck_assert_ptr_nonnull(document);
}

static void teardown(void)
{
        json_object_put(document);
        set = plan_set_free(set);
}

static JsonObject *copy_document(void)
{
        JsonObject *copy = NULL;
        ck_assert_int_eq(json_object_deep_copy(document, &copy, NULL), 0);
        return copy;
}

static JsonObject *value_of(const char *json)
{
        JsonObject *value;
        _cleanup_free_ char *problem = NULL;
        if (strcmp(json, "null") == 0)
                return NULL;
        ck_assert_msg(json_document_parse(json, &value, &problem) == 0, "%s: %s", json, problem);
        return value;
}

static JsonObject *field(JsonObject *object, const char *name)
{
        JsonObject *value;
        ck_assert_msg(json_object_object_get_ex(object, name, &value), "no %s", name);
        return value;
}

static JsonObject *function_at(JsonObject *plan, size_t index)
{
        return json_object_array_get_idx(field(plan, "functions"), index);
}

/* FORGED is refused, with words that contain ABOUT. */
static void expect_refused(JsonObject *forged, const char *about)
{
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *problem = NULL;
        int r = plan_from_json(forged, &plan, &problem);
        ck_assert_msg(r == -EBADMSG, "answer %d to what is wrong about \"%s\"", r, about);
        ck_assert_ptr_null(plan);
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(strstr(problem, about), "\"%s\" does not say \"%s\"", problem, about);
}

static void expect_plan_equal(const Plan *a, const Plan *b)
{
        ck_assert_int_eq(a->scope, b->scope);
        ck_assert_uint_eq(a->rung, b->rung);
        ck_assert_int_eq(a->narrowed, b->narrowed);
        ck_assert(pci_address_equal(a->narrowed_by, b->narrowed_by));
        ck_assert(text_equal(a->narrowed_detail, b->narrowed_detail));
        ck_assert(text_equal(a->narrowed_detail, b->narrowed_detail));
        ck_assert_uint_eq(a->page, b->page);
        ck_assert(pci_address_equal(a->root_bus, b->root_bus));
        ck_assert_int_eq(a->keep_entry, b->keep_entry);
        ck_assert_uint_eq(a->step_timeout_usec, b->step_timeout_usec);
        ck_assert_uint_eq(a->n_functions, b->n_functions);
        ck_assert_uint_eq(a->n_steps, b->n_steps);
        for (size_t i = 0; i < a->n_steps; i++) {
                ck_assert_int_eq(a->steps[i].kind, b->steps[i].kind);
                ck_assert_uint_eq(a->steps[i].function, b->steps[i].function);
        }
}

static void expect_function_equal(const PlanFunction *a, const PlanFunction *b)
{
        ck_assert(pci_address_equal(a->address, b->address));
        ck_assert_str_eq(a->path, b->path);
        ck_assert_uint_eq(a->class, b->class);
        ck_assert_uint_eq(a->vendor, b->vendor);
        ck_assert_uint_eq(a->device, b->device);
        ck_assert_uint_eq(a->subvendor, b->subvendor);
        ck_assert_uint_eq(a->subdevice, b->subdevice);
        ck_assert(text_equal(a->driver, b->driver));
        ck_assert_int_eq(a->on_vfio, b->on_vfio);
        ck_assert_int_eq(a->is_bridge, b->is_bridge);
        ck_assert_int_eq(a->is_target, b->is_target);
        ck_assert_int_eq(a->iommu_group, b->iommu_group);
        ck_assert_uint_eq(a->alignment, b->alignment);
        ck_assert_uint_eq(a->resources.n_lines, b->resources.n_lines);
        ck_assert_mem_eq(a->resources.lines, b->resources.lines, sizeof(a->resources.lines));
}

START_TEST(test_round_trip)
{
        _cleanup_json_ JsonObject *whole = plan_set_to_json(set), *parsed = NULL;
        _cleanup_(plan_set_freep) PlanSet *again = NULL;
        _cleanup_free_ char *problem = NULL;

        ck_assert_int_eq(json_document_parse(json_object_to_json_string(whole), &parsed, &problem), 0);
        ck_assert_int_eq(plan_set_from_json(parsed, &again, &problem), 0);
        ck_assert_uint_eq(again->n_plans, 1);
        expect_plan_equal(set->plans[0], again->plans[0]);
        for (size_t i = 0; i < again->plans[0]->n_functions; i++)
                expect_function_equal(&set->plans[0]->functions[i], &again->plans[0]->functions[i]);
        ck_assert_uint_eq(again->n_refusals, 2);
        for (size_t i = 0; i < again->n_refusals; i++) {
                ck_assert(pci_address_equal(set->refusals[i].address, again->refusals[i].address));
                ck_assert(pci_address_equal(set->refusals[i].culprit, again->refusals[i].culprit));
                ck_assert_int_eq(set->refusals[i].reason, again->refusals[i].reason);
                ck_assert(text_equal(set->refusals[i].detail, again->refusals[i].detail));
        }
        ck_assert_str_eq(again->refusals[0].detail, "open in qemu (pid 812)");
}
END_TEST

START_TEST(test_truncated)
{
        _cleanup_json_ JsonObject *whole = plan_set_to_json(set);
        const char *text = json_object_to_json_string(whole);

        for (size_t size = 0; size < strlen(text); size++) {
                _cleanup_free_ char *part = strndup(text, size), *problem = NULL;
                _cleanup_json_ JsonObject *parsed = NULL;
                ck_assert_int_eq(json_document_parse(part, &parsed, &problem), -EBADMSG);
                ck_assert_ptr_nonnull(problem);
        }
        _cleanup_free_ char *longer = text_format("%s}", text), *problem = NULL;
        _cleanup_json_ JsonObject *parsed = NULL;
        ck_assert_int_eq(json_document_parse(longer, &parsed, &problem), -EBADMSG);
}
END_TEST

/* One value of each type. */
static const char *const values[] = { "null", "true", "12", "1.5", "\"x\"", "[]", "{}" };

/* Every field of OBJECT (of COPY): gone, and with a value of each other type. */
static void forge_types(JsonObject *copy, JsonObject *object)
{
        char *names[32];
        size_t n_names = 0;

        json_object_object_foreach (object, key, value) {
                (void) value;
                names[n_names++] = strdup(key);
        }
        for (size_t i = 0; i < n_names; i++) {
                _cleanup_free_ char *name = names[i];
                _cleanup_json_ JsonObject *honest = json_object_get(field(object, name));
                json_object_object_del(object, name);
                bool may_be_null = strcmp(name, "driver") == 0 || strcmp(name, "narrowed-detail") == 0;
                if (!may_be_null)
                        expect_refused(copy, name);
                for (size_t j = 0; j < ELEMENTSOF(values); j++) {
                        JsonObject *other = value_of(values[j]);
                        if (json_object_get_type(other) == json_object_get_type(honest) ||
                            (may_be_null && (!other || json_object_is_type(other, json_type_string)))) {
                                json_object_put(other);
                                continue;
                        }
                        json_object_object_add(object, name, other);
                        expect_refused(copy, name);
                }
                json_object_object_add(object, name, json_object_get(honest));
        }
}

START_TEST(test_types)
{
        _cleanup_json_ JsonObject *copy = copy_document();
        _cleanup_(plan_freep) Plan *plan = NULL;
        _cleanup_free_ char *problem = NULL;
        forge_types(copy, copy);
        for (size_t i = 0; i < set->plans[0]->n_functions; i++)
                forge_types(copy, function_at(copy, i));
        /* and afterwards it is as before */
        ck_assert_int_eq(plan_from_json(copy, &plan, &problem), 0);
}
END_TEST

typedef struct Forgery {
        const char *name, *value;
        const char *about; /* NULL: NAME */
} Forgery;

static void expect_forgery_refused(JsonObject *copy, JsonObject *object, const Forgery *forgery)
{
        json_object_object_add(object, forgery->name, value_of(forgery->value));
        expect_refused(copy, forgery->about ? forgery->about : forgery->name);
}

START_TEST(test_header)
{
        static const Forgery forgeries[] = {
                { "version", "2", NULL },
                { "version", "0", NULL },
                { "version", "-1", NULL },
                { "scope", "\"Bus\"", NULL },
                { "scope", "\"\"", NULL },
                { "scope", "\"function\"", "steps" },
                { "rung", "-1", NULL },
                { "rung", "256", NULL },
                { "narrowed", "\"whatever\"", NULL },
                { "narrowed-by", "\"00:1c.0\"", NULL },
                { "page", "0", NULL },
                { "page", "-4096", NULL },
                { "page", "4095", NULL },
                { "page", "12288", NULL },
                { "page", "9223372036854775808", NULL },
                { "page", "99999999999999999999999", NULL },
                { "root-bus", "\"0000:00\"", NULL },
                { "root-bus", "\"../../..\"", NULL },
                { "keep-entry", "true", "steps" },
                { "step-timeout-usec", "-1", NULL },
                { "step-timeout-usec", "18446744073709551615", NULL },
                { "functions", "[]", NULL },
                { "functions", "[null]", NULL },
                { "functions", "[[]]", NULL },
                { "functions", "[{}]", NULL },
                { "steps", "[]", NULL },
                { "steps", "[null]", NULL },
        };
        for (size_t i = 0; i < ELEMENTSOF(forgeries); i++) {
                _cleanup_json_ JsonObject *copy = copy_document();
                expect_forgery_refused(copy, copy, &forgeries[i]);
        }
}
END_TEST

START_TEST(test_function)
{
        static const Forgery forgeries[] = {
                { "function", "\"0000:01:00.8\"", NULL },
                { "function", "\"0000:01:20.0\"", NULL },
                { "function", "\"01:00.0\"", NULL },
                { "function", "\"0000:01:00.0\\u0000\"", NULL },
                { "path", "\"\"", NULL },
                { "path", "\"0000:00:1c.0/../../kernel\"", NULL },
                { "path", "\"0000:00:1c.0/00.0;pci:0:0\"", NULL },
                { "path", "\"0000:00:1c.0/00.0\\n\"", NULL },
                { "path", "\"/\"", NULL },
                { "path", "\"0000:00:1c.0/\"", NULL },
                { "path", "\"0000:00:1c.0//00.0\"", NULL },
                { "path", "\"0000:00:1c.0/00.8\"", NULL },
                { "path", "\"0000:00:1c.0/0.0\"", NULL },
                { "path", "\"0000:00:1c.0/20.0\"", NULL },
                { "path", "\"00:1c.0/00.0\"", NULL },
                { "path", "\"0000:00:1c.0x00.0\"", NULL },
                { "path", "\"0000:00:1c.0/00.0x00.0\"", NULL },
                { "ids", "\"10ec:8139:1af4\"", NULL },
                { "ids", "\"10ec:8139:1af4:1100:\"", NULL },
                { "ids", "\"10ec:8139:1af4:11000\"", NULL },
                { "ids", "\"10ec:8139:1af4:wxyz\"", NULL },
                { "ids", "\" 10ec:8139:1af4:110\"", NULL },
                { "ids", "\"-0ec:8139:1af4:1100\"", NULL },
                { "ids", "\"0x1c:8139:1af4:1100\"", NULL },
                { "class", "16777216", NULL },
                { "class", "-1", NULL },
                { "driver", "\"\"", NULL },
                { "driver", "\"..\"", NULL },
                { "driver", "\"../../evil\"", NULL },
                { "driver", "\"a\\nb\"", NULL },
                { "driver", "\"a\\u0000b\"", NULL },
                { "driver", "null", "steps" },
                { "bridge", "true", "steps" },
                { "group", "-2", NULL },
                { "group", "2147483648", NULL },
                { "alignment", "1", NULL },
                { "alignment", "2048", NULL },
                { "alignment", "4097", NULL },
                { "alignment", "9223372036854775807", NULL },
                { "resources", "\"\"", "line" },
                { "resources", "\"0x0 0x0 0x0\\n\"", "line" },
                { "resources", "\"garbage\\n\"", "line" },
                { "own-sizes", "7", "own-sizes" },
                { "own-sizes", "[1,2,3,4,5,6,7,8]", "own-sizes" },
                { "own-sizes", "[\"256\"]", "own-sizes" },
        };
        for (size_t i = 0; i < ELEMENTSOF(forgeries); i++) {
                _cleanup_json_ JsonObject *copy = copy_document();
                expect_forgery_refused(copy, function_at(copy, 1), &forgeries[i]);
        }
}
END_TEST

/* The problem says which of the functions it is. */
START_TEST(test_which_function)
{
        _cleanup_json_ JsonObject *copy = copy_document();
        json_object_object_del(function_at(copy, 2), "ids");
        expect_refused(copy, "functions[2]: \"ids\"");
}
END_TEST

/* Each step taken away, doubled, exchanged with the next one, renamed, about another function, or with more in it. */
START_TEST(test_steps)
{
        size_t n = json_object_array_length(field(document, "steps"));
        ck_assert_uint_gt(n, 8);
        for (size_t i = 0; i < n; i++) {
                _cleanup_json_ JsonObject *less = copy_document(), *more = copy_document(),
                                          *order = copy_document(), *name = copy_document(),
                                          *about = copy_document(), *extra = copy_document();
                JsonObject *steps = field(less, "steps");
                json_object_array_del_idx(steps, i, 1);
                expect_refused(less, "steps");

                steps = field(more, "steps");
                json_object_array_add(steps, json_object_get(json_object_array_get_idx(steps, i)));
                expect_refused(more, "steps");

                steps = field(order, "steps");
                if (i + 1 < n) {
                        JsonObject *here = json_object_get(json_object_array_get_idx(steps, i));
                        JsonObject *there = json_object_get(json_object_array_get_idx(steps, i + 1));
                        json_object_array_put_idx(steps, i, there);
                        json_object_array_put_idx(steps, i + 1, here);
                        expect_refused(order, "steps");
                }
                json_object_object_add(json_object_array_get_idx(field(name, "steps"), i), "step",
                                       json_object_new_string("reboot"));
                expect_refused(name, "steps");
                json_object_object_add(json_object_array_get_idx(field(about, "steps"), i), "function",
                                       json_object_new_string("0000:77:00.0"));
                expect_refused(about, "steps");
                json_object_object_add(json_object_array_get_idx(field(extra, "steps"), i), "more", NULL);
                expect_refused(extra, "steps");
        }
}
END_TEST

START_TEST(test_no_plan_at_all)
{
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_json_ JsonObject *value = value_of(values[i]);
                _cleanup_(plan_set_freep) PlanSet *none = NULL;
                _cleanup_free_ char *problem = NULL;
                expect_refused(value, "version");
                ck_assert_int_eq(plan_set_from_json(value, &none, &problem), -EBADMSG);
                ck_assert_ptr_nonnull(problem);
        }
}
END_TEST

START_TEST(test_set)
{
        static const Forgery forgeries[] = {
                { "function", "\"x\"", NULL }, { "culprit", "null", NULL }, { "culprit", "12", NULL },
                { "reason", "\"x\"", NULL },   { "reason", "null", NULL },  { "detail", "12", NULL },
        };
        for (size_t i = 0; i < ELEMENTSOF(forgeries); i++) {
                _cleanup_json_ JsonObject *whole = plan_set_to_json(set);
                _cleanup_(plan_set_freep) PlanSet *none = NULL;
                _cleanup_free_ char *problem = NULL;
                JsonObject *refusal = json_object_array_get_idx(field(whole, "refusals"), 1);
                json_object_object_add(refusal, forgeries[i].name, value_of(forgeries[i].value));
                ck_assert_int_eq(plan_set_from_json(whole, &none, &problem), -EBADMSG);
                ck_assert_ptr_nonnull(strstr(problem, forgeries[i].name));
        }
        _cleanup_json_ JsonObject *whole = plan_set_to_json(set);
        _cleanup_(plan_set_freep) PlanSet *none = NULL;
        _cleanup_free_ char *problem = NULL;
        json_object_array_add(field(whole, "plans"), NULL);
        ck_assert_int_eq(plan_set_from_json(whole, &none, &problem), -EBADMSG);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan-document");
        TCase *cases = tcase_create("documents");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_round_trip);
        tcase_add_test(cases, test_truncated);
        tcase_add_test(cases, test_types);
        tcase_add_test(cases, test_header);
        tcase_add_test(cases, test_function);
        tcase_add_test(cases, test_which_function);
        tcase_add_test(cases, test_steps);
        tcase_add_test(cases, test_no_plan_at_all);
        tcase_add_test(cases, test_set);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
