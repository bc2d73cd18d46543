/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Restore, Detach and Reattach of the real vfio-realignd, and what it keeps in mind of them. */

#include "daemon/attempts.h"
#include "daemon/restored.h"
#include "dbus-stage.h"

static char *move(const char *method)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *id, *outcome, *reason, *culprit, *detail;
        char *text = strdup(""), **functions;
        int r = sd_bus_call_method(client, NAME, OBJECT, MANAGER, method, &error, &reply, "as", 1,
                                   FUNCTION_NAME);
        if (r < 0) {
                text_replace(&text, "%s: %s", error.name, error.message);
                sd_bus_error_free(&error);
                return text;
        }
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sasssss)"), 0);
        while (sd_bus_message_enter_container(reply, 'r', "sasssss") > 0) {
                ck_assert_int_ge(sd_bus_message_read(reply, "s", &id), 0);
                ck_assert_int_ge(sd_bus_message_read_strv(reply, &functions), 0);
                ck_assert_int_ge(sd_bus_message_read(reply, "ssss", &outcome, &reason, &culprit, &detail),
                                 0);
                ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
                text_replace(&text, "%s%s %s %s %s %s|", text, id,
                             functions && functions[0] ? functions[0] : "-", outcome, reason, culprit);
                text_list_free(functions);
        }
        sd_bus_message_unref(reply);
        return text;
}

static void assert_moved(const char *method, const char *wanted)
{
        _cleanup_free_ char *text = move(method), *log = stage_read(&bus.stage, "log");
        ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "\"%s\", not \"%s\"; log:\n%s", text,
                      wanted, log);
}

#define GOAL_RESULT(goal, outcome, reason, more)                                                            \
        "echo '{\"transaction\":\"cd34\",\"goal\":\"" goal "\",\"outcome\":\"" outcome                      \
        "\",\"reason\":\"" reason "\",\"attempted\":true," more                                             \
        "\"functions\":[{\"function\":\"0000:01:00.0\",\"path\":"                                           \
        "\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,\"target\":true}],\"warnings\":[]}'\n"

/* What is asked while a transaction runs waits for its end; a detach that fails is no attempt to realign. */
START_TEST(functions_are_detached_and_reattached)
{
        bus_policy(NEVER_QUIET);
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "detach", GOAL_RESULT("detach", "rolled-back", "wrong-driver", ""));
        bus_daemon();
        assert_moved("Detach", "cd34 0000:01:00.0 rolled-back wrong-driver |");
        assert_calls("--detach 0000:01:00.0", 1);
        ck_assert_uint_eq(stage_count(&bus.stage, ATTEMPTS_PATH, "0000:00:1c.0"), 0);
        stage_on(&bus.stage, "detach", GOAL_RESULT("detach", "verified", "none", ""));
        assert_moved("Detach", "cd34 0000:01:00.0 verified none |");
        stage_on(&bus.stage, "reattach",
                 GOAL_RESULT("reattach", "verified", "none",
                             "") "echo '{\"transaction\":\"\",\"goal\":\"reattach\","
                                 "\"outcome\":\"refused\",\"reason\":\"in-use\",\"attempted\":false,\"culprit\":\"0000:01:00.1\","
                                 "\"functions\":[],\"warnings\":[],\"refusals\":[]}'\nexit 7\n");
        assert_moved("Reattach", "cd34 0000:01:00.0 verified none | - refused in-use 0000:01:00.1|");
        stage_on(&bus.stage, "reattach",
                 "echo '{\"transaction\":\"\",\"goal\":\"reattach\",\"outcome\":\"refused\",\"reason\":\"in-use\","
                 "\"attempted\":false,\"culprit\":\"0000:01:00.0\",\"functions\":[],\"warnings\":[],"
                 "\"refusals\":[]}'\nexit 7\n");
        assert_moved("Reattach", ERROR_("Refused") ": 0000:01:00.0: the function is in use");
        stage_on(&bus.stage, "reattach", "exit 1\n");
        assert_moved("Reattach", ERROR_("WorkerFailed") ": ");
}
END_TEST

