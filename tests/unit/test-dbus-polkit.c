/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who may do what: root, and others by polkit, which says yes, no, not without a password, nothing, or is not there. */

#include "dbus-stage.h"

#include <grp.h>

static void setup(void)
{
        bus_setup();
        stage_bind(&bus.stage);
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
}

typedef struct Attempt {
        const char *method; /* "Realign", "Force", "Reload", "Settle", "Status", "Plan" */
        bool interactive;
        uint64_t timeout_usec;
} Attempt;

static int make_call(sd_bus *mine, const Attempt *attempt, sd_bus_message **ret)
{
        bool force = strcmp(attempt->method, "Force") == 0;
        int r = sd_bus_message_new_method_call(mine, ret, NAME, OBJECT, MANAGER,
                                               force ? "Realign" : attempt->method);
        if (r >= 0 && strcmp(attempt->method, "Reload") != 0)
                r = sd_bus_message_append(*ret, "as", 1, "0000:01:00.0");
        if (r >= 0 && strcmp(attempt->method, "Settle") == 0)
                r = sd_bus_message_append(*ret, "t", WAIT_USEC);
        if (r >= 0 && strcmp(attempt->method, "Realign") == 0)
                r = sd_bus_message_append(*ret, "a{sv}", 0);
        if (r >= 0 && force)
                r = sd_bus_message_append(*ret, "a{sv}", 1, "force", "b", true);
        if (r >= 0 && attempt->interactive)
                r = sd_bus_message_set_allow_interactive_authorization(*ret, true);
        return r;
}

/* In the child: what came of it, to FD. */
static void act(const Attempt *attempt, int fd)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call, *reply;
        sd_bus *mine;
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) < 0)
                dprintf(fd, "no other users here");
        else if (client_connect(bus.address, &mine) < 0 || make_call(mine, attempt, &call) < 0)
                dprintf(fd, "no connection");
        else if (sd_bus_call(mine, call, attempt->timeout_usec, &error, &reply) < 0)
                dprintf(fd, "%s: %s", error.name, error.message);
        else
                dprintf(fd, "fine");
        _exit(0);
}

/* Somebody who is not root tries it. */
static pid_t begin(const Attempt *attempt, int *ret_fd)
{
        int fds[2];
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid_t child = suite_fork();
        if (child == 0)
                act(attempt, fds[1]);
        close(fds[1]);
        *ret_fd = fds[0];
        return child;
}

static bool others_exist = true;

static void assert_comes_to(const Attempt *attempt, const char *wanted)
{
        char said[1000];
        int fd;
        pid_t child = begin(attempt, &fd);
        ssize_t n = read(fd, said, sizeof(said) - 1);
        ck_assert_int_ge(n, 0);
        said[n] = '\0';
        close(fd);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
        others_exist = strcmp(said, "no other users here") != 0;
        ck_assert_msg(!others_exist || strncmp(said, wanted, strlen(wanted)) == 0, "%s: \"%s\", not \"%s\"",
                      attempt->method, said, wanted);
}

static void assert_asked(const char *line, unsigned wanted)
{
        _cleanup_free_ char *asked = stage_read(&bus.stage, "asked");
        ck_assert_msg(!others_exist || stage_count(&bus.stage, "asked", line) == wanted,
                      "\"%s\" is not there %u times:\n%s", line, wanted, asked);
}

static const Attempt realign = { "Realign", false, WAIT_USEC }, force = { "Force", false, WAIT_USEC },
                     reload = { "Reload", false, WAIT_USEC }, settle = { "Settle", false, WAIT_USEC },
                     detach = { "Detach", false, WAIT_USEC }, restore = { "Restore", false, WAIT_USEC },
                     reattach = { "Reattach", false, WAIT_USEC }, plan = { "Plan", false, WAIT_USEC },
                     realign_asking = { "Realign", true, WAIT_USEC };

START_TEST(asking_is_free)
{
        polkit_start(&bus, client, "no");
        assert_comes_to(&settle, "fine");
        assert_comes_to(&plan, "fine");
        assert_asked("org", 0);
}
END_TEST

