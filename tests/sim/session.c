/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "session.h"

#include "base/text.h"
#include "pci-core.h"
#include "run-tree.h"
#include "udevd.h"

#include <stdarg.h>
#include <string.h>

#define RECOVERIES_MAX 4
#define STEP_TIMEOUT                                                                                        \
        "[default]\nstep-timeout = 100ms\n" /* a hang is noticed after this: the least that policy allows */
#define HANG_USEC 200000u                   /* where nothing notices it */
#define JOURNAL "run/vfio-realign/transaction.json"
#define RESULTS "run/vfio-realign/results"

static Faults no_faults;

bool session_problem(Session *session, const char *format, ...)
{
        va_list args;
        if (session->n_problems < PROBLEMS_MAX) {
                va_start(args, format);
                vsnprintf(session->problems[session->n_problems++], 256, format, args);
                va_end(args);
        }
        return false;
}

void session_add_config(Session *session, const char *lines)
{
        Scenario *scenario = &session->scenario;
        size_t size = strlen(scenario->config);
        snprintf(scenario->config + size, sizeof(scenario->config) - size, "%s", lines);
}

static bool load(Session *session, const SessionSetup *setup)
{
        Machine *machine = session->machine;

        if (!scenario_parse(&session->scenario, setup->text, session->problems[0]))
                return false;
        /* The daemon's page is this machine's. */
        uint64_t page = (uint64_t) sysconf(_SC_PAGESIZE);
        session->scenario.has_other_pages = machine->options.page != page;
        if (setup->has_daemon)
                machine->options.page = page;
        machine->binds_later = setup->binds_later;
        snprintf(session->foreign, sizeof(session->foreign), "%s", machine->alignment);
        run_tree_reset(machine);
        return scenario_boot(&session->scenario, session->problems[0]);
}

Session *session_new(Campaign *campaign, const SessionSetup *setup)
{
        Machine *machine = campaign->machine;
        Session *session = calloc(1, sizeof(*session));
        if (!session)
                abort();
        session->campaign = campaign;
        session->machine = machine;
        session->results = json_object_new_array();
        session->faults.trace = campaign->trace;
        session->faults.hang_usec = HANG_USEC;
        session->faults.has_daemon = setup->has_daemon;
        session->scenario.machine = machine;
        snprintf(session->scenario.name, sizeof(session->scenario.name), "%s", setup->name);

        pthread_mutex_lock(&machine->lock);
        pci_finish_probes(machine);
        while (machine->n_async > 0 || machine->n_blocked > 0)
                machine_wait_usec(machine, 1000);
        udevd_reset();
        machine_reset(machine);
        machine->faults = &session->faults;
        if (!load(session, setup))
                session->n_problems = 1;
        else if (setup->fault == FAULT_HANG && session->scenario.n_realigned == 0)
                session_add_config(session, STEP_TIMEOUT);
        session->is_hung = setup->fault == FAULT_HANG;
        pthread_mutex_unlock(&machine->lock);
        return session;
}

void session_free(Session *session)
{
        pthread_mutex_lock(&session->machine->lock);
        session->machine->faults = &no_faults;
        pthread_mutex_unlock(&session->machine->lock);
        worker_run_clear(&session->last);
        json_object_put(session->plans);
        json_object_put(session->results);
        free(session);
}

/* --- planning --- */

static bool run_worker(Session *session, const char *const *arguments)
{
        worker_run_clear(&session->last);
        int r = worker_run(session->machine, &session->campaign->place, arguments, &session->last);
        if (session->campaign->verbose && r == 0)
                fprintf(stderr, "# exit %d signal %d\n%s%s", session->last.status, session->last.signal,
                        session->last.output, session->last.complaint);
        reasons_see(&session->campaign->reasons, session->last.result);
        return r == 0 || session_problem(session, "the worker cannot be run: %s", strerror(-r));
}

/* Asks for plans of the N functions at TARGETS for GOAL; session->plans is the document. */
static bool ask_for_plans(Session *session, const char *goal, const char *rung, const PciAddress *targets,
                          size_t n_targets)
{
        const char *arguments[FUNCTIONS_MAX + 8] = { "--config" };
        char addresses[FUNCTIONS_MAX][PCI_ADDRESS_TEXT_MAX], config[256], option[24];
        size_t n = 1;

        if (!place_write(&session->campaign->place, "config", session->scenario.config, config))
                return session_problem(session, "the policy cannot be written");
        arguments[n++] = config;
        if (*rung) {
                arguments[n++] = "--lowest-rung";
                arguments[n++] = rung;
        }
        arguments[n++] = "--plan";
        if (*goal) {
                snprintf(option, sizeof(option), "--%s", goal);
                arguments[n++] = option;
        }
        for (size_t i = 0; i < n_targets; i++)
                arguments[n++] = pci_address_format(targets[i], addresses[i]);
        if (!run_worker(session, arguments))
                return false;
        if (session->last.status == 0) {
                json_object_put(session->plans);
                session->plans = json_tokener_parse(session->last.output);
                reasons_see(&session->campaign->reasons, session->plans);
        }
        return session->plans || session_problem(session, "--plan exited with %d: %s", session->last.status,
                                                 session->last.complaint);
}

