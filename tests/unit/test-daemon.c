/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The real vfio-realignd on a stage: what it starts, in which order, and what it says. */

#include "base/reason.h"
#include "daemon-stage.h"
#include "daemon/attempts.h"

static Stage stage;

static void setup(void)
{
        stage_open(&stage);
}

static void teardown(void)
{
        stage_close(&stage);
}

static void assert_calls(const char *verb, unsigned wanted)
{
        _cleanup_free_ char *calls = stage_read(&stage, "calls"), *log = stage_read(&stage, "log");
        _cleanup_free_ char *pattern = text_format("%s --sysroot", verb);
        ck_assert_msg(stage_count(&stage, "calls", pattern) == wanted, "%s is not called %u times:\n%s\n%s",
                      verb, wanted, calls, log);
}

static void assert_logged(const char *text)
{
        _cleanup_free_ char *log = stage_read(&stage, "log");
        ck_assert_msg(strstr(log, text), "\"%s\" is not in the log:\n%s", text, log);
}

START_TEST(nothing_to_do_is_ready)
{
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=Nothing to do.");
        stage_stop(&stage);
        stage_await(&stage, "STOPPING=1");
        assert_calls("plan", 0);
}
END_TEST

START_TEST(what_is_bound_already_is_realigned_before_it_is_ready)
{
        stage_bind(&stage);
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        assert_calls("plan", 1);
        assert_calls("execute", 1);
        assert_calls("recover", 0);
        assert_logged("Transaction ab12: verified: 0000:01:00.0, 0000:01:00.1, 5 ms, 3 of them the kernel's");
        ck_assert_uint_eq(stage_count(&stage, "plan", "\"target\":true"), 2);
        ck_assert_uint_eq(stage_count(&stage, ATTEMPTS_PATH, "0000:00:1c.0"), 0);
}
END_TEST

/* Bound one after another, and each bind told twice, as a transaction's own would be. */
START_TEST(binds_on_one_bus_are_one_transaction)
{
        /* long enough to be seen waiting, however slow this machine is */
        stage_write(&stage, "etc/vfio-realign/vfio-realign.conf", "[default]\nsettle-delay = 2s\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        stage_bind(&stage);
        stage_event("bind", FIRST);
        stage_event("bind", SECOND);
        stage_await(&stage, "STATUS=Realigning on the bus below 0000:00:1c.0");
        stage_event("unbind", FIRST);
        stage_event("bind", FIRST);
        stage_await(&stage, "STATUS=Nothing to do.");
        stage_event("bind", SECOND);
        stage_await(&stage, "STATUS=On the bus below");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("plan", 1);
        assert_calls("execute", 1);
}
END_TEST

START_TEST(garbage_from_the_socket_is_ignored)
{
        static const char garbage[] = "libudev\0\xfe\xed\xca\xfe garbage";
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        stage_send(garbage, sizeof(garbage), 1);
        stage_send("", 1, 1);
        stage_event("bind", "pci0000:00/0000:00:1c.0:pcie002");
        stage_event("bind", "virtual/vfio/../../pci");
        stage_event("change", FIRST);
        stage_bind(&stage);
        stage_event("bind", FIRST);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 1);
}
END_TEST

/* More events than the socket holds, none of which says that a function was bound: all are looked at anew. */
START_TEST(lost_events_lead_to_a_new_enumeration)
{
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        ck_assert_int_eq(kill(stage.daemon, SIGSTOP), 0);
        stage_bind(&stage);
        stage_flood("change", FIRST, 60000);
        ck_assert_int_eq(kill(stage.daemon, SIGCONT), 0);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_logged("Events of udev were lost");
        assert_calls("execute", 1);
}
END_TEST

