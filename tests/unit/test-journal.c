/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/journal.h"
#include "act/outcome.h"
#include "base/text.h"
#include "judge/plan-document.h"
#include "topology-builder.h"

#include <glob.h>
#include <sys/resource.h>

#define BOOT_ID_PATH "proc/sys/kernel/random/boot_id"
#define BOOT_ID "01234567-89ab-cdef-0123-456789abcdef"
#define ID "0123456789abcdef0123456789abcdef"
#define NOBODY 65534

static const char *folder;
static Root *root;
static World world;
static Journal written;

static void setup(void)
{
        _cleanup_free_ char *problem = NULL;
        _cleanup_json_ JsonObject *state = NULL;

        folder = suite_folder();
        suite_write(folder, BOOT_ID_PATH, BOOT_ID "\n");
        suite_write(folder, RUN_DIRECTORY "/lock", "");
        ck_assert_int_eq(root_open(folder, &root), 0);

        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, 0xfe800000, 0x100000);
        world_add_small(&world, "0000:01:00.0", port, 0xfe800000);
        world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        ck_assert_int_eq(json_document_parse("{\"0000:00:1c.0/00.0\": {\"driver_override\": \"vfio-pci\"}}",
                                             &state, &problem),
                         0);
        written = (Journal){ .id = ID, .plan = world_only_plan(&world, "0000:01:00.0") };
        ck_assert_int_eq(saved_state_from_json(state, &written.state, &problem), 0);
}

static void teardown(void)
{
        journal_clear(&written);
        root = root_free(root);
        suite_folder_remove(folder);
}

static void begin(void)
{
        ck_assert_int_eq(journal_begin(root, &written), 0);
}

static void progress(JournalStage stage)
{
        const JournalStep step = { .name = "unbind",
                                   .function = world_address("0000:01:00.0"),
                                   .has_function = true,
                                   .index = 3,
                                   .of = 14,
                                   .state = "begin" };
        written.stage = stage;
        ck_assert_int_eq(journal_progress(root, &written, &step), 0);
}

static void expect_same(JsonObject *a, JsonObject *b)
{
        ck_assert(json_object_equal(a, b));
        json_object_put(a);
        json_object_put(b);
}

/* The journal is read back as it was written, at STAGE. */
static void expect_read(JournalStage stage)
{
        Journal journal;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(journal_read(root, &journal, &problem), JOURNAL_OK);
        ck_assert_ptr_null(problem);
        ck_assert_str_eq(journal.id, ID);
        ck_assert_str_eq(journal_stage_name(journal.stage), journal_stage_name(stage));
        expect_same(plan_to_json(journal.plan), plan_to_json(written.plan));
        expect_same(saved_state_to_json(journal.state), saved_state_to_json(written.state));
        journal_clear(&journal);
}

static bool is_there(const char *path)
{
        struct stat st;
        char full[512];
        snprintf(full, sizeof(full), "%s/%s", folder, path);
        return lstat(full, &st) == 0;
}

/* Removes the journals that have been set aside, and says how many there were. */
static size_t take_aside(void)
{
        glob_t found;
        char pattern[512];
        snprintf(pattern, sizeof(pattern), "%s/" JOURNAL_PATH ".invalid*", folder);
        int r = glob(pattern, 0, NULL, &found);
        ck_assert(r == 0 || r == GLOB_NOMATCH);
        size_t n = r == 0 ? found.gl_pathc : 0;
        for (size_t i = 0; i < n; i++)
                suite_folder_remove(found.gl_pathv[i]);
        if (r == 0)
                globfree(&found);
        return n;
}

/* The journal is not followed, but kept under another name, and out of the way. */
static void expect_set_aside(const char *about)
{
        Journal journal = { .id = "untouched" };
        _cleanup_free_ char *problem = NULL;

        int r = journal_read(root, &journal, &problem);
        ck_assert_msg(r == JOURNAL_INVALID, "answer %d", r);
        ck_assert_str_eq(journal.id, "untouched");
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(strstr(problem, about), "\"%s\" does not say \"%s\"", problem, about);
        ck_assert_uint_eq(take_aside(), 1);
        ck_assert(!is_there(JOURNAL_PATH));
        ck_assert(!is_there(PROGRESS_PATH));
        _cleanup_free_ char *again = NULL;
        ck_assert_int_eq(journal_read(root, &journal, &again), JOURNAL_NONE);
}

