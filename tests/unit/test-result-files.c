/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "daemon/attempts.h"
#include "daemon/result-files.h"
#include "suite.h"

static const char *folder;
static Root *root;

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, LOCK_PATH, "");
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

/* A file as of second TIME. */
static void write_at(const char *path, const char *text, time_t time)
{
        _cleanup_free_ char *full = text_format("%s/%s", folder, path);
        const struct timespec times[2] = { { .tv_sec = time }, { .tv_sec = time } };
        suite_write(folder, path, text);
        ck_assert_int_eq(utimensat(AT_FDCWD, full, times, 0), 0);
}

static void write_result(const char *id, time_t time)
{
        _cleanup_free_ char *path = text_format(RESULTS_DIRECTORY "/%s.json", id);
        _cleanup_free_ char *text = text_format("{\"transaction\": \"%s\", \"outcome\": \"verified\", "
                                                "\"attempted\": true, \"functions\": [], \"warnings\": []}",
                                                id);
        write_at(path, text, time);
}

START_TEST(no_directory_is_no_results)
{
        ResultFiles results;
        ck_assert_int_eq(result_files_read(root, RESULT_FILES_UNSEEN, &results), 0);
        ck_assert_uint_eq(results.n_items, 0);
        result_files_clear(&results);
}
END_TEST

START_TEST(only_what_is_newer_oldest_first)
{
        ResultFiles results;
        write_result("dd", 2000);
        write_result("aa", 3000);
        write_result("cc", 1000);
        write_result("bb", 2500);
        write_at(ATTEMPTS_PATH, "{}", 2000);
        ck_assert_int_eq(result_files_read(root, RESULT_FILES_UNSEEN, &results), 0);
        ck_assert_uint_eq(results.n_items, 2);
        ck_assert_str_eq(results.items[0].report->result.transaction, "bb");
        ck_assert_str_eq(results.items[1].report->result.transaction, "aa");
        result_files_clear(&results);
}
END_TEST

START_TEST(without_attempts_all_are_unseen)
{
        ResultFiles results;
        write_result("aa", 1000);
        write_result("bb", 2000);
        ck_assert_int_eq(result_files_read(root, RESULT_FILES_UNSEEN, &results), 0);
        ck_assert_uint_eq(results.n_items, 2);
        result_files_clear(&results);
}
END_TEST

START_TEST(what_is_no_result_is_left_out)
{
        ResultFiles results;
        write_result("aa", 1000);
        write_at(RESULTS_DIRECTORY "/half.json", "{\"transaction\":", 1000);
        write_at(RESULTS_DIRECTORY "/new.json.new", "{}", 1000);
        write_at(RESULTS_DIRECTORY "/.json", "{}", 1000);
        write_at(RESULTS_DIRECTORY "/folder.json/file", "", 1000);
        write_at(RESULTS_DIRECTORY "/step.json",
                 "{\"transaction\": \"a\", \"step\": \"bind\", \"state\": \"done\"}", 1000);
        suite_link(folder, RESULTS_DIRECTORY "/link.json", "aa.json");
        ck_assert_int_eq(result_files_read(root, RESULT_FILES_UNSEEN, &results), 0);
        ck_assert_uint_eq(results.n_items, 1);
        ck_assert_str_eq(results.items[0].report->result.transaction, "aa");
        result_files_clear(&results);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("result-files");
        TCase *tests = tcase_create("result-files");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, no_directory_is_no_results);
        tcase_add_test(tests, only_what_is_newer_oldest_first);
        tcase_add_test(tests, without_attempts_all_are_unseen);
        tcase_add_test(tests, what_is_no_result_is_left_out);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
