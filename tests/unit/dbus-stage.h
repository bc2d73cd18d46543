/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A bus of its own for the daemon on its stage, clients on it, and a stand-in for polkit that answers as it is told. */

#include "daemon-stage.h"

#include <systemd/sd-bus.h>

#define NAME "org.vfiorealign1"
#define OBJECT "/org/vfiorealign1"
#define MANAGER "org.vfiorealign1.Manager"
#define FUNCTION "org.vfiorealign1.Function"
#define ERROR_(word) "org.vfiorealign1.Error." word
#define FIRST_OBJECT "/org/vfiorealign1/function/_30000_3a01_3a00_2e0"
#define WAIT_USEC UINT64_C(40000000)
#define NOBODY 65534

/* As the system bus is by default, with the policy that is installed. */
static const char bus_config[] =
                "<busconfig><type>custom</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>\n"
                "<policy context='default'>\n"
                "<allow user='*'/><deny own='*'/><deny send_type='method_call'/>\n"
                "<allow send_type='signal'/>\n"
                "<allow send_requested_reply='true' send_type='method_return'/>\n"
                "<allow send_requested_reply='true' send_type='error'/>\n"
                "<allow receive_type='method_call'/><allow receive_type='method_return'/>\n"
                "<allow receive_type='error'/><allow receive_type='signal'/>\n"
                "<allow send_destination='org.freedesktop.DBus'/>\n"
                "<allow send_destination='org.freedesktop.PolicyKit1'/>\n"
                "</policy>\n"
                "<policy user='root'><allow own='org.freedesktop.PolicyKit1'/></policy>\n"
                "<include>%s/dbus/org.vfiorealign1.conf</include>\n"
                "<limit name='max_connections_per_user'>4096</limit>\n"
                "<limit name='max_completed_connections'>4096</limit>\n"
                "<limit name='max_incomplete_connections'>1024</limit></busconfig>\n";

typedef struct BusStage {
        Stage stage;
        char *address;
        pid_t bus, polkit;
} BusStage;

/* Starts the bus; it listens when this returns. */
static inline void bus_start(BusStage *bus)
{
        char config[TREE_PATH_MAX], log[TREE_PATH_MAX], fd[32], said[256];
        int fds[2];
        _cleanup_free_ char *text = text_format(bus_config, bus->stage.folder, DBUS_POLICY_TOP);
        stage_write(&bus->stage, "bus.conf", text);
        snprintf(config, sizeof(config), "--config-file=%s/bus.conf", bus->stage.folder);
        ck_assert_int_eq(pipe(fds), 0);
        bus->bus = suite_fork();
        if (bus->bus == 0) {
                snprintf(log, sizeof(log), "%s/bus-log", bus->stage.folder);
                dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
                close(fds[0]);
                unsetenv("NOTIFY_SOCKET"); /* the daemon's */
                snprintf(fd, sizeof(fd), "--print-address=%d", fds[1]);
                execlp("dbus-daemon", "dbus-daemon", config, "--nofork", fd, NULL);
                _exit(126);
        }
        close(fds[1]);
        ck_assert_msg(read(fds[0], said, sizeof(said)) > 0, "dbus-daemon did not start");
        close(fds[0]);
}

