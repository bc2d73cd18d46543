/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/worker-report.h"
#include "suite.h"

#define RESULT                                                                                                                    \
        "{\"transaction\": \"ab\", \"outcome\": \"rolled-back\", \"reason\": \"bar-lost\", \"text\": \"t\","                      \
        "\"remedy\": \"r\", \"culprit\": \"0000:03:00.1\", \"detail\": \"BAR 2\", \"scope\": \"bus\","                            \
        "\"attempted\": true, \"usec\": 412000, \"kernel-usec\": 371000, \"functions\": ["                                        \
        "{\"function\": \"0000:00:05.0\", \"path\": \"0000:00:05.0\", \"vendor\":4332,\"device\":33081, \"target\": false},"      \
        "{\"function\": \"0000:03:00.0\", \"path\": \"0000:00:05.0/00.0\", \"vendor\":4332,\"device\":33081, \"target\": true},"  \
        "{\"function\": \"0000:03:00.1\", \"path\": \"0000:00:05.0/00.1\", \"vendor\":4332,\"device\":33081, \"target\": true}]," \
        "\"state\": [{\"reason\": \"bar-lost\", \"function\": \"0000:03:00.1\", \"detail\": \"BAR 2\"}],"                         \
        "\"warnings\": [{\"reason\": \"group-changed\", \"function\": \"0000:03:00.0\", \"detail\": \"5\"},"                      \
        "{\"reason\": \"recovered\"}], \"steps\": []}"

static WorkerReport *parse(const char *line)
{
        _cleanup_free_ char *problem = NULL;
        WorkerReport *report;
        ck_assert_int_eq(worker_report_parse(line, &report, &problem), 0);
        ck_assert_ptr_null(problem);
        return report;
}

START_TEST(reads_progress)
{
        _cleanup_(worker_report_freep) WorkerReport *report = parse(
                        "{\"transaction\": \"ab\", \"step\": \"unbind\", \"function\": "
                        "\"0000:03:00.0\", \"index\": 3, \"of\": 14, \"state\": \"done\", \"usec\": 7}");
        ck_assert_int_eq(report->kind, WORKER_REPORT_PROGRESS);
        ck_assert_str_eq(report->progress.transaction, "ab");
        ck_assert_str_eq(report->progress.step, "unbind");
        ck_assert_str_eq(report->progress.function, "0000:03:00.0");
        ck_assert_ptr_null(report->progress.detail);
        ck_assert_uint_eq(report->progress.index, 3);
        ck_assert_uint_eq(report->progress.of, 14);
        ck_assert_int_eq(report->progress.state, PROGRESS_DONE);
        ck_assert_uint_eq(report->progress.usec, 7);
}
END_TEST

/* As the progress file has it: more fields, fewer others. */
START_TEST(reads_progress_of_the_file)
{
        _cleanup_(worker_report_freep) WorkerReport *report = parse(
                        "{ \"transaction\": \"ab\", \"stage\": \"taking\", \"step\": \"rescan\", "
                        "\"index\": 0, \"of\": 2, \"state\": \"late\", \"detail\": \"open\", \"pid\": 7 }\n");
        ck_assert_int_eq(report->progress.state, PROGRESS_LATE);
        ck_assert_ptr_null(report->progress.function);
        ck_assert_str_eq(report->progress.detail, "open");
}
END_TEST