/* The worker itself, on functions that are on VFIO already: there is nothing to do. */
START_TEST(what_is_detached_already_is_fine)
{
        _cleanup_free_ char *real = text_format("exec %s/vfio-realign-worker \"$@\"\n", bus.stage.build);
        bus_policy(NEVER_QUIET);
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "detach", real);
        bus_daemon();
        assert_moved("Detach", " 0000:01:00.0 verified none |");
}
END_TEST

#define FIRST_ONLY(transaction, goal, outcome, reason)                                                      \
        "echo '{\"transaction\":\"" transaction "\",\"goal\":\"" goal "\",\"outcome\":\"" outcome           \
        "\",\"reason\":\"" reason "\",\"attempted\":true,\"functions\":[{\"function\":\"0000:01:00.0\","    \
        "\"path\":\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,\"target\":true}],\"warnings\":[]}'\n"
/* Only the first is on VFIO, realigned; then it has its own size again, in the page of the second. */
#define OWN_SIZE "cp $d/own $d/sys/devices/" FIRST "/resource\n"

static void only_first(void)
{
        _cleanup_free_ char *own = stage_read(&bus.stage, "sys/devices/" FIRST "/resource");
        stage_write(&bus.stage, "own", own);
        tree_bind(bus.stage.folder, FIRST, "vfio-pci", true);
        stage_on(&bus.stage, "execute",
                 "cp $d/realigned-0 $d/sys/devices/" FIRST
                 "/resource\n" FIRST_ONLY("ab12", "realign", "verified", "none"));
        stage_on(&bus.stage, "restore", OWN_SIZE FIRST_ONLY("ef56", "restore", "verified", "none"));
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC), "0000:01:00.0 ok verified none|");
        assert_moved("Restore", "ef56 0000:01:00.0 verified none |");
        assert_calls("restore --sysroot", 1);
        assert_calls("--restore 0000:01:00.0", 1);
}

/* Not by an event on its bus, not by a look at all buses, not by Settle, and not after a restart. */
START_TEST(what_is_restored_is_left_so)
{
        bus_policy("settle-delay = 0\n");
        only_first();
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - restored|");
        stage_event("change", SECOND);
        stage_event("unbind", SECOND);
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - restored|");
        _cleanup_free_ char *status = client_property(client, OBJECT, MANAGER, "Status");
        ck_assert_ptr_nonnull(strstr(status, "own sizes back by request"));
        stage_stop(&bus.stage);
        bus_daemon();
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - restored|");
        assert_calls("execute --sysroot", 1);
        /* who asks for it gets it, and then it is as any other */
        assert_answer(call_realign(client, FUNCTION_NAME, false), "0000:01:00.0 ok verified none|");
        assert_calls("execute --sysroot", 2);
        ck_assert_uint_eq(stage_count(&bus.stage, RESTORED_PATH, "00.0"), 0);
}
END_TEST

/* That of the restoring itself, which udev reports late, does not count. */
START_TEST(a_new_bind_ends_what_was_restored)
{
        bus_policy("settle-delay = 0\n");
        stage_write(&bus.stage, "run/udev/control", "");
        tree_bind(bus.stage.folder, FIRST, "vfio-pci", true);
        _cleanup_free_ char *own = stage_read(&bus.stage, "sys/devices/" FIRST "/resource");
        stage_write(&bus.stage, "own", own);
        stage_on(&bus.stage, "restore", OWN_SIZE FIRST_ONLY("ef56", "restore", "verified", "none"));
        bus_policy("realign = report\n");
        bus_daemon();
        assert_moved("Restore", "ef56 0000:01:00.0 verified none |");
        bus_policy("realign = auto\nsettle-delay = 0\n");
        ck_assert_uint_eq(stage_count(&bus.stage, RESTORED_PATH, "00.0"), 1);
        stage_event("bind", FIRST);
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - restored|");
        ck_assert_uint_eq(stage_count(&bus.stage, RESTORED_PATH, "00.0"), 1);
        stage_event("unbind", FIRST);
        stage_event("bind", FIRST);
        /* the policy in effect is still "report" */
        for (unsigned i = 0; stage_count(&bus.stage, RESTORED_PATH, "00.0") == 1; i++) {
                ck_assert_uint_lt(i, 1000);
                bus_exchange();
        }
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - policy-report|");
}
END_TEST