static inline void bus_kill(pid_t *pid)
{
        if (*pid <= 0)
                return;
        ck_assert_int_eq(kill(*pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(*pid, NULL, 0), *pid);
        *pid = 0;
}

/* The stage is open. */
static inline void bus_join(BusStage *bus)
{
        /* others may go through to the socket */
        ck_assert_int_eq(chmod(suite_base, 0711), 0);
        ck_assert_int_eq(chmod(bus->stage.folder, 0711), 0);
        char gate[TREE_PATH_MAX];
        snprintf(gate, sizeof(gate), "%s/go", bus->stage.folder);
        ck_assert_int_eq(mkfifo(gate, 0600), 0);
        bus->address = text_format("unix:path=%s/bus", bus->stage.folder);
        bus->stage.dbus = bus->address;
        bus_start(bus);
}

static inline void bus_open(BusStage *bus)
{
        *bus = (BusStage){ 0 };
        stage_open(&bus->stage);
        bus_join(bus);
}

/* A worker that reads from "go" goes on; it may be on its way there. */
static inline void bus_let_go(const BusStage *bus)
{
        char path[TREE_PATH_MAX];
        snprintf(path, sizeof(path), "%s/go", bus->stage.folder);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        close(fd);
}

static inline void bus_close(BusStage *bus)
{
        bus_kill(&bus->polkit);
        bus_kill(&bus->bus);
        free(bus->address);
        stage_close(&bus->stage);
}

/* --- a client */

/* Negative errno: it cannot be. */
static inline int client_connect(const char *address, sd_bus **ret)
{
        int r = sd_bus_new(ret);
        if (r >= 0)
                r = sd_bus_set_address(*ret, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(*ret, true);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(*ret, WAIT_USEC);
        return r >= 0 ? sd_bus_start(*ret) : r;
}

static inline sd_bus *client_new(const BusStage *bus)
{
        sd_bus *client;
        ck_assert_int_ge(client_connect(bus->address, &client), 0);
        return client;
}

/* Goes on until *DONE. */
static inline void client_run(sd_bus *client, const bool *done)
{
        time_t end = time(NULL) + WAIT_USEC / 1000000;
        while (!*done) {
                int r = sd_bus_process(client, NULL);
                ck_assert_int_ge(r, 0);
                ck_assert_msg(time(NULL) < end, "it did not come");
                if (r == 0)
                        ck_assert_int_ge(sd_bus_wait(client, 1000000), 0);
        }
}

static inline int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name, *before, *now;
        ck_assert_int_ge(sd_bus_message_read(message, "sss", &name, &before, &now), 0);
        *(bool *) userdata = *now != '\0';
        return 0;
}

static inline int on_has_owner(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        int has = false;
        ck_assert_int_ge(sd_bus_message_read(reply, "b", &has), 0);
        if (has)
                *(bool *) userdata = true;
        return 0;
}

/* Waits until somebody has NAME on the bus. */
static inline void client_await_name(sd_bus *client, const char *name)
{
        _cleanup_free_ char *match = text_format(
                        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                        name);
        sd_bus_slot *slot = NULL;
        bool there = false;
        ck_assert_int_ge(sd_bus_add_match(client, &slot, match, on_owner, &there), 0);
        ck_assert_int_ge(sd_bus_call_method_async(client, NULL, "org.freedesktop.DBus",
                                                  "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                                  "NameHasOwner", on_has_owner, &there, "s", name),
                         0);
        client_run(client, &there);
        sd_bus_slot_unref(slot);
}

/* A call of the Manager that is to be filled in. */
static inline sd_bus_message *client_call_new(sd_bus *client, const char *method)
{
        sd_bus_message *call;
        ck_assert_int_ge(sd_bus_message_new_method_call(client, &call, NAME, OBJECT, MANAGER, method), 0);
        return call;
}

/* "address verdict outcome reason|" for each; or the error's name. Takes CALL over. */
static inline char *client_verdicts(sd_bus *client, sd_bus_message *call)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        char *text = strdup("");
        const char *address, *verdict, *outcome, *reason, *detail;
        int r = sd_bus_call(client, call, WAIT_USEC, &error, &reply);
        sd_bus_message_unref(call);
        if (r < 0) {
                text_replace(&text, "%s: %s", error.name, error.message);
                sd_bus_error_free(&error);
                return text;
        }
        ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(sssss)"), 0);
        while ((r = sd_bus_message_read(reply, "(sssss)", &address, &verdict, &outcome, &reason, &detail)) >
               0)
                text_replace(&text, "%s%s %s %s %s|", text, address, verdict, *outcome ? outcome : "-",
                             reason);
        ck_assert_int_ge(r, 0);
        sd_bus_message_unref(reply);
        return text;
}

static inline sd_bus_message *call_realign(sd_bus *client, const char *function, bool force)
{
        sd_bus_message *call = client_call_new(client, "Realign");
        ck_assert_int_ge(sd_bus_message_append(call, "as", 1, function), 0);
        ck_assert_int_ge(force ? sd_bus_message_append(call, "a{sv}", 1, "force", "b", true)
                               : sd_bus_message_append(call, "a{sv}", 0),
                         0);
        return call;
}

static inline sd_bus_message *call_settle(sd_bus *client, const char *function, uint64_t timeout_usec)
{
        sd_bus_message *call = client_call_new(client, "Settle");
        ck_assert_int_ge(sd_bus_message_append(call, "ast", 1, function, timeout_usec), 0);
        return call;
}

/* The text of a property of type "s". */
static inline char *client_property(sd_bus *client, const char *path, const char *interface,
                                    const char *property)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        char *text;
        int r = sd_bus_get_property_string(client, NAME, path, interface, property, &error, &text);
        ck_assert_msg(r >= 0, "%s: %s", property, error.message);
        return text;
}

