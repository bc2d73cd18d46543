/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/errand.h"

#include "act/outcome.h"
#include "base/text.h"
#include "daemon/dbus-error.h"
#include "daemon/manager-look.h"
#include "daemon/manager-memory.h"
#include "daemon/manager-work.h"
#include "daemon/transaction-log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define ERRANDS_MAX 64u

typedef struct Errand {
        sd_bus_message *call; /* NULL: its caller has left */
        WorkerVerb verb;
        PciAddress *addresses;
        size_t n_addresses;
        Guest guest; /* what they are for; without functions: for none */
        bool begun;
        WorkerReport **reports;
        size_t n_reports;
} Errand;

struct Errands {
        Manager *manager;
        Errand **items; /* in the order of their turns; only the first can have begun */
        size_t n_items;
};

int errands_new(Manager *manager, Errands **ret)
{
        Errands *errands = calloc(1, sizeof(*errands));
        if (!errands)
                return -ENOMEM;
        errands->manager = manager;
        *ret = errands;
        return 0;
}

static Errand *errand_free(Errand *errand)
{
        if (!errand)
                return NULL;
        sd_bus_message_unref(errand->call);
        free(errand->addresses);
        guest_clear(&errand->guest);
        for (size_t i = 0; i < errand->n_reports; i++)
                worker_report_free(errand->reports[i]);
        free(errand->reports);
        free(errand);
        return NULL;
}
DEFINE_CLEANUP(Errand *, errand_free);

Errands *errands_free(Errands *errands)
{
        if (!errands)
                return NULL;
        for (size_t i = 0; i < errands->n_items; i++)
                errand_free(errands->items[i]);
        free(errands->items);
        free(errands);
        return NULL;
}

static void drop(Errands *errands, size_t i)
{
        errand_free(errands->items[i]);
        errands->n_items--;
        memmove(&errands->items[i], &errands->items[i + 1],
                (errands->n_items - i) * sizeof(errands->items[0]));
}

void errands_sender_gone(Errands *errands, const char *sender)
{
        for (size_t i = errands->n_items; i-- > 0;) {
                Errand *errand = errands->items[i];
                if (!errand->call ||
                    (sender && !text_equal(sd_bus_message_get_sender(errand->call), sender)))
                        continue;
                if (errand->begun)
                        errand->call = sd_bus_message_unref(errand->call);
                else
                        drop(errands, i);
        }
}

static int check_way(const Errands *errands, sd_bus_error *error)
{
        if (errands->n_items >= ERRANDS_MAX)
                return dbus_error_set(error, DBUS_ERROR_TOO_MANY_REQUESTS,
                                      "%zu calls are waiting already; try again later", errands->n_items);
        if (errands->manager->gate == GATE_SHUT)
                return dbus_error_set(
                                error, DBUS_ERROR_RECOVERY_FAILED,
                                "an interrupted transaction could not be recovered: no further one is started "
                                "until the service is reloaded");
        return 0;
}

/* With room for N addresses, none of which is set. */
static int add(Errands *errands, sd_bus_message *call, WorkerVerb verb, size_t n, Errand **ret,
               sd_bus_error *error)
{
        int r = check_way(errands, error);
        if (r < 0)
                return r;
        Errand **items = reallocarray(errands->items, errands->n_items + 1, sizeof(items[0]));
        if (!items)
                return -ENOMEM;
        errands->items = items;
        _cleanup_(errand_freep) Errand *errand = calloc(1, sizeof(*errand));
        if (!errand)
                return -ENOMEM;
        errand->addresses = calloc(n + 1, sizeof(errand->addresses[0]));
        if (!errand->addresses)
                return -ENOMEM;
        errand->verb = verb;
        errand->call = sd_bus_message_ref(call);
        *ret = items[errands->n_items++] = TAKE_PTR(errand);
        return 0;
}

int errands_add(Errands *errands, sd_bus_message *call, WorkerVerb verb, const PciAddress *addresses,
                size_t n_addresses, sd_bus_error *error)
{
        Errand *errand;
        int r = add(errands, call, verb, n_addresses, &errand, error);
        if (r < 0)
                return r;
        memcpy(errand->addresses, addresses, n_addresses * sizeof(addresses[0]));
        errand->n_addresses = n_addresses;
        return 0;
}

int errands_add_guest(Errands *errands, sd_bus_message *call, WorkerVerb verb, Guest *guest,
                      sd_bus_error *error)
{
        Errand *errand;
        int r = add(errands, call, verb, guest->n_functions, &errand, error);
        if (r < 0)
                return r;
        errand->guest = *guest;
        *guest = (Guest){ 0 };
        return 0;
}

/* The first that nothing keeps waiting comes to the front. */
static Errand *take_turn(Errands *errands)
{
        for (size_t i = 0; i < errands->n_items; i++) {
                Errand *errand = errands->items[i];
                if (errand->verb == WORKER_PREPARE &&
                    guest_is_kept_waiting(errands->manager, &errand->guest))
                        continue;
                memmove(&errands->items[1], &errands->items[0], i * sizeof(errands->items[0]));
                errands->items[0] = errand;
                return errand;
        }
        return NULL;
}

static void answer(const Errands *errands, const Errand *errand);

/* What the worker is to be asked about, as things are now. 1: the guest needs no worker, and has been answered. */
static int begin_for_guest(Errands *errands, Errand *errand)
{
        Manager *manager = errands->manager;
        if (errand->guest.n_functions == 0)
                return 0;
        int r = manager_look_around(manager);
        if (r >= 0 && errand->verb == WORKER_PREPARE)
                r = guest_inhibit(manager, &errand->guest);
        if (r < 0)
                return r;
        errand->n_addresses = guest_select(manager, &errand->guest, errand->verb, errand->addresses);
        if (errand->n_addresses > 0)
                return 0;
        answer(errands, errand);
        return 1;
}

