/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The methods of the real vfio-realignd: what is answered, when, and what to bad input. */

#include "base/reason.h"
#include "dbus-stage.h"
#include "judge/plan-document.h"

#include <sys/inotify.h>

/* --- verdicts */

START_TEST(settle_need_not_wait_for_quiet)
{
        bus_policy(NEVER_QUIET);
        stage_bind(&bus.stage);
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, UINT64_MAX), "0000:01:00.0 ok verified none|");
        /* once more: nothing is left to be done */
        assert_answer(call_settle(client, "pci_0000_01_00_0", WAIT_USEC), "0000:01:00.0 ok - none|");
        assert_calls("execute --sysroot", 1);
        assert_calls("--by-request", 0);
}
END_TEST

/* Nobody has told that they are bound: settle looks for itself. */
START_TEST(settle_needs_no_event)
{
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        stage_bind(&bus.stage);
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC), "0000:01:00.0 ok verified none|");
}
END_TEST

START_TEST(several_functions_are_answered_in_their_order)
{
        sd_bus_message *call;
        stage_bind(&bus.stage);
        bus_daemon();
        call = client_call_new(client, "Settle");
        ck_assert_int_ge(sd_bus_message_append(call, "ast", 3, "0000:01:00.1", "0000:00:1c.0", "01:00.0",
                                               WAIT_USEC),
                         0);
        assert_answer(call,
                      "0000:01:00.1 ok verified none|0000:00:1c.0 ok - not-vfio|0000:01:00.0 ok verified none|");
}
END_TEST

START_TEST(realign_goes_past_report_and_not_past_never)
{
        bus_policy("realign = report\n" NEVER_QUIET);
        stage_bind(&bus.stage);
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - policy-report|");
        assert_calls("execute --sysroot", 0);
        assert_answer(call_realign(client, FUNCTION_NAME, false), "0000:01:00.0 ok verified none|");
        assert_calls("execute --sysroot", 1);

        stage_pack(&bus.stage);
        bus_policy("realign = never\n" NEVER_QUIET);
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        assert_answer(call_realign(client, FUNCTION_NAME, false),
                      "0000:01:00.0 needs-realign - policy-never|");
        assert_calls("execute --sysroot", 1);
}
END_TEST

START_TEST(failed_attempts_end_unless_forced)
{
        bus_policy(NEVER_QUIET);
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "execute", STAGE_RESULT("rolled-back", "wrong-driver", "true"));
        bus_daemon();
        assert_answer(call_realign(client, FUNCTION_NAME, false),
                      "0000:01:00.0 needs-realign rolled-back wrong-driver|");
        assert_answer(call_realign(client, FUNCTION_NAME, false), "0000:01:00.0 needs-realign - attempts|");
        assert_calls("execute --sysroot", 1);
        stage_on(&bus.stage, "execute", STAGE_RESULT("failed", "use-began", "true"));
        assert_answer(call_realign(client, FUNCTION_NAME, true),
                      "0000:01:00.0 needs-realign failed use-began|");
        assert_calls("execute --sysroot", 2);
        stage_on(&bus.stage, "execute", STAGE_REALIGN STAGE_RESULT("verified", "none", "true"));
        assert_answer(call_realign(client, FUNCTION_NAME, false), "0000:01:00.0 needs-realign - attempts|");
        /* also the other function of its page is given up on, so only one is a target: enough for both to be alone */
        assert_answer(call_realign(client, FUNCTION_NAME, true), "0000:01:00.0 ok verified none|");
        assert_calls("execute --sysroot", 3);
}
END_TEST

START_TEST(what_is_in_use_is_no_reason_to_wait)
{
        stage_bind(&bus.stage);
        tree_write(bus.stage.folder, FIRST, "enable", "1\n");
        tree_write(bus.stage.folder, SECOND, "enable", "1\n");
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, UINT64_MAX),
                      "0000:01:00.0 needs-realign - in-use|");
        assert_calls("plan --sysroot", 0);
}
END_TEST

