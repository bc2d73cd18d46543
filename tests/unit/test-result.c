/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/result.h"
#include "base/text.h"
#include "topology-builder.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define ID "0123456789abcdef0123456789abcdef"

static World world;
static PciFunction *port, *first, *second;
static Plan *plan;
static Result result;
static JsonObject *document;

static void setup(void)
{
        world_init(&world);
        port = world_add_bridge(&world, PORT, NULL, 0xfe800000, 0x100000);
        first = world_add_small(&world, FIRST, port, 0xfe800000);
        world_line(first, 0, 0xc000, 0x100, WORLD_BAR_IO);
        world_line(first, RESOURCE_ROM, 0xfe820000, 0x10000, WORLD_BAR_ROM);
        second = world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        plan = world_only_plan(&world, FIRST);
        result = (Result){ .outcome = OUTCOME_VERIFIED, .usec = 900000, .attempted = true };
}

static void teardown(void)
{
        json_object_put(document);
        document = NULL;
        result_clear(&result);
        plan = plan_free(plan);
}

static void make(const Topology *topology)
{
        json_object_put(document);
        document = result_to_json(&result, ID, plan, topology);
        ck_assert_ptr_nonnull(document);
}

static JsonObject *field(JsonObject *object, const char *name)
{
        JsonObject *value;
        ck_assert_msg(json_object_object_get_ex(object, name, &value), "no \"%s\"", name);
        return value;
}

static void expect(JsonObject *object, const char *name, const char *expected)
{
        ck_assert_str_eq(json_object_to_json_string_ext(field(object, name),
                                                        JSON_C_TO_STRING_PLAIN |
                                                                        JSON_C_TO_STRING_NOSLASHESCAPE),
                         expected);
}

static void expect_none(JsonObject *object, const char *name)
{
        ck_assert(!json_object_object_get_ex(object, name, NULL));
}

static JsonObject *item(const char *list, size_t index)
{
        return json_object_array_get_idx(field(document, list), index);
}

static void expect_length(const char *list, size_t n)
{
        ck_assert_uint_eq(json_object_array_length(field(document, list)), n);
}

START_TEST(test_verified)
{
        world_line(first, 1, 0xfe801000, WORLD_PAGE, WORLD_BAR);
        make(&world.topology);
        expect(document, "transaction", "\"" ID "\"");
        expect(document, "outcome", "\"verified\"");
        expect(document, "reason", "\"none\"");
        expect_none(document, "culprit");
        expect_none(document, "detail");
        expect(document, "scope", "\"bus\"");
        expect(document, "page", "4096");
        expect(document, "attempted", "true");
        expect(document, "usec", "900000");
        expect(document, "kernel-usec", "0");
        expect_length("functions", 3);
        expect(item("functions", 0), "function", "\"" PORT "\"");
        expect(item("functions", 0), "target", "false");
        expect(item("functions", 0), "driver", "\"pcieport\"");
        expect(item("functions", 1), "path", "\"" PORT "/00.0\"");
        expect(item("functions", 1), "present", "true");
        expect(item("functions", 1), "target", "true");
        expect(item("functions", 1), "driver", "\"vfio-pci\"");
        expect(item("functions", 1), "group", "1");
        /* memory BARs and the ROM, no I/O */
        expect(item("functions", 1), "bars",
               "[{\"line\":1,\"own\":256,\"before\":256,\"after\":4096},{\"line\":6,\"own\":65536,\"before\":65536,\"after\":65536}]");
}
END_TEST

/* Where a function is now, on which driver, and what is missing. */
START_TEST(test_what_became_of_functions)
{
        first->address.bus = second->address.bus = 7;
        world_bind(first, "e1000e", false);
        first->resources.lines[RESOURCE_ROM] = (PciResource){ 0 };
        world.topology.n_functions = 2; /* the second one is gone */
        make(&world.topology);
        expect(item("functions", 1), "function", "\"0000:07:00.0\"");
        expect(item("functions", 1), "driver", "\"e1000e\"");
        expect(item("functions", 1), "driver-before", "\"vfio-pci\"");
        expect(item("functions", 1), "bars",
               "[{\"line\":1,\"own\":256,\"before\":256,\"after\":256},{\"line\":6,\"own\":65536,\"before\":65536,\"after\":0}]");
        expect(item("functions", 2), "function", "\"0000:01:00.1\"");
        expect(item("functions", 2), "present", "false");
        expect(item("functions", 2), "driver", "null");
        expect(item("functions", 2), "group", "-1");
        expect(item("functions", 2), "bars", "[{\"line\":1,\"own\":256,\"before\":256,\"after\":0}]");
}
END_TEST

START_TEST(test_without_snapshot)
{
        make(NULL);
        expect_length("functions", 3);
        expect(item("functions", 1), "present", "false");
        expect(item("functions", 1), "function", "\"" FIRST "\"");
}
END_TEST

START_TEST(test_every_outcome)
{
        static const char *const names[] = { "verified", "rolled-back", "stale", "failed" };
        for (Outcome outcome = OUTCOME_VERIFIED; outcome <= OUTCOME_FAILED; outcome++) {
                Outcome parsed;
                _cleanup_free_ char *quoted = text_format("\"%s\"", names[outcome]);
                result.outcome = outcome;
                make(&world.topology);
                expect(document, "outcome", quoted);
                ck_assert_int_eq(outcome_parse(names[outcome], &parsed), 0);
                ck_assert_int_eq(parsed, outcome);
        }
        Outcome untouched = OUTCOME_FAILED;
        ck_assert_int_eq(outcome_parse("Verified", &untouched), -EINVAL);
        ck_assert_int_eq(untouched, OUTCOME_FAILED);
        ck_assert_int_eq(outcome_exit_status(OUTCOME_VERIFIED), 0);
        ck_assert_int_eq(outcome_exit_status(OUTCOME_ROLLED_BACK), 3);
        ck_assert_int_eq(outcome_exit_status(OUTCOME_FAILED), 4);
        ck_assert_int_eq(outcome_exit_status(OUTCOME_STALE), 5);
}
END_TEST