static char *read_text(const char *path)
{
        char *text;
        ck_assert_int_eq(root_read_file(root, path, &text, NULL), 0);
        return text;
}

/* The journal as it is written, with FIELD replaced. */
static void forge(const char *field, const char *json)
{
        _cleanup_free_ char *text = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        begin();
        text = read_text(JOURNAL_PATH);
        ck_assert_int_eq(json_document_parse(text, &document, &problem), 0);
        json_object_object_del(document, field);
        if (json)
                json_object_object_add(document, field, json_tokener_parse(json));
        suite_write(folder, JOURNAL_PATH, json_object_to_json_string(document));
}

static const char *full_path(const char *path, char buffer[static 512])
{
        snprintf(buffer, 512, "%s/%s", folder, path);
        return buffer;
}
#define FULL_PATH(path) full_path((path), (char[512]){ 0 })

START_TEST(test_round_trip)
{
        begin();
        expect_read(STAGE_TAKING); /* no step was begun */
        for (JournalStage stage = 0; stage < STAGE_COUNT_; stage++) {
                progress(stage);
                expect_read(stage);
        }
}
END_TEST

/* For whoever follows the worker. */
START_TEST(test_progress)
{
        begin();
        progress(STAGE_TAKING);
        _cleanup_free_ char *text = read_text(PROGRESS_PATH), *problem = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        const char *word;
        PciAddress address;
        uint64_t number;

        ck_assert_int_eq(json_document_parse(text, &document, &problem), 0);
        ck_assert_int_eq(json_field_text(document, "transaction", &word, &problem), 0);
        ck_assert_str_eq(word, ID);
        ck_assert_int_eq(json_field_text(document, "step", &word, &problem), 0);
        ck_assert_str_eq(word, "unbind");
        ck_assert_int_eq(json_field_text(document, "state", &word, &problem), 0);
        ck_assert_str_eq(word, "begin");
        ck_assert_int_eq(json_field_address(document, "function", &address, &problem), 0);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(address), "0000:01:00.0");
        ck_assert_int_eq(json_field_u64(document, "index", 14, &number, &problem), 0);
        ck_assert_uint_eq(number, 3);
        ck_assert_int_eq(json_field_u64(document, "pid", INT32_MAX, &number, &problem), 0);
        ck_assert_uint_eq(number, (uint64_t) getpid());
}
END_TEST

START_TEST(test_none)
{
        Journal journal;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(journal_read(root, &journal, &problem), JOURNAL_NONE);
        suite_write(folder, PROGRESS_PATH, "{}"); /* without a journal it says nothing */
        ck_assert_int_eq(journal_read(root, &journal, &problem), JOURNAL_NONE);
        ck_assert_ptr_null(problem);
}
END_TEST

START_TEST(test_end)
{
        begin();
        progress(STAGE_BINDING);
        ck_assert_int_eq(journal_end(root), 0);
        ck_assert(!is_there(JOURNAL_PATH));
        ck_assert(!is_there(PROGRESS_PATH));
        ck_assert_int_eq(journal_end(root), 0);
        ck_assert_uint_eq(take_aside(), 0);
}
END_TEST

/* None hides another one. */
START_TEST(test_set_aside_twice)
{
        Journal journal;
        for (size_t i = 0; i < 3; i++) {
                _cleanup_free_ char *problem = NULL;
                suite_write(folder, JOURNAL_PATH, "garbage");
                ck_assert_int_eq(journal_read(root, &journal, &problem), JOURNAL_INVALID);
        }
        ck_assert_uint_eq(take_aside(), 3);
        suite_write(folder, JOURNAL_PATH, "a text");
        int fd = open(FULL_PATH(JOURNAL_PATH), O_WRONLY);
        ck_assert_int_eq(write(fd, "\0", 1), 1);
        ck_assert_int_eq(close(fd), 0);
        expect_set_aside("not a text");
}
END_TEST

/* What an earlier transaction left must not be taken for the progress of this one. */
START_TEST(test_begin_forgets_progress)
{
        begin();
        progress(STAGE_BINDING);
        begin();
        expect_read(STAGE_TAKING);
}
END_TEST

