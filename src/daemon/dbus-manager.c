/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-manager.h"

#include "base/page.h"
#include "base/text.h"
#include "daemon/dbus-arguments.h"
#include "daemon/dbus-error.h"
#include "daemon/dbus-guest.h"
#include "daemon/errand.h"
#include "daemon/manager-status.h"

#include <errno.h>
#include <string.h>

#define ACTION(name) DBUS_NAME "." name

/* --- properties */

#define GETTER(name)                                                                                        \
        static int get_##name(sd_bus *connection, const char *path, const char *interface,                  \
                              const char *property, sd_bus_message *reply, void *userdata,                  \
                              sd_bus_error *error)
#define SERVICE DBusService *service = userdata

GETTER(version)
{
        return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

GETTER(page_size)
{
        return sd_bus_message_append(reply, "t", page_size());
}

GETTER(state)
{
        SERVICE;
        return sd_bus_message_append(reply, "s", manager_state_name(service->manager));
}

GETTER(status)
{
        SERVICE;
        _cleanup_free_ char *text = manager_status_text(service->manager);
        return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;
}

GETTER(transaction)
{
        SERVICE;
        const DBusTransaction *now = &service->transaction;
        if (!now->id || !now->at.step || !now->at.function)
                return sd_bus_message_append(reply, "(ssssstt)", "", "", "", "", "", UINT64_C(0),
                                             UINT64_C(0));
        return sd_bus_message_append(reply, "(ssssstt)", now->id, now->bus, now->at.step, now->at.function,
                                     progress_state_name(now->at.state), now->at.index, now->at.of);
}

/* Appends the name of a property that is not what was told any more. */
static void differ(char **told, const char *now, const char *property, char **names, size_t *n)
{
        if (text_equal(*told, now))
                return;
        text_replace(told, "%s", now);
        names[(*n)++] = (char *) property; /* only read */
}

int dbus_manager_update(DBusService *service)
{
        const Manager *manager = service->manager;
        char *names[3] = { NULL };
        size_t n = 0;
        _cleanup_free_ char *status = manager_status_text(manager);
        if (!status)
                return -ENOMEM;
        differ(&service->state, manager_state_name(manager), "State", names, &n);
        differ(&service->status, status, "Status", names, &n);
        if (n == 0)
                return 0;
        return sd_bus_emit_properties_changed_strv(service->connection, DBUS_PATH, DBUS_MANAGER_INTERFACE,
                                                   names);
}

/* --- methods */

#define METHOD(name) static int method_##name(sd_bus_message *call, void *userdata, sd_bus_error *error)

METHOD(get_function)
{
        SERVICE;
        const Survey *survey = service->manager->survey;
        PciAddress address;
        int r = function_name_read(call, &address, error);
        if (r < 0)
                return r;
        const PciFunction *function = survey ? topology_find(survey->topology, address) : NULL;
        if (!function || !function->on_vfio)
                return dbus_error_set(error, DBUS_ERROR_NO_SUCH_FUNCTION, "%s: %s; %s",
                                      PCI_ADDRESS_TEXT(address),
                                      reason_text(function ? REASON_NOT_VFIO : REASON_NOT_FOUND),
                                      reason_remedy(function ? REASON_NOT_VFIO : REASON_NOT_FOUND));
        _cleanup_free_ char *path = dbus_function_path(address);
        return path ? sd_bus_reply_method_return(call, "o", path) : -ENOMEM;
}

METHOD(plan)
{
        SERVICE;
        _cleanup_(function_list_clear) FunctionList list = { 0 };
        int r = function_list_read(call, &list, error);
        if (r == 0)
                r = plan_requests_add(service->plans, call, list.addresses, list.n, error);
        return r < 0 ? r : 1;
}

METHOD(realign)
{
        SERVICE;
        _cleanup_(function_list_clear) FunctionList list = { 0 };
        RealignOptions options;
        int r = function_list_read(call, &list, error);
        if (r == 0)
                r = realign_options_read(call, &options, error);
        if (r < 0)
                return r;
        r = polkit_ask(service->polkit, call, options.force ? ACTION("force") : ACTION("realign"), error);
        if (r <= 0)
                return r < 0 ? r : 1;
        RequestTerms terms = {
                .addresses = list.addresses,
                .n_addresses = list.n,
                .realign = true,
                .force = options.force,
                .timeout_usec = options.timeout_usec,
        };
        r = requests_add(service->requests, call, &terms, error);
        return r < 0 ? r : 1;
}

METHOD(settle)
{
        SERVICE;
        _cleanup_(function_list_clear) FunctionList list = { 0 };
        RequestTerms terms = { 0 };
        int r = function_list_read(call, &list, error);
        if (r == 0)
                r = sd_bus_message_read(call, "t", &terms.timeout_usec);
        if (r < 0)
                return r;
        terms.addresses = list.addresses;
        terms.n_addresses = list.n;
        r = requests_add(service->requests, call, &terms, error);
        return r < 0 ? r : 1;
}

static int add_errand(DBusService *service, sd_bus_message *call, WorkerVerb verb, const char *action,
                      sd_bus_error *error)
{
        _cleanup_(function_list_clear) FunctionList list = { 0 };
        int r = function_list_read(call, &list, error);
        if (r < 0)
                return r;
        r = polkit_ask(service->polkit, call, action, error);
        if (r > 0)
                r = errands_add(service->manager->errands, call, verb, list.addresses, list.n, error);
        return r < 0 ? r : 1;
}

METHOD(restore)
{
        return add_errand(userdata, call, WORKER_RESTORE, ACTION("restore"), error);
}

METHOD(detach)
{
        return add_errand(userdata, call, WORKER_DETACH, ACTION("detach"), error);
}

METHOD(reattach)
{
        return add_errand(userdata, call, WORKER_REATTACH, ACTION("reattach"), error);
}

METHOD(reload)
{
        SERVICE;
        _cleanup_free_ char *problems = NULL;
        int r = polkit_ask(service->polkit, call, ACTION("reload"), error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = manager_reload(service->manager, &problems);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return dbus_error_set(error, DBUS_ERROR_POLICY_INVALID, "the policy of before is kept: %s",
                                      problems ? problems : strerror(-r));
        return sd_bus_reply_method_return(call, NULL);
}

#define CHANGING SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

const sd_bus_vtable dbus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("PageSize", "t", get_page_size, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGING),
        SD_BUS_PROPERTY("Status", "s", get_status, 0, CHANGING),
        SD_BUS_PROPERTY("Transaction", "(ssssstt)", get_transaction, 0, CHANGING),
        SD_BUS_METHOD_WITH_ARGS("GetFunction", SD_BUS_ARGS("s", function), SD_BUS_RESULT("o", path),
                                method_get_function, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("as", functions), SD_BUS_RESULT("s", document),
                                method_plan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Realign", SD_BUS_ARGS("as", functions, "a{sv}", options),
                                SD_BUS_RESULT("a(sssss)", verdicts), method_realign,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Settle", SD_BUS_ARGS("as", functions, "t", timeout_usec),
                                SD_BUS_RESULT("a(sssss)", verdicts), method_settle,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Restore", SD_BUS_ARGS("as", functions),
                                SD_BUS_RESULT("a(sasssss)", results), method_restore,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Detach", SD_BUS_ARGS("as", functions), SD_BUS_RESULT("a(sasssss)", results),
                                method_detach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reattach", SD_BUS_ARGS("as", functions),
                                SD_BUS_RESULT("a(sasssss)", results), method_reattach,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("PrepareForGuest",
                                SD_BUS_ARGS("a(sb)", functions, "t", inhibit_usec, "t", stop_usec, "t",
                                            timeout_usec),
                                SD_BUS_RESULT("a(sssss)", verdicts), dbus_guest_prepare,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ReleaseFromGuest", SD_BUS_ARGS("a(sb)", functions, "t", inhibit_usec),
                                SD_BUS_RESULT("a(sasssss)", results), dbus_guest_release,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Inhibit", SD_BUS_ARGS("a(sb)", functions, "t", inhibit_usec),
                                SD_BUS_NO_RESULT, dbus_guest_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("TransactionStarted", SD_BUS_ARGS("s", id, "s", bus, "as", functions), 0),
        SD_BUS_SIGNAL_WITH_ARGS("TransactionStep",
                                SD_BUS_ARGS("s", id, "s", step, "s", function, "s", state, "t", index, "t",
                                            of, "s", detail, "t", usec),
                                0),
        SD_BUS_SIGNAL_WITH_ARGS("TransactionEnded",
                                SD_BUS_ARGS("s", id, "s", bus, "as", functions, "s", outcome, "s", reason,
                                            "s", culprit, "s", detail, "t", usec),
                                0),
        SD_BUS_VTABLE_END,
};
