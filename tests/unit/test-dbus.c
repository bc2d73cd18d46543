/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The real vfio-realignd on a bus of its own: what it shows, what it tells, and how it lives with and without a bus. */

#include "base/page.h"
#include "base/reason.h"
#include "dbus-stage.h"

static void start(void)
{
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
}

static void assert_property(const char *path, const char *interface, const char *property,
                            const char *wanted)
{
        _cleanup_free_ char *text = client_property(client, path, interface, property);
        _cleanup_free_ char *log = stage_read(&bus.stage, "log");
        ck_assert_msg(strcmp(text, wanted) == 0, "%s is \"%s\", not \"%s\"; log:\n%s", property, text,
                      wanted, log);
}

START_TEST(the_manager_shows_itself)
{
        sd_bus_message *reply;
        uint64_t page;
        start();
        assert_property(OBJECT, MANAGER, "Version", PACKAGE_VERSION);
        assert_property(OBJECT, MANAGER, "State", "idle");
        assert_property(OBJECT, MANAGER, "Status", "Nothing to do.");
        ck_assert_int_ge(sd_bus_get_property_trivial(client, NAME, OBJECT, MANAGER, "PageSize", NULL, 't',
                                                     &page),
                         0);
        ck_assert_uint_eq(page, page_size());
        ck_assert_int_ge(sd_bus_get_property(client, NAME, OBJECT, MANAGER, "Transaction", NULL, &reply,
                                             "(ssssstt)"),
                         0);
        sd_bus_message_unref(reply);
}
END_TEST

/* --- what is told */

typedef struct Heard {
        char *text;
        bool done;
        const char *until;
} Heard;

static void hear(Heard *heard, const char *format, ...) _printf_(2, 3);
static void hear(Heard *heard, const char *format, ...)
{
        _cleanup_free_ char *line = NULL;
        va_list args;
        va_start(args, format);
        ck_assert_int_ge(vasprintf(&line, format, args), 0);
        va_end(args);
        text_replace(&heard->text, "%s%s\n", heard->text ? heard->text : "", line);
        if (strstr(line, heard->until))
                heard->done = true;
}

/* The names of the changed properties of a function. */
static void hear_changes(Heard *heard, sd_bus_message *signal)
{
        _cleanup_free_ char *names = strdup("");
        const char *interface, *name;
        ck_assert_int_ge(sd_bus_message_read(signal, "s", &interface), 0);
        if (strcmp(interface, FUNCTION) != 0)
                return;
        ck_assert_int_ge(sd_bus_message_enter_container(signal, 'a', "{sv}"), 0);
        while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
                ck_assert_int_ge(sd_bus_message_read(signal, "s", &name), 0);
                ck_assert_int_ge(sd_bus_message_skip(signal, "v"), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(signal), 0);
                text_replace(&names, "%s %s", names, name);
        }
        hear(heard, "%s changed:%s", strrchr(sd_bus_message_get_path(signal), '/') + 1, names);
}

static int on_signal(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        Heard *heard = userdata;
        const char *member = sd_bus_message_get_member(signal), *text[6];
        uint64_t number[3];
        char **functions;
        if (strcmp(member, "PropertiesChanged") == 0)
                hear_changes(heard, signal);
        else if (strncmp(member, "Interfaces", 10) == 0) {
                ck_assert_int_ge(sd_bus_message_read(signal, "o", &text[0]), 0);
                hear(heard, "%s %s", member, strrchr(text[0], '/') + 1);
        } else if (strcmp(member, "TransactionStep") == 0) {
                ck_assert_int_ge(sd_bus_message_read(signal, "ssssttst", &text[0], &text[1], &text[2],
                                                     &text[3], &number[0], &number[1], &text[4], &number[2]),
                                 0);
                hear(heard, "step %s %s [%s] %s %u %u", text[0], text[1], text[2], text[3],
                     (unsigned) number[0], (unsigned) number[1]);
        } else {
                ck_assert_int_ge(sd_bus_message_read(signal, "ss", &text[0], &text[1]), 0);
                ck_assert_int_ge(sd_bus_message_read_strv(signal, &functions), 0);
                if (strcmp(member, "TransactionEnded") == 0)
                        ck_assert_int_ge(sd_bus_message_read(signal, "sssst", &text[2], &text[3], &text[4],
                                                             &text[5], &number[0]),
                                         0);
                else
                        text[2] = text[3] = "-";
                _cleanup_free_ char *list = strdup("");
                for (char **function = functions; function && *function; function++)
                        text_replace(&list, "%s%s%s", list, *list ? "," : "", *function);
                hear(heard, "%s %s %s [%s] %s %s", member, text[0], text[1], list, text[2], text[3]);
                text_list_free(functions);
        }
        return 0;
}

