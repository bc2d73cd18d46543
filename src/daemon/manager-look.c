/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/manager-look.h"

#include "base/text.h"
#include "daemon/bus-key.h"
#include "daemon/errand.h"
#include "daemon/log.h"
#include "daemon/manager-memory.h"
#include "daemon/manager-work.h"
#include "daemon/shared-page-log.h"
#include "judge/plan-document.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define LOOK_AGAIN_USEC UINT64_C(10000000) /* at users that no enable count shows, and after errors */
#define SURVEY_USEC UINT64_C(5000000)      /* how long a bus that is due may wait without a new survey */

bool manager_reason_passes(Reason reason)
{
        static const Reason passing[] = {
                REASON_IN_USE,    REASON_SIBLING_IN_USE, REASON_ENABLE_COUNT,
                REASON_USE_BEGAN, REASON_NO_ROOM,        REASON_LOCK_HELD,
        };
        for (size_t i = 0; i < ELEMENTSOF(passing); i++)
                if (passing[i] == reason)
                        return true;
        return false;
}

int manager_look_around(Manager *manager)
{
        _cleanup_free_ char *problem = NULL;
        Survey *survey;
        int r = survey_read(manager->root, &survey, &problem);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                const char *what = problem ? problem : strerror(-r);
                if (!text_equal(what, manager->survey_problem))
                        log_say(LOG_ERR, NULL,
                                "The PCI functions cannot be read, so nothing is realigned until they can: %s",
                                what);
                text_replace(&manager->survey_problem, "%s", what);
                return 1;
        }
        if (manager->survey_problem)
                log_say(LOG_NOTICE, NULL, "The PCI functions can be read again.");
        free(TAKE_PTR(manager->survey_problem));
        survey_free(manager->survey);
        manager->survey = survey;
        manager->surveyed = manager_now(manager);
        manager->revision++;
        manager->glance_due = BUS_NEVER;
        return shared_page_log(survey, &manager->shared_pages);
}

/* Every bus with a function on VFIO is dealt with as if the function had just been bound. */
static int enumerate(Manager *manager, uint64_t now)
{
        const Topology *topology = manager->survey->topology;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const char *key = survey_bus_key(manager->survey, &topology->functions[i]);
                if (!topology->functions[i].on_vfio || !key)
                        continue;
                int r = bus_queue_touch(manager->queue, key, now);
                if (r < 0)
                        return r;
        }
        bus_queue_hasten(manager->queue, now);
        manager->must_enumerate = false;
        return manager_forget_unbound(manager);
}

int manager_wait(Manager *manager, Bus *bus, Reason reason)
{
        EnableWatch *watch;
        int r = assessment_watch(manager->survey, bus->key, &watch);
        if (r < 0)
                return r;
        uint64_t pause = bus->delay > LOOK_AGAIN_USEC ? bus->delay : LOOK_AGAIN_USEC;
        bus_wait(bus, reason, watch, manager_now(manager) + pause);
        return 0;
}

static void say_lines(const Bus *bus, int priority, Reason reason, char *lines)
{
        LogContext about = { .bus = bus->key, .reason = reason };
        char *rest = lines, *line;
        while ((line = strsep(&rest, "\n")))
                log_say(priority, &about, "%s", line);
}

/* Functions on it, or near it, are on their way to a guest or back: it is looked at when they have got there. */
static bool is_kept(const Manager *manager, Bus *bus)
{
        if (!inhibitions_cover(manager->inhibitions, bus->key, NULL, 0))
                return false;
        bus_rest(bus, REASON_GUEST_CHANGES);
        return true;
}

