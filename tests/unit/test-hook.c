/* SPDX-License-Identifier: GPL-2.0-or-later */

/* libvirt's hook as libvirt calls it: the real program and the real daemon, and what XML of any kind does to them. */

#include "act/journal.h"
#include "base/reason.h"
#include "dbus-stage.h"
#include "reason-given.h"
#include "topology-builder.h"

#define ALARM_SEC 50 /* for a hook that does not end */

static char hook_path[TREE_PATH_MAX];
static const char *timeout_sec = "60";

static void setup(void)
{
        bus_setup();
        snprintf(hook_path, sizeof(hook_path), "%s/vfio-realign-hook", bus.stage.build);
        timeout_sec = "60";
}

/* --- XML */

#define HOSTDEV(managed, address)                                                                           \
        "<hostdev mode='subsystem' type='pci' managed='" managed "'>" address "</hostdev>"
#define SOURCE(bus, function)                                                                               \
        "<driver name='vfio'/><source><address domain='0x0000' bus='" bus                                   \
        "' slot='0x00' function='" function                                                                 \
        "'/></source><address type='pci' domain='0x0000' bus='0x09' slot='0x09' function='0x0'/>"
#define DOMAIN_OF(devices)                                                                                       \
        "<domain type='qemu' id='1'><name>g</name><devices><disk type='file'><source file='/x'/></disk>" devices \
        "</devices></domain>"
#define BOTH DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "0x0")) HOSTDEV("no", SOURCE("0x01", "0x1")))
#define ONE DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "0x0")))
#define NO_PCI                                                                                                                  \
        DOMAIN_OF("<hostdev mode='subsystem' type='usb' managed='yes'><source><address bus='1' device='2'/></source></hostdev>" \
                  "<interface type='network'><source network='default'/></interface>")

static const char start[] = "prepare begin", started[] = "started begin", stopped[] = "stopped end",
                  released[] = "release end";

static void run_child(const char *operation)
{
        char *words = strdup(operation), *rest = words;
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/hook-in", bus.stage.folder);
        dup2(open(path, O_RDONLY), STDIN_FILENO);
        snprintf(path, sizeof(path), "%s/hook-out", bus.stage.folder);
        dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        snprintf(path, sizeof(path), "%s/hook-err", bus.stage.folder);
        dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        const char *name = strsep(&rest, " ");
        execl(hook_path, hook_path, "--sysroot", bus.stage.folder, "--bus", bus.address, "--timeout",
              timeout_sec, "--", "--guest", name, rest, "-", NULL);
        _exit(126);
}

/* Its exit status; it never writes to standard output. */
static int run_hook(const char *operation)
{
        int status;
        pid_t pid = suite_fork();
        if (pid == 0)
                run_child(operation);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        _cleanup_free_ char *out = stage_read(&bus.stage, "hook-out"),
                            *err = stage_read(&bus.stage, "hook-err");
        ck_assert_str_eq(out, "");
        ck_assert_msg(WIFEXITED(status), "ended by signal %d: %s", WTERMSIG(status), err);
        return WEXITSTATUS(status);
}

static int hook(const char *operation, const char *xml)
{
        stage_write(&bus.stage, "hook-in", xml);
        return run_hook(operation);
}

/* One line that has PART in it; "": none at all. */
static void assert_said(const char *part)
{
        _cleanup_free_ char *err = stage_read(&bus.stage, "hook-err");
        const char *end = strchr(err, '\n');
        if (!*part) {
                ck_assert_str_eq(err, "");
                return;
        }
        ck_assert_msg(strstr(err, part), "\"%s\" is not in: %s", part, err);
        ck_assert_msg(end && end[1] == '\0', "not one line: %s", err);
        ck_assert_msg(strncmp(err, "vfio-realign: --guest: ", 23) == 0, "%s", err);
}

/* Nobody is asked: there is nobody. */
START_TEST(what_is_none_of_its_business)
{
        static const char *const others[] = { "prepare end",     "start begin",   "stopped begin",
                                              "reconnect begin", "migrate begin", "restore begin",
                                              "attach begin",    "nonsense more", "release begin",
                                              "started end" };
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                ck_assert_int_eq(hook(others[i], "<domain>"), 0);
                assert_said("");
        }
        bus_policy("on-failure = refuse\n");
        ck_assert_int_eq(hook(start, NO_PCI), 0);
        assert_said("");
}
END_TEST