START_TEST(test_truncated)
{
        begin();
        _cleanup_free_ char *text = read_text(JOURNAL_PATH);
        for (size_t size = 0; size < strlen(text); size++) {
                _cleanup_free_ char *part = strndup(text, size);
                suite_write(folder, JOURNAL_PATH, part);
                expect_set_aside("not a JSON document");
        }
}
END_TEST

START_TEST(test_progress_truncated)
{
        begin();
        progress(STAGE_REMOVING);
        _cleanup_free_ char *text = read_text(PROGRESS_PATH);
        for (size_t size = 0; size < strlen(text); size++) {
                _cleanup_free_ char *part = strndup(text, size);
                begin();
                suite_write(folder, PROGRESS_PATH, part);
                expect_set_aside("not a JSON document");
        }
}
END_TEST

START_TEST(test_other_boot)
{
        begin();
        progress(STAGE_REMOVING);
        suite_write(folder, BOOT_ID_PATH, "76543210-89ab-cdef-0123-456789abcdef\n");
        expect_set_aside("another boot (" BOOT_ID ")");
}
END_TEST

/* Then it is not known whether it is from this boot: an error, and the journal stays for the next try. */
START_TEST(test_boot_unknown)
{
        Journal journal;
        _cleanup_free_ char *problem = NULL;
        begin();
        ck_assert_int_eq(unlink(FULL_PATH(BOOT_ID_PATH)), 0);
        ck_assert_int_lt(journal_read(root, &journal, &problem), 0);
        ck_assert(is_there(JOURNAL_PATH));
        ck_assert_uint_eq(take_aside(), 0);
}
END_TEST

START_TEST(test_forged)
{
        static const struct {
                const char *field, *json, *about;
        } forgeries[] = {
                { "version", "2", "version 2" },
                { "version", "\"1\"", "version" },
                { "version", NULL, "version" },
                { "boot", NULL, "boot" },
                { "boot", "12", "boot" },
                { "transaction", NULL, "transaction" },
                { "transaction", "\"../../../etc/passwd\"", "transaction" },
                { "transaction", "\"0123456789abcdef0123456789abcdef0123456789abcdef\"", "transaction" },
                { "transaction", "\"\"", "transaction" },
                { "plan", NULL, "plan" },
                { "plan", "[]", "plan" },
                { "plan", "{}", "version" },
                { "state", NULL, "state" },
                { "state", "[]", "state" },
                { "state", "{\"0000:00:1c.0/00.0\": 12}", "0000:00:1c.0/00.0" },
                { "state", "{\"0000:00:1c.0/00.0\": {\"driver_override\": 12}}", "driver_override" },
                { "state", "{\"0000:00:1c.0/00.0\": {\"../remove\": \"1\"}}", "../remove" },
        };
        for (size_t i = 0; i < ELEMENTSOF(forgeries); i++) {
                forge(forgeries[i].field, forgeries[i].json);
                expect_set_aside(forgeries[i].about);
        }
}
END_TEST

START_TEST(test_progress_of_another)
{
        begin();
        strcpy(written.id, "fedcba98");
        progress(STAGE_BINDING);
        expect_set_aside("another transaction");
}
END_TEST

START_TEST(test_progress_forged)
{
        static const char *const texts[] = {
                "{}",
                "[]",
                "{\"transaction\": \"" ID "\"}",
                "{\"transaction\": \"" ID "\", \"stage\": \"somewhere\"}",
                "{\"transaction\": \"" ID "\", \"stage\": 2}",
                "{\"transaction\": 7, \"stage\": \"taking\"}",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                begin();
                suite_write(folder, PROGRESS_PATH, texts[i]);
                expect_set_aside("");
        }
}
END_TEST

/* Nobody but root may tell the worker what to do. */
START_TEST(test_modes)
{
        static const mode_t modes[] = { 0664, 0646, 0666, 0622 };
        static const char *const paths[] = { JOURNAL_PATH, PROGRESS_PATH };
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                for (size_t j = 0; j < ELEMENTSOF(paths); j++) {
                        begin();
                        progress(STAGE_REMOVING);
                        ck_assert_int_eq(chmod(FULL_PATH(paths[j]), modes[i]), 0);
                        expect_set_aside("only root can write");
                }
}
END_TEST

