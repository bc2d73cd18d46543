/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The verb `monitor`: what the daemon tells, a line each as it comes, until somebody ends it. */

#include "base/text.h"
#include "client/bus-client.h"
#include "client/document.h"
#include "client/print.h"
#include "client/verb.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define USEC_PER_MSEC 1000u
#define TIME_MAX 40

typedef struct Monitor {
        const ClientContext *context;
        int error; /* why the last line could not be printed */
} Monitor;

/* One line to be: words for people, or an object with the same in it. */
typedef struct Line {
        JsonObject *object;
        char *text;
} Line;

static void line_clear(Line *line)
{
        json_object_put(line->object);
        free(line->text);
}

static const char *now_text(bool whole, char buffer[static TIME_MAX])
{
        time_t now = time(NULL);
        struct tm local = { 0 };
        (void) localtime_r(&now, &local);
        if (whole)
                strftime(buffer, TIME_MAX, "%Y-%m-%dT%H:%M:%S%z", &local);
        else
                strftime(buffer, TIME_MAX, "%H:%M:%S", &local);
        return buffer;
}

static int line_begin(Line *line, const char *event)
{
        char when[TIME_MAX];
        line->object = json_object_new_object();
        line->text = strdup("");
        if (!line->object || !line->text)
                return -ENOMEM;
        int r = json_add_text(line->object, "time", now_text(true, when));
        return r < 0 ? r : json_add_text(line->object, "event", event);
}

static int line_end(const Monitor *monitor, const Line *line)
{
        char when[TIME_MAX];
        if (!line->text)
                return -ENOMEM;
        if (monitor->context->json != CLIENT_JSON_OFF) {
                if (client_print_json(monitor->context, line->object) != CLIENT_EXIT_FINE)
                        return -ENOMEM;
        } else
                printf("%s  %s\n", now_text(false, when), line->text);
        return fflush(stdout) == EOF ? -errno : 0;
}

/* Reads "as" into a list of the document and into words. */
static int read_functions(sd_bus_message *signal, Line *line, char **names)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        const char *function;
        int r = sd_bus_message_enter_container(signal, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(signal, "s", &function)) > 0) {
                text_replace(names, "%s%s%s", *names ? *names : "", *names ? ", " : "", function);
                r = list ? json_append(list, json_object_new_string(function)) : -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(signal);
        return r < 0 ? r : json_add(line->object, "functions", TAKE_PTR(list));
}

static int read_started(sd_bus_message *signal, Line *line)
{
        _cleanup_free_ char *names = NULL;
        const char *id, *bus;
        int r = sd_bus_message_read(signal, "ss", &id, &bus);
        if (r >= 0)
                r = json_add_text(line->object, "transaction", id);
        if (r >= 0)
                r = json_add_text(line->object, "bus", bus);
        if (r >= 0)
                r = read_functions(signal, line, &names);
        text_replace(&line->text, "transaction %s begins on %s: %s", id, bus, names ? names : "");
        return r;
}

static int read_step(sd_bus_message *signal, Line *line)
{
        const char *id, *step, *function, *state, *detail;
        uint64_t index, of, usec;
        int r = sd_bus_message_read(signal, "ssssttst", &id, &step, &function, &state, &index, &of, &detail,
                                    &usec);
        if (r < 0)
                return r;
        if (json_add_text(line->object, "transaction", id) < 0 ||
            json_add_text(line->object, "step", step) < 0 ||
            json_add_text(line->object, "function", function) < 0 ||
            json_add_text(line->object, "state", state) < 0 ||
            json_add_u64(line->object, "index", index) < 0 || json_add_u64(line->object, "of", of) < 0 ||
            json_add_text(line->object, "detail", detail) < 0 ||
            json_add_u64(line->object, "usec", usec) < 0)
                return -ENOMEM;
        text_replace(&line->text, "transaction %s step %" PRIu64 " of %" PRIu64 ": %s%s%s %s%s%s", id,
                     index + 1, of, step, *function ? " " : "", function, state, *detail ? ": " : "",
                     detail);
        return 0;
}

static int read_ended(sd_bus_message *signal, Line *line)
{
        _cleanup_free_ char *names = NULL;
        const char *id, *bus, *outcome, *reason, *culprit, *detail;
        uint64_t usec;
        int r = sd_bus_message_read(signal, "ss", &id, &bus);
        if (r >= 0)
                r = read_functions(signal, line, &names);
        if (r >= 0)
                r = sd_bus_message_read(signal, "sssst", &outcome, &reason, &culprit, &detail, &usec);
        if (r < 0)
                return r;
        if (json_add_text(line->object, "transaction", id) < 0 ||
            json_add_text(line->object, "bus", bus) < 0 ||
            json_add_text(line->object, "outcome", outcome) < 0 ||
            json_add_text(line->object, "reason", reason) < 0 ||
            json_add_text(line->object, "culprit", culprit) < 0 ||
            json_add_text(line->object, "detail", detail) < 0 ||
            json_add_u64(line->object, "usec", usec) < 0)
                return -ENOMEM;
        bool fine = strcmp(reason, "none") == 0;
        text_replace(&line->text, "transaction %s on %s ended after %" PRIu64 " ms: %s%s%s%s%s", id, bus,
                     usec / USEC_PER_MSEC, outcome, fine ? "" : ": ", fine ? "" : reason,
                     *culprit ? " of " : "", culprit);
        return 0;
}