static struct json_object *member(struct json_object *object, const char *name)
{
        struct json_object *value = NULL;
        if (object)
                json_object_object_get_ex(object, name, &value);
        return value;
}

struct json_object *session_plan_at(const Session *session, size_t index)
{
        struct json_object *plans = member(session->plans, "plans");
        return plans && index < json_object_array_length(plans) ? json_object_array_get_idx(plans, index)
                                                                : NULL;
}

size_t session_count_plans(const Session *session)
{
        struct json_object *plans = member(session->plans, "plans");
        return plans ? json_object_array_length(plans) : 0;
}

/* --- executing --- */

static bool journal_exists(Session *session)
{
        pthread_mutex_lock(&session->machine->lock);
        bool exists = run_find(session->machine, JOURNAL) != NULL;
        pthread_mutex_unlock(&session->machine->lock);
        return exists;
}

/* A worker that was killed behind its last step has left its result. */
static void take_result_from_file(Session *session)
{
        pthread_mutex_lock(&session->machine->lock);
        RunFile *results = run_find(session->machine, RESULTS);
        RunFile *file = results ? results->children : NULL;
        if (!session->last.result && file && file->data)
                session->last.result = json_tokener_parse(file->data);
        pthread_mutex_unlock(&session->machine->lock);
}

static void unplug(Session *session)
{
        Machine *machine = session->machine;

        pthread_mutex_lock(&machine->lock);
        for (size_t i = 0; i < machine->n_functions; i++) {
                Function *function = machine->functions[i];
                function->vanishes |= function->unplugged;
                if (function->present && function->unplugged)
                        pci_remove(machine, function);
        }
        pthread_mutex_unlock(&machine->lock);
}

static bool session_recover(Session *session)
{
        static const char *const arguments[] = { "--recover", NULL };

        if (journal_exists(session))
                unplug(session);
        for (unsigned i = 0; i < RECOVERIES_MAX && journal_exists(session); i++) {
                if (session->faults.second_at > 0)
                        faults_begin_recovery(&session->faults, FAULT_KILL);
                if (!run_worker(session, arguments))
                        return false;
                if (session->last.is_stuck)
                        break;
        }
        return true;
}

/* Runs --execute for PLAN. */
static bool execute(Session *session, struct json_object *plan)
{
        const char *arguments[8] = { 0 };
        char file[256];
        size_t n = 0;

        for (size_t i = 0; i < session->scenario.n_arguments; i++)
                arguments[n++] = session->scenario.arguments[i];
        if (!place_write(&session->campaign->place, "plan", json_object_to_json_string(plan), file))
                return session_problem(session, "the plan cannot be written");
        arguments[n++] = "--execute";
        arguments[n++] = file;
        return run_worker(session, arguments);
}

bool session_execute(Session *session, struct json_object *plan)
{
        before_take(session->machine, plan, session->foreign, &session->before);
        session->machine->n_changes = 0;
        session->faults.n = 0;
        session->faults.armed = true;
        if (!execute(session, plan) || (!session->last.is_stuck && !session_recover(session)))
                return false;
        take_result_from_file(session);
        return true;
}

/* --- what was before --- */

/* The results of what went before are no results of what is to come. */
static void forget_results(Session *session)
{
        char path[128];

        pthread_mutex_lock(&session->machine->lock);
        RunFile *results = run_find(session->machine, RESULTS);
        while (results && results->children) {
                snprintf(path, sizeof(path), RESULTS "/%s", results->children->name);
                if (run_remove(session->machine, path, false) < 0)
                        break;
        }
        pthread_mutex_unlock(&session->machine->lock);
}

/* Somebody writes to the attribute, behind what is there. */
static void add_foreign(Session *session)
{
        char *text = session->machine->alignment;
        size_t size = strlen(text);

        if (!*session->scenario.foreign)
                return;
        snprintf(text + size, TEXT_MAX - size, "%s%s", size ? ";" : "", session->scenario.foreign);
        snprintf(session->foreign, sizeof(session->foreign), "%s", session->scenario.foreign);
}