static void listen_for(Heard *heard, const char *until)
{
        *heard = (Heard){ .text = strdup(""), .until = until };
        ck_assert_int_ge(sd_bus_add_match(client, NULL, "type='signal',sender='" NAME "'", on_signal, heard),
                         0);
}

static void assert_heard(const Heard *heard, const char *line)
{
        ck_assert_msg(strstr(heard->text, line), "\"%s\" was not told:\n%s", line, heard->text);
}

/* Two functions come, are realigned and go: each difference is told once, and nothing else. */
START_TEST(differences_are_told)
{
        Heard heard;
        start();
        listen_for(&heard, "InterfacesRemoved");
        stage_bind(&bus.stage);
        stage_event("bind", FIRST);
        stage_await(&bus.stage, "STATUS=Realigning");
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        assert_property(FIRST_OBJECT, FUNCTION, "Verdict", "ok");
        tree_unlink(bus.stage.folder, SECOND, "vfio-dev/vfio0/dev");
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/sys/devices/" SECOND "/vfio-dev/vfio0", bus.stage.folder);
        ck_assert_int_eq(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
        ck_assert_int_eq(rmdir(path), 0);
        stage_event("unbind", SECOND);
        client_run(client, &heard.done);

        assert_heard(&heard, "InterfacesAdded _30000_3a01_3a00_2e0");
        assert_heard(&heard, "InterfacesAdded _30000_3a01_3a00_2e1");
        assert_heard(&heard, "_30000_3a01_3a00_2e0 changed: State\n");
        assert_heard(&heard,
                     "TransactionStarted ab12 0000:00:1c.0 [0000:01:00.0,0000:01:00.1] - -\n"
                     "step ab12 verify [] done 0 1\n"
                     "TransactionEnded ab12 0000:00:1c.0 [0000:01:00.0,0000:01:00.1] verified none\n");
        assert_heard(&heard, "_30000_3a01_3a00_2e0 changed: Verdict State BARs LastTransaction\n");
        assert_heard(&heard, "InterfacesRemoved _30000_3a01_3a00_2e1");
        free(heard.text);
}
END_TEST

static void assert_policy(const char *key, const char *wanted)
{
        sd_bus_message *reply;
        const char *name, *value;
        bool found = false;
        ck_assert_int_ge(sd_bus_get_property(client, NAME, FIRST_OBJECT, FUNCTION, "Policy", NULL, &reply,
                                             "a{ss}"),
                         0);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{ss}"), 0);
        while (sd_bus_message_read(reply, "{ss}", &name, &value) > 0)
                if (strcmp(name, key) == 0) {
                        ck_assert_str_eq(value, wanted);
                        found = true;
                }
        sd_bus_message_unref(reply);
        ck_assert_msg(found, "%s is not there", key);
}

START_TEST(a_function_shows_its_pages)
{
        sd_bus_message *reply;
        const char *verdict, *id, *outcome, *reason;
        char **neighbours;
        uint64_t start_address, size, own, when;
        uint32_t line;
        int32_t group;
        stage_bind(&bus.stage);
        stage_policy(&bus.stage, "realign = report\n");
        start();
        assert_property(FIRST_OBJECT, FUNCTION, "Address", "0000:01:00.0");
        assert_property(FIRST_OBJECT, FUNCTION, "Path", "0000:00:1c.0/00.0");
        assert_property(FIRST_OBJECT, FUNCTION, "Driver", "vfio-pci");
        assert_property(FIRST_OBJECT, FUNCTION, "Verdict", "needs-realign");
        assert_property(FIRST_OBJECT, FUNCTION, "State", "settled");
        assert_property(FIRST_OBJECT, FUNCTION, "Reason", "policy-report");
        assert_property(FIRST_OBJECT, FUNCTION, "ReasonText", reason_text(REASON_POLICY_REPORT));
        assert_property(FIRST_OBJECT, FUNCTION, "Remedy", reason_remedy(REASON_POLICY_REPORT));
        assert_property(FIRST_OBJECT, FUNCTION, "Detail", "");
        ck_assert_int_ge(sd_bus_get_property_trivial(client, NAME, FIRST_OBJECT, FUNCTION, "IOMMUGroup",
                                                     NULL, 'i', &group),
                         0);
        ck_assert_int_eq(group, 5);

        ck_assert_int_ge(sd_bus_get_property(client, NAME, FIRST_OBJECT, FUNCTION, "BARs", NULL, &reply,
                                             "a(ustttas)"),
                         0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(ustttas)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "ustttas"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "usttt", &line, &verdict, &start_address, &size, &own),
                         0);
        ck_assert_int_ge(sd_bus_message_read_strv(reply, &neighbours), 0);
        ck_assert_uint_eq(line, 1);
        ck_assert_str_eq(verdict, "shared");
        ck_assert_uint_eq(start_address, 0xfe000000);
        ck_assert_uint_eq(size, 0x100);
        ck_assert_uint_eq(own, 0);
        ck_assert_str_eq(neighbours[0], "0000:01:00.1 BAR 1");
        ck_assert_ptr_null(neighbours[1]);
        text_list_free(neighbours);
        sd_bus_message_unref(reply);

        ck_assert_int_ge(sd_bus_get_property(client, NAME, FIRST_OBJECT, FUNCTION, "LastTransaction", NULL,
                                             &reply, "(ssst)"),
                         0);
        ck_assert_int_gt(sd_bus_message_read(reply, "(ssst)", &id, &outcome, &reason, &when), 0);
        ck_assert_str_eq(id, "");
        sd_bus_message_unref(reply);
        assert_policy("realign", "report");
        assert_policy("settle-delay", "300ms");
        assert_policy("alignment", "page");
        assert_policy("max-move", "256M");
        stage_policy(&bus.stage, "realign = never\nmax-move = 1G\n");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        assert_policy("max-move", "1G");
}
END_TEST

