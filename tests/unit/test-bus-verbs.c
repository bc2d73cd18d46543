/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verbs that ask the daemon: the real vfio-realign and the real vfio-realignd on a bus of their own. */

#include "base/json-document.h"
#include "dbus-stage.h"

#define WORDS_MAX 16
#define STEP(state, usec)                                                                                   \
        "echo '{\"transaction\":\"ab12\",\"step\":\"remove\",\"function\":\"0000:00:1c.0\",\"index\":3,"    \
        "\"of\":9,\"state\":\"" state "\",\"usec\":" usec "}'\n"

static void setup(void)
{
        bus_setup();
        bus_policy(NEVER_QUIET);
}

/* --- the command line */

/* Starts "vfio-realign WORDS" with its output in the files "out" and "err"; an ssh that needs none is in its way. */
static pid_t begin(const char *words)
{
        pid_t pid = suite_fork();
        if (pid > 0)
                return pid;
        char path[TREE_PATH_MAX], *arguments[WORDS_MAX] = { (char *) "vfio-realign" };
        size_t n = 1;
        char *copy = strdup(words);
        for (char *word; (word = strsep(&copy, " ")) && n + 1 < WORDS_MAX;)
                arguments[n++] = word;
        snprintf(path, sizeof(path), "%s/out", bus.stage.folder);
        if (!freopen(path, "w", stdout))
                _exit(125);
        snprintf(path, sizeof(path), "%s/err", bus.stage.folder);
        if (!freopen(path, "w", stderr))
                _exit(125);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address, 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        _cleanup_free_ char *search = text_format("%s/bin:%s", bus.stage.folder, getenv("PATH"));
        setenv("PATH", search, 1);
        snprintf(path, sizeof(path), "%s/vfio-realign", bus.stage.build);
        execv(path, arguments);
        _exit(126);
}

static int end(pid_t pid)
{
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
        return WEXITSTATUS(status);
}

/* WORDS end with STATUS; OUT and ERR are parts of what they say (NULL: they say nothing there). */
static void check_end(const char *words, pid_t pid, int status, const char *out, const char *err)
{
        int got = end(pid);
        _cleanup_free_ char *said = stage_read(&bus.stage, "out"),
                            *complained = stage_read(&bus.stage, "err");
        ck_assert_msg(got == status && (out ? strstr(said, out) != NULL : *said == '\0') &&
                                      (err ? strstr(complained, err) != NULL : *complained == '\0'),
                      "\"%s\" ended with %d, not %d\nout: %s\nerr: %s", words, got, status, said,
                      complained);
        const char *line = strchr(complained, '\n');
        ck_assert_msg(!line || line[1] == '\0' || strstr(complained, "See \""), "more than a line: %s",
                      complained);
}

static void check(const char *words, int status, const char *out, const char *err)
{
        check_end(words, begin(words), status, out, err);
}

static void expect_out(const char *part)
{
        _cleanup_free_ char *said = stage_read(&bus.stage, "out");
        ck_assert_msg(strstr(said, part), "no \"%s\" in:\n%s", part, said);
}

static void await_out(const char *part)
{
        for (unsigned i = 0; stage_count(&bus.stage, "out", part) == 0; i++) {
                ck_assert_msg(i < 3000, "\"%s\" did not come", part);
                usleep(10000);
        }
}

/* --- tests */

START_TEST(settle_shows_each_step)
{
        stage_on(&bus.stage, "execute",
                 "cat >$d/plan\n" STEP("begin", "0") STEP("done", "12000")
                                 STAGE_REALIGN STAGE_RESULT("verified", "none", "true"));
        stage_bind(&bus.stage);
        bus_daemon();
        check("settle 01:00.0 pci_0000_01_00_1", 0, "0000:01:00.0 ok      verified -      -\n", NULL);
        expect_out("Transaction ab12 begins: 0000:01:00.0, 0000:01:00.1\n"
                   "   4 of 9  remove 0000:00:1c.0  12 ms\n"
                   "Transaction ab12: verified after 5 ms\n"
                   "FUNCTION     VERDICT OUTCOME  REASON DETAIL\n");
        check("settle --json=short 01:00.0", 0,
              "{\"functions\":[{\"function\":\"0000:01:00.0\",\"verdict\":\"ok\",\"outcome\":null,"
              "\"reason\":null,\"detail\":null}]}\n",
              NULL);
        check("settle --no-legend -o VERDICT,FUNCTION 01:00.0", 0, "ok      0000:01:00.0\n", NULL);
}
END_TEST