static int look_at(Manager *manager, Bus *bus, uint64_t now)
{
        if (is_kept(manager, bus))
                return 0;
        _cleanup_(assessment_freep) Assessment *assessment = NULL;
        int r = assessment_make(manager->survey, manager->policy, manager->attempts, manager->restored, bus,
                                &assessment);
        if (r < 0)
                return r;
        if (bus_remarks(bus, assessment->remarks))
                say_lines(bus, LOG_WARNING, assessment->reason, assessment->remarks);
        if (assessment->answer == ASSESSMENT_NOTHING) {
                (void) bus_says(bus, NULL);
                bus_rest(bus, assessment->reason);
                return 0;
        }
        if (!bus_is_quiet(bus, assessment->settle_delay_usec, now))
                return 0;
        if (assessment->answer != ASSESSMENT_REPORT && attempts_is_blocked(manager->attempts, bus->key)) {
                bus_rest(bus, REASON_ATTEMPTS);
                return 0;
        }
        if (assessment->answer == ASSESSMENT_IN_USE) {
                _cleanup_free_ char *targets = assessment_targets_text(assessment);
                if (!targets)
                        return -ENOMEM;
                if (bus_says(bus, targets))
                        log_say(LOG_NOTICE,
                                &(LogContext){ .bus = bus->key,
                                               .function = targets,
                                               .reason = REASON_IN_USE },
                                "%s: in use, to be realigned when that has ended", targets);
                return manager_wait(manager, bus, REASON_IN_USE);
        }
        r = manager_start_plan(manager, bus, assessment->targets, assessment->n_targets,
                               assessment->answer == ASSESSMENT_REPORT);
        return r < 0 ? r : 0;
}

/* While a worker is busy nothing is begun, but what is bound or unbound meanwhile is shown. */
static int glance(Manager *manager, uint64_t now)
{
        if (manager->glance_due > now)
                return 0;
        manager->glance_due = BUS_NEVER;
        int r = manager_look_around(manager);
        return r < 0 ? r : 0;
}

/* Libvirt has not said that they have got there: it may be gone. */
static int end_inhibitions(Manager *manager, uint64_t now)
{
        char *key;
        int r = 0;
        while (r == 0 && (key = inhibitions_take_over(manager->inhibitions, now))) {
                r = bus_queue_touch(manager->queue, key, now);
                free(key);
        }
        return r;
}

/*
 * When much is bound at once, buses that are due wait for the one worker, and reading thousands of functions anew for each of
 * them takes longer than its plan. What no event tells of is seen by the worker, which reads all for itself.
 */
static bool is_surveyed(const Manager *manager, const Bus *bus, uint64_t now)
{
        return manager->survey && !manager->survey_problem && manager->glance_due == BUS_NEVER &&
               bus->due <= manager->surveyed && now - manager->surveyed < SURVEY_USEC;
}

int manager_turn(Manager *manager)
{
        uint64_t now = manager_now(manager);
        if (manager->job || manager->gate != GATE_OPEN)
                return glance(manager, now);
        int r = end_inhibitions(manager, now);
        if (r == 0)
                r = errands_start_next(manager->errands);
        if (r < 0 || manager->job)
                return r;
        bool enumerates = manager->must_enumerate && manager->enumerate_due <= now;
        Bus *bus = bus_queue_due(manager->queue, now);
        if (!enumerates && !bus)
                return 0;

        r = !enumerates && is_surveyed(manager, bus, now) ? 0 : manager_look_around(manager);
        if (r > 0) {
                manager->enumerate_due = now + LOOK_AGAIN_USEC;
                while ((bus = bus_queue_due(manager->queue, now)))
                        bus->due = now + LOOK_AGAIN_USEC;
                return 0;
        }
        if (r == 0 && enumerates)
                r = enumerate(manager, now);
        while (r == 0 && !manager->job && (bus = bus_queue_due(manager->queue, now)) &&
               is_surveyed(manager, bus, now))
                r = look_at(manager, bus, now);
        return r;
}