int errands_start_next(Errands *errands)
{
        Errand *errand;
        while ((errand = take_turn(errands))) {
                int r = begin_for_guest(errands, errand);
                if (r < 0)
                        return r;
                if (r > 0) {
                        drop(errands, 0);
                        continue;
                }
                r = manager_start_errand(errands->manager, errand->verb, errand->addresses,
                                         errand->n_addresses);
                if (r <= 0) {
                        errand->begun = r == 0;
                        return r;
                }
                (void) dbus_error_reply(errand->call, DBUS_ERROR_WORKER_FAILED,
                                        "the worker could not be started, see the journal");
                drop(errands, 0);
        }
        return 0;
}

size_t errands_functions(const Errands *errands, const PciAddress **ret)
{
        if (errands->n_items == 0 || !errands->items[0]->begun)
                return 0;
        *ret = errands->items[0]->addresses;
        return errands->items[0]->n_addresses;
}

int errands_take_result(Errands *errands, WorkerReport *report)
{
        Errand *errand = errands->items[0];
        WorkerReport **reports = reallocarray(errand->reports, errand->n_reports + 1, sizeof(reports[0]));
        if (!reports) {
                worker_report_free(report);
                return -ENOMEM;
        }
        errand->reports = reports;
        reports[errand->n_reports++] = report;
        return 0;
}

/* A result without a transaction, that is not refused, is about all that was asked for: it was as wanted already. */
static int append_functions(sd_bus_message *answer, const Errand *errand, const WorkerResult *result)
{
        bool nothing = *result->transaction == '\0' && result->outcome == OUTCOME_VERIFIED;
        size_t n = nothing ? errand->n_addresses : result->n_functions;
        int r = sd_bus_message_open_container(answer, 'a', "s");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = sd_bus_message_append(answer, "s",
                                          PCI_ADDRESS_TEXT(nothing ? errand->addresses[i]
                                                                   : result->functions[i].address));
        return r < 0 ? r : sd_bus_message_close_container(answer);
}

/* (id, functions, outcome, reason, culprit, detail) */
static int append_result(sd_bus_message *answer, const Errand *errand, const WorkerResult *result)
{
        int r = sd_bus_message_open_container(answer, 'r', "sasssss");
        if (r >= 0)
                r = sd_bus_message_append(answer, "s", result->transaction);
        if (r >= 0)
                r = append_functions(answer, errand, result);
        if (r >= 0)
                r = sd_bus_message_append(answer, "ssss", outcome_name(result->outcome),
                                          reason_name(result->reason),
                                          result->culprit ? result->culprit : "",
                                          result->detail ? result->detail : "");
        return r < 0 ? r : sd_bus_message_close_container(answer);
}

static int reply(const Errand *errand)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r = sd_bus_message_new_method_return(errand->call, &answer);
        if (r >= 0)
                r = sd_bus_message_open_container(answer, 'a', "(sasssss)");
        for (size_t i = 0; i < errand->n_reports && r >= 0; i++)
                r = append_result(answer, errand, &errand->reports[i]->result);
        if (r >= 0)
                r = sd_bus_message_close_container(answer);
        return r < 0 ? r : sd_bus_message_send(answer);
}

static int reply_refusal(const Errand *errand, const WorkerResult *result)
{
        return dbus_error_reply(errand->call, DBUS_ERROR_REFUSED, "%s%s%s%s%s%s. Remedy: %s.",
                                result->culprit ? result->culprit : "", result->culprit ? ": " : "",
                                reason_text(result->reason), result->detail ? " (" : "",
                                result->detail ? result->detail : "", result->detail ? ")" : "",
                                reason_remedy(result->reason));
}

/* Who cannot be answered has left. */
static void answer(const Errands *errands, const Errand *errand)
{
        bool is_for_guest = errand->guest.n_functions > 0;
        int r;
        if (!errand->call)
                return;
        if (errand->verb == WORKER_PREPARE)
                r = guest_reply(errands->manager, &errand->guest, errand->call, errand->reports,
                                errand->n_reports);
        else if (is_for_guest && errand->n_addresses == 0)
                r = reply(errand);
        else if (errand->n_reports == 0)
                r = dbus_error_reply(errand->call, DBUS_ERROR_WORKER_FAILED,
                                     "the worker ended without an answer, see the journal");
        else if (!is_for_guest && errand->n_reports == 1 &&
                 errand->reports[0]->result.outcome == OUTCOME_REFUSED)
                r = reply_refusal(errand, &errand->reports[0]->result);
        else
                r = reply(errand);
        (void) r;
}

int errands_end(Errands *errands, const WorkerEnd *end)
{
        Errand *errand = errands->items[0];
        int r = 0;
        for (size_t i = 0; i < errand->n_reports && r == 0; i++) {
                const WorkerResult *result = &errand->reports[i]->result;
                transaction_log_result(result);
                if (*result->transaction)
                        r = manager_remember(errands->manager, NULL, result, i > 0);
        }
        if (errand->n_reports == 0)
                transaction_log_no_result(NULL, end);
        if (r == 0 && errand->guest.n_functions > 0)
                r = manager_look_around(errands->manager) == -ENOMEM ? -ENOMEM : 0;
        if (r == 0)
                answer(errands, errand);
        drop(errands, 0);
        return r;
}