START_TEST(what_fails_is_explained)
{
        stage_on(&bus.stage, "execute", STAGE_RESULT("rolled-back", "wrong-driver", "true"));
        stage_bind(&bus.stage);
        bus_daemon();
        check("realign 0000:01:00.0", 3, "0000:01:00.0 needs-realign rolled-back wrong-driver", NULL);
        expect_out("wrong-driver: a function is not on the driver that it had before. What to do:\nbind it by hand;");
        check("realign 0000:01:00.0", 3, "0000:01:00.0 needs-realign -       attempts", NULL);
        stage_on(&bus.stage, "execute", STAGE_REALIGN STAGE_RESULT("verified", "none", "true"));
        check("realign --force 0000:01:00.0", 0, "0000:01:00.0 ok      verified", NULL);
}
END_TEST

/* The result line of a worker that was told to move functions between drivers. */
#define MOVED(goal, transaction, outcome, reason, rest)                                                     \
        "echo '{\"transaction\":\"" transaction "\",\"goal\":\"" goal "\",\"outcome\":\"" outcome           \
        "\",\"reason\":\"" reason "\",\"attempted\":false,\"usec\":7000,\"kernel-usec\":1,\"warnings\":[]," \
        "\"refusals\":[],\"functions\":[" rest "}'\n"
#define MOVED_FIRST                                                                                         \
        "{\"function\":\"0000:01:00.0\",\"path\":\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,\"target\":true}]"

START_TEST(detach_and_reattach)
{
        stage_on(&bus.stage, "detach", MOVED("detach", "cd34", "verified", "none", MOVED_FIRST));
        stage_on(&bus.stage, "reattach",
                 MOVED("reattach", "", "refused", "in-use",
                       "],\"culprit\":\"0000:01:00.0\",\"detail\":\"open in qemu (pid 7)\"") "exit 7\n");
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        check("detach 03:00", 2, NULL, "\"03:00\" is no address of a function");
        check("detach 01:00.0", 0, "0000:01:00.0 verified -      -       -\n", NULL);
        check("detach --json=short -o FUNCTIONS,OUTCOME 01:00.0", 0,
              "{\"results\":[{\"functions\":\"0000:01:00.0\",\"outcome\":\"verified\"}]}\n", NULL);
        check("reattach 01:00.0", 4, NULL, "0000:01:00.0: the function is in use");
        stage_on(&bus.stage, "detach", MOVED("detach", "", "verified", "none", "]"));
        check("detach 01:00.0 01:00.1", 0,
              "0000:01:00.0, 0000:01:00.1 verified -      -       it was so already\n", NULL);
}
END_TEST

/* It comes back when what was bound has been realigned: a script goes on without another call. */
START_TEST(detach_waits_for_the_realignment)
{
        bus_policy(NEVER_QUIET);
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "detach", MOVED("detach", "", "verified", "none", "]"));
        bus_daemon();
        check("detach 01:00.0", 0, "0000:01:00.0 verified -      -       it was so already\n", NULL);
        assert_calls("execute --sysroot", 1);
}
END_TEST

START_TEST(restore_shows_each_step)
{
        stage_on(&bus.stage, "restore",
                 STEP("begin", "0") STEP("done", "12000")
                                 MOVED("restore", "ab12", "verified", "none", MOVED_FIRST));
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        check("restore 01:00.0", 0, "0000:01:00.0 verified -      -       -\n", NULL);
        expect_out("Transaction ab12 begins: 0000:01:00.0\n"
                   "   4 of 9  remove 0000:00:1c.0  12 ms\n"
                   "Transaction ab12: verified after 7 ms\n"
                   "FUNCTIONS ");
        stage_on(&bus.stage, "restore",
                 MOVED("restore", "", "refused", "not-grown", "],\"culprit\":\"0000:01:00.0\"") "exit 7\n");
        check("restore 01:00.0", 4, NULL, "0000:01:00.0: ");
        check("restore", 2, NULL, "\"restore\" takes FUNCTION");
        check("restor 01:00.0", 2, NULL, "did you mean \"restore\"?");
}
END_TEST

START_TEST(patterns_are_those_on_vfio)
{
        stage_bind(&bus.stage);
        bus_daemon();
        check("settle --no-legend -o FUNCTION 0000:*:*.?", 0, "0000:01:00.0\n0000:01:00.1\n", NULL);
        check("settle 0000:02:*", 1, NULL, "\"0000:02:*\" matches no function on a VFIO driver");
}
END_TEST