static char *refusal_text(const PlanRefusal *refusal)
{
        bool other = !pci_address_equal(refusal->address, refusal->culprit);
        return text_format("%s is not realigned: %s%s%s%s%s%s. Remedy: %s.",
                           PCI_ADDRESS_TEXT(refusal->address), reason_text(refusal->reason),
                           other || refusal->detail ? " (" : "",
                           other ? PCI_ADDRESS_TEXT(refusal->culprit) : "",
                           other && refusal->detail ? ": " : "", refusal->detail ? refusal->detail : "",
                           other || refusal->detail ? ")" : "", reason_remedy(refusal->reason));
}

static char *refusals_text(const PlanSet *set)
{
        char *text = strdup("");
        for (size_t i = 0; i < set->n_refusals && text; i++) {
                _cleanup_free_ char *line = refusal_text(&set->refusals[i]);
                text_replace(&text, "%s%s%s", text, *text ? "\n" : "", line ? line : "");
        }
        return text;
}

/* Each by itself: function and reason are fields of the message. */
static int say_refusals(const Bus *bus, const PlanSet *set)
{
        for (size_t i = 0; i < set->n_refusals; i++) {
                _cleanup_free_ char *text = refusal_text(&set->refusals[i]);
                if (!text)
                        return -ENOMEM;
                log_say(LOG_NOTICE,
                        &(LogContext){
                                        .bus = bus->key,
                                        .function = PCI_ADDRESS_TEXT(set->refusals[i].address),
                                        .reason = set->refusals[i].reason,
                        },
                        "%s", text);
        }
        return 0;
}

/* "0000:03:00.0, 0000:03:00.1 would be realigned (scope bus): …" */
static char *plan_text(const Plan *plan)
{
        _cleanup_free_ char *targets = strdup(""), *others = strdup("");
        for (size_t i = 0; i < plan->n_functions; i++) {
                char **list = plan->functions[i].is_target ? &targets : &others;
                if (*list)
                        text_replace(list, "%s%s%s", *list, **list ? ", " : "",
                                     PCI_ADDRESS_TEXT(plan->functions[i].address));
        }
        if (!targets || !others)
                return NULL;
        return text_format("%s would be realigned, but the policy says realign = report (scope %s%s%s)",
                           targets, plan_scope_name(plan->scope), *others ? "; taken out with them: " : "",
                           others);
}

static Reason passing_reason(const PlanSet *set)
{
        for (size_t i = 0; i < set->n_refusals; i++)
                if (manager_reason_passes(set->refusals[i].reason))
                        return set->refusals[i].reason;
        return REASON_NONE;
}

/* Nothing is carried out: says why, if that is new, and rests or waits. */
static int leave_it(Manager *manager, Bus *bus, const PlanSet *set, const char *remarks)
{
        int r = bus_says(bus, *remarks ? remarks : NULL) ? say_refusals(bus, set) : 0;
        if (r < 0)
                return r;
        Reason passing = passing_reason(set);
        if (passing != REASON_NONE)
                return manager_wait(manager, bus, passing);
        bus_rest(bus, set->n_refusals ? set->refusals[0].reason : REASON_NONE);
        return 0;
}

/* There is no wider scope that is safe: the attempt has failed, as its last result says. */
static int end_ladder(Manager *manager, Bus *bus, char *remarks)
{
        say_lines(bus, LOG_NOTICE, REASON_NO_WIDER, remarks);
        bus_finish(bus, manager_now(manager));
        return 0;
}

static int report(Manager *manager, Bus *bus, const PlanSet *set)
{
        _cleanup_free_ char *remarks = refusals_text(set);
        for (size_t i = 0; i < set->n_plans && remarks; i++) {
                _cleanup_free_ char *plan = plan_text(set->plans[i]);
                text_replace(&remarks, "%s%s%s", remarks, *remarks ? "\n" : "", plan ? plan : "");
        }
        if (!remarks)
                return -ENOMEM;
        if (bus_says(bus, *remarks ? remarks : NULL))
                say_lines(bus, LOG_NOTICE, REASON_POLICY_REPORT, remarks);
        bus_rest(bus, REASON_POLICY_REPORT);
        return 0;
}

