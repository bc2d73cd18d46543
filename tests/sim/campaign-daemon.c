/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "campaign.h"

#include "daemon-run.h"
#include "generate.h"
#include "pci-core.h"
#include "run-tree.h"
#include "session.h"
#include "udevd.h"
#include "uevents.h"
#include "vfio-core.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#define RESULTS "run/vfio-realign/results"
#define RESULTS_MAX 64
#define QUIET_MSEC 20 /* nothing said for so long, and nothing to be heard: it is at rest */
#define SETTLE_DELAY "[default]\nsettle-delay = 0s\n"

/* A machine with the daemon on it. */
typedef struct Watch {
        Session *session;
        DaemonRun daemon;
        struct json_object *results[RESULTS_MAX];
        size_t n_results, n_checked; /* those of before have been judged */
        bool is_random;
        FaultKind fault;
        bool is_patient; /* waits until the daemon looks again by itself */
} Watch;

/* --- what it has done --- */

static int compare_times(const void *a, const void *b)
{
        const struct timespec *x = &(*(RunFile *const *) a)->changed, *y = &(*(RunFile *const *) b)->changed;
        if (x->tv_sec != y->tv_sec)
                return x->tv_sec < y->tv_sec ? -1 : 1;
        return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* Takes the new results over: the files are removed, so that those of later transactions are told from them. */
static void take_results(Watch *watch)
{
        Machine *machine = watch->session->machine;
        const RunFile *directory = run_find(machine, RESULTS), *files[RESULTS_MAX];
        size_t n = 0;

        for (const RunFile *file = directory ? directory->children : NULL; file && n < RESULTS_MAX;
             file = file->next)
                if (file->data)
                        files[n++] = file;
        qsort(files, n, sizeof(files[0]), compare_times);
        for (size_t i = 0; i < n && watch->n_results < RESULTS_MAX; i++) {
                char path[256];
                watch->results[watch->n_results] = json_tokener_parse(files[i]->data);
                if (!watch->results[watch->n_results])
                        session_problem(watch->session, "%s is no document", files[i]->name);
                else
                        reasons_see(&watch->session->campaign->reasons, watch->results[watch->n_results++]);
                snprintf(path, sizeof(path), RESULTS "/%s", files[i]->name);
                (void) run_remove(machine, path, false);
        }
}

static const char *outcome_at(const Watch *watch, size_t i)
{
        return result_text(watch->results[i], "outcome");
}

static bool some_ended(const Watch *watch, const char *outcome)
{
        for (size_t i = 0; i < watch->n_results; i++)
                if (strcmp(outcome_at(watch, i), outcome) == 0)
                        return true;
        return false;
}

static bool check_now(Watch *watch)
{
        Session *session = watch->session;
        size_t first = watch->n_checked;

        take_results(watch);
        Course course = {
                .results = watch->results + first,
                .n_results = watch->n_results - first,
                .fault = watch->fault,
                .has_entries = first > 0,
        };
        before_widen(&session->before, session->machine, &course);
        session->n_problems += invariants_check(session->machine, &session->before, &course,
                                                session->problems + session->n_problems,
                                                PROBLEMS_MAX - session->n_problems);
        watch->n_checked = watch->n_results;
        for (size_t i = first; i < watch->n_results; i++)
                session_count_outcome(session, outcome_at(watch, i));
        return session->n_problems == 0;
}

/* --- waiting --- */

static bool is_quiet(Machine *machine)
{
        pthread_mutex_lock(&machine->lock);
        pci_finish_probes(machine);
        bool quiet = machine->n_async == 0 && udevd_is_idle() && uevents_are_read();
        pthread_mutex_unlock(&machine->lock);
        return quiet;
}

/* At rest, and nothing is under way to it that would end that. */
static bool await_quiet(Watch *watch)
{
        for (;;) {
                if (!daemon_await_rest(&watch->daemon))
                        return session_problem(watch->session, "%s", watch->daemon.problem);
                bool quiet = is_quiet(watch->session->machine);
                struct pollfd said = { .fd = watch->daemon.notify, .events = POLLIN };
                if (poll(&said, 1, QUIET_MSEC) == 0 && quiet)
                        return true;
        }
}

/* After something that it must notice: until IS_NOTICED, and what it then does is over. */
static bool await_work(Watch *watch, bool (*is_noticed)(DaemonRun *))
{
        if (!is_noticed(&watch->daemon))
                return session_problem(watch->session, "%s", watch->daemon.problem);
        return await_quiet(watch);
}

static bool has_vfio(const Machine *machine)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->vfio != NONE)
                        return true;
        return false;
}