/* --- polkit's stand-in: a process that answers "yes", "no", "challenge", or ("silence") never */

typedef struct PolkitActor {
        const char *answer;
        const char *asked; /* the file that it writes what it was asked to */
} PolkitActor;

static inline int polkit_check(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
        const PolkitActor *actor = userdata;
        const char *kind, *key, *sender, *action, *cancel;
        uint32_t flags;
        if (sd_bus_message_read(call, "(sa{sv})s", &kind, 1, &key, "s", &sender, &action) < 0 ||
            sd_bus_message_skip(call, "a{ss}") < 0 || sd_bus_message_read(call, "us", &flags, &cancel) < 0)
                return -EBADMSG;
        FILE *file = fopen(actor->asked, "ae");
        if (!file || fprintf(file, "%s %s %s %u\n", kind, key, action, flags) < 0 || fclose(file) != 0)
                return -EIO;
        if (strcmp(actor->answer, "silence") == 0)
                return 1;
        return sd_bus_reply_method_return(call, "(bba{ss})", strcmp(actor->answer, "yes") == 0,
                                          strcmp(actor->answer, "challenge") == 0, 0);
}

static inline void polkit_act(const char *address, const PolkitActor *actor)
{
        static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", polkit_check,
                              SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
        };
        sd_bus *bus;
        if (client_connect(address, &bus) < 0 ||
            sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
                                     "org.freedesktop.PolicyKit1.Authority", vtable, (void *) actor) < 0 ||
            sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0) < 0)
                _exit(1);
        for (;;)
                if (sd_bus_process(bus, NULL) < 0 || sd_bus_wait(bus, UINT64_MAX) < 0)
                        _exit(0);
}

static inline void polkit_start(BusStage *bus, sd_bus *client, const char *answer)
{
        bus_kill(&bus->polkit);
        bus->polkit = suite_fork();
        if (bus->polkit == 0) {
                char asked[TREE_PATH_MAX];
                snprintf(asked, sizeof(asked), "%s/asked", bus->stage.folder);
                polkit_act(bus->address, &(PolkitActor){ answer, asked });
        }
        client_await_name(client, "org.freedesktop.PolicyKit1");
}

/* --- what the tests have in common: one stage, one client, and what they find in common */

#define NEVER_QUIET "settle-delay = 60min\n"
#define FUNCTION_NAME "0000:01:00.0"

static BusStage bus;
static sd_bus *client;

static inline void bus_setup(void)
{
        bus_open(&bus);
        client = client_new(&bus);
}

static inline void bus_teardown(void)
{
        sd_bus_close_unref(client);
        bus_close(&bus);
}

static inline void bus_policy(const char *lines)
{
        _cleanup_free_ char *text = text_format("[default]\n%s", lines);
        stage_write(&bus.stage, "etc/vfio-realign/vfio-realign.conf", text);
}

static inline void bus_daemon(void)
{
        stage_start(&bus.stage);
        client_await_name(client, NAME);
}

/* Takes the call over. */
static inline void assert_answer(sd_bus_message *call, const char *wanted)
{
        _cleanup_free_ char *text = client_verdicts(client, call), *log = stage_read(&bus.stage, "log");
        ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "\"%s\", not \"%s\"; log:\n%s", text,
                      wanted, log);
}

static inline void assert_calls(const char *pattern, unsigned wanted)
{
        _cleanup_free_ char *calls = stage_read(&bus.stage, "calls");
        ck_assert_msg(stage_count(&bus.stage, "calls", pattern) == wanted,
                      "\"%s\" is not there %u times:\n%s", pattern, wanted, calls);
}

/* Processes what is there; the daemon has meanwhile had a call of before and one of after. */
static inline void bus_exchange(void)
{
        free(client_property(client, OBJECT, MANAGER, "State"));
        while (sd_bus_process(client, NULL) > 0)
                ;
}