static const struct {
        const char *xml, *said;
} bad[] = {
        { "", "no element found" },
        { "<domain><devices>", "no element found" },
        { "<domain></devices>", "mismatched tag" },
        { "\xff\xfe", "" /* any words */ },
        { "<network/>", "not the XML of a domain" },
        { "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;</domain>", "document type" },
        { "<!DOCTYPE domain SYSTEM '/etc/passwd'><domain/>", "document type" },
        { "<domain>&undefined;</domain>", "undefined entity" },
        { DOMAIN_OF(HOSTDEV("yes", SOURCE("0x1ff", "0x0"))), "an address" },
        { DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "8"))), "an address" },
        { DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "-1"))), "an address" },
        { DOMAIN_OF(HOSTDEV("yes", SOURCE("", "0x0"))), "an address" },
};

/* libvirt decides, unless the policy says otherwise; and only before a start. */
START_TEST(bad_xml)
{
        const char *said = *bad[_i].said ? bad[_i].said : "its XML cannot be used";
        ck_assert_int_eq(hook(start, bad[_i].xml), 0);
        assert_said(said);
        bus_policy("on-failure = refuse\n");
        ck_assert_int_eq(hook(start, bad[_i].xml), 1);
        assert_said(said);
        assert_said("on-failure = refuse");
        ck_assert_int_eq(hook(stopped, bad[_i].xml), 0);
        assert_said("");
}
END_TEST

static void write_sixty_four_megabytes(void)
{
        char path[TREE_PATH_MAX];
        static char blanks[1 << 20];
        memset(blanks, ' ', sizeof(blanks));
        stage_write(&bus.stage, "hook-in", "<domain>");
        snprintf(path, sizeof(path), "%s/hook-in", bus.stage.folder);
        FILE *file = fopen(path, "a");
        ck_assert_ptr_nonnull(file);
        for (unsigned i = 0; i < 64; i++)
                ck_assert_uint_eq(fwrite(blanks, sizeof(blanks), 1, file), 1);
        ck_assert_int_eq(fclose(file), 0);
}

START_TEST(large_xml)
{
        write_sixty_four_megabytes();
        ck_assert_int_eq(run_hook(start), 0);
        assert_said("more than");
}
END_TEST

/* A writer that never comes to an end does not keep libvirt. */
START_TEST(endless_xml)
{
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/hook-in", bus.stage.folder);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        timeout_sec = "1";
        ck_assert_int_eq(run_hook(start), 0);
        assert_said("cannot be read");
        close(fd);
}
END_TEST

/* --- the daemon */

static void host_machine(void)
{
        tree_bind(bus.stage.folder, FIRST, "8139cp", false);
        tree_bind(bus.stage.folder, SECOND, "8139cp", false);
}

#define PREPARED(outcome, reason)                                                                           \
        "echo '{\"transaction\":\"ef56\",\"goal\":\"prepare\",\"outcome\":\"" outcome                       \
        "\",\"reason\":\"" reason                                                                           \
        "\",\"attempted\":true,\"functions\":[{\"function\":\"0000:01:00.0\",\"path\":"                     \
        "\"0000:00:1c.0/00.0\",\"target\":true}],\"warnings\":[]}'\n"

START_TEST(no_daemon)
{
        ck_assert_int_eq(hook(start, BOTH), 0);
        assert_said("vfio-realignd is not running");
        bus_policy("realign = auto\n[function 0000:01:*]\non-failure = refuse\n");
        ck_assert_int_eq(hook(start, BOTH), 1);
        assert_said("vfio-realignd is not running");
        ck_assert_int_eq(hook(released, BOTH), 0);
        assert_said("could not be told");
}
END_TEST

/* What libvirt is to take from the host is prepared; what somebody else should have taken is left to libvirt's complaint. */
START_TEST(managed_functions_are_prepared)
{
        bus_policy(NEVER_QUIET);
        host_machine();
        stage_on(&bus.stage, "prepare", STAGE_REALIGN PREPARED("verified", "none"));
        bus_daemon();
        ck_assert_int_eq(hook(start, BOTH), 0);
        assert_said("");
        assert_calls("--prepare 0000:01:00.0\n", 1);
        assert_calls("prepare --sysroot", 1);
        ck_assert_int_eq(hook(started, BOTH), 0);
        /* Nothing is left to be done, which a worker finds out. */
        stage_on(&bus.stage, "prepare",
                 "echo '{\"transaction\":\"\",\"goal\":\"prepare\",\"outcome\":\"verified\",\"reason\":\"none\","
                 "\"attempted\":false,\"functions\":[],\"warnings\":[],\"refusals\":[]}'\n");
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("");
}
END_TEST