START_TEST(a_plan_that_fails_is_an_error)
{
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "plan", "exit 1\n");
        bus_daemon();
        assert_answer(call_realign(client, FUNCTION_NAME, false), ERROR_("WorkerFailed") ": 0000:01:00.0: ");
}
END_TEST

/* --- when */

static int on_late_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        ck_assert_msg(!sd_bus_message_is_method_error(reply, NULL), "%s",
                      sd_bus_message_get_error(reply)->message);
        *(bool *) userdata = true;
        return 0;
}

/* The bind of the transaction itself, and then what udev's rules do about the group's file. */
START_TEST(a_verdict_is_final_when_udev_is_done)
{
        bool done = false;
        char queue[TREE_PATH_MAX];
        stage_write(&bus.stage, "run/udev/control", "");
        stage_bind(&bus.stage);
        bus_daemon();
        sd_bus_message *call = call_settle(client, FUNCTION_NAME, UINT64_MAX);
        ck_assert_int_ge(sd_bus_call_async(client, NULL, call, on_late_answer, &done, UINT64_MAX), 0);
        sd_bus_message_unref(call);
        stage_await(&bus.stage, "STATUS=Realigning");
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        assert_answer(call_settle(client, FUNCTION_NAME, 0),
                      ERROR_("TimedOut") ": the verdict of 0000:01:00.0");
        ck_assert(!done);

        stage_write(&bus.stage, "run/udev/queue", "");
        stage_event("unbind", FIRST);
        stage_event("bind", FIRST);
        stage_event("bind", SECOND);
        stage_await(&bus.stage, "waiting for quiet");
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        bus_exchange();
        ck_assert(!done);

        snprintf(queue, sizeof(queue), "%s/run/udev/queue", bus.stage.folder);
        ck_assert_int_eq(unlink(queue), 0);
        client_run(client, &done);
}
END_TEST

START_TEST(settle_ends_at_its_timeout)
{
        stage_on(&bus.stage, "execute",
                 "read line <$d/go\n" STAGE_REALIGN STAGE_RESULT("verified", "none", "true"));
        stage_bind(&bus.stage);
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, 0), ERROR_("TimedOut") ": ");
        assert_answer(call_settle(client, FUNCTION_NAME, 100000), ERROR_("TimedOut") ": ");
        stage_await(&bus.stage, "STATUS=Realigning");
        assert_answer(call_settle(client, FUNCTION_NAME, 1), ERROR_("TimedOut") ": ");

        sd_bus_message *call = call_settle(client, FUNCTION_NAME, UINT64_MAX - 1);
        bool done = false;
        ck_assert_int_ge(sd_bus_call_async(client, NULL, call, on_late_answer, &done, UINT64_MAX), 0);
        sd_bus_message_unref(call);
        bus_exchange();
        ck_assert(!done);
        bus_let_go(&bus);
        client_run(client, &done);
}
END_TEST

