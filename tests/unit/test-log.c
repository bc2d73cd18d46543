/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the journal gets: the fields of each kind of message, caught where libsystemd would send them. */

#include "base/text.h"
#include "daemon/log.h"
#include "daemon/shared-page-log.h"
#include "daemon/transaction-log.h"
#include "reason-given.h"
#include "topology-builder.h"

#include <signal.h>
#include <sys/uio.h>

#define FIELDS_ROOM 8192

static char sent[FIELDS_ROOM]; /* all fields since the last look, a line each, an empty line behind each message */
static int journal_answer;

/* What the macro sd_journal_sendv() calls. */
int __wrap_sd_journal_sendv_with_location(const char *file, const char *line, const char *func,
                                          const struct iovec *items, int n);
int __wrap_sd_journal_sendv_with_location(const char *file, const char *line, const char *func,
                                          const struct iovec *items, int n)
{
        size_t size = strlen(sent);
        for (int i = 0; i < n; i++)
                size += (size_t) snprintf(sent + size, sizeof(sent) - size, "%.*s\n", (int) items[i].iov_len,
                                          (const char *) items[i].iov_base);
        snprintf(sent + size, sizeof(sent) - size, "\n");
        return journal_answer;
}

/* Standard error is what the journal is connected to. */
static void setup(void)
{
        struct stat st;
        char stream[64];
        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long) st.st_dev,
                 (unsigned long long) st.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
        log_open();
        sent[0] = '\0';
        journal_answer = 0;
}

static bool has_line(const char *text, const char *line)
{
        size_t length = strlen(line);
        for (const char *at = text; (at = strstr(at, line)); at++)
                if ((at == text || at[-1] == '\n') && at[length] == '\n')
                        return true;
        return false;
}

static void expect(const char *field, const char *value)
{
        _cleanup_free_ char *line = text_format("%s=%s", field, value);
        ck_assert_msg(has_line(sent, line), "no \"%s\" in:\n%s", line, sent);
}

static void expect_no(const char *field)
{
        _cleanup_free_ char *start = text_format("\n%s=", field);
        ck_assert_msg(!strstr(sent, start), "\"%s\" in:\n%s", field, sent);
}

START_TEST(test_fields)
{
        const LogContext about = { .function = "0000:03:00.0",
                                   .bus = "0000:00:05.0",
                                   .reason = REASON_IN_USE,
                                   .transaction = "ab12",
                                   .step = "unbind",
                                   .duration_usec = 1234 };
        log_say(LOG_WARNING, &about, "about %s", "it");
        expect("MESSAGE", "about it");
        expect("PRIORITY", "4");
        expect("PCI_FUNCTION", "0000:03:00.0");
        expect("PCI_BUS", "0000:00:05.0");
        expect("REASON", "in-use");
        expect("MESSAGE_ID", reason_message_id(REASON_IN_USE));
        expect("TRANSACTION", "ab12");
        expect("STEP", "unbind");
        expect("DURATION_USEC", "1234");

        sent[0] = '\0';
        log_say(LOG_DEBUG, NULL, "nothing");
        ck_assert_str_eq(sent, "MESSAGE=nothing\nPRIORITY=7\n\n");
}
END_TEST

/* The kind of event names the message, the reason stays a field. */
START_TEST(test_event_and_reason)
{
        log_say(LOG_ERR, &(LogContext){ .event = EVENT_TRANSACTION_FAILED, .reason = REASON_BAR_LOST }, "x");
        expect("MESSAGE_ID", event_message_id(EVENT_TRANSACTION_FAILED));
        expect("REASON", "bar-lost");
        ck_assert_ptr_null(strstr(sent, reason_message_id(REASON_BAR_LOST)));
}
END_TEST