START_TEST(what_was_restored_ends_otherwise)
{
        bus_policy("settle-delay = 0\n");
        only_first();
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC), "0000:01:00.0 ok verified none|");

        assert_moved("Restore", "ef56 0000:01:00.0 verified none |");
        stage_on(&bus.stage, "reattach", FIRST_ONLY("cd34", "reattach", "verified", "none"));
        assert_moved("Reattach", "cd34 0000:01:00.0 verified none |");
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC), "0000:01:00.0 ok verified none|");

        /* somebody has taken it off VFIO while no daemon was there */
        assert_moved("Restore", "ef56 0000:01:00.0 verified none |");
        stage_stop(&bus.stage);
        tree_unbind(bus.stage.folder, FIRST);
        bus_daemon();
        stage_await(&bus.stage, "STATUS=");
        for (unsigned i = 0; stage_count(&bus.stage, RESTORED_PATH, "00.0") == 1; i++) {
                ck_assert_uint_lt(i, 1000);
                bus_exchange();
        }
}
END_TEST

/* What failed is no reason to leave it alone; the real worker refuses what is not grown. */
START_TEST(restoring_can_fail)
{
        _cleanup_free_ char *real = text_format("exec %s/vfio-realign-worker \"$@\"\n", bus.stage.build);
        bus_policy("realign = report\n");
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "restore", FIRST_ONLY("ef56", "restore", "rolled-back", "bar-lost"));
        bus_daemon();
        assert_moved("Restore", "ef56 0000:01:00.0 rolled-back bar-lost |");
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC),
                      "0000:01:00.0 needs-realign - policy-report|");
        ck_assert_uint_eq(stage_count(&bus.stage, ATTEMPTS_PATH, "0000:00:1c.0"), 0);
        stage_on(&bus.stage, "restore", real);
        assert_moved("Restore", ERROR_("Refused") ": 0000:01:00.0: ");
        ck_assert_uint_eq(stage_count(&bus.stage, RESTORED_PATH, "00.0"), 0);
}
END_TEST

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        ck_abort_msg("somebody who has left is answered");
}

/* What waits is forgotten with its caller; what has begun is finished, and remembered. */
START_TEST(clients_that_leave_are_forgotten)
{
        bus_policy("realign = report\n");
        tree_bind(bus.stage.folder, FIRST, "vfio-pci", true);
        stage_on(&bus.stage, "restore",
                 "read line <$d/go\n" FIRST_ONLY("ef56", "restore", "verified", "none"));
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        sd_bus *leaver = client_new(&bus);
        for (unsigned i = 0; i < 3; i++) {
                sd_bus_message *call = client_call_new(leaver, "Restore");
                ck_assert_int_ge(sd_bus_message_append(call, "as", 1, FUNCTION_NAME), 0);
                ck_assert_int_ge(sd_bus_call_async(leaver, NULL, call, on_answer, NULL, UINT64_MAX), 0);
                sd_bus_message_unref(call);
        }
        ck_assert_int_ge(sd_bus_flush(leaver), 0);
        stage_await(&bus.stage, "STATUS=Giving BARs their own sizes back");
        sd_bus_close_unref(leaver);
        bus_exchange();
        bus_let_go(&bus);
        stage_on(&bus.stage, "detach", FIRST_ONLY("cd34", "detach", "verified", "none"));
        assert_moved("Detach", "cd34 0000:01:00.0 verified none |");
        assert_calls("restore --sysroot", 1);
        ck_assert_uint_eq(stage_count(&bus.stage, "log", "ef56"), 1);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("dbus-errand");
        TCase *tests = tcase_create("dbus-errand");
        tcase_add_checked_fixture(tests, bus_setup, bus_teardown);
        tcase_set_timeout(tests, 200);
        tcase_add_test(tests, functions_are_detached_and_reattached);
        tcase_add_test(tests, what_is_detached_already_is_fine);
        tcase_add_test(tests, what_is_restored_is_left_so);
        tcase_add_test(tests, a_new_bind_ends_what_was_restored);
        tcase_add_test(tests, what_was_restored_ends_otherwise);
        tcase_add_test(tests, restoring_can_fail);
        tcase_add_test(tests, clients_that_leave_are_forgotten);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