START_TEST(clients_that_leave_are_forgotten)
{
        stage_on(&bus.stage, "execute", "read line <$d/go\n");
        stage_on(&bus.stage, "plan", "[ ! -e $d/slow ] || exec sleep 1000\nexec $d/plan-now \"$@\"\n");
        _cleanup_free_ char *now =
                        text_format("#!/bin/sh\nexec %s/vfio-realign-worker \"$@\"\n", bus.stage.build);
        char path[TREE_PATH_MAX];
        stage_write(&bus.stage, "plan-now", now);
        snprintf(path, sizeof(path), "%s/plan-now", bus.stage.folder);
        ck_assert_int_eq(chmod(path, 0755), 0);
        stage_bind(&bus.stage);
        bus_daemon();
        stage_await(&bus.stage, "STATUS=Realigning");
        stage_write(&bus.stage, "slow", "");
        for (unsigned i = 0; i < 20; i++) {
                sd_bus *leaver = client_new(&bus);
                sd_bus_message *call = call_settle(leaver, FUNCTION_NAME, UINT64_MAX);
                ck_assert_int_ge(sd_bus_call_async(leaver, NULL, call, on_late_answer, NULL, UINT64_MAX), 0);
                sd_bus_message_unref(call);
                call = client_call_new(leaver, "Plan");
                ck_assert_int_ge(sd_bus_message_append(call, "as", 1, FUNCTION_NAME), 0);
                ck_assert_int_ge(sd_bus_call_async(leaver, NULL, call, on_late_answer, NULL, UINT64_MAX), 0);
                sd_bus_message_unref(call);
                ck_assert_int_ge(sd_bus_flush(leaver), 0);
                sd_bus_close_unref(leaver);
        }
        snprintf(path, sizeof(path), "%s/slow", bus.stage.folder);
        ck_assert_int_eq(unlink(path), 0);
        /* answered only when the plans of those that left do not stand in its way any more */
        sd_bus_message *reply;
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Plan", NULL, &reply, "as", 1,
                                            FUNCTION_NAME),
                         0);
        sd_bus_message_unref(reply);
        bus_let_go(&bus);
        stage_stop(&bus.stage);
}
END_TEST

/* All of them wait for the same transaction, and nothing is heard of meanwhile. */
START_TEST(many_calls_do_not_read_the_machine_as_many_times)
{
        char path[TREE_PATH_MAX], events[4096];
        stage_on(&bus.stage, "execute",
                 "read line <$d/go\n" STAGE_REALIGN STAGE_RESULT("verified", "none", "true"));
        stage_bind(&bus.stage);
        bus_daemon();
        stage_await(&bus.stage, "STATUS=Realigning");
        snprintf(path, sizeof(path), "%s/sys/devices/%s/resource", bus.stage.folder, FIRST);
        int opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        ck_assert_int_ge(inotify_add_watch(opened, path, IN_OPEN), 0);

        bool done = false;
        for (unsigned i = 0; i < 100; i++) {
                sd_bus_message *call = call_settle(client, FUNCTION_NAME, UINT64_MAX);
                ck_assert_int_ge(sd_bus_call_async(client, NULL, call, on_late_answer, &done, UINT64_MAX),
                                 0);
                sd_bus_message_unref(call);
        }
        bus_exchange();
        ck_assert(!done);
        ssize_t n = read(opened, events, sizeof(events));
        ck_assert_msg(n < (ssize_t) (10 * sizeof(struct inotify_event)), "%zd bytes of events", n);
        close(opened);
        bus_let_go(&bus);
        client_run(client, &done);
}
END_TEST

/* --- plans */

/* While a transaction is stuck. */
START_TEST(plans_are_made_at_any_time)
{
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        _cleanup_free_ char *problem = NULL;
        sd_bus_message *reply;
        const char *text;
        stage_on(&bus.stage, "execute", "read line <$d/go\n");
        stage_bind(&bus.stage);
        bus_daemon();
        stage_await(&bus.stage, "STATUS=Realigning");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Plan", NULL, &reply, "as", 2,
                                            FUNCTION_NAME, "0000:00:1c.0"),
                         0);
        ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
        ck_assert_int_eq(json_document_parse(text, &document, &problem), 0);
        ck_assert_int_eq(plan_set_from_json(document, &set, &problem), 0);
        ck_assert_uint_eq(set->n_plans, 1);
        ck_assert_uint_eq(set->plans[0]->n_functions, 3);
        sd_bus_message_unref(reply);

        bus_let_go(&bus);
}
END_TEST

static int on_plan(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        unsigned *n = userdata;
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        if (!failed)
                n[0]++;
        else if (strcmp(failed->name, ERROR_("TooManyRequests")) == 0)
                n[1]++;
        else
                ck_abort_msg("%s: %s", failed->name, failed->message);
        return 0;
}