START_TEST(bad_names)
{
        bus_daemon();
        check("realign 03:00", 2, NULL, "\"03:00\" is no address of a function");
        check("settle \xff\xfe", 2, NULL, "\"??\" is no address of a function");
        check("realign 0000:09:00.0", 1, NULL, "0000:09:00.0: no such function is on this machine");
        check("reload now", 2, NULL, "\"reload\" takes no argument");
        check("settle", 2, NULL, "\"settle\" takes FUNCTION");
}
END_TEST

START_TEST(timeouts)
{
        stage_on(&bus.stage, "execute", "sleep 60\n");
        stage_bind(&bus.stage);
        bus_daemon();
        check("settle --timeout 0 01:00.0", 1, NULL, "the verdict of 0000:01:00.0 was not final in time");
        check("realign --timeout 500ms 01:00.0", 1, NULL,
              "the verdict of 0000:01:00.0 was not final in time");
        check("realign --timeout 18446744073709551615 01:00.0", 2, NULL, "expected TIME");
}
END_TEST

START_TEST(a_daemon_that_goes_is_no_hang)
{
        stage_on(&bus.stage, "execute", "sleep 60\n");
        stage_bind(&bus.stage);
        bus_daemon();
        pid_t pid = begin("realign --timeout infinity 01:00.0");
        stage_await(&bus.stage, "STATUS=");
        for (unsigned i = 0; stage_count(&bus.stage, "calls", "execute") == 0; i++) {
                ck_assert_uint_lt(i, 3000);
                usleep(10000);
        }
        ck_assert_int_eq(kill(bus.stage.daemon, SIGKILL), 0);
        (void) stage_ended(&bus.stage);
        check_end("realign", pid, 1, "", "vfio-realignd on this machine gave no answer");
        check("settle 01:00.0", 1, NULL, "vfio-realignd is not running on this machine; start it");
        check("reload", 1, NULL, "vfio-realignd is not running on this machine; start it");
}
END_TEST

START_TEST(no_bus)
{
        bus_kill(&bus.bus);
        check("reload", 1, NULL, "the system bus of this machine cannot be reached: Connection refused");
        check("monitor", 1, NULL, "the system bus of this machine cannot be reached");
        check("status", 0, "No function is on a VFIO driver.\n", NULL);
}
END_TEST

START_TEST(reload_says_what_is_wrong)
{
        bus_daemon();
        check("reload", 0, NULL, NULL);
        bus_policy("scope = round\n");
        check("reload", 1, NULL,
              "the policy of before is kept: /etc/vfio-realign/vfio-realign.conf:2: scope = \"round\"");
}
END_TEST

START_TEST(status_adds_what_the_daemon_knows)
{
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        check("status", 0, "vfio-realignd: Nothing to do.\n", NULL);
        check("status --json=short", 0, "\"daemon\":\"Nothing to do.\"", NULL);
}
END_TEST