START_TEST(what_is_in_use_waits_for_its_enable_count)
{
        stage_bind(&stage);
        tree_write(stage.folder, FIRST, "enable", "1\n");
        tree_write(stage.folder, SECOND, "enable", "1\n");
        stage_start(&stage);
        stage_await(&stage,
                    "READY=1\nSTATUS=On the bus below 0000:00:1c.0: waiting: the function is in use.");
        assert_calls("plan", 0);
        tree_write(stage.folder, FIRST, "enable", "0\n");
        tree_write(stage.folder, SECOND, "enable", "0\n");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 1);
}
END_TEST

START_TEST(failures_are_remembered_until_reload)
{
        stage_bind(&stage);
        stage_on(&stage, "execute", STAGE_RESULT("rolled-back", "wrong-driver", "true"));
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_logged("Transaction ab12: rolled-back: 0000:01:00.0, 0000:01:00.1, 5 ms");
        assert_logged(reason_remedy(REASON_WRONG_DRIVER));
        stage_event("bind", FIRST);
        stage_await(&stage, "waiting for quiet");
        stage_await(&stage, "earlier attempts failed");
        stage_stop(&stage);

        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("execute", 1);
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "RELOADING=1");
        stage_await(&stage, "READY=1");
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "earlier attempts failed");
        assert_calls("execute", 2);
}
END_TEST

/* What was planned counts, not what the worker names. */
START_TEST(a_result_that_leaves_targets_out_counts)
{
        stage_bind(&stage);
        stage_on(&stage, "execute",
                 "echo '{\"transaction\":\"ab12\",\"outcome\":\"rolled-back\",\"reason\":\"wrong-driver\","
                 "\"attempted\":true,\"functions\":[],\"warnings\":[]}'\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("execute", 1);
}
END_TEST

/* A worker that says "verified" and has changed nothing. */
START_TEST(a_result_that_is_not_true_counts)
{
        stage_bind(&stage);
        stage_on(&stage, "execute", STAGE_RESULT("verified", "none", "true"));
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("execute", 1);
        assert_logged("was verified by the worker, but still needs it");
}
END_TEST

/* The daemon dies, the worker rolls back and leaves its result: the next daemon counts it. */
START_TEST(a_result_that_nobody_saw_counts)
{
        stage_bind(&stage);
        stage_write(&stage, RESULTS_DIRECTORY "/ab12.json",
                    "{\"transaction\":\"ab12\",\"outcome\":\"rolled-back\",\"reason\":\"wrong-driver\",\"attempted\":true,"
                    "\"functions\":[{\"function\":\"0000:01:00.0\",\"path\":\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,\"target\":true},"
                    "{\"function\":\"0000:01:00.1\",\"path\":\"0000:00:1c.0/00.1\",\"vendor\":4332,\"device\":33081,\"target\":true}],\"warnings\":[]}");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("plan", 0);
        assert_logged("Transaction ab12: rolled-back");
}
END_TEST

START_TEST(lack_of_room_climbs_the_ladder)
{
        stage_bind(&stage);
        stage_on(&stage, "execute", STAGE_RESULT("rolled-back", "bar-lost", "true"));
        stage_policy(&stage, "attempts = 1\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("execute", 1);
        assert_calls("plan", 2);
        ck_assert_uint_eq(stage_count(&stage, "calls", "--lowest-rung 2 --plan 0000:01:00.0 0000:01:00.1"),
                          1);
        ck_assert_uint_eq(stage_count(&stage, ATTEMPTS_PATH, "\"count\":1"), 2);
}
END_TEST

/* One attempt shows it for all that is below the host bridge; no wider scope is tried. */
START_TEST(a_host_bridge_that_keeps_addresses_is_left_alone)
{
        stage_bind(&stage);
        stage_on(&stage, "execute", STAGE_RESULT("rolled-back", "firmware-assignment", "true"));
        stage_policy(&stage, "attempts = 5\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: the host bridge keeps");
        assert_calls("execute", 1);
        assert_calls("plan", 1);
        assert_logged("Nothing on the host bridge above 0000:00:1c.0 is realigned any more");
        assert_logged(reason_remedy(REASON_FIRMWARE_ASSIGNMENT));
        stage_stop(&stage);
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: the host bridge keeps");
        assert_calls("execute", 1);
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "the host bridge keeps");
        assert_calls("execute", 2);
}
END_TEST

START_TEST(stale_is_no_attempt)
{
        stage_bind(&stage);
        stage_on(&stage, "execute", STAGE_RESULT("stale", "world-changed", "false"));
        stage_start(&stage);
        stage_await(&stage,
                    "READY=1\nSTATUS=On the bus below 0000:00:1c.0: what the plan was made from has changed");
        assert_calls("execute", 1);
        stage_event("bind", FIRST);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "has changed");
        assert_calls("execute", 2);
        ck_assert_uint_eq(stage_count(&stage, ATTEMPTS_PATH, "0000:00:1c.0"), 0);
}
END_TEST