/* Every reason comes with its words, and its remedy. */
START_TEST(test_every_reason)
{
        for (Reason reason = REASON_NONE + 1; reason < REASON_COUNT_; reason++) {
                finding_make(&result.finding, reason, second->address, "%s", "a \"detail\"");
                make(&world.topology);
                ck_assert_str_eq(json_object_get_string(field(document, "reason")), reason_name(reason));
                ck_assert_str_eq(json_object_get_string(field(document, "text")), reason_text(reason));
                ck_assert_str_eq(json_object_get_string(field(document, "remedy")), reason_remedy(reason));
                ck_assert_str_eq(json_object_get_string(field(document, "culprit")), "0000:01:00.1");
                ck_assert_str_eq(json_object_get_string(field(document, "detail")), "a \"detail\"");
        }
}
END_TEST

START_TEST(test_warnings)
{
        Finding warning;
        for (unsigned i = 0; i < 20; i++) {
                finding_make(&warning, REASON_GROUP_CHANGED, first->address, "warning %u", i);
                ck_assert_int_eq(result_add_warning(&result, &warning), 0);
        }
        make(&world.topology);
        expect_length("warnings", 20);
        expect(item("warnings", 19), "reason", "\"group-changed\"");
        expect(item("warnings", 19), "function", "\"" FIRST "\"");
        expect(item("warnings", 19), "detail", "\"warning 19\"");
        expect_length("state", 0);
}
END_TEST

START_TEST(test_state)
{
        Finding finding;
        finding_make(&finding, REASON_WRONG_DRIVER, first->address, "on no driver");
        ck_assert_int_eq(result_add_state(&result, &finding), 0);
        make(&world.topology);
        expect_length("state", 1);
        expect(item("state", 0), "reason", "\"wrong-driver\"");
        expect(item("state", 0), "function", "\"" FIRST "\"");
        expect(item("state", 0), "detail", "\"on no driver\"");
        expect_length("warnings", 0);
}
END_TEST

/* The kernel's share is the sum of that of the steps. */
START_TEST(test_steps)
{
        ResultStep steps[] = {
                { .name = "entries", .usec = 300, .kernel_usec = 100 },
                { .name = "unbind",
                  .function = first->address,
                  .has_function = true,
                  .usec = 7000,
                  .kernel_usec = 6900 },
        };
        for (unsigned i = 0; i < 10; i++)
                ck_assert_int_eq(result_add_step(&result, &steps[i % 2]), 0);
        make(&world.topology);
        expect_length("steps", 10);
        expect(document, "kernel-usec", "35000");
        expect_none(item("steps", 0), "function");
        expect(item("steps", 1), "step", "\"unbind\"");
        expect(item("steps", 1), "function", "\"" FIRST "\"");
        expect(item("steps", 1), "usec", "7000");
        expect(item("steps", 1), "kernel-usec", "6900");
}
END_TEST

START_TEST(test_long_detail)
{
        char text[2 * FINDING_DETAIL_MAX];
        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        ck_assert_int_eq(finding_make(&result.finding, REASON_STEP_FAILED, first->address, "%s", text),
                         FINDING_MADE);
        make(&world.topology);
        ck_assert_uint_eq(strlen(json_object_get_string(field(document, "detail"))), FINDING_DETAIL_MAX - 1);
}
END_TEST

/* Details quote what is found in files: whatever that is, the document can be read again. */
START_TEST(test_odd_bytes)
{
        _cleanup_free_ char *problem = NULL;
        _cleanup_json_ JsonObject *again = NULL;
        finding_make(&result.finding, REASON_ENTRY_REJECTED, first->address, "%s",
                     "reads back as \"\xff\x01\xc3\n\"");
        make(&world.topology);
        ck_assert_int_eq(json_document_parse(json_object_to_json_string(document), &again, &problem), 0);
        ck_assert_str_eq(json_object_get_string(field(again, "detail")), "reads back as \"????\"");
}
END_TEST

START_TEST(test_write)
{
        const char *folder = suite_folder();
        Root *root;
        _cleanup_free_ char *text = NULL;

        make(&world.topology);
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_lt(result_write(root, ID, document), 0); /* no run directory */
        suite_write(folder, RUN_DIRECTORY "/lock", "");
        ck_assert_int_eq(result_write(root, ID, document), 0);
        ck_assert_int_eq(root_read_file(root, RESULTS_DIRECTORY "/" ID ".json", &text, NULL), 0);
        _cleanup_json_ JsonObject *again = json_tokener_parse(text);
        ck_assert(json_object_equal(again, document));
        root_free(root);
        suite_folder_remove(folder);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("result");
        TCase *cases = tcase_create("result");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_verified);
        tcase_add_test(cases, test_what_became_of_functions);
        tcase_add_test(cases, test_without_snapshot);
        tcase_add_test(cases, test_every_outcome);
        tcase_add_test(cases, test_every_reason);
        tcase_add_test(cases, test_warnings);
        tcase_add_test(cases, test_state);
        tcase_add_test(cases, test_steps);
        tcase_add_test(cases, test_long_detail);
        tcase_add_test(cases, test_odd_bytes);
        tcase_add_test(cases, test_write);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
