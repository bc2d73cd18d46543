/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "campaign.h"

#include "base/text.h"
#include "generate.h"
#include "invariants.h"
#include "run-tree.h"

#include <stdarg.h>
#include <string.h>

#define PROBLEMS_MAX 8
#define RECOVERIES_MAX 4
#define STEP_TIMEOUT_MSEC 100u /* a hang is noticed after this: the least that policy allows */
#define HANG_USEC 200000u      /* where nothing notices it */
#define JOURNAL "run/vfio-realign/transaction.json"
#define RESULTS "run/vfio-realign/results"

/* One scenario, loaded and booted, and the runs on it. */
typedef struct Session {
        Campaign *campaign;
        Machine *machine;
        Scenario scenario;
        Before before;
        struct json_object *plans; /* what --plan said */
        WorkerRun last;
        Faults faults;
        unsigned long second_at; /* where recovery is killed as well; 0: nowhere */
        char problems[PROBLEMS_MAX][256];
        size_t n_problems;
} Session;

static Faults no_faults;

static bool session_problem(Session *session, const char *format, ...) _printf_(2, 3);
static bool session_problem(Session *session, const char *format, ...)
{
        va_list args;
        if (session->n_problems < PROBLEMS_MAX) {
                va_start(args, format);
                vsnprintf(session->problems[session->n_problems++], 256, format, args);
                va_end(args);
        }
        return false;
}

static void add_step_timeout(Scenario *scenario)
{
        size_t size = strlen(scenario->config);
        snprintf(scenario->config + size, sizeof(scenario->config) - size,
                 "[default]\nstep-timeout = %ums\n", STEP_TIMEOUT_MSEC);
}

static Session *session_new(Campaign *campaign, const char *name, const char *text, FaultKind fault)
{
        Machine *machine = campaign->machine;
        Session *session = calloc(1, sizeof(*session));
        if (!session)
                abort();
        session->campaign = campaign;
        session->machine = machine;
        session->faults.trace = campaign->trace;
        session->faults.hang_usec = HANG_USEC;
        session->scenario.machine = machine;
        snprintf(session->scenario.name, sizeof(session->scenario.name), "%s", name);

        pthread_mutex_lock(&machine->lock);
        while (machine->n_async > 0 || machine->n_blocked > 0)
                machine_wait_usec(machine, 1000);
        machine_reset(machine);
        run_tree_reset(machine);
        machine->faults = &session->faults;
        if (!scenario_parse(&session->scenario, text, session->problems[0]) ||
            !scenario_boot(&session->scenario, session->problems[0]))
                session->n_problems = 1;
        else if (fault == FAULT_HANG)
                add_step_timeout(&session->scenario);
        pthread_mutex_unlock(&machine->lock);
        return session;
}

static void session_free(Session *session)
{
        pthread_mutex_lock(&session->machine->lock);
        session->machine->faults = &no_faults;
        pthread_mutex_unlock(&session->machine->lock);
        worker_run_clear(&session->last);
        json_object_put(session->plans);
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
        return r == 0 || session_problem(session, "the worker cannot be run: %s", strerror(-r));
}