START_TEST(a_worker_that_dies_is_recovered_first)
{
        stage_bind(&stage);
        stage_on(&stage, "execute",
                 "echo '{\"transaction\":\"ab12\",'; echo {} >$d/" JOURNAL_PATH "\nkill -KILL $$\n");
        stage_on(&stage, "recover",
                 "rm $d/" JOURNAL_PATH "\n" STAGE_RESULT("rolled-back", "recovered", "true") "exit 3\n");
        stage_start(&stage);
        stage_await(&stage, "STATUS=Recovering an interrupted transaction");
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_calls("execute", 1);
        assert_calls("recover", 1);
        assert_logged("was ended by signal 9");
}
END_TEST

START_TEST(a_journal_at_start_is_recovered_first)
{
        stage_bind(&stage);
        stage_write(&stage, JOURNAL_PATH, "{}");
        stage_on(&stage, "recover", "rm $d/" JOURNAL_PATH "\n[ $(wc -l <$d/calls) = 1 ]\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=Nothing to do.");
        assert_calls("recover", 1);
        assert_calls("execute", 1);
}
END_TEST

START_TEST(a_recovery_that_fails_stops_everything_until_reload)
{
        stage_bind(&stage);
        stage_write(&stage, JOURNAL_PATH, "{}");
        stage_on(&stage, "recover", "exit 1\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=An interrupted transaction could not be recovered");
        stage_event("bind", FIRST);
        stage_await(&stage, "STATUS=An interrupted transaction could not be recovered");
        assert_calls("plan", 0);
        assert_logged("no further transaction is started");

        stage_on(&stage, "recover", "rm $d/" JOURNAL_PATH "\n");
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "STATUS=Recovering");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 1);
}
END_TEST

START_TEST(a_recovery_that_dies_is_tried_twice)
{
        stage_write(&stage, JOURNAL_PATH, "{}");
        stage_on(&stage, "recover", "kill -KILL $$\n");
        stage_start(&stage);
        stage_await(&stage, "STATUS=An interrupted transaction could not be recovered");
        assert_calls("recover", 2);
}
END_TEST

/* The result of a failed recovery names its functions: other buses go on. */
START_TEST(a_failed_recovery_blocks_its_bus)
{
        stage_bind(&stage);
        stage_write(&stage, JOURNAL_PATH, "{}");
        stage_on(&stage, "recover",
                 "rm $d/" JOURNAL_PATH "\n" STAGE_RESULT("failed", "use-began", "false") "exit 4\n");
        stage_start(&stage);
        stage_await(&stage,
                    "READY=1\nSTATUS=On the bus below 0000:00:1c.0 a transaction could neither be finished");
        stage_await(&stage, "On the bus below 0000:00:1c.0: earlier attempts failed");
        assert_logged("No further transaction is started on the bus below 0000:00:1c.0");
        assert_calls("plan", 0);
}
END_TEST