START_TEST(policy_decides_what_a_failure_is)
{
        host_machine();
        stage_on(&bus.stage, "prepare",
                 "echo '{\"transaction\":\"\",\"goal\":\"prepare\",\"outcome\":\"refused\",\"reason\":\"in-use\","
                 "\"attempted\":false,\"culprit\":\"0000:01:00.0\",\"functions\":[],\"warnings\":[],"
                 "\"refusals\":[{\"function\":\"0000:01:00.0\",\"reason\":\"in-use\",\"detail\":\"it carries eth0\"}]}'\n"
                 "exit 7\n");
        bus_daemon();
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("0000:01:00.0 cannot be realigned: the function is in use (it carries eth0)");
        bus_policy("on-failure = refuse\n");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        ck_assert_int_eq(hook(start, ONE), 1);
        assert_said("on-failure = refuse: 0000:01:00.0 cannot be realigned: the function is in use");
        ck_assert_int_eq(hook(start, DOMAIN_OF(HOSTDEV("yes", SOURCE("0x77", "0x0")))), 1);
        assert_said("0000:77:00.0 cannot be realigned: no such function");
}
END_TEST

/* Failed attempts are not made at every start. */
START_TEST(attempts_end)
{
        host_machine();
        stage_on(&bus.stage, "prepare", PREPARED("rolled-back", "bar-lost"));
        bus_daemon();
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("a BAR");
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("0000:01:00.0 cannot be realigned: ");
        assert_calls("prepare --sysroot", 1);
}
END_TEST

/* A worker that hangs before it has begun anything does not keep libvirt. */
START_TEST(bound_is_kept)
{
        host_machine();
        stage_on(&bus.stage, "prepare", "read -r line <$d/go\n");
        bus_daemon();
        timeout_sec = "1";
        ck_assert_int_eq(hook(start, ONE), 0);
        _cleanup_free_ char *line =
                        text_format("0000:01:00.0 cannot be realigned: %s", reason_text(REASON_LOCK_HELD));
        assert_said(line);
        reason_was_given(REASON_LOCK_HELD);
        bus_let_go(&bus);
}
END_TEST

/* A worker that has taken nothing out when it is asked to stop. The signal is blocked for it, and a shell cannot wait for it. */
static void prepare_until_stopped(void)
{
        stage_on(&bus.stage, "prepare",
                 "exec perl -MPOSIX=:signal_h "
                 "-e '$SIG{USR1} = sub {}; sigsuspend(POSIX::SigSet->new); exec @ARGV' sh $d/on-stop\n");
        stage_on(&bus.stage, "stop", PREPARED("rolled-back", "stopped"));
}

/* Who can wait no longer has it stopped, and that is no attempt that has failed. */
START_TEST(what_takes_too_long_is_stopped)
{
        host_machine();
        prepare_until_stopped();
        bus_daemon();
        timeout_sec = "3";
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("0000:01:00.0 cannot be realigned: it was stopped before anything was taken out");
        timeout_sec = "60";
        stage_on(&bus.stage, "prepare", STAGE_REALIGN PREPARED("verified", "none"));
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("");
        assert_calls("prepare --sysroot", 2);
}
END_TEST

/* Its caller is killed while it waits. */
START_TEST(who_leaves_has_it_stopped)
{
        host_machine();
        prepare_until_stopped();
        bus_daemon();
        stage_write(&bus.stage, "hook-in", ONE);
        pid_t pid = suite_fork();
        if (pid == 0)
                run_child(start);
        stage_await(&bus.stage, "STATUS=Preparing functions for a guest");
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        ck_assert_uint_ge(stage_count(&bus.stage, "log", "ef56"), 1);
}
END_TEST

/* The journal of a transaction that has both functions in its plan. */
static void write_journal(void)
{
        World world;
        Journal journal = { .id = "ef56" };
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_free_ char *problem = NULL;
        _cleanup_json_ JsonObject *nothing = json_object_new_object();
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, 0xfe800000, 0x100000);
        world_add_small(&world, "0000:01:00.0", port, 0xfe800000);
        world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        stage_write(&bus.stage, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
        ck_assert_int_eq(root_open(bus.stage.folder, &root), 0);
        journal.plan = world_only_plan(&world, "0000:01:00.0");
        ck_assert_int_eq(saved_state_from_json(nothing, &journal.state, &problem), 0);
        ck_assert_int_eq(journal_begin(root, &journal), 0);
        journal_clear(&journal);
}