/* From now on operations have numbers, and what is now is what must be kept. */
static void arm(Session *session)
{
        before_take(session->machine, NULL, session->foreign, &session->before);
        session->machine->n_changes = 0;
        session->faults.armed = true;
}

/* Somebody binds functions to VFIO, as libvirt does before it starts a guest. */
static bool bind_functions(Watch *watch)
{
        Session *session = watch->session;

        watch->daemon.was_busy = false;
        pthread_mutex_lock(&session->machine->lock);
        bool is_fine = scenario_begin(&session->scenario, session->problems[0]);
        bool is_heard = session->machine->options.udev && has_vfio(session->machine);
        arm(session);
        pthread_mutex_unlock(&session->machine->lock);
        if (!is_fine) {
                session->n_problems = 1;
                return false;
        }
        return !is_heard || await_work(watch, daemon_await_busy);
}

/* --- users go --- */

/* All users end. Whether one that came was in no enable count, so that the daemon cannot see it go, or have gone. */
static bool end_users(Machine *machine)
{
        bool is_hidden = false;

        for (size_t i = 0; i < machine->n_users; i++) {
                User *user = &machine->users[i];
                is_hidden |= (user->active || user->was_active) && user->kind != USER_GROUP &&
                             user->kind != USER_INVISIBLE;
                user->was_active = true; /* who has not come yet stays away */
                user_end(machine, user);
        }
        return is_hidden;
}

/* What waits for the end of a use goes on when that has ended. */
static bool let_users_go(Watch *watch)
{
        Session *session = watch->session;
        bool waits = watch->daemon.waits;

        watch->daemon.was_busy = false;
        pthread_mutex_lock(&session->machine->lock);
        bool is_hidden = end_users(session->machine);
        arm(session);
        pthread_mutex_unlock(&session->machine->lock);
        /* Else an administrator does not want to wait. */
        if (waits && (is_hidden || watch->fault != FAULT_NONE) && !watch->is_patient)
                kill(watch->daemon.pid, SIGHUP);
        /* Perhaps to find that all has been done: a worker died behind its result. */
        return !waits || await_work(watch, daemon_await_going_on);
}

/* --- nothing is left undone --- */

static bool was_tried(const Watch *watch, const char *address)
{
        for (size_t i = 0; i < watch->n_results; i++)
                if (strcmp(outcome_at(watch, i), "verified") != 0 &&
                    result_function(watch->results[i], address))
                        return true;
        return false;
}

static void check_plan_left(Watch *watch, struct json_object *plan)
{
        struct json_object *functions = NULL, *target = NULL;

        json_object_object_get_ex(plan, "functions", &functions);
        for (size_t i = 0; functions && i < json_object_array_length(functions); i++) {
                struct json_object *function = json_object_array_get_idx(functions, i);
                const char *address = result_text(function, "function");
                if (json_object_object_get_ex(function, "target", &target) &&
                    json_object_get_boolean(target) && !was_tried(watch, address))
                        session_problem(watch->session, "%s was left as it is, though it can be realigned",
                                        address);
        }
}

/* An error may have made the world look changed; what failed blocks its bus. */
static void check_left(Watch *watch)
{
        Session *session = watch->session;

        /* It could not hear of what was bound; one attempt tells that no other on the host bridge has any effect. */
        if ((session->machine->binds_later && !session->machine->options.udev) ||
            session->machine->options.probe_only)
                return;
        if ((watch->fault != FAULT_NONE && !fault_kills(watch->fault)) || some_ended(watch, "failed"))
                return;
        session->faults.armed = session->faults.has_daemon = false;
        if (!session_plan_vfio(session))
                return;
        for (size_t i = 0; i < session_count_plans(session); i++)
                check_plan_left(watch, session_plan_at(session, i));
}

