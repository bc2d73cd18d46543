/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "hook/guest-call.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define DBUS_NAME "org.vfiorealign1"
#define DBUS_PATH "/org/vfiorealign1"

static int connect_to(const char *address, sd_bus **ret)
{
        if (!address)
                return sd_bus_open_system(ret);
        int r = sd_bus_new(ret);
        if (r >= 0)
                r = sd_bus_set_address(*ret, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(*ret, true);
        return r >= 0 ? sd_bus_start(*ret) : r;
}

static int append_functions(sd_bus_message *call, const Domain *domain)
{
        int r = sd_bus_message_open_container(call, 'a', "(sb)");
        for (size_t i = 0; i < domain->n_functions && r >= 0; i++)
                r = sd_bus_message_append(call, "(sb)", PCI_ADDRESS_TEXT(domain->functions[i].address),
                                          domain->functions[i].managed);
        return r >= 0 ? sd_bus_message_close_container(call) : r;
}

static int copy(const char *text, char **ret)
{
        *ret = strdup(text);
        if (!*ret)
                return -ENOMEM;
        text_make_printable(*ret);
        return 0;
}

static int take_verdict(sd_bus_message *reply, GuestAnswer *answer)
{
        const char *function, *verdict, *reason, *detail, *on_failure;
        int r = sd_bus_message_read(reply, "(sssss)", &function, &verdict, &reason, &detail, &on_failure);
        if (r <= 0)
                return r;
        GuestVerdict *more = reallocarray(answer->verdicts, answer->n_verdicts + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        answer->verdicts = more;
        GuestVerdict *item = &more[answer->n_verdicts++];
        *item = (GuestVerdict){ .refuses = strcmp(on_failure, "refuse") == 0 };
        r = copy(function, &item->function);
        if (r == 0)
                r = copy(verdict, &item->verdict);
        if (r == 0)
                r = copy(reason, &item->reason);
        if (r == 0)
                r = copy(detail, &item->detail);
        return r < 0 ? r : 1;
}

static int take_answer(sd_bus_message *reply, GuestAnswer *answer)
{
        if (!sd_bus_message_has_signature(reply, "a(sssss)"))
                return 0;
        int r = sd_bus_message_enter_container(reply, 'a', "(sssss)");
        while (r >= 0 && (r = take_verdict(reply, answer)) > 0)
                ;
        return r;
}

static char *error_text(const sd_bus_error *error, int r)
{
        if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
            sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return strdup("vfio-realignd is not running: start vfio-realign.service");
        if (r == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) ||
            sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT))
                return strdup("vfio-realignd has not answered in time: see \"vfio-realign status\"");
        char *text = text_format("%s", error->message ? error->message : strerror(-r));
        if (text)
                text_make_printable(text);
        return text;
}

static int call_on(sd_bus *connection, const char *method, const Domain *domain, const GuestTimes *times,
                   GuestAnswer *answer, sd_bus_error *error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        int r = sd_bus_message_new_method_call(connection, &call, DBUS_NAME, DBUS_PATH, DBUS_NAME ".Manager",
                                               method);
        if (r >= 0)
                r = append_functions(call, domain);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", times->inhibit_usec);
        if (r >= 0 && times->has_bound)
                r = sd_bus_message_append(call, "tt", times->stop_usec, times->answer_usec);
        if (r >= 0)
                r = sd_bus_call(connection, call, times->timeout_usec, error, &reply);
        return r >= 0 ? take_answer(reply, answer) : r;
}

int guest_call(const char *address, const char *method, const Domain *domain, const GuestTimes *times,
               GuestAnswer *ret, char **ret_problem)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus *connection = NULL;
        GuestAnswer answer = { 0 };

        int r = connect_to(address, &connection);
        if (r < 0)
                *ret_problem = text_format("there is no D-Bus: %s", strerror(-r));
        else
                r = call_on(connection, method, domain, times, &answer, &error);
        if (r < 0 && connection)
                *ret_problem = error_text(&error, r);
        sd_bus_flush_close_unref(connection);
        if (r < 0) {
                guest_answer_clear(&answer);
                return r;
        }
        *ret = answer;
        return 0;
}

void guest_answer_clear(GuestAnswer *answer)
{
        for (size_t i = 0; i < answer->n_verdicts; i++) {
                free(answer->verdicts[i].function);
                free(answer->verdicts[i].verdict);
                free(answer->verdicts[i].reason);
                free(answer->verdicts[i].detail);
        }
        free(answer->verdicts);
        *answer = (GuestAnswer){ 0 };
}