/* Of one client 64 at a time, four of them running. */
START_TEST(plans_are_bounded)
{
        unsigned n[2] = { 0 };
        stage_on(&bus.stage, "plan", "echo '{\"plans\":[],\"refusals\":[]}'\n");
        bus_daemon();
        for (unsigned i = 0; i < 100; i++)
                ck_assert_int_ge(sd_bus_call_method_async(client, NULL, NAME, OBJECT, MANAGER, "Plan",
                                                          on_plan, n, "as", 1, FUNCTION_NAME),
                                 0);
        time_t end = time(NULL) + WAIT_USEC / 1000000;
        while (n[0] + n[1] < 100 && time(NULL) < end)
                if (sd_bus_process(client, NULL) == 0)
                        ck_assert_int_ge(sd_bus_wait(client, 1000000), 0);
        ck_assert_uint_eq(n[0] + n[1], 100);
        ck_assert_uint_ge(n[0], 64);
}
END_TEST

/* --- bad input */

static void assert_error(const char *method, const char *wanted, const char *types, ...)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = client_call_new(client, method), *reply = NULL;
        va_list args;
        va_start(args, types);
        ck_assert_int_ge(sd_bus_message_appendv(call, types, args), 0);
        va_end(args);
        int r = sd_bus_call(client, call, WAIT_USEC, &error, &reply);
        sd_bus_message_unref(call);
        ck_assert_msg(r < 0, "%s succeeds", method);
        ck_assert_msg(strcmp(error.name, wanted) == 0, "%s: %s: %s", method, error.name, error.message);
        ck_assert_int_lt(strlen(error.message), 400);
        sd_bus_error_free(&error);
}

START_TEST(bad_names_are_errors)
{
        static const char *const names[] = {
                "",
                "0000:01:00",
                "0000:01:00.8",
                "0000:01:20.0",
                "0000:01:00.0 ",
                "../../etc",
                "pci_0000_01_00",
                "0000:01:00.0\n",
                "\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83",
                "*",
                "-h",
                "--help",
        };
        bus_daemon();
        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                assert_error("GetFunction", ERROR_("InvalidAddress"), "s", names[i]);
                assert_error("Plan", ERROR_("InvalidAddress"), "as", 1, names[i]);
                assert_error("Restore", ERROR_("InvalidAddress"), "as", 1, names[i]);
                assert_error("Detach", ERROR_("InvalidAddress"), "as", 1, names[i]);
                assert_error("Reattach", ERROR_("InvalidAddress"), "as", 1, names[i]);
                assert_error("Settle", ERROR_("InvalidAddress"), "ast", 1, names[i], UINT64_C(0));
                assert_error("Realign", ERROR_("InvalidAddress"), "asa{sv}", 1, names[i], 0);
        }
        assert_error("GetFunction", ERROR_("NoSuchFunction"), "s", "0000:7f:00.0");
        assert_error("GetFunction", ERROR_("NoSuchFunction"), "s", "0000:00:1c.0");
        assert_error("Settle", ERROR_("NoSuchFunction"), "ast", 1, "0000:7f:00.0", UINT64_C(0));
        assert_error("Realign", ERROR_("NoSuchFunction"), "asa{sv}", 2, FUNCTION_NAME, "0000:7f:00.0", 0);
}
END_TEST

START_TEST(huge_arguments_are_errors)
{
        _cleanup_free_ char *huge = malloc((1 << 20) + 1);
        bus_daemon();
        memset(huge, '0', 1 << 20);
        huge[1 << 20] = '\0';
        assert_error("GetFunction", ERROR_("InvalidAddress"), "s", huge);
        assert_error("Plan", ERROR_("InvalidAddress"), "as", 1, huge);
        assert_error("Restore", ERROR_("InvalidAddress"), "as", 1, huge);
        assert_error("Settle", ERROR_("InvalidAddress"), "ast", 2, FUNCTION_NAME, huge, UINT64_MAX);
        assert_error("Realign", ERROR_("InvalidArgument"), "asa{sv}", 1, FUNCTION_NAME, 1, huge, "b", true);

        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = client_call_new(client, "Plan");
        ck_assert_int_ge(sd_bus_message_open_container(call, 'a', "s"), 0);
        for (unsigned i = 0; i < 100000; i++)
                ck_assert_int_ge(sd_bus_message_append(call, "s", FUNCTION_NAME), 0);
        ck_assert_int_ge(sd_bus_message_close_container(call), 0);
        ck_assert_int_lt(sd_bus_call(client, call, WAIT_USEC, &error, NULL), 0);
        ck_assert_str_eq(error.name, ERROR_("InvalidArgument"));
        sd_bus_message_unref(call);
        sd_bus_error_free(&error);
}
END_TEST