START_TEST(reads_a_result)
{
        _cleanup_(worker_report_freep) WorkerReport *report = parse(RESULT);
        const WorkerResult *result = &report->result;
        ck_assert_int_eq(report->kind, WORKER_REPORT_RESULT);
        ck_assert_int_eq(result->outcome, OUTCOME_ROLLED_BACK);
        ck_assert_int_eq(result->reason, REASON_BAR_LOST);
        ck_assert_str_eq(result->culprit, "0000:03:00.1");
        ck_assert_str_eq(result->detail, "BAR 2");
        ck_assert(result->attempted);
        ck_assert_uint_eq(result->usec, 412000);
        ck_assert_uint_eq(result->kernel_usec, 371000);
        ck_assert_uint_eq(result->n_functions, 3);
        ck_assert(!result->functions[0].target);
        ck_assert_str_eq(result->functions[2].path, "0000:00:05.0/00.1");
        ck_assert_uint_eq(result->n_warnings, 2);
        ck_assert_int_eq(result->warnings[0].reason, REASON_GROUP_CHANGED);
        ck_assert_str_eq(result->warnings[0].detail, "5");
        ck_assert_ptr_null(result->warnings[1].function);
        ck_assert_uint_eq(result->n_state, 1);
        ck_assert_int_eq(result->state[0].reason, REASON_BAR_LOST);
        ck_assert_str_eq(result->state[0].function, "0000:03:00.1");

        _cleanup_free_ char *targets = worker_result_functions_text(result, true);
        _cleanup_free_ char *all = worker_result_functions_text(result, false);
        ck_assert_str_eq(targets, "0000:03:00.0, 0000:03:00.1");
        ck_assert_str_eq(all, "0000:00:05.0, 0000:03:00.0, 0000:03:00.1");
}
END_TEST

START_TEST(says_what_makes_no_sense)
{
        static const char *const lines[][2] = {
                { "", "JSON" },
                { "Segmentation fault", "JSON" },
                { "7", "transaction" },
                { "{}", "transaction" },
                { "{\"transaction\": 7}", "transaction" },
                { "{\"transaction\": \"a\", \"step\": \"unbind\"}", "state" },
                { "{\"transaction\": \"a\", \"step\": \"unbind\", \"state\": \"odd\"}", "state" },
                { "{\"transaction\": \"a\", \"step\": \"unbind\", \"state\": \"done\", \"index\": -1}",
                  "index" },
                { "{\"transaction\": \"a\", \"outcome\": \"great\"}", "outcome" },
                { "{\"transaction\": \"a\", \"outcome\": \"failed\", \"reason\": \"odd\"}", "reason" },
                { "{\"transaction\": \"a\", \"outcome\": \"failed\", \"attempted\": true, \"functions\": 7}",
                  "functions" },
                { "{\"transaction\": \"a\", \"outcome\": \"failed\", \"attempted\": true, \"functions\": [7]}",
                  "function" },
                { "{\"transaction\": \"a\", \"outcome\": \"failed\", \"attempted\": true, \"functions\": "
                  "[{\"function\": \"0000:00:00.0\", \"path\": \"p\", \"vendor\":4332,\"device\":33081, \"target\": true}, {}]}",
                  "function" },
                { "{\"transaction\": \"a\", \"outcome\": \"failed\", \"attempted\": true, \"functions\": [], "
                  "\"warnings\": [{\"reason\": \"odd\"}]}",
                  "reason" },
        };
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_free_ char *problem = NULL;
                WorkerReport *report = NULL;
                ck_assert_int_eq(worker_report_parse(lines[i][0], &report, &problem), -EBADMSG);
                ck_assert_ptr_null(report);
                ck_assert_ptr_nonnull(problem);
                ck_assert_msg(strstr(problem, lines[i][1]), "%s: %s", lines[i][0], problem);
        }
}
END_TEST

/* Cut off anywhere it is no result, and nothing is leaked. */
START_TEST(a_cut_result_is_none)
{
        for (size_t size = 0; size + 1 < sizeof(RESULT); size++) {
                _cleanup_free_ char *line = strndup(RESULT, size), *problem = NULL;
                WorkerReport *report = NULL;
                ck_assert_int_eq(worker_report_parse(line, &report, &problem), -EBADMSG);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("worker-report");
        TCase *tests = tcase_create("worker-report");
        tcase_add_test(tests, reads_progress);
        tcase_add_test(tests, reads_progress_of_the_file);
        tcase_add_test(tests, reads_a_result);
        tcase_add_test(tests, says_what_makes_no_sense);
        tcase_add_test(tests, a_cut_result_is_none);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