/* Neither done nor undone: what is not as before is in the journal and in STATUS, also of the next daemon. */
START_TEST(a_failure_is_described)
{
        static const char status[] =
                        "READY=1\nSTATUS=On the bus below 0000:00:1c.0 a transaction could neither be finished nor "
                        "undone, and no further one is started: 0000:01:00.0: a function is not on the driver that it "
                        "had before: on no driver, was on vfio-pci; 0000:01:00.1: a function did not come back after "
                        "the rescan.";
        stage_bind(&stage);
        stage_on(&stage, "execute",
                 STAGE_RESULT_AND(
                                 "failed", "use-began", "true",
                                 "[{\"reason\":\"wrong-driver\",\"function\":\"0000:01:00.0\","
                                 "\"detail\":\"on no driver, was on vfio-pci\"},"
                                 "{\"reason\":\"function-missing\",\"function\":\"0000:01:00.1\"}]") "exit 4\n");
        stage_start(&stage);
        stage_await(&stage, status);
        assert_logged("Transaction ab12: 0000:01:00.0: a function is not on the driver that it had before: on no "
                      "driver, was on vfio-pci. Remedy: bind it by hand");
        assert_logged("Transaction ab12: 0000:01:00.1: a function did not come back");
        stage_stop(&stage);
        stage_start(&stage);
        stage_await(&stage, status);
        stage_event("bind", FIRST);
        stage_await(&stage, "waiting for quiet");
        stage_await(&stage, "a transaction could neither");
        assert_calls("execute", 1);
        assert_calls("plan", 1);
}
END_TEST

static int hold_lock(void)
{
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/" LOCK_PATH, stage.folder);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(flock(fd, LOCK_EX), 0);
        return fd;
}

/* PROGRESS_PATH, replaced as the worker does it. */
static void show_progress(const char *text)
{
        Root *root;
        ck_assert_int_eq(root_open(stage.folder, &root), 0);
        ck_assert_int_eq(root_replace_file(root, PROGRESS_PATH, text, 0644), 0);
        root_free(root);
}

/* provokes the reason lock-held, which only the journal gets */
START_TEST(a_foreign_worker_is_followed)
{
        int lock = hold_lock();
        stage_bind(&stage);
        stage_write(&stage, JOURNAL_PATH, "{}");
        stage_on(&stage, "recover", "rm $d/" JOURNAL_PATH "\n");
        stage_start(&stage);
        stage_await(&stage, "STATUS=A worker that this daemon did not start is at work: begins.");
        show_progress("garbage");
        show_progress("{\"transaction\":\"cd34\",\"step\":\"remove\",\"function\":\"0000:01:00.1\",\"index\":4,\"of\":9,"
                      "\"state\":\"late\",\"detail\":\"open in qemu (pid 7)\"}");
        stage_await(&stage,
                    "STATUS=A worker that this daemon did not start is at work: remove of 0000:01:00.1 (5 of 9) is "
                    "late: the kernel has not finished it (open in qemu (pid 7)).");
        assert_calls("recover", 0);
        assert_calls("plan", 0);
        close(lock);
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("recover", 1);
        assert_calls("execute", 1);
}
END_TEST

/* As when the last close is told of before the lock is free: nothing tells of that. */
START_TEST(a_lock_that_is_let_go_in_silence_is_noticed)
{
        int lock = hold_lock();
        stage_bind(&stage);
        stage_start(&stage);
        stage_await(&stage, "STATUS=A worker that this daemon did not start is at work: begins.");
        ck_assert_int_eq(flock(lock, LOCK_UN), 0);
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 1);
        close(lock);
}
END_TEST

START_TEST(a_result_with_a_journal_left_is_recovered)
{
        stage_bind(&stage);
        stage_on(&stage, "execute",
                 STAGE_REALIGN "echo '{}' >$d/" JOURNAL_PATH
                               "\n" STAGE_RESULT("verified", "none", "true") "exit 1\n");
        stage_on(&stage, "recover", "rm $d/" JOURNAL_PATH "\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=Nothing to do.");
        assert_calls("execute", 1);
        assert_calls("recover", 1);
}
END_TEST

START_TEST(a_lock_that_is_lost_is_tried_again)
{
        stage_bind(&stage);
        stage_on(&stage, "execute",
                 "if [ ! -e $d/once ]; then\n    touch $d/once\n    exit 6\nfi\n" STAGE_REALIGN STAGE_RESULT(
                                 "verified", "none", "true"));
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=Nothing to do.");
        assert_calls("execute", 2);
        assert_calls("recover", 0);
}
END_TEST