static unsigned count_objects(void)
{
        sd_bus_message *reply;
        unsigned n = 0;
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, "org.freedesktop.DBus.ObjectManager",
                                            "GetManagedObjects", NULL, &reply, NULL),
                         0);
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), 0);
        while (sd_bus_message_skip(reply, "{oa{sa{sv}}}") > 0)
                n++;
        sd_bus_message_unref(reply);
        return n;
}

START_TEST(objects_are_managed_and_found)
{
        const char *path;
        sd_bus_message *reply;
        stage_bind(&bus.stage);
        start();
        ck_assert_uint_eq(count_objects(), 2);
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "GetFunction", NULL, &reply, "s",
                                            "pci_0000_01_00_0"),
                         0);
        ck_assert_int_ge(sd_bus_message_read(reply, "o", &path), 0);
        ck_assert_str_eq(path, FIRST_OBJECT);
        sd_bus_message_unref(reply);
}
END_TEST

/* --- clients */

#define N_CLIENTS 200

static int on_status(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const char *status;
        ck_assert_msg(!sd_bus_message_is_method_error(reply, NULL), "%s",
                      sd_bus_message_get_error(reply)->name);
        ck_assert_int_ge(sd_bus_message_read(reply, "v", "s", &status), 0);
        ck_assert_msg(strstr(status, "Realigning on the bus below 0000:00:1c.0"), "%s", status);
        *(unsigned *) userdata += 1;
        return 0;
}