START_TEST(bad_arguments_are_errors)
{
        bus_daemon();
        assert_error("Plan", ERROR_("InvalidArgument"), "as", 0);
        assert_error("Restore", ERROR_("InvalidArgument"), "as", 0);
        assert_error("Settle", ERROR_("InvalidArgument"), "ast", 0, UINT64_C(0));
        assert_error("Realign", ERROR_("InvalidArgument"), "asa{sv}", 0, 0);
        assert_error("Realign", ERROR_("InvalidArgument"), "asa{sv}", 1, FUNCTION_NAME, 1, "wish", "b",
                     true);
        assert_error("Realign", ERROR_("InvalidArgument"), "asa{sv}", 1, FUNCTION_NAME, 1, "force", "s",
                     "yes");
        assert_error("Realign", SD_BUS_ERROR_INVALID_ARGS, "as", 1, FUNCTION_NAME);
        assert_error("Settle", SD_BUS_ERROR_INVALID_ARGS, "s", FUNCTION_NAME);
        assert_error("Wish", SD_BUS_ERROR_UNKNOWN_METHOD, "");
}
END_TEST

#define SPOILT "SPOIL"

/* Passes on what comes from FROM, with bytes that are no UTF-8 in place of SPOILT. False: there is no more. */
static bool pass_on(int from, int to)
{
        char bytes[4096];
        ssize_t n = read(from, bytes, sizeof(bytes));
        char *at = n > 0 ? memmem(bytes, (size_t) n, SPOILT, strlen(SPOILT)) : NULL;
        if (at)
                memset(at, 0xff, strlen(SPOILT));
        return n > 0 && write(to, bytes, (size_t) n) == n;
}

/* Between one client and the bus, whose socket's address is in ADDRESS. */
__attribute__((noreturn)) static void be_relay(int listener, const struct sockaddr_un *address)
{
        int near = accept(listener, NULL, NULL), far = socket(AF_UNIX, SOCK_STREAM, 0);
        if (near < 0 || far < 0 || connect(far, (const struct sockaddr *) address, sizeof(*address)) < 0)
                _exit(1);
        for (;;) {
                struct pollfd items[] = { { .fd = near, .events = POLLIN },
                                          { .fd = far, .events = POLLIN } };
                if (poll(items, 2, -1) < 0 || (items[0].revents && !pass_on(near, far)) ||
                    (items[1].revents && !pass_on(far, near)))
                        _exit(0);
        }
}

