/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/entries.h"
#include "act/outcome.h"
#include "base/json-document.h"
#include "base/text.h"
#include "model/alignment-param.h"
#include "reason-given.h"
#include "topology-builder.h"

#define OURS_PATH RUN_DIRECTORY "/entries.json"
#define ENTRIES "0000:00:1c.0/00.0;16@0000:00:1c.0/00.1"

static const char *folder;
static Root *root;
static World world;
static Plan *plan;
static Finding finding;

/* How the kernel takes the next writes. */
static enum { KERNEL_TAKES, KERNEL_CUTS, KERNEL_REFUSES } kernel;

int __real_root_write_attribute(const Root *at, const char *path, const char *value);
int __wrap_root_write_attribute(const Root *at, const char *path, const char *value);

/* Each write replaces the whole text (KF §1); what is written to a file of a made-up tree only covers its beginning. */
int __wrap_root_write_attribute(const Root *at, const char *path, const char *value)
{
        char full[512];
        _cleanup_free_ char *cut = strdup(value);

        ck_assert_str_eq(path, ALIGNMENT_PARAM_PATH);
        if (kernel == KERNEL_REFUSES)
                return -EINVAL;
        if (kernel == KERNEL_CUTS)
                cut[strlen(cut) / 2] = '\0';
        snprintf(full, sizeof(full), "%s/%s", folder, path);
        ck_assert_int_eq(truncate(full, 0), 0);
        return __real_root_write_attribute(at, path, cut);
}

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, ALIGNMENT_PARAM_PATH, ""); /* never set */
        suite_write(folder, RUN_DIRECTORY "/lock", "");
        ck_assert_int_eq(root_open(folder, &root), 0);

        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, 0xfe800000, 0x100000);
        world_add_small(&world, "0000:01:00.0", port, 0xfe800000);
        PciFunction *second = world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        world_add(&world, "0000:01:00.2", port);
        world_settings(&world, second)->alignment = 0x10000;
        plan = world_only_plan(&world, "0000:01:00.0");
        finding = (Finding){ 0 };
        kernel = KERNEL_TAKES;
}

static void teardown(void)
{
        plan = plan_free(plan);
        root = root_free(root);
        suite_folder_remove(folder);
}

/* What the administrator or an earlier transaction of ours has put there. */
static void set(const char *text)
{
        _cleanup_free_ char *line = text_format("%s\n", text);
        suite_write(folder, ALIGNMENT_PARAM_PATH, line);
}

static void expect_text(const char *expected)
{
        _cleanup_free_ char *text = NULL;
        ck_assert_int_eq(root_read_attribute(root, ALIGNMENT_PARAM_PATH, &text), 0);
        ck_assert_str_eq(text, expected);
}

/* The list of our entries, as it is kept. */
static void expect_ours(const char *expected)
{
        _cleanup_free_ char *text = NULL;
        ck_assert_int_eq(root_read_file(root, OURS_PATH, &text, NULL), 0);
        _cleanup_json_ JsonObject *found = json_tokener_parse(text), *wanted = json_tokener_parse(expected);
        ck_assert_ptr_nonnull(wanted);
        ck_assert_msg(json_object_equal(found, wanted), "%s", text);
}

static void install(size_t n_dropped)
{
        size_t n = 99;
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), FINDING_NONE);
        ck_assert_uint_eq(n, n_dropped);
}

static void uninstall_which(EntriesWhich which)
{
        ck_assert_int_eq(entries_remove(root, plan, which, &finding), FINDING_NONE);
}

static void uninstall(void)
{
        uninstall_which(ENTRIES_ALL);
}

/* SIZE bytes of entries that somebody else has put there. */
static char *foreign_text(size_t size)
{
        static const char unit[] = "pci:8086:1533;";
        char *text = calloc(size + 1, 1);
        for (size_t i = 0; i < size; i++)
                text[i] = unit[i % (sizeof(unit) - 1)];
        return text;
}

START_TEST(test_never_set)
{
        install(0);
        expect_text(ENTRIES);
        expect_ours("[\"0000:00:1c.0/00.0\", \"16@0000:00:1c.0/00.1\"]");
        uninstall();
        expect_text("");
        expect_ours("[]");
        uninstall(); /* and once more */
        expect_text("");
}
END_TEST

/* What gets its own size back loses its entry and no other does; should that fail it gets it again. */
START_TEST(test_given_back)
{
        size_t n = 99;
        PlanFunction *first = &plan->functions[1];
        set("pci:8086:1533");
        install(0);
        plan->goal = PLAN_GOAL_RESTORE;
        plan->functions[2].is_target = false;
        first->resources.lines[1].end = first->resources.lines[1].start + WORLD_PAGE - 1; /* grown */
        ck_assert(plan_gives_back(plan, first));

        install(0);
        uninstall_which(ENTRIES_GIVEN_BACK);
        expect_text("16@0000:00:1c.0/00.1;pci:8086:1533");
        expect_ours("[\"16@0000:00:1c.0/00.1\"]");
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_GIVEN_BACK, &n, &finding), FINDING_NONE);
        expect_text("0000:00:1c.0/00.0;16@0000:00:1c.0/00.1;pci:8086:1533");
        uninstall_which(ENTRIES_OF_UNGROWN);
        expect_text("0000:00:1c.0/00.0;pci:8086:1533");
        uninstall();
        expect_text("pci:8086:1533");
}
END_TEST