/* What is known of functions by the planner, for those who ask. */
static int keep_records(Manager *manager, const PlanSet *set)
{
        int r = 0;
        for (size_t i = 0; i < set->n_plans; i++)
                for (size_t j = 0; j < set->plans[i]->n_functions; j++) {
                        const PlanFunction *planned = &set->plans[i]->functions[j];
                        manager->revision += function_records_accept(
                                        manager->records,
                                        (FunctionKey){ planned->path, planned->vendor, planned->device });
                }
        manager->revision += set->n_refusals;
        for (size_t i = 0; i < set->n_refusals && r == 0; i++) {
                const PciFunction *function =
                                topology_find(manager->survey->topology, set->refusals[i].address);
                _cleanup_free_ char *path = function ? topology_path(function) : NULL;
                if (function && !path)
                        return -ENOMEM;
                if (function)
                        r = function_records_refuse(
                                        manager->records,
                                        (FunctionKey){ path, function->vendor, function->device },
                                        &set->refusals[i]);
        }
        return r;
}

static int follow_plan(Manager *manager, Bus *bus, PlanSet *set)
{
        int r = keep_records(manager, set);
        if (r < 0)
                return r;
        if (manager->only_report)
                return report(manager, bus, set);
        _cleanup_free_ char *remarks = refusals_text(set);
        if (!remarks)
                return -ENOMEM;
        if (set->n_plans == 0 && bus->lowest_rung > 0)
                return end_ladder(manager, bus, remarks);
        if (set->n_plans == 0)
                return leave_it(manager, bus, set, remarks);
        /*
         * Enabled and nobody's: mostly a process that has just ended, whose last close the kernel is still at. Taking its
         * siblings out alone would mean to take them out twice.
         */
        if (bus->lowest_rung == 0 && set->plans[0]->narrowed == REASON_ENABLE_COUNT &&
            bus_settle_again(bus, manager_now(manager)))
                return 0;
        if (*remarks && bus_says(bus, remarks))
                say_lines(bus, LOG_NOTICE, set->refusals[0].reason, remarks);
        r = manager_start_execute(manager, bus, TAKE_PTR(set->plans[0]));
        return r < 0 ? r : 0;
}

int manager_read_plan(const WorkerEnd *end, PlanSet **ret, char **ret_problem)
{
        _cleanup_json_ JsonObject *document = NULL;
        if (end->late) {
                *ret_problem = strdup("it did not end within its deadline");
                return -ETIMEDOUT;
        }
        if (end->code != CLD_EXITED) {
                *ret_problem = text_format("it was ended by signal %d (%s)", end->status,
                                           strsignal(end->status));
                return -EPIPE;
        }
        if (end->status != 0) {
                *ret_problem = text_format("it failed with exit status %d, see its message", end->status);
                return -EPIPE;
        }
        int r = json_document_parse(end->output, &document, ret_problem);
        return r < 0 ? r : plan_set_from_json(document, ret, ret_problem);
}

void manager_plan_ended(Manager *manager, const WorkerEnd *end)
{
        _cleanup_(plan_set_freep) PlanSet *set = NULL;
        _cleanup_free_ char *problem = NULL;
        Bus *bus = TAKE_PTR(manager->bus);

        int r = manager_read_plan(end, &set, &problem);
        manager->job = worker_job_free(manager->job);
        /* Made from a world that has changed; but on the ladder the events are those of the step before. */
        if (bus->lowest_rung == 0 && (bus_resume(bus) || is_kept(manager, bus)))
                return;
        if (r < 0 && r != -ENOMEM) {
                if (bus_says(bus, problem))
                        log_say(LOG_ERR, &(LogContext){ .bus = bus->key },
                                "The worker made no plan for %s: %s", bus->name,
                                problem ? problem : strerror(-r));
                r = manager_wait(manager, bus, REASON_NONE);
        } else if (r == 0) {
                r = follow_plan(manager, bus, set);
        }
        if (r < 0)
                sd_event_exit(manager->event, r);
}