static void assert_not_now(void)
{
        _cleanup_free_ char *line = text_format("not started: 0000:01:00.0 cannot be handed over now: %s",
                                                reason_text(REASON_MIDWAY));
        assert_said(line);
        reason_was_given(REASON_MIDWAY);
}

/* libvirt must not take what is being taken out: no policy can want that, and the daemon answers in time. */
START_TEST(nobody_starts_midway)
{
        host_machine();
        stage_on(&bus.stage, "prepare",
                 "read -r line <$d/go\nrm $d/" JOURNAL_PATH "\n" PREPARED("verified", "none"));
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        write_journal();
        timeout_sec = "3";
        ck_assert_int_eq(hook(start, ONE), 1);
        assert_not_now();
        /* the same for one whose turn does not come */
        ck_assert_int_eq(hook(start, BOTH), 1);
        assert_not_now();
        ck_assert_int_eq(hook(start, DOMAIN_OF(HOSTDEV("yes", SOURCE("0x77", "0x0")))), 0);
        assert_said("0000:77:00.0 cannot be realigned: no such function");
        bus_let_go(&bus);
        stage_await(&bus.stage, "Nothing to do.");
}
END_TEST

/* The daemon died in the middle of it: its worker goes on, which is waited for. */
START_TEST(nobody_starts_midway_without_the_daemon)
{
        char path[TREE_PATH_MAX];
        write_journal();
        timeout_sec = "1";
        ck_assert_int_eq(hook(start, ONE), 1);
        assert_not_now();
        timeout_sec = "60";
        snprintf(path, sizeof(path), "%s/" JOURNAL_PATH, bus.stage.folder);
        pid_t pid = suite_fork();
        if (pid == 0) {
                usleep(300000);
                _exit(unlink(path));
        }
        ck_assert_int_eq(hook(start, ONE), 0);
        assert_said("vfio-realignd is not running");
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* The answer comes when udev has reported the binds of the transaction, and has nothing more to do. */
START_TEST(answer_waits_for_udev)
{
        stage_write(&bus.stage, "run/udev/control", "");
        host_machine();
        stage_on(&bus.stage, "prepare", STAGE_REALIGN PREPARED("verified", "none"));
        bus_daemon();
        stage_await(&bus.stage, "READY=1");
        stage_write(&bus.stage, "run/udev/queue", "");
        stage_write(&bus.stage, "hook-in", ONE);
        pid_t pid = suite_fork();
        if (pid == 0)
                run_child(start);
        stage_await(&bus.stage, "STATUS=Preparing functions for a guest");
        stage_await(&bus.stage, "STATUS=Nothing to do.");
        bus_exchange();
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        stage_event("bind", FIRST);
        bus_exchange();
        ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
        char path[TREE_PATH_MAX];
        int status;
        snprintf(path, sizeof(path), "%s/run/udev/queue", bus.stage.folder);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_said("");
}
END_TEST

/* --- inhibition */

/* The daemon has taken in what udev said before: a call after it is answered after it. */
static void bound_by_libvirt(void)
{
        stage_bind(&bus.stage);
        stage_event("bind", FIRST);
        stage_event("bind", SECOND);
        stage_await(&bus.stage, "STATUS=");
}

START_TEST(binds_start_nothing_meanwhile)
{
        bus_policy("settle-delay = 0s\n");
        host_machine();
        stage_on(&bus.stage, "prepare",
                 "echo '{\"transaction\":\"\",\"goal\":\"prepare\",\"outcome\":\"refused\",\"reason\":\"no-room\","
                 "\"attempted\":false,\"functions\":[],\"warnings\":[],\"refusals\":[]}'\n");
        bus_daemon();
        stage_await(&bus.stage, "Nothing to do.");
        ck_assert_int_eq(hook(start, ONE), 0);
        bound_by_libvirt();
        stage_await(&bus.stage, "guest that functions of the bus go to");
        assert_calls("plan --sysroot", 0);
        /* who asks for its verdict gets it, with the reason */
        _cleanup_free_ char *answer =
                        text_format("0000:01:00.0 needs-realign - %s|", reason_name(REASON_GUEST_CHANGES));
        assert_answer(call_settle(client, FUNCTION_NAME, WAIT_USEC), answer);
        reason_was_given(REASON_GUEST_CHANGES);
        assert_calls("plan --sysroot", 0);
        ck_assert_int_eq(hook(started, ONE), 0);
        stage_await(&bus.stage, "Realigning on");
        stage_await(&bus.stage, "Nothing to do.");
        assert_calls("execute --sysroot", 1);
}
END_TEST

/* libvirt has died: it ends by itself. */
START_TEST(inhibition_ends_by_itself)
{
        bus_policy("settle-delay = 0s\n");
        host_machine();
        bus_daemon();
        stage_await(&bus.stage, "Nothing to do.");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Inhibit", NULL, NULL, "a(sb)t",
                                            1, FUNCTION_NAME, true, UINT64_C(3000000)),
                         0);
        stage_bind(&bus.stage);
        stage_event("bind", FIRST);
        stage_await(&bus.stage, "guest that functions of the bus go to");
        assert_calls("plan --sysroot", 0);
        stage_await(&bus.stage, "Realigning on");
}
END_TEST