/* --- one machine --- */

static bool check_locked(Watch *watch)
{
        pthread_mutex_lock(&watch->session->machine->lock);
        bool is_fine = check_now(watch);
        pthread_mutex_unlock(&watch->session->machine->lock);
        return is_fine;
}

static void expect(Watch *watch)
{
        const Scenario *scenario = &watch->session->scenario;

        if (watch->is_random || watch->fault != FAULT_NONE || !*scenario->expect)
                return;
        if (strcmp(scenario->expect, "refused") == 0 ? watch->n_results > 0
                                                     : !some_ended(watch, scenario->expect))
                session_problem(watch->session, "%zu transactions, the first ended %s, expected %s",
                                watch->n_results, watch->n_results ? outcome_at(watch, 0) : "not",
                                scenario->expect);
}

static void go_through(Watch *watch, bool binds_later)
{
        if (!await_quiet(watch) || (binds_later && !bind_functions(watch)) || !check_locked(watch))
                return;
        expect(watch);
        /* A worker that dies of a fault only then is waited for as well, and its bus asked for again. */
        const Faults *faults = &watch->session->faults;
        unsigned n_hits;
        do {
                n_hits = faults->n_hits;
                if (!let_users_go(watch) || !check_locked(watch))
                        return;
        } while (watch->daemon.waits && faults->n_hits > n_hits);
        check_left(watch);
}

static void run(Watch *watch, bool binds_later)
{
        Session *session = watch->session;
        char config[256];

        session_add_config(session, SETTLE_DELAY);
        if (!place_write(&session->campaign->place, "config", session->scenario.config, config)) {
                session_problem(session, "the policy cannot be written");
                return;
        }
        if (!binds_later)
                arm(session);
        if (daemon_begin(&watch->daemon, session->machine, &session->campaign->place, config))
                go_through(watch, binds_later);
        else
                session_problem(session, "%s", watch->daemon.problem);
        bool was_fine = !*watch->daemon.problem;
        if (!daemon_end(&watch->daemon) && was_fine)
                session_problem(session, "%s", watch->daemon.problem);
        /* What it said is shown where the worker's complaints are. */
        free(session->last.complaint);
        session->last.complaint = daemon_log(&session->campaign->place);
        if (session->campaign->verbose)
                fprintf(stderr, "%s", session->last.complaint);
}

/* What only the worker's options make. */
static bool is_for_worker(const Scenario *scenario)
{
        return *scenario->rung || scenario->n_arguments > 0 || scenario->struck != FAULT_NONE ||
               scenario->has_other_pages;
}

bool campaign_daemon(Campaign *campaign, const SessionSetup *setup, const FaultPoint *point,
                     unsigned long *ret_n)
{
        Watch watch = { .fault = point->kind, .is_random = !point->is_alone };
        watch.is_patient = point->is_alone && point->at <= 1;
        Session *session = watch.session = session_new(campaign, setup);
        char what[96];

        *ret_n = 0;
        if (session->n_problems == 0 && !watch.is_random && is_for_worker(&session->scenario)) {
                session_free(session);
                return true;
        }
        session->faults.kind = point->kind;
        session->faults.at = point->at;
        session->faults.second_at = point->second_at;
        session->faults.of_planning = campaign->of_planning;
        if (session->n_problems == 0)
                run(&watch, setup->binds_later);
        *ret_n = session->faults.n;
        if (point->kind == FAULT_NONE)
                snprintf(what, sizeof(what), "with the daemon%s",
                         setup->binds_later ? ", bound while it runs" : "");
        else
                snprintf(what, sizeof(what), "with the daemon, %s at operation %lu, second at %lu",
                         fault_name(point->kind), point->at, point->second_at);
        bool is_fine = session_report(session, session->n_problems > 0 || point->is_told ? what : NULL);
        for (size_t i = 0; i < watch.n_results; i++)
                json_object_put(watch.results[i]);
        session_free(session);
        return is_fine;
}
