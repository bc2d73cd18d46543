/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/bus-client.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

#define NEVER UINT64_MAX

static const char *place_of(const ClientContext *context)
{
        return context->host ? context->host : "this machine";
}

ClientExit bus_client_open(const ClientContext *context, sd_bus **ret)
{
        int r = context->host ? sd_bus_open_system_remote(ret, context->host) : sd_bus_open_system(ret);
        if (r == -EINVAL && context->host) {
                (void) client_error("-H: \"%.60s\" is no host, expected HOST or USER@HOST", context->host);
                return CLIENT_EXIT_USAGE;
        }
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(*ret, BUS_QUICK_USEC);
        if (r < 0)
                return client_error("the system bus of %s cannot be reached: %s", place_of(context),
                                    strerror(-r));
        return CLIENT_EXIT_FINE;
}

/* Errors of the bus itself, and what they mean to somebody who wants something of the daemon. */
static const struct {
        const char *name;
        const char *text;
} bus_errors[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN,
          "vfio-realignd is not running on %s; start it with \"systemctl start vfio-realign\"" },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER,
          "vfio-realignd is not running on %s; start it with \"systemctl start vfio-realign\"" },
        { SD_BUS_ERROR_NO_REPLY, "vfio-realignd on %s gave no answer: it ended, or cannot be reached" },
        { SD_BUS_ERROR_TIMEOUT, "vfio-realignd on %s did not answer in time" },
        { SD_BUS_ERROR_ACCESS_DENIED, "the bus of %s does not let you call vfio-realignd" },
        { SD_BUS_ERROR_UNKNOWN_METHOD, "vfio-realignd on %s is too old for this request" },
        { SD_BUS_ERROR_DISCONNECTED, "the connection to the bus of %s was lost" },
};

/* The two errors that whoever wrote the command line has made. */
static bool is_usage(const char *name)
{
        return strcmp(name, BUS_NAME ".Error.InvalidAddress") == 0 ||
               strcmp(name, BUS_NAME ".Error.InvalidArgument") == 0;
}

ClientExit bus_client_complain(const ClientContext *context, const sd_bus_error *error, int r)
{
        if (!sd_bus_error_is_set(error)) {
                if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
                        return client_error("the connection to the bus of %s was lost", place_of(context));
                if (r == -ETIMEDOUT)
                        return client_error("vfio-realignd on %s did not answer in time", place_of(context));
                return client_error("the bus of %s: %s", place_of(context), strerror(-r));
        }
        for (size_t i = 0; i < ELEMENTSOF(bus_errors); i++)
                if (strcmp(error->name, bus_errors[i].name) == 0) {
                        /* each has one "%s" */
                        _cleanup_free_ char *text = NULL;
                        const char *rest = strstr(bus_errors[i].text, "%s");
                        text = text_format("%.*s%s%s", (int) (rest - bus_errors[i].text), bus_errors[i].text,
                                           place_of(context), rest + strlen("%s"));
                        return client_error("%s", text ? text : "out of memory");
                }
        (void) client_error("%s", error->message ? error->message : error->name);
        if (strcmp(error->name, BUS_NAME ".Error.Refused") == 0)
                return CLIENT_EXIT_CANNOT;
        return is_usage(error->name) ? CLIENT_EXIT_USAGE : CLIENT_EXIT_ERROR;
}

int bus_client_new_call(sd_bus *bus, const char *method, sd_bus_message **ret)
{
        int r = sd_bus_message_new_method_call(bus, ret, BUS_NAME, BUS_PATH, BUS_MANAGER, method);
        return r < 0 ? r : sd_bus_message_set_allow_interactive_authorization(*ret, true);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        *(sd_bus_message **) userdata = sd_bus_message_ref(reply);
        return 0;
}

ClientExit bus_client_run(const ClientContext *context, sd_bus *bus, sd_bus_message *call,
                          sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;

        int r = sd_bus_call_async(bus, &slot, call, on_reply, &reply, NEVER);
        while (r >= 0 && !reply) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, NEVER);
                if (r == -EINTR)
                        r = 0;
        }
        const sd_bus_error *error = reply ? sd_bus_message_get_error(reply) : NULL;
        if (error || r < 0)
                return bus_client_complain(context, error ? error : &SD_BUS_ERROR_NULL, r);
        *ret_reply = TAKE_PTR(reply);
        return CLIENT_EXIT_FINE;
}