/* sd-bus itself sends no such text, so it is spoilt on its way. The bus throws its sender out; nobody else notices. */
START_TEST(invalid_utf8_ends_its_client_alone)
{
        struct sockaddr_un relay = { .sun_family = AF_UNIX }, far = { .sun_family = AF_UNIX };
        snprintf(relay.sun_path, sizeof(relay.sun_path), "%s/relay", bus.stage.folder);
        snprintf(far.sun_path, sizeof(far.sun_path), "%s/bus", bus.stage.folder);
        _cleanup_free_ char *address = text_format("unix:path=%s", relay.sun_path);
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *) &relay, sizeof(relay)), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        pid_t pid = suite_fork();
        if (pid == 0)
                be_relay(listener, &far);
        close(listener);
        bus_daemon();
        sd_bus *bad;
        ck_assert_int_ge(client_connect(address, &bad), 0);
        /* what is not spoilt gets through */
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ck_assert_int_lt(sd_bus_call_method(bad, NAME, OBJECT, MANAGER, "GetFunction", &error, NULL, "s",
                                            "7"),
                         0);
        ck_assert_str_eq(error.name, ERROR_("InvalidAddress"));
        sd_bus_error_free(&error);
        int r = sd_bus_call_method(bad, NAME, OBJECT, MANAGER, "GetFunction", &error, NULL, "s", SPOILT);
        ck_assert_msg(r < 0 && (!error.name || strcmp(error.name, ERROR_("InvalidAddress")) != 0), "%d: %s",
                      r, error.name);
        sd_bus_error_free(&error);
        sd_bus_close_unref(bad);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        free(client_property(client, OBJECT, MANAGER, "State"));
}
END_TEST

/* --- others */

START_TEST(reload_tells_what_is_wrong)
{
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        bus_policy("realign = nonsense\n");
        sd_bus_error error = SD_BUS_ERROR_NULL;
        ck_assert_int_lt(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", &error, NULL, NULL), 0);
        ck_assert_str_eq(error.name, ERROR_("PolicyInvalid"));
        ck_assert_ptr_nonnull(strstr(error.message, "vfio-realign.conf:2"));
        sd_bus_error_free(&error);
        bus_policy("realign = never\n");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        stage_await(&bus.stage, "RELOADING=1");
}
END_TEST

START_TEST(what_could_not_be_recovered_is_an_error)
{
        stage_write(&bus.stage, JOURNAL_PATH, "{}");
        stage_on(&bus.stage, "recover", "exit 1\n");
        bus_daemon();
        stage_await(&bus.stage, "STATUS=An interrupted transaction could not be recovered");
        assert_answer(call_settle(client, FUNCTION_NAME, UINT64_MAX), ERROR_("RecoveryFailed") ": ");
        _cleanup_free_ char *state = client_property(client, OBJECT, MANAGER, "State");
        ck_assert_str_eq(state, "blocked");
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
        bus_daemon();
        tree_write(bus.stage.folder, FIRST, "resource", "garbage\n");
        assert_answer(call_settle(client, FUNCTION_NAME, UINT64_MAX), ERROR_("Unreadable") ": ");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("dbus-request");
        TCase *tests = tcase_create("dbus-request");
        tcase_add_checked_fixture(tests, bus_setup, bus_teardown);
        tcase_set_timeout(tests, 200);
        tcase_add_test(tests, settle_need_not_wait_for_quiet);
        tcase_add_test(tests, settle_needs_no_event);
        tcase_add_test(tests, several_functions_are_answered_in_their_order);
        tcase_add_test(tests, realign_goes_past_report_and_not_past_never);
        tcase_add_test(tests, failed_attempts_end_unless_forced);
        tcase_add_test(tests, what_is_in_use_is_no_reason_to_wait);
        tcase_add_test(tests, a_plan_that_fails_is_an_error);
        tcase_add_test(tests, a_verdict_is_final_when_udev_is_done);
        tcase_add_test(tests, settle_ends_at_its_timeout);
        tcase_add_test(tests, clients_that_leave_are_forgotten);
        tcase_add_test(tests, many_calls_do_not_read_the_machine_as_many_times);
        tcase_add_test(tests, plans_are_made_at_any_time);
        tcase_add_test(tests, plans_are_bounded);
        tcase_add_test(tests, bad_names_are_errors);
        tcase_add_test(tests, huge_arguments_are_errors);
        tcase_add_test(tests, bad_arguments_are_errors);
        tcase_add_test(tests, invalid_utf8_ends_its_client_alone);
        tcase_add_test(tests, reload_tells_what_is_wrong);
        tcase_add_test(tests, what_could_not_be_recovered_is_an_error);
        tcase_add_test(tests, what_cannot_be_read_is_an_error);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