START_TEST(test_owner)
{
        begin();
        if (geteuid() != 0)
                return; /* nobody else can give a file away */
        ck_assert_int_eq(chown(FULL_PATH(JOURNAL_PATH), NOBODY, NOBODY), 0);
        expect_set_aside("only root can write");
}
END_TEST

START_TEST(test_symbolic_link)
{
        begin();
        _cleanup_free_ char *text = read_text(JOURNAL_PATH);
        suite_write(folder, RUN_DIRECTORY "/elsewhere.json", text);
        suite_link(folder, JOURNAL_PATH, "elsewhere.json");
        expect_set_aside("");
        ck_assert(is_there(RUN_DIRECTORY "/elsewhere.json"));
        suite_link(folder, JOURNAL_PATH, "nowhere");
        expect_set_aside("");
}
END_TEST

START_TEST(test_no_regular_file)
{
        ck_assert_int_eq(mkdir(FULL_PATH(JOURNAL_PATH), 0755), 0);
        suite_write(folder, JOURNAL_PATH "/something", "");
        expect_set_aside("");
        ck_assert_int_eq(mkfifo(FULL_PATH(JOURNAL_PATH), 0600), 0);
        expect_set_aside("");
        begin();
        ck_assert_int_eq(mkfifo(FULL_PATH(PROGRESS_PATH), 0600), 0);
        expect_set_aside("");
}
END_TEST

/* Who must not take a function midway asks this, and is told the worse when it cannot be known. */
START_TEST(test_may_name)
{
        const PciAddress listed = world_address("0000:01:00.1"), other = world_address("0000:09:00.0");
        struct rlimit limit;
        ck_assert(!journal_may_name(root, listed));
        begin();
        ck_assert(journal_may_name(root, listed));
        ck_assert(!journal_may_name(root, other));
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        const struct rlimit none = { .rlim_cur = 0, .rlim_max = limit.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        bool unreadable = journal_may_name(root, other);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert(unreadable);
        /* the progress of the next transaction, seen beside this one's journal, takes nothing from what this one says */
        suite_write(folder, PROGRESS_PATH, "{\"transaction\": \"ef56\", \"stage\": \"taking\"}");
        ck_assert(journal_may_name(root, listed));
        suite_write(folder, JOURNAL_PATH, "{");
        ck_assert(!journal_may_name(root, listed));
}
END_TEST

START_TEST(test_cannot_write)
{
        const JournalStep step = { .name = "entries", .state = "begin" };
        ck_assert_int_eq(unlink(FULL_PATH(RUN_DIRECTORY "/lock")), 0);
        ck_assert_int_eq(rmdir(FULL_PATH(RUN_DIRECTORY)), 0);
        ck_assert_int_lt(journal_begin(root, &written), 0);
        ck_assert_int_lt(journal_progress(root, &written, &step), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("journal");
        TCase *cases = tcase_create("journal"), *invalid = tcase_create("invalid");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_round_trip);
        tcase_add_test(cases, test_progress);
        tcase_add_test(cases, test_none);
        tcase_add_test(cases, test_end);
        tcase_add_test(cases, test_begin_forgets_progress);
        tcase_add_test(cases, test_may_name);
        tcase_add_test(cases, test_cannot_write);
        suite_add_tcase(suite, cases);

        tcase_add_checked_fixture(invalid, setup, teardown);
        tcase_add_test(invalid, test_set_aside_twice);
        tcase_add_test(invalid, test_truncated);
        tcase_add_test(invalid, test_progress_truncated);
        tcase_add_test(invalid, test_other_boot);
        tcase_add_test(invalid, test_boot_unknown);
        tcase_add_test(invalid, test_forged);
        tcase_add_test(invalid, test_progress_of_another);
        tcase_add_test(invalid, test_progress_forged);
        tcase_add_test(invalid, test_modes);
        tcase_add_test(invalid, test_owner);
        tcase_add_test(invalid, test_symbolic_link);
        tcase_add_test(invalid, test_no_regular_file);
        suite_add_tcase(suite, invalid);
        return suite_run(suite);
}