START_TEST(polkit_says_yes)
{
        polkit_start(&bus, client, "yes");
        assert_comes_to(&realign, "fine");
        assert_comes_to(&force, "fine");
        assert_comes_to(&reload, "fine");
        assert_comes_to(&realign_asking, "fine");
        assert_asked("system-bus-name name org.vfiorealign1.realign 0", 1);
        assert_asked("system-bus-name name org.vfiorealign1.force 0", 1);
        assert_asked("system-bus-name name org.vfiorealign1.reload 0", 1);
        assert_asked("system-bus-name name org.vfiorealign1.realign 1", 1);
}
END_TEST

START_TEST(polkit_says_no)
{
        polkit_start(&bus, client, "no");
        assert_comes_to(&realign, ERROR_("NotAuthorized") ": org.vfiorealign1.realign is not permitted");
        assert_comes_to(&force, ERROR_("NotAuthorized") ": org.vfiorealign1.force is not permitted");
        assert_comes_to(&reload, ERROR_("NotAuthorized") ": org.vfiorealign1.reload is not permitted");
        assert_comes_to(&detach, ERROR_("NotAuthorized") ": org.vfiorealign1.detach is not permitted");
        assert_comes_to(&reattach, ERROR_("NotAuthorized") ": org.vfiorealign1.reattach is not permitted");
        assert_comes_to(&restore, ERROR_("NotAuthorized") ": org.vfiorealign1.restore is not permitted");
        assert_asked("org.vfiorealign1.", 6);
}
END_TEST

START_TEST(polkit_wants_a_password)
{
        polkit_start(&bus, client, "challenge");
        assert_comes_to(&realign, ERROR_("AuthenticationRequired") ": org.vfiorealign1.realign ");
}
END_TEST

START_TEST(polkit_is_not_there)
{
        assert_comes_to(&realign,
                        ERROR_("NotAuthorized") ": org.vfiorealign1.realign is not permitted, because polkit");
}
END_TEST

/* A caller that is waiting for polkit holds up nobody, and is forgotten when it leaves. */
START_TEST(polkit_says_nothing)
{
        static const Attempt impatient = { "Realign", true, 300000 };
        polkit_start(&bus, client, "silence");
        assert_comes_to(&impatient, "org.freedesktop.DBus.Error.Timeout");
        assert_asked("org.vfiorealign1.realign 1", 1);
        _cleanup_free_ char *state = client_property(client, OBJECT, MANAGER, "State");
        ck_assert_str_eq(state, "idle");
        /* polkit that ends is one that is not there */
        int fd;
        char said[1000];
        pid_t child = begin(&realign_asking, &fd);
        while (others_exist && stage_count(&bus.stage, "asked", "realign 1") < 2)
                sched_yield();
        bus_kill(&bus.polkit);
        ssize_t n = read(fd, said, sizeof(said) - 1);
        ck_assert_int_ge(n, 0);
        said[n] = '\0';
        ck_assert_msg(!others_exist || strstr(said, "because polkit could not be asked"), "%s", said);
        close(fd);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(root_needs_no_polkit)
{
        sd_bus_message *reply;
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Realign", NULL, &reply,
                                            "asa{sv}", 1, "0000:01:00.0", 1, "force", "b", true),
                         0);
        sd_bus_message_unref(reply);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("dbus-polkit");
        TCase *tests = tcase_create("dbus-polkit");
        tcase_add_checked_fixture(tests, setup, bus_teardown);
        tcase_set_timeout(tests, 200);
        tcase_add_test(tests, asking_is_free);
        tcase_add_test(tests, polkit_says_yes);
        tcase_add_test(tests, polkit_says_no);
        tcase_add_test(tests, polkit_wants_a_password);
        tcase_add_test(tests, polkit_is_not_there);
        tcase_add_test(tests, polkit_says_nothing);
        tcase_add_test(tests, root_needs_no_polkit);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