/* A worker that does not end. */
static void start_stuck(void)
{
        stage_on(&bus.stage, "execute",
                 "echo '{\"transaction\":\"ab12\",\"step\":\"remove\",\"function\":\"0000:01:00.0\",\"index\":4,\"of\":9,"
                 "\"state\":\"late\",\"detail\":\"open in qemu (pid 7)\"}'\nread line <$d/go\n");
        stage_bind(&bus.stage);
        stage_start(&bus.stage);
        client_await_name(client, NAME);
        stage_await(&bus.stage, "is late");
}

static void end_stuck(void)
{
        bus_let_go(&bus);
}

START_TEST(many_clients_are_answered_while_it_is_stuck)
{
        sd_bus *clients[N_CLIENTS];
        unsigned n_answers = 0;
        start_stuck();
        for (unsigned i = 0; i < N_CLIENTS; i++) {
                clients[i] = client_new(&bus);
                ck_assert_int_ge(sd_bus_call_method_async(clients[i], NULL, NAME, OBJECT,
                                                          "org.freedesktop.DBus.Properties", "Get",
                                                          on_status, &n_answers, "ss", MANAGER, "Status"),
                                 0);
        }
        time_t end = time(NULL) + WAIT_USEC / 1000000;
        while (n_answers < N_CLIENTS && time(NULL) < end)
                for (unsigned i = 0; i < N_CLIENTS; i++)
                        ck_assert_int_ge(sd_bus_process(clients[i], NULL), 0);
        ck_assert_uint_eq(n_answers, N_CLIENTS);
        for (unsigned i = 0; i < N_CLIENTS; i++)
                sd_bus_close_unref(clients[i]);

        sd_bus_message *reply;
        const char *id, *key, *step, *function, *state;
        uint64_t index, of;
        assert_property(OBJECT, MANAGER, "State", "executing");
        assert_property(FIRST_OBJECT, FUNCTION, "State", "executing");
        ck_assert_int_ge(sd_bus_get_property(client, NAME, OBJECT, MANAGER, "Transaction", NULL, &reply,
                                             "(ssssstt)"),
                         0);
        ck_assert_int_gt(sd_bus_message_read(reply, "(ssssstt)", &id, &key, &step, &function, &state, &index,
                                             &of),
                         0);
        ck_assert_str_eq(id, "ab12");
        ck_assert_str_eq(key, "0000:00:1c.0");
        ck_assert_str_eq(step, "remove");
        ck_assert_str_eq(function, "0000:01:00.0");
        ck_assert_str_eq(state, "late");
        sd_bus_message_unref(reply);
        end_stuck();
}
END_TEST

/* What is bound while another bus is stuck is shown all the same. */
START_TEST(what_happens_meanwhile_is_shown)
{
        Heard heard;
        start_stuck();
        listen_for(&heard, "InterfacesRemoved");
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/0000:01:00.1", bus.stage.folder);
        ck_assert_int_eq(unlink(path), 0);
        stage_event("remove", SECOND);
        client_run(client, &heard.done);
        assert_heard(&heard, "InterfacesRemoved _30000_3a01_3a00_2e1");
        ck_assert_uint_eq(count_objects(), 1);
        end_stuck();
        free(heard.text);
}
END_TEST

/* A worker that ends without a result: that its transaction has ended is told all the same. */
START_TEST(a_transaction_without_a_result_ends)
{
        Heard heard;
        stage_on(&bus.stage, "execute",
                 "echo '{\"transaction\":\"ab12\",\"step\":\"remove\",\"index\":4,\"of\":9,\"state\":\"begin\"}'\nexit 1\n");
        start();
        listen_for(&heard, "TransactionEnded");
        stage_bind(&bus.stage);
        stage_event("bind", FIRST);
        client_run(client, &heard.done);
        assert_heard(&heard, "TransactionEnded ab12 0000:00:1c.0 [] failed step-failed");
        free(heard.text);
}
END_TEST

/* --- with and without a bus */

static void assert_logged(const char *text)
{
        _cleanup_free_ char *log = stage_read(&bus.stage, "log");
        ck_assert_msg(strstr(log, text), "\"%s\" is not in the log:\n%s", text, log);
}

