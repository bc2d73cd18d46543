/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-introspect.h"

#include "daemon/dbus-manager.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

typedef struct InterfaceRow {
        const char *interface;
        const char *path;
        const sd_bus_vtable *vtable;
        bool manages; /* the objects below it */
} InterfaceRow;

static const InterfaceRow rows[] = {
        { DBUS_MANAGER_INTERFACE, DBUS_PATH, dbus_manager_vtable, true },
        { DBUS_FUNCTION_INTERFACE, DBUS_FUNCTION_PREFIX, dbus_function_vtable, false },
};

/* sd-bus shows what it knows to a peer that asks: both ends of a pair of sockets are ours. */
typedef struct Pair {
        sd_bus *server, *client;
        sd_bus_message *reply;
} Pair;

static void pair_clear(Pair *pair)
{
        sd_bus_message_unref(pair->reply);
        sd_bus_close_unref(pair->client);
        sd_bus_close_unref(pair->server);
}

static int serve(const InterfaceRow *row, int fd, sd_bus **ret)
{
        sd_id128_t id;
        int r = sd_bus_new(ret);
        if (r >= 0)
                r = sd_bus_set_fd(*ret, fd, fd);
        if (r < 0) {
                close(fd);
                return r;
        }
        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(*ret, true, id);
        if (r >= 0)
                r = sd_bus_set_anonymous(*ret, true);
        if (r >= 0)
                r = sd_bus_add_object_vtable(*ret, NULL, row->path, row->interface, row->vtable, NULL);
        if (r >= 0 && row->manages)
                r = sd_bus_add_object_manager(*ret, NULL, row->path);
        return r >= 0 ? sd_bus_start(*ret) : r;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Pair *pair = userdata;
        pair->reply = sd_bus_message_ref(reply);
        return 0;
}

static int ask(const InterfaceRow *row, int fd, Pair *pair)
{
        int r = sd_bus_new(&pair->client);
        if (r >= 0)
                r = sd_bus_set_fd(pair->client, fd, fd);
        if (r < 0) {
                close(fd);
                return r;
        }
        r = sd_bus_set_anonymous(pair->client, true);
        if (r >= 0)
                r = sd_bus_start(pair->client);
        if (r >= 0)
                r = sd_bus_call_method_async(pair->client, NULL, NULL, row->path,
                                             "org.freedesktop.DBus.Introspectable", "Introspect", on_reply,
                                             pair, NULL);
        return r;
}

/* Neither end waits for the other: what one has written is there for the other to read. */
static int run(Pair *pair)
{
        int r = 0;
        while (!pair->reply && r >= 0) {
                r = sd_bus_process(pair->server, NULL);
                if (r >= 0)
                        r = sd_bus_process(pair->client, NULL);
        }
        return r < 0 ? r : -sd_bus_message_get_errno(pair->reply);
}

static int introspect(const InterfaceRow *row, FILE *out)
{
        _cleanup_(pair_clear) Pair pair = { 0 };
        const char *document;
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        int r = serve(row, fds[0], &pair.server);
        if (r < 0) {
                close(fds[1]);
                return r;
        }
        r = ask(row, fds[1], &pair);
        if (r >= 0)
                r = run(&pair);
        if (r >= 0)
                r = sd_bus_message_read(pair.reply, "s", &document);
        if (r < 0)
                return r;
        return fputs(document, out) == EOF || fflush(out) == EOF ? -errno : 0;
}

int dbus_introspect(const char *interface, FILE *out)
{
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcmp(rows[i].interface, interface) == 0)
                        return introspect(&rows[i], out);
        return -ENOENT;
}