START_TEST(monitor_tells)
{
        stage_on(&bus.stage, "execute",
                 "cat >$d/plan\n" STEP("late", "0")
                                 STAGE_REALIGN STAGE_RESULT("rolled-back", "bar-lost", "true"));
        pid_t pid = begin("monitor");
        /* it has connected when it says that the daemon is not there */
        for (unsigned i = 0; stage_count(&bus.stage, "err", "not running") == 0; i++) {
                ck_assert_uint_lt(i, 3000);
                usleep(10000);
        }
        bus_daemon();
        await_out("vfio-realignd is on the bus\n");
        stage_bind(&bus.stage);
        sd_bus_message *call = call_settle(client, "0000:01:00.0", WAIT_USEC);
        free(client_verdicts(client, call));
        await_out("ended after 5 ms: rolled-back: bar-lost\n");
        expect_out("0000:01:00.0 is on a VFIO driver now\n");
        expect_out("transaction ab12 begins on ");
        expect_out("step 4 of 9: remove 0000:00:1c.0 late\n");
        stage_stop(&bus.stage);
        await_out("vfio-realignd has left the bus\n");
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(monitor_tells_in_json)
{
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *problem = NULL;
        bus_daemon();
        pid_t pid = begin("monitor --json=short");
        for (unsigned i = 0; stage_count(&bus.stage, "err", "vfio-realignd: ") == 0; i++) {
                ck_assert_uint_lt(i, 3000);
                usleep(10000);
        }
        stage_bind(&bus.stage);
        sd_bus_message *call = call_settle(client, "0000:01:00.0", WAIT_USEC);
        free(client_verdicts(client, call));
        await_out("transaction-ended");
        ck_assert_int_eq(kill(pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

        _cleanup_free_ char *said = stage_read(&bus.stage, "out");
        char *rest = said;
        for (char *line; (line = strsep(&rest, "\n")) && *line;) {
                const char *event, *when;
                json_object_put(document);
                document = NULL;
                ck_assert_msg(json_document_parse(line, &document, &problem) == 0, "%s: %s", line, problem);
                ck_assert_int_eq(json_field_text(document, "event", &event, &problem), 0);
                ck_assert_int_eq(json_field_text(document, "time", &when, &problem), 0);
        }
}
END_TEST

/* What a worker noted of the first function before it let it grow. */
#define GROWN                                                                                               \
        "{\"version\":1,\"grown\":[{\"function\":\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,"   \
        "\"subvendor\":6900,\"subdevice\":4352,\"sizes\":[0,256,0,0,0,0,0]}]}"

/* What -H runs is ssh; that it is in our way only shows what goes through it. */
START_TEST(another_host)
{
        char path[TREE_PATH_MAX];
        _cleanup_free_ char *script = text_format(
                        "#!/bin/sh\necho \"$@\" >%s/ssh-words\nexec systemd-stdio-bridge -p %s\n",
                        bus.stage.folder, bus.address);
        stage_write(&bus.stage, "bin/ssh", script);
        snprintf(path, sizeof(path), "%s/bin/ssh", bus.stage.folder);
        ck_assert_int_eq(chmod(path, 0755), 0);
        stage_bind(&bus.stage);
        bus.stage.start_timeout = "10ms"; /* it is waiting for quiet when it is asked */
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        check("status -H root@far", 3,
              "0000:01:00.0 vfio-pci     5 needs-realign settling -      1:256 shared 0000:01:00.1 BAR 1\n",
              NULL);
        ck_assert_uint_eq(stage_count(&bus.stage, "ssh-words", "root@far"), 1);
        check("plan -H far 01:00.0", 3, "unbind 0000:01:00.0 from vfio-pci", NULL);
        check("settle -H far 01:00.0", 0, "0000:01:00.0 ok      verified", NULL);
        stage_write(&bus.stage, "run/vfio-realign/grown.json", GROWN);
        check("settle -H far 01:00.0", 0, "0000:01:00.0 ok ", NULL); /* which looks at it anew */
        check("status -H far -o BARS --no-legend", 0, "1:64K (by itself 256) mappable\n1:64K mappable\n",
              NULL);
        check("status -H far --json=short -o FUNCTION,VERDICT,BARS", 0,
              "{\"daemon\":\"Nothing to do.\",\"functions\":[{\"function\":\"0000:01:00.0\",\"verdict\":\"ok\",\"bars\":"
              "[{\"bar\":1,\"start\":\"0xfe000000\",\"size\":65536,\"own-size\":256,\"verdict\":\"mappable\","
              "\"neighbours\":[]}]}",
              NULL);
        check("status -H far -o LAST --no-legend", 0, "verified ab12\n", NULL);
        check("status -H far -o FUNCTION --no-legend 01:00.1", 0, "0000:01:00.1\n", NULL);
        check("status -H far -o FUNCTION --no-legend 0000:01:*", 0, "0000:01:00.0\n0000:01:00.1\n", NULL);
        check("status -H far --no-legend -o FUNCTION 01:00.1 00:1c.0", 1, "0000:01:00.1\n",
              "0000:00:1c.0: it is no function on a VFIO driver there");
        check("status -H far 02:*", 1, NULL, "\"02:*\" matches no function on a VFIO driver there");
        check("status -H far 01:00", 2, NULL, "\"01:00\" is no address of a function");
        check("plan -H far 01:*", 0, "0000:01:00.1: nothing to do", NULL);
        check("reload -H", 2, NULL, "requires an argument");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("bus-verbs");
        TCase *tests = tcase_create("all");
        tcase_add_checked_fixture(tests, setup, bus_teardown);
        tcase_set_timeout(tests, 120);
        tcase_add_test(tests, settle_shows_each_step);
        tcase_add_test(tests, what_fails_is_explained);
        tcase_add_test(tests, detach_and_reattach);
        tcase_add_test(tests, detach_waits_for_the_realignment);
        tcase_add_test(tests, restore_shows_each_step);
        tcase_add_test(tests, patterns_are_those_on_vfio);
        tcase_add_test(tests, bad_names);
        tcase_add_test(tests, timeouts);
        tcase_add_test(tests, a_daemon_that_goes_is_no_hang);
        tcase_add_test(tests, no_bus);
        tcase_add_test(tests, reload_says_what_is_wrong);
        tcase_add_test(tests, status_adds_what_the_daemon_knows);
        tcase_add_test(tests, monitor_tells);
        tcase_add_test(tests, monitor_tells_in_json);
        tcase_add_test(tests, another_host);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
