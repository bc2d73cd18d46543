/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/errand.h"

#include "act/outcome.h"
#include "base/text.h"
#include "daemon/dbus-error.h"
#include "daemon/manager-look.h"
#include "daemon/manager-memory.h"
#include "daemon/manager-work.h"
#include "daemon/transaction-log.h"
#include "daemon/udev-queue.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define ERRANDS_MAX 64u

typedef enum ErrandState {
        ERRAND_WAITS, /* for its turn */
        ERRAND_RUNS,
        ERRAND_ENDED, /* its answer waits for udev */
} ErrandState;

typedef struct Errand {
        sd_bus_message *call; /* NULL: it has been answered, or its caller has left */
        WorkerVerb verb;
        PciAddress *addresses;
        size_t n_addresses;
        Guest guest; /* what they are for; without functions: for none */
        ErrandState state;
        sd_event_source *stop_timer, *timer; /* of WORKER_PREPARE */
        bool is_over, is_late;               /* they have gone off */
        bool is_told;                        /* the worker, that it is over */
        WorkerReport **reports;
        size_t n_reports;
} Errand;

struct Errands {
        Manager *manager;
        Errand **items; /* in the order of their coming */
        size_t n_items;
        Errand *running;       /* one of them; NULL: none */
        UdevQueue *udev_queue; /* while an answer waits for it */
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
        sd_event_source_disable_unref(errand->stop_timer);
        sd_event_source_disable_unref(errand->timer);
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
        udev_queue_free(errands->udev_queue);
        free(errands);
        return NULL;
}

static void drop(Errands *errands, const Errand *errand)
{
        size_t i = 0, n_ended = 0;
        while (errands->items[i] != errand)
                i++;
        if (errands->running == errand)
                errands->running = NULL;
        errand_free(errands->items[i]);
        errands->n_items--;
        memmove(&errands->items[i], &errands->items[i + 1],
                (errands->n_items - i) * sizeof(errands->items[0]));
        for (i = 0; i < errands->n_items; i++)
                n_ended += errands->items[i]->state == ERRAND_ENDED;
        if (n_ended == 0)
                errands->udev_queue = udev_queue_free(errands->udev_queue);
}

/* Nobody waits for it any more. */
static void stop(const Errands *errands, Errand *errand)
{
        if (errand->verb == WORKER_PREPARE && !errand->is_told && errands->manager->job)
                worker_job_stop(errands->manager->job);
        errand->is_told = true;
}

void errands_sender_gone(Errands *errands, const char *sender)
{
        for (size_t i = errands->n_items; i-- > 0;) {
                Errand *errand = errands->items[i];
                if (!errand->call ||
                    (sender && !text_equal(sd_bus_message_get_sender(errand->call), sender)))
                        continue;
                if (errand->state != ERRAND_RUNS) {
                        drop(errands, errand);
                        continue;
                }
                errand->call = sd_bus_message_unref(errand->call);
                stop(errands, errand);
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

static int on_stop_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        ((Errand *) userdata)->is_over = true;
        return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
        ((Errand *) userdata)->is_late = true;
        return 0;
}

/* A time later than any clock goes never comes. */
static int set_timers(const Errands *errands, Errand *errand)
{
        sd_event *event = errands->manager->event;
        int r = sd_event_add_time_relative(event, &errand->stop_timer, CLOCK_MONOTONIC,
                                           errand->guest.stop_usec, 1, on_stop_time, errand);
        if (r >= 0 || r == -EOVERFLOW)
                r = sd_event_add_time_relative(event, &errand->timer, CLOCK_MONOTONIC,
                                               errand->guest.timeout_usec, 1, on_timeout, errand);
        return r == -EOVERFLOW ? 0 : r;
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
        r = verb == WORKER_PREPARE ? set_timers(errands, errand) : 0;
        if (r < 0)
                drop(errands, errand);
        return r < 0 ? r : 0;
}

/* The first that nothing keeps waiting. */
static Errand *take_turn(const Errands *errands)
{
        for (size_t i = 0; i < errands->n_items; i++) {
                Errand *errand = errands->items[i];
                if (errand->state == ERRAND_WAITS &&
                    !(errand->verb == WORKER_PREPARE &&
                      guest_is_kept_waiting(errands->manager, &errand->guest)))
                        return errand;
        }
        return NULL;
}

static int end(Errands *errands, Errand *errand);

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
        r = end(errands, errand);
        return r < 0 ? r : 1;
}

int errands_start_next(Errands *errands)
{
        Errand *errand;
        while ((errand = take_turn(errands))) {
                int r = begin_for_guest(errands, errand);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                r = manager_start_errand(errands->manager, errand->verb, errand->addresses,
                                         errand->n_addresses);
                if (r == 0) {
                        errand->state = ERRAND_RUNS;
                        errands->running = errand;
                }
                if (r <= 0)
                        return r;
                (void) dbus_error_reply(errand->call, DBUS_ERROR_WORKER_FAILED,
                                        "the worker could not be started, see the journal");
                drop(errands, errand);
        }
        return 0;
}

