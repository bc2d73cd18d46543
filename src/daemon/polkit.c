/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/polkit.h"

#include "base/text.h"
#include "daemon/dbus-error.h"

#include <errno.h>
#include <string.h>

/* CheckAuthorization's flag */
#define ALLOW_USER_INTERACTION 1u

typedef enum Answer {
        ANSWER_PENDING,
        ANSWER_YES,
        ANSWER_NO,
        ANSWER_CHALLENGE, /* yes, after an authentication that the caller did not allow to be asked for */
        ANSWER_NOBODY,    /* polkit is not there, or does not answer */
} Answer;

typedef struct Query {
        sd_bus_message *call;
        char *action;
        sd_bus_slot *slot;
        Answer answer;
        char *detail; /* of ANSWER_NOBODY */
} Query;

struct Polkit {
        Query **queries;
        size_t n_queries;
};

int polkit_new(Polkit **ret)
{
        Polkit *polkit = calloc(1, sizeof(*polkit));
        if (!polkit)
                return -ENOMEM;
        *ret = polkit;
        return 0;
}

static Query *query_free(Query *query)
{
        if (!query)
                return NULL;
        sd_bus_slot_unref(query->slot);
        sd_bus_message_unref(query->call);
        free(query->action);
        free(query->detail);
        free(query);
        return NULL;
}
DEFINE_CLEANUP(Query *, query_free);

Polkit *polkit_free(Polkit *polkit)
{
        if (!polkit)
                return NULL;
        for (size_t i = 0; i < polkit->n_queries; i++)
                query_free(polkit->queries[i]);
        free(polkit->queries);
        free(polkit);
        return NULL;
}

static void drop(Polkit *polkit, size_t i)
{
        query_free(polkit->queries[i]);
        polkit->queries[i] = polkit->queries[--polkit->n_queries];
}

void polkit_sender_gone(Polkit *polkit, const char *sender)
{
        for (size_t i = polkit->n_queries; i-- > 0;)
                if (text_equal(sd_bus_message_get_sender(polkit->queries[i]->call), sender))
                        drop(polkit, i);
}

/* The handler is called again, and finds the answer. */
static int settle(Query *query, Answer answer, const char *detail)
{
        query->answer = answer;
        query->detail = detail ? strdup(detail) : NULL;
        int r = sd_bus_message_rewind(query->call, true);
        return r < 0 ? r : sd_bus_enqueue_for_read(sd_bus_message_get_bus(query->call), query->call);
}

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Query *query = userdata;
        int authorized, challenge;
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        if (failed)
                return settle(query, ANSWER_NOBODY, failed->message ? failed->message : failed->name);
        int r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
        if (r < 0)
                return settle(query, ANSWER_NOBODY, "its answer makes no sense");
        return settle(query, authorized ? ANSWER_YES : challenge ? ANSWER_CHALLENGE : ANSWER_NO, NULL);
}

/* Whether a person may be asked for a password is the caller's to say; that person may take any time. */
static int ask_polkit(Query *query)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        sd_bus *connection = sd_bus_message_get_bus(query->call);
        bool interactive = sd_bus_message_get_allow_interactive_authorization(query->call) > 0;
        int r = sd_bus_message_new_method_call(connection, &question, "org.freedesktop.PolicyKit1",
                                               "/org/freedesktop/PolicyKit1/Authority",
                                               "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(question, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                          sd_bus_message_get_sender(query->call), query->action, 0,
                                          interactive ? ALLOW_USER_INTERACTION : 0, "");
        query->slot = sd_bus_slot_unref(query->slot);
        return r < 0 ? r
                     : sd_bus_call_async(connection, &query->slot, question, on_polkit, query,
                                         interactive ? UINT64_MAX : 0);
}

static int on_user(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Query *query = userdata;
        uint32_t user;
        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &user) < 0)
                return settle(query, ANSWER_NOBODY, "the bus does not tell who calls");
        if (user == 0)
                return settle(query, ANSWER_YES, NULL);
        int r = ask_polkit(query);
        return r < 0 ? settle(query, ANSWER_NOBODY, strerror(-r)) : 0;
}

static int begin(Polkit *polkit, sd_bus_message *call, const char *action)
{
        Query **queries = reallocarray(polkit->queries, polkit->n_queries + 1, sizeof(queries[0]));
        if (!queries)
                return -ENOMEM;
        polkit->queries = queries;
        _cleanup_(query_freep) Query *query = calloc(1, sizeof(*query));
        if (!query)
                return -ENOMEM;
        query->call = sd_bus_message_ref(call);
        query->action = strdup(action);
        if (!query->action)
                return -ENOMEM;
        int r = sd_bus_call_method_async(sd_bus_message_get_bus(call), &query->slot, "org.freedesktop.DBus",
                                         "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "GetConnectionUnixUser", on_user, query, "s",
                                         sd_bus_message_get_sender(call));
        if (r < 0)
                return r;
        queries[polkit->n_queries++] = TAKE_PTR(query);
        return 0;
}

static int conclude(const Query *query, sd_bus_error *error)
{
        switch (query->answer) {
        case ANSWER_YES:
                return 1;
        case ANSWER_CHALLENGE:
                return dbus_error_set(
                                error, DBUS_ERROR_AUTHENTICATION_REQUIRED,
                                "%s takes an authentication, which the caller did not allow to be asked for: "
                                "allow it, or call as root",
                                query->action);
        case ANSWER_NOBODY:
                return dbus_error_set(
                                error, DBUS_ERROR_NOT_AUTHORIZED,
                                "%s is not permitted, because polkit could not be asked (%s): install or start it, "
                                "or call as root",
                                query->action, query->detail ? query->detail : "no answer");
        case ANSWER_PENDING:
        case ANSWER_NO:
        default:
                return dbus_error_set(
                                error, DBUS_ERROR_NOT_AUTHORIZED,
                                "%s is not permitted to this caller by polkit: call as root, or have a rule permit it",
                                query->action);
        }
}

int polkit_ask(Polkit *polkit, sd_bus_message *call, const char *action, sd_bus_error *error)
{
        for (size_t i = 0; i < polkit->n_queries; i++) {
                if (polkit->queries[i]->call != call)
                        continue;
                int r = conclude(polkit->queries[i], error);
                drop(polkit, i);
                return r;
        }
        return begin(polkit, call, action);
}