START_TEST(a_plan_that_makes_no_sense_is_not_executed)
{
        stage_bind(&stage);
        stage_on(&stage, "plan", "echo '{\"plans\": [{\"version\": 1}], \"refusals\": []}'\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1\nSTATUS=On the bus below 0000:00:1c.0: waiting.");
        assert_calls("execute", 0);
        assert_logged("The worker made no plan for the bus below 0000:00:1c.0");
}
END_TEST

START_TEST(a_missing_worker_is_said)
{
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/worker", stage.folder);
        ck_assert_int_eq(unlink(path), 0);
        stage_bind(&stage);
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        assert_logged("could not be started to plan: No such file or directory");
}
END_TEST

START_TEST(the_policy_decides)
{
        stage_bind(&stage);
        stage_policy(&stage, "realign = report\n");
        stage_start(&stage);
        stage_await(&stage,
                    "READY=1\nSTATUS=On the bus below 0000:00:1c.0: the policy says realign = report.");
        assert_logged("0000:01:00.0, 0000:01:00.1 would be realigned");
        stage_event("bind", FIRST);
        stage_await(&stage, "STATUS=Planning");
        stage_await(&stage, "realign = report");
        ck_assert_uint_eq(stage_count(&stage, "log", "would be realigned"), 1);

        stage_policy(&stage, "realign = nonsense\n");
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "The policy has errors: the one of before is kept");
        assert_logged("vfio-realign.conf:3");
        assert_calls("execute", 0);

        stage_policy(&stage, "realign = never\n");
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 0);

        stage_policy(&stage, "realign = auto\n");
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "STATUS=Nothing to do.");
        assert_calls("execute", 1);
}
END_TEST

/* XSA-461 (design §4 rule 9): at the start, whatever the policy says, and after a transaction. */
START_TEST(pages_of_several_groups_are_told)
{
        tree_group(stage.folder, SECOND, 6);
        stage_write(&stage, "dev/vfio/6", "");
        stage_bind(&stage);
        stage_policy(&stage, "realign = never\n");
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        assert_logged("Not isolated: the page at 0xfe000000 belongs to several IOMMU groups: 0000:01:00.0 BAR 1 "
                      "(group 5), 0000:01:00.1 BAR 1 (group 6);");

        stage_policy(&stage, "realign = auto\n");
        ck_assert_int_eq(kill(stage.daemon, SIGHUP), 0);
        stage_await(&stage, "STATUS=Realigning");
        stage_await(&stage, "STATUS=Nothing to do.");
        ck_assert_uint_eq(stage_count(&stage, "log", "Not isolated"), 1);
        assert_logged("No page belongs to functions of several IOMMU groups any more.");
}
END_TEST

START_TEST(a_policy_with_errors_does_not_start)
{
        stage_policy(&stage, "realign = nonsense\n");
        stage_start(&stage);
        ck_assert_int_eq(stage_ended(&stage), 1);
        assert_logged("vfio-realign.conf:3");
        assert_calls("recover", 0);
}
END_TEST

START_TEST(garbage_in_sysfs_is_said_and_outlived)
{
        stage_bind(&stage);
        tree_write(stage.folder, FIRST, "resource", "garbage\n");
        stage_start(&stage);
        stage_await(&stage, "The PCI functions cannot be read, see the journal.");
        assert_logged("0000:01:00.0");
        assert_calls("plan", 0);
}
END_TEST

/* A named pipe: opening it waits for the other end. */
static int open_pipe(const char *name, int flags)
{
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", stage.folder, name);
        if (mkfifo(path, 0600) < 0)
                ck_assert_int_eq(errno, EEXIST);
        int fd = flags < 0 ? -1 : open(path, flags | O_CLOEXEC);
        ck_assert_int_ge(fd, flags < 0 ? -1 : 0);
        return fd;
}