/* What the scenario says was realigned before is, by the worker and without a fault. */
static bool realign_before(Session *session)
{
        const Scenario *scenario = &session->scenario;
        if (scenario->n_realigned == 0)
                return true;
        if (!ask_for_plans(session, "", "", scenario->realigned, scenario->n_realigned))
                return false;
        for (size_t i = 0; session_plan_at(session, i); i++)
                if (!execute(session, session_plan_at(session, i)) ||
                    (*scenario->expect && strcmp(run_outcome(&session->last), "verified") != 0))
                        return session_problem(session, "it could not be realigned before: %.120s",
                                               session->last.complaint);
        forget_results(session);
        add_foreign(session);
        if (session->is_hung)
                session_add_config(session, STEP_TIMEOUT);
        return true;
}

bool session_plan(Session *session)
{
        const Scenario *scenario = &session->scenario;
        return realign_before(session) && ask_for_plans(session, scenario->goal, scenario->rung,
                                                        scenario->targets, scenario->n_targets);
}

bool session_plan_vfio(Session *session)
{
        const Machine *machine = session->machine;
        PciAddress targets[FUNCTIONS_MAX];
        size_t n = 0;

        pthread_mutex_lock(&session->machine->lock);
        for (size_t i = 0; i < machine->n_functions; i++)
                if (machine->functions[i]->present && machine->functions[i]->vfio != NONE)
                        targets[n++] = machine->functions[i]->address;
        pthread_mutex_unlock(&session->machine->lock);
        json_object_put(session->plans);
        session->plans = NULL;
        return n == 0 || ask_for_plans(session, "", "", targets, n);
}

/* What is still to happen in the kernel happens. */
static void settle(Machine *machine)
{
        pci_finish_probes(machine);
        while (machine->n_async > 0 || !udevd_is_idle())
                machine_wait_usec(machine, 1000);
}

void session_check(Session *session, FaultKind fault)
{
        struct json_object *const results[] = { session->last.result };
        Course course = { .results = results, .n_results = session->last.result ? 1 : 0, .fault = fault };

        if (session->last.is_stuck)
                session_problem(session, "the worker did not end");
        /* What could not be written down is an error: with a journal that is recovered, without one nothing was done. */
        bool is_stale = strcmp(run_outcome(&session->last), "stale") == 0;
        if (session->last.status == 1 && session->last.result && (fault == FAULT_NONE || !is_stale))
                session_problem(session, "exit status 1 with a result");
        pthread_mutex_lock(&session->machine->lock);
        settle(session->machine);
        session->n_problems += invariants_check(session->machine, &session->before, &course,
                                                session->problems + session->n_problems,
                                                PROBLEMS_MAX - session->n_problems);
        pthread_mutex_unlock(&session->machine->lock);
}

void session_count_outcome(Session *session, const char *outcome)
{
        static const char *const names[] = { "verified", "rolled-back", "stale", "failed" };
        size_t i = 0;
        while (i < ELEMENTSOF(names) && strcmp(names[i], outcome) != 0)
                i++;
        session->campaign->outcomes[i]++;
}

bool session_report(Session *session, const char *what)
{
        Campaign *campaign = session->campaign;
        bool is_fine = session->n_problems == 0;

        if (is_fine)
                campaign->passed++;
        else
                campaign->failed++;
        if (is_fine && !what)
                return true;
        printf("%sok %s%s%s\n", is_fine ? "" : "not ", session->scenario.name, what && *what ? ": " : "",
               what ? what : "");
        for (size_t i = 0; i < session->n_problems; i++)
                printf("#   %s\n", session->problems[i]);
        if (!is_fine)
                printf("#   outcome %s, reason %s %s, exit %d; %s\n", run_outcome(&session->last),
                       run_reason(&session->last), result_text(session->last.result, "detail"),
                       session->last.status,
                       session->faults.hit ? session->faults.what : "no fault was struck");
        if (!is_fine && session->last.complaint && *session->last.complaint)
                printf("#   it said: %s", session->last.complaint);
        fflush(stdout);
        return is_fine;
}

void session_check_one_error(Session *session, FaultKind kind, const char *outcome)
{
        bool is_error = (kind >= FAULT_EIO && kind <= FAULT_EBUSY) || kind == FAULT_SHORT;
        bool is_whole = strcmp(outcome, "verified") == 0 || strcmp(outcome, "rolled-back") == 0;
        if (kind == FAULT_STOP && !session->scenario.has_own_error && !is_whole)
                session_problem(session, "the outcome is %s because it was asked to stop", outcome);
        /* It comes to removing and to what is behind that, or is heard. */
        if (kind == FAULT_STOP && session->faults.at == 1 &&
            strcmp(run_reason(&session->last), "stopped") != 0)
                session_problem(session, "that it was asked to stop at the beginning was not heard");
        if (!session->scenario.has_own_error && is_error && strcmp(outcome, "failed") == 0)
                session_problem(session, "the outcome is failed because of one error");
}