size_t errands_functions(const Errands *errands, const PciAddress **ret)
{
        if (!errands->running)
                return 0;
        *ret = errands->running->addresses;
        return errands->running->n_addresses;
}

int errands_take_result(Errands *errands, WorkerReport *report)
{
        Errand *errand = errands->running;
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

static int reply_to_guest(const Errands *errands, const Errand *errand, Reason otherwise)
{
        GuestReports reports = { errand->reports, errand->n_reports, otherwise };
        return guest_reply(errands->manager, &errand->guest, errand->call, &reports);
}

/* Who cannot be answered has left. */
static void answer(const Errands *errands, const Errand *errand)
{
        bool is_for_guest = errand->guest.n_functions > 0;
        int r;
        if (!errand->call)
                return;
        if (errand->verb == WORKER_PREPARE)
                /* the worker ended without an answer */
                r = reply_to_guest(errands, errand, REASON_STEP_FAILED);
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

static void on_udev_queue_empty(void *userdata)
{
        /* Errands are looked at after every event. */
}

/* Its work is done: it is answered, for a guest as soon as udev has dealt with it too. */
static int end(Errands *errands, Errand *errand)
{
        const Manager *manager = errands->manager;
        int r = 0;
        if (errand == errands->running)
                errands->running = NULL;
        if (errand->verb != WORKER_PREPARE || !errand->call) {
                answer(errands, errand);
                drop(errands, errand);
                return 0;
        }
        errand->state = ERRAND_ENDED;
        if (!errands->udev_queue)
                r = udev_queue_watch(manager->event, manager->root, on_udev_queue_empty, errands,
                                     &errands->udev_queue);
        return r < 0 ? r : 0;
}

int errands_end(Errands *errands, const WorkerEnd *ended)
{
        Errand *errand = errands->running;
        int r = 0;
        for (size_t i = 0; i < errand->n_reports && r == 0; i++) {
                const WorkerResult *result = &errand->reports[i]->result;
                transaction_log_result(result);
                if (*result->transaction)
                        r = manager_remember(errands->manager, NULL, result, i > 0);
        }
        if (errand->n_reports == 0)
                transaction_log_no_result(errand->verb, NULL, ended);
        if (r == 0 && errand->guest.n_functions > 0)
                r = manager_look_around(errands->manager) == -ENOMEM ? -ENOMEM : 0;
        return r == 0 ? end(errands, errand) : r;
}

/* --- the guest's time */

static int check_ended(Errands *errands, Errand *errand)
{
        const Manager *manager = errands->manager;
        bool is_settled = !guest_awaits_binds(manager, &errand->guest) &&
                          udev_queue_is_empty(errands->udev_queue) &&
                          !guest_is_midway(manager, &errand->guest);
        if (!is_settled && !errand->is_late)
                return 0;
        int r = manager_look_around(errands->manager);
        if (r == -ENOMEM)
                return r;
        answer(errands, errand);
        drop(errands, errand);
        return 0;
}

/* What has not been begun by now is not begun; but what another transaction has taken out may still be back in time. */
static int check_waiting(Errands *errands, Errand *errand)
{
        Manager *manager = errands->manager;
        if (!errand->is_late && (!errand->is_over || guest_is_midway(manager, &errand->guest)))
                return 0;
        bool is_kept = guest_is_kept_waiting(manager, &errand->guest);
        int r = manager_look_around(manager);
        if (r >= 0)
                r = guest_inhibit(manager, &errand->guest);
        if (r < 0)
                return r;
        (void) !reply_to_guest(errands, errand, is_kept ? REASON_GUEST_CHANGES : REASON_LOCK_HELD);
        drop(errands, errand);
        return 0;
}

/* Its worker is asked to stop; what goes on all the same is told. */
static int check_running(Errands *errands, Errand *errand)
{
        if (errand->is_over)
                stop(errands, errand);
        if (!errand->is_late || !errand->call)
                return 0;
        int r = manager_look_around(errands->manager);
        if (r == -ENOMEM)
                return r;
        (void) !reply_to_guest(errands, errand, REASON_LOCK_HELD);
        errand->call = sd_bus_message_unref(errand->call);
        return 0;
}

int errands_check(Errands *errands)
{
        int r = 0;
        for (size_t i = errands->n_items; i-- > 0 && r == 0;) {
                Errand *errand = errands->items[i];
                if (errand->verb != WORKER_PREPARE)
                        continue;
                if (errand->state == ERRAND_ENDED)
                        r = check_ended(errands, errand);
                else if (errand->state == ERRAND_WAITS)
                        r = check_waiting(errands, errand);
                else
                        r = check_running(errands, errand);
        }
        return r;
}