/* Another guest's start waits for this one's, rather than to take its functions out under libvirt's hands. */
START_TEST(starts_wait_for_each_other)
{
        host_machine();
        stage_on(&bus.stage, "prepare", STAGE_REALIGN PREPARED("verified", "none"));
        bus_daemon();
        ck_assert_int_eq(hook(start, ONE), 0);
        timeout_sec = "1";
        ck_assert_int_eq(hook(start, DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "0x1")))), 0);
        assert_said("");
        assert_calls("prepare --sysroot", 1);
        timeout_sec = "60";
        ck_assert_int_eq(hook(started, ONE), 0);
        ck_assert_int_eq(hook(start, DOMAIN_OF(HOSTDEV("yes", SOURCE("0x01", "0x1")))), 0);
        assert_said("");
}
END_TEST

/* --- the end of a domain */

START_TEST(own_sizes_come_back_where_the_policy_says_so)
{
        stage_bind(&bus.stage);
        stage_on(&bus.stage, "restore",
                 "echo '{\"transaction\":\"\",\"goal\":\"restore\",\"outcome\":\"verified\",\"reason\":\"none\","
                 "\"attempted\":false,\"functions\":[],\"warnings\":[],\"refusals\":[]}'\n");
        bus_policy(NEVER_QUIET);
        bus_daemon();
        ck_assert_int_eq(hook(stopped, BOTH), 0);
        assert_said("");
        assert_calls("restore --sysroot", 0);
        ck_assert_int_eq(hook(released, BOTH), 0);
        bus_policy(NEVER_QUIET "after-reattach = restore\n");
        ck_assert_int_ge(sd_bus_call_method(client, NAME, OBJECT, MANAGER, "Reload", NULL, NULL, NULL), 0);
        ck_assert_int_eq(hook(stopped, BOTH), 0);
        assert_said("");
        /* the one that libvirt gives back to the host */
        assert_calls("--restore 0000:01:00.0\n", 1);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("hook");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, bus_teardown);
        tcase_set_timeout(cases, ALARM_SEC);
        tcase_add_test(cases, what_is_none_of_its_business);
        tcase_add_loop_test(cases, bad_xml, 0, (int) ELEMENTSOF(bad));
        tcase_add_test(cases, large_xml);
        tcase_add_test(cases, endless_xml);
        tcase_add_test(cases, no_daemon);
        tcase_add_test(cases, managed_functions_are_prepared);
        tcase_add_test(cases, policy_decides_what_a_failure_is);
        tcase_add_test(cases, attempts_end);
        tcase_add_test(cases, bound_is_kept);
        tcase_add_test(cases, what_takes_too_long_is_stopped);
        tcase_add_test(cases, who_leaves_has_it_stopped);
        tcase_add_test(cases, nobody_starts_midway);
        tcase_add_test(cases, nobody_starts_midway_without_the_daemon);
        tcase_add_test(cases, answer_waits_for_udev);
        tcase_add_test(cases, binds_start_nothing_meanwhile);
        tcase_add_test(cases, inhibition_ends_by_itself);
        tcase_add_test(cases, starts_wait_for_each_other);
        tcase_add_test(cases, own_sizes_come_back_where_the_policy_says_so);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