START_TEST(without_a_bus_it_works_on)
{
        char path[TREE_PATH_MAX];
        sd_bus_close(client);
        bus_kill(&bus.bus);
        snprintf(path, sizeof(path), "%s/bus", bus.stage.folder);
        ck_assert(unlink(path) == 0 || errno == ENOENT);
        stage_bind(&bus.stage);
        stage_start(&bus.stage);
        stage_await(&bus.stage, "READY=1\nSTATUS=Nothing to do.");
        assert_logged("There is no D-Bus at");
        ck_assert_uint_eq(stage_count(&bus.stage, "calls", "execute --sysroot"), 1);

        bus_start(&bus);
        sd_bus_unref(client);
        client = client_new(&bus);
        client_await_name(client, NAME);
        assert_property(FIRST_OBJECT, FUNCTION, "Verdict", "ok");
}
END_TEST

START_TEST(a_bus_that_comes_again_is_used_again)
{
        start();
        for (unsigned i = 0; i < 2; i++) {
                sd_bus_close_unref(client);
                bus_kill(&bus.bus);
                bus_start(&bus);
                client = client_new(&bus);
                client_await_name(client, NAME);
                assert_property(OBJECT, MANAGER, "State", "idle");
        }
        assert_logged("The connection to D-Bus has ended");
}
END_TEST

START_TEST(a_name_that_is_taken_is_said)
{
        ck_assert_int_ge(sd_bus_request_name(client, NAME, 0), 0);
        stage_bind(&bus.stage);
        stage_start(&bus.stage);
        stage_await(&bus.stage, "READY=1\nSTATUS=Nothing to do.");
        stage_event("bind", FIRST);
        stage_await(&bus.stage, "waiting for quiet");
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        assert_logged("The name " NAME " cannot be had");
}
END_TEST

static void assert_last(const char *id, const char *outcome)
{
        sd_bus_message *reply;
        const char *last, *came_to;
        ck_assert_int_ge(sd_bus_get_property(client, NAME, FIRST_OBJECT, FUNCTION, "LastTransaction", NULL,
                                             &reply, "(ssst)"),
                         0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "ssst"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "ss", &last, &came_to), 0);
        ck_assert_str_eq(last, id);
        ck_assert_str_eq(came_to, outcome);
        sd_bus_message_unref(reply);
}

/* As the worker leaves it; but another card in that slot has nothing to do with it. */
START_TEST(the_last_transaction_outlives_the_daemon)
{
        bus_policy("realign = report\n");
        stage_bind(&bus.stage);
        stage_write(&bus.stage, RESULTS_DIRECTORY "/ab12.json",
                    "{\"transaction\":\"ab12\",\"outcome\":\"rolled-back\",\"reason\":\"bar-lost\",\"attempted\":true,"
                    "\"functions\":[{\"function\":\"0000:01:00.0\",\"path\":\"0000:00:1c.0/00.0\",\"vendor\":4332,"
                    "\"device\":33081,\"target\":true}],\"warnings\":[]}");
        start();
        assert_last("ab12", "rolled-back");
        stage_stop(&bus.stage);
        start();
        assert_last("ab12", "rolled-back");
        stage_stop(&bus.stage);
        tree_ids(bus.stage.folder, FIRST, 0x8168, 0x020000);
        start();
        assert_last("", "");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("dbus");
        TCase *tests = tcase_create("dbus");
        tcase_add_checked_fixture(tests, bus_setup, bus_teardown);
        tcase_set_timeout(tests, 200);
        tcase_add_test(tests, the_manager_shows_itself);
        tcase_add_test(tests, differences_are_told);
        tcase_add_test(tests, a_function_shows_its_pages);
        tcase_add_test(tests, objects_are_managed_and_found);
        tcase_add_test(tests, many_clients_are_answered_while_it_is_stuck);
        tcase_add_test(tests, what_happens_meanwhile_is_shown);
        tcase_add_test(tests, a_transaction_without_a_result_ends);
        tcase_add_test(tests, without_a_bus_it_works_on);
        tcase_add_test(tests, a_bus_that_comes_again_is_used_again);
        tcase_add_test(tests, a_name_that_is_taken_is_said);
        tcase_add_test(tests, the_last_transaction_outlives_the_daemon);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