START_TEST(terminated_in_the_middle_the_worker_goes_on)
{
        char answer[8];
        open_pipe("go", -1);
        open_pipe("done", -1);
        stage_bind(&stage);
        stage_on(&stage, "execute", "trap '' PIPE\nread line <$d/go\necho one\necho $line >$d/done\n");
        stage_start(&stage);
        stage_await(&stage, "STATUS=Realigning");
        stage_stop(&stage);
        assert_logged("the transaction goes on in the worker");

        /* What it writes to standard output goes nowhere now; this worker ignores that as the real one does. */
        int fd = open_pipe("go", O_WRONLY);
        ck_assert_int_eq(write(fd, "on\n", 3), 3);
        close(fd);
        fd = open_pipe("done", O_RDONLY);
        ck_assert_int_eq(read(fd, answer, sizeof(answer)), 3);
        close(fd);
}
END_TEST

/* Whoever is ordered behind the daemon does not wait for ever; systemctl status says what is left. */
START_TEST(ready_at_the_start_timeout)
{
        open_pipe("go", -1);
        stage_bind(&stage);
        stage_on(&stage, "execute", "read line <$d/go\n");
        stage.start_timeout = "10ms";
        stage_start(&stage);
        stage_await(&stage, "READY=1");
        ck_assert_ptr_null(strstr(stage.heard, "Nothing to do"));
        stage_await(&stage, "STATUS=Realigning on the bus below 0000:00:1c.0");
        close(open_pipe("go", O_WRONLY));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("daemon");
        TCase *tests = tcase_create("daemon");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_set_timeout(tests, 200);
        tcase_add_test(tests, nothing_to_do_is_ready);
        tcase_add_test(tests, ready_at_the_start_timeout);
        tcase_add_test(tests, what_is_bound_already_is_realigned_before_it_is_ready);
        tcase_add_test(tests, binds_on_one_bus_are_one_transaction);
        tcase_add_test(tests, garbage_from_the_socket_is_ignored);
        tcase_add_test(tests, lost_events_lead_to_a_new_enumeration);
        tcase_add_test(tests, what_is_in_use_waits_for_its_enable_count);
        tcase_add_test(tests, failures_are_remembered_until_reload);
        tcase_add_test(tests, a_result_that_leaves_targets_out_counts);
        tcase_add_test(tests, a_result_that_is_not_true_counts);
        tcase_add_test(tests, a_result_that_nobody_saw_counts);
        tcase_add_test(tests, lack_of_room_climbs_the_ladder);
        tcase_add_test(tests, a_host_bridge_that_keeps_addresses_is_left_alone);
        tcase_add_test(tests, stale_is_no_attempt);
        tcase_add_test(tests, a_worker_that_dies_is_recovered_first);
        tcase_add_test(tests, a_journal_at_start_is_recovered_first);
        tcase_add_test(tests, a_recovery_that_fails_stops_everything_until_reload);
        tcase_add_test(tests, a_recovery_that_dies_is_tried_twice);
        tcase_add_test(tests, a_failed_recovery_blocks_its_bus);
        tcase_add_test(tests, a_failure_is_described);
        tcase_add_test(tests, a_foreign_worker_is_followed);
        tcase_add_test(tests, a_lock_that_is_let_go_in_silence_is_noticed);
        tcase_add_test(tests, a_result_with_a_journal_left_is_recovered);
        tcase_add_test(tests, a_lock_that_is_lost_is_tried_again);
        tcase_add_test(tests, a_plan_that_makes_no_sense_is_not_executed);
        tcase_add_test(tests, a_missing_worker_is_said);
        tcase_add_test(tests, the_policy_decides);
        tcase_add_test(tests, pages_of_several_groups_are_told);
        tcase_add_test(tests, a_policy_with_errors_does_not_start);
        tcase_add_test(tests, garbage_in_sysfs_is_said_and_outlived);
        tcase_add_test(tests, terminated_in_the_middle_the_worker_goes_on);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