/* Between write and rescan somebody else may have written. */
START_TEST(test_stand)
{
        install(0);
        ck_assert_int_eq(entries_stand(root, plan, &finding), FINDING_NONE);
        set("pci:8086:1533;" ENTRIES); /* not in front, but there */
        ck_assert_int_eq(entries_stand(root, plan, &finding), FINDING_NONE);
        set("0000:00:1c.0/00.0");
        ck_assert_int_eq(entries_stand(root, plan, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_ENTRY_REJECTED);
        ck_assert_ptr_nonnull(strstr(finding.detail, "16@0000:00:1c.0/00.1"));
}
END_TEST

/* A rollback leaves the entry of what was grown before, so that it comes back as large as it was. */
START_TEST(test_grown_keeps_its_entry)
{
        PlanFunction *first = &plan->functions[1];
        ck_assert_str_eq(PCI_ADDRESS_TEXT(first->address), "0000:01:00.0");
        first->resources.lines[1].end = first->resources.lines[1].start + WORLD_PAGE - 1;
        install(0);
        expect_text(ENTRIES);
        uninstall_which(ENTRIES_OF_UNGROWN);
        expect_text("0000:00:1c.0/00.0");
        expect_ours("[\"0000:00:1c.0/00.0\"]");
        uninstall_which(ENTRIES_ALL);
        expect_text("");
}
END_TEST

/* Others' text survives byte for byte, also what the kernel cannot parse. */
START_TEST(test_foreign_text)
{
        static const char *const texts[] = {
                "pci:8086:1533",
                "12@0000:00:1d.0/00.0;pci:0:0",
                "20@0000:03:00.0, pci:1:2",
                "bogus;;0000:05:00.0,",
                ";",
                "  ",
                "12@0000:00:1c.0/00.0", /* ours in another form is not ours */
                "0000:00:1c.0/00.01;0000:00:1c.0/00",
                "\xff\x01garbage\"%s%n",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                set(texts[i]);
                install(0);
                _cleanup_free_ char *expected = text_format(ENTRIES ";%s", texts[i]);
                expect_text(expected);
                uninstall();
                expect_text(texts[i]);
        }
}
END_TEST

/* An entry that an administrator wrote in our very words is the administrator's, and is there again afterwards. */
START_TEST(test_same_words)
{
        set("pci:8086:1533;0000:00:1c.0/00.0;pci:1:1;16@0000:00:1c.0/00.1");
        install(0);
        expect_text("012@0000:00:1c.0/00.0;016@0000:00:1c.0/00.1;"
                    "pci:8086:1533;0000:00:1c.0/00.0;pci:1:1;16@0000:00:1c.0/00.1");
        expect_ours("[\"012@0000:00:1c.0/00.0\", \"016@0000:00:1c.0/00.1\"]");
        install(0); /* once more, as after a second bind */
        expect_text("012@0000:00:1c.0/00.0;016@0000:00:1c.0/00.1;"
                    "pci:8086:1533;0000:00:1c.0/00.0;pci:1:1;16@0000:00:1c.0/00.1");
        uninstall();
        expect_text("pci:8086:1533;0000:00:1c.0/00.0;pci:1:1;16@0000:00:1c.0/00.1");
        expect_ours("[]");
}
END_TEST

/* What others do meanwhile stays. */
START_TEST(test_between)
{
        set("pci:8086:1533");
        install(0);
        set("pci:1:1;0000:00:1c.0/00.0;pci:2:2;16@0000:00:1c.0/00.1;pci:8086:1533");
        uninstall();
        expect_text("pci:1:1;pci:2:2;pci:8086:1533");
        install(0);
        set("pci:3:3"); /* somebody wrote it anew, without ours */
        uninstall();
        expect_text("pci:3:3");
}
END_TEST

/* Entries of an earlier transaction on another bus stay, and are known as ours. */
START_TEST(test_kept_entries)
{
        suite_write(folder, OURS_PATH, "[\"0000:00:1d.0/00.0\", \"0000:00:1c.0/00.0\"]");
        set("0000:00:1d.0/00.0;0000:00:1c.0/00.0;pci:8086:1533");
        install(0);
        expect_text(ENTRIES ";0000:00:1d.0/00.0;pci:8086:1533");
        expect_ours("[\"0000:00:1d.0/00.0\", \"0000:00:1c.0/00.0\", \"16@0000:00:1c.0/00.1\"]");
        uninstall();
        expect_text("0000:00:1d.0/00.0;pci:8086:1533");
        expect_ours("[\"0000:00:1d.0/00.0\"]");
}
END_TEST

START_TEST(test_full)
{
        _cleanup_free_ char *text = foreign_text(alignment_param_limit(WORLD_PAGE) - strlen(ENTRIES));
        size_t n = 99;
        set(text);
        ck_assert_int_eq(entries_check(root, plan, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_ATTRIBUTE_FULL);
        finding = (Finding){ 0 };
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_ATTRIBUTE_FULL);
        ck_assert_ptr_nonnull(strstr(finding.detail, "bytes are taken by others"));
        ck_assert_uint_eq(n, 99);
        expect_text(text);
        ck_assert_int_eq(root_exists(root, OURS_PATH), 0);

        text[strlen(text) - 2] = '\0'; /* room for the ';' and the newline */
        set(text);
        install(0);
        _cleanup_free_ char *expected = text_format(ENTRIES ";%s", text);
        expect_text(expected);
        ck_assert_uint_eq(strlen(expected) + 1, alignment_param_limit(WORLD_PAGE));
}
END_TEST

/* Our own entries of other buses make room, the oldest first, and others' never do. */
START_TEST(test_full_of_ours)
{
        _cleanup_free_ char *foreign =
                        foreign_text(alignment_param_limit(WORLD_PAGE) - strlen(ENTRIES) - 25);
        _cleanup_free_ char *text = text_format("0000:00:1e.0/00.0;0000:00:1d.0/00.0;%s", foreign);
        suite_write(folder, OURS_PATH, "[\"0000:00:1d.0/00.0\", \"0000:00:1e.0/00.0\", \"0000:00:1f.0\"]");
        set(text);
        ck_assert_int_eq(entries_check(root, plan, &finding), FINDING_NONE);
        expect_text(text);
        install(1);
        _cleanup_free_ char *expected = text_format(ENTRIES ";0000:00:1e.0/00.0;%s", foreign);
        expect_text(expected);
}
END_TEST

/* A list of ours that is garbage makes nothing ours, and stops nobody. */
START_TEST(test_ours_is_garbage)
{
        static const char *const garbage[] = {
                "", "{", "{}", "12", "null", "[12, null, {}, []]", "[\"\", \"pci\", \";\", \"0000\"]",
        };
        _cleanup_free_ char *full = foreign_text(alignment_param_limit(WORLD_PAGE) - 10);
        for (size_t i = 0; i < ELEMENTSOF(garbage); i++) {
                size_t n;
                suite_write(folder, OURS_PATH, garbage[i]);
                set("pci:8086:1533;;pci:1:1");
                install(0);
                expect_text(ENTRIES ";pci:8086:1533;;pci:1:1");
                uninstall();
                expect_text("pci:8086:1533;;pci:1:1");

                suite_write(folder, OURS_PATH, garbage[i]);
                set(full);
                ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), FINDING_MADE);
                assert_reason(finding.reason, REASON_ATTRIBUTE_FULL);
                expect_text(full);
        }
}
END_TEST

