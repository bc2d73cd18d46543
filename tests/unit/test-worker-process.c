/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/worker-process.h"
#include "suite.h"

#include <sys/wait.h>
#include <time.h>

#define MSEC 1000u
#define LONG (UINT64_C(60) * 1000 * MSEC)

static int run_script(const char *script, uint64_t deadline_usec, char **ret_text, int *ret_status)
{
        char *const arguments[] = { (char *) "/bin/sh", (char *) "-c", (char *) script, NULL };
        return worker_process_run(arguments, deadline_usec, ret_text, ret_status);
}

START_TEST(test_output_and_status)
{
        _cleanup_free_ char *text = NULL;
        int status = -1;
        ck_assert_int_eq(run_script("echo line; echo error >/dev/null; exit 3", LONG, &text, &status), 0);
        ck_assert_str_eq(text, "line\n");
        ck_assert_int_eq(status, 3);

        free(TAKE_PTR(text));
        ck_assert_int_eq(run_script("read -r line && exit 1; exit 0", LONG, &text, &status), 0);
        ck_assert_str_eq(text, "");
        ck_assert_int_eq(status, 0); /* its standard input is empty */
}
END_TEST

START_TEST(test_much_output)
{
        _cleanup_free_ char *text = NULL;
        int status = -1;
        ck_assert_int_eq(run_script("head -c 3000000 /dev/zero | tr '\\0' x", LONG, &text, &status), 0);
        ck_assert_uint_eq(strlen(text), 3000000);
        ck_assert_int_eq(run_script("cat /dev/zero", LONG, &text, &status), -EFBIG);
}
END_TEST

/* One that hangs is killed, before and after it has closed its output; nobody is left behind. */
START_TEST(test_deadline)
{
        char *text = NULL;
        int status = -1;
        ck_assert_int_eq(run_script("exec tail -f /dev/null", 100 * MSEC, &text, &status), -ETIMEDOUT);
        ck_assert_int_eq(run_script("echo x; exec tail -f /dev/null >/dev/null", 100 * MSEC, &text, &status),
                         -ETIMEDOUT);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(waitpid(-1, &status, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(test_failures)
{
        char *text = NULL;
        int status = -1;
        char *const none[] = { (char *) "/nonexistent/worker", NULL };
        ck_assert_int_eq(worker_process_run(none, LONG, &text, &status), -ENOENT);
        ck_assert_int_eq(run_script("kill -9 $$", LONG, &text, &status), -ECHILD);
        ck_assert_int_eq(run_script("printf 'a\\0b'", LONG, &text, &status), -EBADMSG);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(status, -1);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("worker-process");
        TCase *tcase = tcase_create("all");
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, test_output_and_status);
        tcase_add_test(tcase, test_much_output);
        tcase_add_test(tcase, test_deadline);
        tcase_add_test(tcase, test_failures);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