/* Asks for plans; session->plans is the document. */
static bool session_plan(Session *session)
{
        const char *arguments[TARGETS_MAX + 8] = { "--config" };
        char addresses[TARGETS_MAX][PCI_ADDRESS_TEXT_MAX], config[256];
        size_t n = 1;

        if (!place_write(&session->campaign->place, "config", session->scenario.config, config))
                return session_problem(session, "the policy cannot be written");
        arguments[n++] = config;
        if (*session->scenario.rung) {
                arguments[n++] = "--lowest-rung";
                arguments[n++] = session->scenario.rung;
        }
        arguments[n++] = "--plan";
        for (size_t i = 0; i < session->scenario.n_targets; i++)
                arguments[n++] = pci_address_format(session->scenario.targets[i], addresses[i]);
        if (!run_worker(session, arguments))
                return false;
        if (session->last.status == 0)
                session->plans = json_tokener_parse(session->last.output);
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

static const char *text_of(struct json_object *object, const char *name)
{
        struct json_object *value = member(object, name);
        return value ? json_object_get_string(value) : "";
}

static struct json_object *plan_at(const Session *session, size_t index)
{
        struct json_object *plans = member(session->plans, "plans");
        return plans && index < json_object_array_length(plans) ? json_object_array_get_idx(plans, index)
                                                                : NULL;
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

static bool session_recover(Session *session)
{
        static const char *const arguments[] = { "--recover", NULL };

        for (unsigned i = 0; i < RECOVERIES_MAX && journal_exists(session); i++) {
                if (i == 0 && session->second_at > 0) {
                        session->faults.n = 0;
                        session->faults.at = session->second_at;
                        session->faults.kind = FAULT_KILL;
                        session->faults.hit = false;
                }
                if (!run_worker(session, arguments))
                        return false;
                if (session->last.is_stuck)
                        break;
        }
        return true;
}

/* Executes PLAN and recovers as long as there is something to recover. */
static bool session_execute(Session *session, struct json_object *plan)
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
        before_take(session->machine, plan, &session->before);
        session->machine->n_changes = 0;
        session->faults.n = 0;
        session->faults.armed = true;
        if (!run_worker(session, arguments) || (!session->last.is_stuck && !session_recover(session)))
                return false;
        take_result_from_file(session);
        return true;
}

/* What is still to happen in the kernel happens. */
static void settle(Machine *machine)
{
        while (machine->n_async > 0)
                machine_wait_usec(machine, 1000);
}

static void session_check(Session *session, bool is_faulted)
{
        pthread_mutex_lock(&session->machine->lock);
        settle(session->machine);
        session->n_problems += invariants_check(session->machine, &session->before, &session->last,
                                                is_faulted, session->problems + session->n_problems,
                                                PROBLEMS_MAX - session->n_problems);
        pthread_mutex_unlock(&session->machine->lock);
}

static void count_outcome(Session *session)
{
        static const char *const names[] = { "verified", "rolled-back", "stale", "failed" };
        size_t i = 0;
        while (i < ELEMENTSOF(names) && strcmp(names[i], run_outcome(&session->last)) != 0)
                i++;
        session->campaign->outcomes[i]++;
}

void campaign_summary(const Campaign *campaign)
{
        printf("# outcomes: %lu verified, %lu rolled back, %lu stale, %lu failed, %lu without a transaction\n",
               campaign->outcomes[0], campaign->outcomes[1], campaign->outcomes[2], campaign->outcomes[3],
               campaign->outcomes[4]);
}

/* Says how it went, once. */
static bool report(Session *session, const char *what)
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
                       run_reason(&session->last), text_of(session->last.result, "detail"),
                       session->last.status,
                       session->faults.hit ? session->faults.what : "no fault was struck");
        if (!is_fine && session->last.complaint && *session->last.complaint)
                printf("#   it said: %s", session->last.complaint);
        fflush(stdout);
        return is_fine;
}

/* --- what a scenario expects --- */

static void expect_refusal(Session *session)
{
        struct json_object *refusals = member(session->plans, "refusals");
        size_t n = refusals ? json_object_array_length(refusals) : 0;
        const char *wanted = session->scenario.expect_reason;

        if (plan_at(session, 0))
                session_problem(session, "a plan was made, expected a refusal");
        if (n == 0)
                session_problem(session, "nothing was refused");
        for (size_t i = 0; i < n && *wanted; i++) {
                const char *reason = text_of(json_object_array_get_idx(refusals, i), "reason");
                if (strcmp(reason, wanted) != 0)
                        session_problem(session, "refused because of %s, expected %s", reason, wanted);
        }
}

static void expect_outcome(Session *session)
{
        const Scenario *scenario = &session->scenario;

        if (strcmp(run_outcome(&session->last), scenario->expect) != 0)
                session_problem(session, "the outcome is \"%s\", expected %s: %.120s",
                                run_outcome(&session->last), scenario->expect, session->last.complaint);
        if (*scenario->expect_reason && strcmp(run_reason(&session->last), scenario->expect_reason) != 0)
                session_problem(session, "the reason is \"%s\", expected %s", run_reason(&session->last),
                                scenario->expect_reason);
}

static void check_line(Session *session, const char *text)
{
        char address[32];
        unsigned line;
        unsigned long long start, size;
        PciAddress parsed;

        if (sscanf(text, "line %31s %u %llx %llx", address, &line, &start, &size) != 4 ||
            pci_address_parse(address, &parsed) < 0) {
                session_problem(session, "not understood: check %s", text);
                return;
        }
        const Function *function = machine_find(session->machine, parsed);
        const Resource *resource = &function->resources[line];
        if (resource->start != start || (start && resource->end - resource->start + 1 != size))
                session_problem(session, "line %u of %s is 0x%llx-0x%llx, expected 0x%llx with 0x%llx bytes",
                                line, address, (unsigned long long) resource->start,
                                (unsigned long long) resource->end, start, size);
}

static void check_text(Session *session, const char *text)
{
        char word[32] = "", first[64] = "", second[64] = "";
        struct json_object *plan = plan_at(session, 0);

        (void) sscanf(text, "%31s %63s %63s", word, first, second);
        if (strcmp(word, "line") == 0)
                check_line(session, text);
        else if (strcmp(word, "warning") == 0 && !run_has_warning(&session->last, first, second))
                session_problem(session, "no warning %s %s", first, second);
        else if (strcmp(word, "scope") == 0 && strcmp(text_of(plan, "scope"), first) != 0)
                session_problem(session, "the scope is \"%s\", expected %s", text_of(plan, "scope"), first);
        else if (strcmp(word, "alignment") == 0 &&
                 strcmp(session->machine->alignment, text + strlen("alignment ")) != 0)
                session_problem(session, "resource_alignment is \"%s\"", session->machine->alignment);
}