START_TEST(test_check)
{
        set("pci:8086:1533");
        ck_assert_int_eq(entries_check(root, plan, &finding), FINDING_NONE);
        expect_text("pci:8086:1533");
        ck_assert_int_eq(root_exists(root, OURS_PATH), 0);
}
END_TEST

START_TEST(test_rejected)
{
        size_t n;
        kernel = KERNEL_CUTS;
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_ENTRY_REJECTED);
        ck_assert_ptr_nonnull(strstr(finding.detail, "reads back as \"0000:00:1c.0/00.0"));
        kernel = KERNEL_TAKES;
        uninstall(); /* what came through is ours, and goes */
        expect_ours("[]");

        kernel = KERNEL_REFUSES;
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), -EINVAL);
        kernel = KERNEL_TAKES;
        uninstall();
        expect_ours("[]");
}
END_TEST

START_TEST(test_no_attribute)
{
        char full[512];
        size_t n;
        snprintf(full, sizeof(full), "%s/" ALIGNMENT_PARAM_PATH, folder);
        ck_assert_int_eq(unlink(full), 0);
        ck_assert_int_eq(entries_check(root, plan, &finding), -ENOENT);
        ck_assert_int_eq(entries_install(root, plan, ENTRIES_KEPT, &n, &finding), -ENOENT);
        ck_assert_int_eq(entries_remove(root, plan, ENTRIES_ALL, &finding), -ENOENT);
        ck_assert_int_eq(root_exists(root, OURS_PATH), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("entries");
        TCase *cases = tcase_create("entries");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_never_set);
        tcase_add_test(cases, test_given_back);
        tcase_add_test(cases, test_stand);
        tcase_add_test(cases, test_grown_keeps_its_entry);
        tcase_add_test(cases, test_foreign_text);
        tcase_add_test(cases, test_same_words);
        tcase_add_test(cases, test_between);
        tcase_add_test(cases, test_kept_entries);
        tcase_add_test(cases, test_full);
        tcase_add_test(cases, test_full_of_ours);
        tcase_add_test(cases, test_ours_is_garbage);
        tcase_add_test(cases, test_check);
        tcase_add_test(cases, test_rejected);
        tcase_add_test(cases, test_no_attribute);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