/* The properties that are texts; of the others only that they have changed is told. */
static int read_changed(sd_bus_message *signal, Line *line)
{
        _cleanup_free_ char *address = NULL;
        const char *interface;
        int r = sd_bus_message_read(signal, "s", &interface);
        if (r >= 0 &&
            sd_bus_path_decode(sd_bus_message_get_path(signal), BUS_PATH "/function", &address) > 0)
                r = json_add_text(line->object, "function", address);
        text_replace(&line->text, "%s", address ? address : "vfio-realignd");
        if (r >= 0)
                r = sd_bus_message_enter_container(signal, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(signal, 'e', "sv")) > 0) {
                const char *name, *type, *value = NULL;
                char kind;
                r = sd_bus_message_read(signal, "s", &name);
                if (r >= 0)
                        r = sd_bus_message_peek_type(signal, &kind, &type);
                if (r >= 0)
                        r = strcmp(type, "s") == 0 ? sd_bus_message_read(signal, "v", "s", &value)
                                                   : sd_bus_message_skip(signal, "v");
                if (r >= 0)
                        r = document_add_text_or_null(line->object, name, value);
                text_replace(&line->text, "%s %s%s%s%s", line->text ? line->text : "", name,
                             value ? "=\"" : "", value ? value : "", value ? "\"" : "");
                if (r >= 0)
                        r = sd_bus_message_exit_container(signal);
        }
        return r;
}

static int read_object(sd_bus_message *signal, Line *line, const char *what)
{
        _cleanup_free_ char *address = NULL;
        const char *path;
        int r = sd_bus_message_read(signal, "o", &path);
        if (r >= 0)
                r = sd_bus_path_decode(path, BUS_PATH "/function", &address);
        if (r <= 0)
                return r < 0 ? r : -ENOMSG;
        text_replace(&line->text, "%s %s", address, what);
        return json_add_text(line->object, "function", address);
}

static int read_appeared(sd_bus_message *signal, Line *line)
{
        return read_object(signal, line, "is on a VFIO driver now");
}

static int read_disappeared(sd_bus_message *signal, Line *line)
{
        return read_object(signal, line, "is on no VFIO driver any more");
}

static int read_owner(sd_bus_message *signal, Line *line)
{
        const char *name, *before, *now;
        int r = sd_bus_message_read(signal, "sss", &name, &before, &now);
        if (r < 0)
                return r;
        text_replace(&line->text, "vfio-realignd %s", *now ? "is on the bus" : "has left the bus");
        return json_add_bool(line->object, "running", *now != '\0');
}

static const struct {
        const char *interface, *member, *event;
        int (*read)(sd_bus_message *signal, Line *line);
} kinds[] = {
        { BUS_MANAGER, "TransactionStarted", "transaction-started", read_started },
        { BUS_MANAGER, "TransactionStep", "transaction-step", read_step },
        { BUS_MANAGER, "TransactionEnded", "transaction-ended", read_ended },
        { "org.freedesktop.DBus.Properties", "PropertiesChanged", "changed", read_changed },
        { "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "function-added", read_appeared },
        { "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "function-removed", read_disappeared },
        { "org.freedesktop.DBus", "NameOwnerChanged", "daemon", read_owner },
};

static int on_signal(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        Monitor *monitor = userdata;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_(line_clear) Line line = { 0 };
                if (!sd_bus_message_is_signal(signal, kinds[i].interface, kinds[i].member))
                        continue;
                int r = line_begin(&line, kinds[i].event);
                if (r >= 0)
                        r = kinds[i].read(signal, &line);
                /* a signal that is not understood is a newer daemon's */
                if (r >= 0)
                        monitor->error = line_end(monitor, &line);
        }
        return 0;
}

static int listen_to(Monitor *monitor, sd_bus *bus)
{
        int r = sd_bus_add_match(bus, NULL,
                                 "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_PATH "'",
                                 on_signal, monitor);
        return r < 0 ? r
                     : sd_bus_add_match(bus, NULL,
                                        "type='signal',sender='org.freedesktop.DBus',"
                                        "member='NameOwnerChanged',arg0='" BUS_NAME "'",
                                        on_signal, monitor);
}

ClientExit verb_monitor(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_free_ char *status_text = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Monitor monitor = { .context = context };

        ClientExit status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = listen_to(&monitor, bus);
        if (r < 0)
                return bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
        /* Who is not there yet can come: that is no reason to end. */
        if (sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER, "Status", &error,
                                       &status_text) < 0)
                (void) bus_client_complain(context, &error, -EIO);
        else
                fprintf(stderr, "vfio-realignd: %s\n", status_text);
        while (r >= 0 && monitor.error == 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r == -EINTR)
                        r = 0;
        }
        return monitor.error < 0 ? CLIENT_EXIT_ERROR : bus_client_complain(context, &SD_BUS_ERROR_NULL, r);
}