bool campaign_scenario(Campaign *campaign, const char *name, const char *text)
{
        Session *session = session_new(campaign, name, text, FAULT_NONE);
        const Scenario *scenario = &session->scenario;

        if (session->n_problems == 0 && session_plan(session)) {
                if (strcmp(scenario->expect, "refused") == 0)
                        expect_refusal(session);
                else if (!plan_at(session, 0) && *scenario->expect)
                        session_problem(session, "no plan was made: %.200s", session->last.output);
                for (size_t i = 0; session->n_problems == 0 && plan_at(session, i); i++) {
                        if (!session_execute(session, plan_at(session, i)))
                                break;
                        session_check(session, false);
                        count_outcome(session);
                        if (*scenario->expect)
                                expect_outcome(session);
                }
                for (size_t i = 0; i < scenario->n_expect_texts; i++)
                        check_text(session, scenario->expect_texts[i]);
        }
        bool is_fine = report(session, "");
        session_free(session);
        return is_fine;
}

/* --- faults --- */

typedef struct FaultPoint {
        FaultKind kind;
        unsigned long at, second_at;
        unsigned plan; /* which of the plans is executed, modulo their number */
        bool is_alone; /* without it the transaction would be verified or rolled back */
} FaultPoint;

static size_t n_plans(const Session *session)
{
        struct json_object *plans = member(session->plans, "plans");
        return plans ? json_object_array_length(plans) : 0;
}

/* Nothing but one error happened: then all can be put back. */
static void check_one_error(Session *session, const FaultPoint *point)
{
        bool is_error = (point->kind >= FAULT_EIO && point->kind <= FAULT_EBUSY) ||
                        point->kind == FAULT_SHORT;
        if (session->scenario.has_own_error)
                return;
        if (point->is_alone && is_error && strcmp(run_outcome(&session->last), "failed") == 0)
                session_problem(session, "the outcome is failed because of one error");
}

/* Runs it with a fault. *RET_N is how many operations there were. */
static bool run_with_fault(Campaign *campaign, const char *name, const char *text, const FaultPoint *point,
                           unsigned long *ret_n)
{
        Session *session = session_new(campaign, name, text, point->kind);
        char what[96];

        if (session->n_problems == 0 && session_plan(session) && n_plans(session) > 0) {
                session->faults.kind = point->kind;
                session->faults.at = point->at;
                session->second_at = point->second_at;
                if (session_execute(session, plan_at(session, point->plan % n_plans(session)))) {
                        session_check(session, point->kind != FAULT_NONE);
                        check_one_error(session, point);
                        count_outcome(session);
                }
        }
        *ret_n = session->faults.n;
        snprintf(what, sizeof(what), "%s at operation %lu, second at %lu", fault_name(point->kind),
                 point->at, point->second_at);
        bool is_fine = report(session, session->n_problems > 0 ? what : NULL);
        session_free(session);
        return is_fine;
}

bool campaign_faults(Campaign *campaign, const char *name, const char *text)
{
        unsigned long n, ignored;
        bool is_fine = true;

        if (!run_with_fault(campaign, name, text, &(FaultPoint){ 0 }, &n))
                return false;
        for (FaultKind kind = FAULT_EIO; kind < FAULTS; kind++) {
                unsigned long n_runs = 0, n_bad = 0;
                if (campaign->only != FAULT_NONE && kind != campaign->only)
                        continue;
                for (unsigned long at = campaign->first; at <= n; at += campaign->stride) {
                        bool is_kill = kind == FAULT_KILL || kind == FAULT_KILL_AFTER;
                        /* Every other recovery is killed as well, somewhere. */
                        FaultPoint point = { kind, at,
                                             is_kill && n_runs & 1 ? (at * 7919) % n + 1 : campaign->second,
                                             0, true };
                        n_runs++;
                        if (!run_with_fault(campaign, name, text, &point, &ignored))
                                n_bad++;
                }
                printf("%sok %s: %s at %lu of %lu operations\n", n_bad ? "not " : "", name, fault_name(kind),
                       n_runs, n);
                fflush(stdout);
                is_fine = is_fine && n_bad == 0;
        }
        return is_fine;
}

/* --- random --- */

bool campaign_random(Campaign *campaign, uint64_t seed, unsigned long count)
{
        unsigned long n, n_bad = 0;

        for (unsigned long i = 0; i < count; i++) {
                char name[64];
                RandomCase random;
                generate(seed + i, &random);
                snprintf(name, sizeof(name), "random %llu", (unsigned long long) (seed + i));
                FaultPoint point = { random.fault, random.at, random.second_at, random.plan, false };
                if (!run_with_fault(campaign, name, random.text, &point, &n))
                        n_bad++;
        }
        printf("%sok %lu random machines from seed %llu\n", n_bad ? "not " : "", count,
               (unsigned long long) seed);
        return n_bad == 0;
}
