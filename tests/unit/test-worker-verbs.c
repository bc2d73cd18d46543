/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The worker's command line, run for real on a tree that was recorded from a real guest: what it refuses before it does anything. */

#include "base/json-document.h"
#include "base/text.h"
#include "suite.h"

#include <sys/wait.h>

static const char *folder;

static void setup(void)
{
        const char *data = getenv("REALIGN_TEST_DATA");
        folder = suite_folder();
        ck_assert_ptr_nonnull(data);
        _cleanup_free_ char *command =
                        text_format("tar -C '%s' -xJf '%s/recorded/x86-6.1-packed.tar.xz'", folder, data);
        ck_assert_ptr_nonnull(command);
        ck_assert_int_eq(system(command), 0);
}

static void teardown(void)
{
        suite_folder_remove(folder);
}

/* "vfio-realign-worker WORDS" on the tree, its exit status; *RET is what it printed. */
static int run_worker(const char *words, char **ret)
{
        _cleanup_free_ char *command =
                        text_format("./vfio-realign-worker --sysroot '%s' %s 2>/dev/null", folder, words);
        size_t room = 0;
        *ret = NULL;
        ck_assert_ptr_nonnull(command);
        FILE *stream = popen(command, "r");
        ck_assert_ptr_nonnull(stream);
        (void) !getdelim(ret, &room, '\0', stream);
        int status = pclose(stream);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void expect_usage_error(const char *words)
{
        _cleanup_free_ char *out = NULL;
        ck_assert_msg(run_worker(words, &out) == 2, "%s", words);
}

static void expect_result(const char *words, int status, const char *outcome, const char *reason,
                          size_t n_refusals)
{
        _cleanup_free_ char *out = NULL, *problem = NULL;
        _cleanup_json_ JsonObject *document = NULL;
        const char *text;
        JsonObject *refusals;
        ck_assert_int_eq(run_worker(words, &out), status);
        ck_assert_msg(json_document_parse(out, &document, &problem) == 0, "%s", out);
        ck_assert_int_eq(json_field_text(document, "outcome", &text, &problem), 0);
        ck_assert_str_eq(text, outcome);
        ck_assert_int_eq(json_field_text(document, "reason", &text, &problem), 0);
        ck_assert_str_eq(text, reason);
        ck_assert_int_eq(json_field_array(document, "refusals", 8, &refusals, &problem), 0);
        ck_assert_uint_eq(json_object_array_length(refusals), n_refusals);
}

START_TEST(test_usage)
{
        expect_usage_error("");
        expect_usage_error("--plan");
        expect_usage_error("--detach");
        expect_usage_error("--restore");
        expect_usage_error("--plan --reattach");
        expect_usage_error("--detach --reattach 03:00.0");
        expect_usage_error("--plan --recover 03:00.0");
        expect_usage_error("--prepare");
        expect_usage_error("--prepare --restore 03:00.0");
        expect_usage_error("--probe --prepare 03:00.0");
        expect_usage_error("--recover --detach");
        expect_usage_error("--recover 03:00.0");
        expect_usage_error("--execute - --detach </dev/null");
        expect_usage_error("--detach pci_0000_03");
        expect_usage_error("--detach 03:00.0 /etc/passwd");
}
END_TEST

/* Changes of drivers that are none: libvirt's names are understood, and nothing is written. */
START_TEST(test_rebind_nothing)
{
        char run_folder[160];
        expect_result("--detach 0000:77:00.0 pci_0000_00_05_0", 7, "refused", "not-found", 2);
        expect_result("--reattach 0000:00:05.0", 7, "refused", "bridge", 1);
        expect_result("--detach pci_0000_03_00_0 03:00.1", 0, "verified", "none",
                      0); /* on vfio-pci already */
        expect_result("--prepare 0000:77:00.0", 7, "refused", "not-found", 1);
        expect_result("--restore 03:00.0", 7, "refused", "not-grown", 1);
        snprintf(run_folder, sizeof(run_folder), "%s/run/vfio-realign", folder);
        ck_assert_int_ne(access(run_folder, F_OK), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("worker-verbs");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_set_timeout(cases, 60);
        tcase_add_test(cases, test_usage);
        tcase_add_test(cases, test_rebind_nothing);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