START_TEST(test_outcomes)
{
        static const struct {
                Outcome outcome;
                Event event;
                const char *priority;
        } cases[] = {
                { OUTCOME_VERIFIED, EVENT_TRANSACTION_VERIFIED, "5" },
                { OUTCOME_ROLLED_BACK, EVENT_TRANSACTION_ROLLED_BACK, "4" },
                { OUTCOME_STALE, EVENT_TRANSACTION_STALE, "5" },
                { OUTCOME_FAILED, EVENT_TRANSACTION_FAILED, "2" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ReportWarning warning = { .reason = REASON_GROUP_CHANGED,
                                          .function = (char *) "0000:03:00.1" };
                ReportFunction functions[] = {
                        { .path = (char *) "0000:00:05.0" },
                        { .path = (char *) "0000:00:05.0/00.0", .target = true },
                };
                const WorkerResult result = { .transaction = (char *) "ab12",
                                              .outcome = cases[i].outcome,
                                              .culprit = (char *) "0000:03:00.0",
                                              .reason = i == 0 ? REASON_NONE : REASON_BAR_LOST,
                                              .usec = 700000,
                                              .functions = functions,
                                              .n_functions = ELEMENTSOF(functions),
                                              .warnings = &warning,
                                              .n_warnings = 1 };
                sent[0] = '\0';
                transaction_log_result(&result);
                char *second = strstr(sent, "\n\n");
                ck_assert_ptr_nonnull(second);
                ck_assert(has_line(second, "REASON=group-changed"));
                ck_assert(has_line(second, "PCI_BUS=0000:00:05.0"));
                second[1] = '\0';
                expect("MESSAGE_ID", event_message_id(cases[i].event));
                expect("PRIORITY", cases[i].priority);
                expect("TRANSACTION", "ab12");
                expect("DURATION_USEC", "700000");
                expect("PCI_BUS", "0000:00:05.0");
                if (i == 0)
                        expect_no("REASON");
                else
                        expect("REASON", "bar-lost");
        }
        sent[0] = '\0';
        transaction_log_no_result(WORKER_PREPARE, "0000:00:05.0",
                                  &(WorkerEnd){ .code = CLD_KILLED, .status = SIGKILL });
        expect("MESSAGE_ID", event_message_id(EVENT_TRANSACTION_LOST));
        expect("PCI_BUS", "0000:00:05.0");
}
END_TEST

START_TEST(test_steps)
{
        WorkerProgress progress = {
                .transaction = (char *) "ab12", .step = (char *) "entries", .of = 9, .state = PROGRESS_BEGIN
        };
        free(transaction_log_progress(&progress, "0000:00:05.0", false));
        expect("MESSAGE_ID", event_message_id(EVENT_TRANSACTION_STARTED));
        expect("PRIORITY", "6");

        sent[0] = '\0';
        progress.state = PROGRESS_DONE;
        free(transaction_log_progress(&progress, "0000:00:05.0", false));
        expect("PRIORITY", "7");
        expect_no("MESSAGE_ID");

        sent[0] = '\0';
        progress.state = PROGRESS_LATE;
        progress.index = 3;
        progress.step = (char *) "remove";
        progress.function = (char *) "0000:03:00.0";
        free(transaction_log_progress(&progress, "0000:00:05.0", false));
        expect("MESSAGE_ID", reason_message_id(REASON_STEP_LATE));
        expect("PRIORITY", "4");
        expect("STEP", "remove");
        expect("PCI_BUS", "0000:00:05.0");
        expect("PCI_FUNCTION", "0000:03:00.0");
}
END_TEST

/* A page of two groups is told once, and once more when it is gone. */
START_TEST(test_shared_pages)
{
        static World world;
        char *told = NULL;
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, 0xfe800000, 0x100000);
        PciFunction *first = world_add_small(&world, "0000:01:00.0", port, 0xfe800000);
        PciFunction *second = world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        first->iommu_group = 9;
        second->iommu_group = 10;
        Survey survey = { .topology = &world.topology, .verdicts = world_verdicts(&world) };

        ck_assert_int_eq(shared_page_log(&survey, &told), 0);
        expect("MESSAGE_ID", reason_message_id(REASON_GROUPS_SHARE_PAGE));
        reason_was_given(REASON_GROUPS_SHARE_PAGE);
        expect("PCI_FUNCTION", "0000:01:00.0");
        sent[0] = '\0';
        ck_assert_int_eq(shared_page_log(&survey, &told), 0);
        ck_assert_str_eq(sent, "");
        second->iommu_group = 9;
        ck_assert_int_eq(shared_page_log(&survey, &told), 0);
        ck_assert_ptr_nonnull(strstr(sent, "MESSAGE=No page belongs to functions of several"));
        verdict_free(survey.verdicts);
        free(told);
}
END_TEST

/* What the journal does not take is said on standard error all the same; a plain terminal gets no debug messages. */
START_TEST(test_without_journal)
{
        int ends[2], before = dup(STDERR_FILENO);
        char text[256] = "";
        ck_assert_int_eq(pipe(ends), 0);
        dup2(ends[1], STDERR_FILENO);
        journal_answer = -ECONNREFUSED;
        log_say(LOG_ERR, NULL, "first");
        log_open(); /* the pipe is not what JOURNAL_STREAM names */
        log_say(LOG_ERR, NULL, "second");
        log_say(LOG_DEBUG, NULL, "third");
        dup2(before, STDERR_FILENO);
        close(before);
        close(ends[1]);
        ck_assert_int_gt(read(ends[0], text, sizeof(text) - 1), 0);
        close(ends[0]);
        ck_assert_str_eq(text, "first\nsecond\n");
        ck_assert_str_eq(sent, "MESSAGE=first\nPRIORITY=3\n\n");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("log");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, test_fields);
        tcase_add_test(tcase, test_event_and_reason);
        tcase_add_test(tcase, test_outcomes);
        tcase_add_test(tcase, test_steps);
        tcase_add_test(tcase, test_shared_pages);
        tcase_add_test(tcase, test_without_journal);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
