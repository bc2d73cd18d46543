/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-arguments.h"

#include "base/text.h"
#include "daemon/dbus-error.h"
#include "daemon/request.h"

#include <errno.h>
#include <string.h>

#define NAME_SHOWN 40u /* of a name that may be of any length */

/* The beginning of TEXT, of which nothing is left that a terminal or a journal could not take. */
static const char *shown(const char *text, char buffer[static NAME_SHOWN + 1])
{
        snprintf(buffer, NAME_SHOWN + 1, "%.*s", (int) NAME_SHOWN, text);
        text_make_printable(buffer);
        return buffer;
}

static int parse(const char *name, PciAddress *ret, sd_bus_error *error)
{
        char buffer[NAME_SHOWN + 1];
        if (pci_address_parse_loose(name, ret) == 0)
                return 0;
        return dbus_error_set(error, DBUS_ERROR_INVALID_ADDRESS,
                              "\"%s%s\" is no address of a function, expected one such as 0000:03:00.0 or "
                              "pci_0000_03_00_0",
                              shown(name, buffer), strlen(name) > NAME_SHOWN ? "..." : "");
}

int function_name_read(sd_bus_message *call, PciAddress *ret, sd_bus_error *error)
{
        const char *name;
        int r = sd_bus_message_read(call, "s", &name);
        return r < 0 ? r : parse(name, ret, error);
}

void function_list_clear(FunctionList *list)
{
        free(list->addresses);
        *list = (FunctionList){ 0 };
}

static int take(FunctionList *list, const char *name, sd_bus_error *error)
{
        if (list->n == REQUEST_FUNCTIONS_MAX)
                return dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT,
                                      "more than %u functions were given", REQUEST_FUNCTIONS_MAX);
        PciAddress address, *addresses;
        int r = parse(name, &address, error);
        if (r < 0)
                return r;
        addresses = reallocarray(list->addresses, list->n + 1, sizeof(*addresses));
        if (!addresses)
                return -ENOMEM;
        list->addresses = addresses;
        addresses[list->n++] = address;
        return 0;
}

int function_list_read(sd_bus_message *call, FunctionList *ret, sd_bus_error *error)
{
        _cleanup_(function_list_clear) FunctionList list = { 0 };
        const char *name;
        int r = sd_bus_message_enter_container(call, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(call, "s", &name)) > 0) {
                r = take(&list, name, error);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(call);
        if (r < 0)
                return r;
        if (list.n == 0)
                return dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT, "no function was given");
        *ret = list;
        list = (FunctionList){ 0 };
        return 0;
}

static int read_guest_function(sd_bus_message *call, Guest *guest, sd_bus_error *error)
{
        const char *name;
        int managed, r = sd_bus_message_read(call, "(sb)", &name, &managed);
        if (r <= 0)
                return r;
        if (guest->n_functions == REQUEST_FUNCTIONS_MAX)
                return dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT,
                                      "more than %u functions were given", REQUEST_FUNCTIONS_MAX);
        GuestFunction *functions =
                        reallocarray(guest->functions, guest->n_functions + 1, sizeof(*functions));
        if (!functions)
                return -ENOMEM;
        guest->functions = functions;
        functions[guest->n_functions] = (GuestFunction){ .managed = managed };
        r = parse(name, &functions[guest->n_functions++].address, error);
        return r < 0 ? r : 1;
}

int guest_read(sd_bus_message *call, bool has_times, Guest *ret, sd_bus_error *error)
{
        _cleanup_(guest_clear) Guest guest = { 0 };
        int r = sd_bus_message_enter_container(call, 'a', "(sb)");
        while (r >= 0 && (r = read_guest_function(call, &guest, error)) > 0)
                ;
        if (r >= 0)
                r = sd_bus_message_exit_container(call);
        if (r >= 0)
                r = sd_bus_message_read(call, "t", &guest.inhibit_usec);
        if (r >= 0 && has_times)
                r = sd_bus_message_read(call, "tt", &guest.stop_usec, &guest.timeout_usec);
        if (r < 0)
                return r;
        if (guest.n_functions == 0)
                return dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT, "no function was given");
        *ret = guest;
        guest = (Guest){ 0 };
        return 0;
}

static int read_option(sd_bus_message *call, RealignOptions *options, sd_bus_error *error)
{
        char buffer[NAME_SHOWN + 1];
        const char *name;
        int force, r = sd_bus_message_read(call, "s", &name);
        if (r < 0)
                return r;
        if (strcmp(name, "force") == 0) {
                r = sd_bus_message_read(call, "v", "b", &force);
                options->force = r >= 0 && force;
        } else if (strcmp(name, "timeout-usec") == 0)
                r = sd_bus_message_read(call, "v", "t", &options->timeout_usec);
        else
                return dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT,
                                      "\"%s\" is no option, expected force or timeout-usec",
                                      shown(name, buffer));
        return r == -ENXIO ? dbus_error_set(error, DBUS_ERROR_INVALID_ARGUMENT,
                                            "the option %s has a value of another type", name)
                           : r;
}

int realign_options_read(sd_bus_message *call, RealignOptions *ret, sd_bus_error *error)
{
        RealignOptions options = { .timeout_usec = UINT64_MAX };
        int r = sd_bus_message_enter_container(call, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
                r = read_option(call, &options, error);
                if (r >= 0)
                        r = sd_bus_message_exit_container(call);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(call);
        if (r < 0)
                return r;
        *ret = options;
        return 0;
}
