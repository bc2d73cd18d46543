/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "campaign.h"

#include "generate.h"
#include "session.h"

#include <string.h>

void campaign_summary(const Campaign *campaign)
{
        printf("# outcomes: %lu verified, %lu rolled back, %lu stale, %lu failed, %lu without a transaction\n",
               campaign->outcomes[0], campaign->outcomes[1], campaign->outcomes[2], campaign->outcomes[3],
               campaign->outcomes[4]);
}

/* --- what a scenario expects --- */

static void expect_refusal(Session *session)
{
        struct json_object *refusals = NULL;
        json_object_object_get_ex(session->plans, "refusals", &refusals);
        size_t n = refusals ? json_object_array_length(refusals) : 0;
        const char *wanted = session->scenario.expect_reason;

        if (session_plan_at(session, 0))
                session_problem(session, "a plan was made, expected a refusal");
        if (n == 0)
                session_problem(session, "nothing was refused");
        for (size_t i = 0; i < n && *wanted; i++) {
                const char *reason = result_text(json_object_array_get_idx(refusals, i), "reason");
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

static void check_size(Session *session, const char *text)
{
        char address[32];
        unsigned line;
        unsigned long long size;
        PciAddress parsed;

        if (sscanf(text, "size %31s %u %llx", address, &line, &size) != 3 ||
            pci_address_parse(address, &parsed) < 0) {
                session_problem(session, "not understood: check %s", text);
                return;
        }
        const Resource *resource = &machine_find(session->machine, parsed)->resources[line];
        if (!resource_assigned(resource) || resource->end - resource->start + 1 != size)
                session_problem(session, "line %u of %s is 0x%llx-0x%llx, expected 0x%llx bytes", line,
                                address, (unsigned long long) resource->start,
                                (unsigned long long) resource->end, size);
}

static void check_driver(Session *session, const char *address, const char *wanted)
{
        PciAddress parsed;
        const Function *function = pci_address_parse(address, &parsed) < 0
                                                   ? NULL
                                                   : machine_find(session->machine, parsed);
        const char *now = function && function->driver ? function->driver->name : "-";
        if (!function || strcmp(now, wanted) != 0)
                session_problem(session, "%s is on %s, expected %s", address, now, wanted);
}

static void check_group_type(Session *session, const char *address, const char *wanted)
{
        PciAddress parsed;
        const Function *function = pci_address_parse(address, &parsed) < 0
                                                   ? NULL
                                                   : machine_find(session->machine, parsed);
        const char *now = function && function->present && function->group != NONE
                                          ? session->machine->groups[function->group].type
                                          : "-";
        if (strcmp(now, wanted) != 0)
                session_problem(session, "the type of the IOMMU group of %s is %s, expected %s", address,
                                now, wanted);
}

static void check_alignment(Session *session, const char *wanted)
{
        if (strcmp(session->machine->alignment, wanted + strspn(wanted, " ")) != 0)
                session_problem(session, "resource_alignment is \"%s\"", session->machine->alignment);
}

/* There is a transaction for each plan; one of them has warned. */
static bool has_warning(const Session *session, const char *reason, const char *address)
{
        for (size_t i = 0; session->results && i < json_object_array_length(session->results); i++)
                if (result_has_warning(json_object_array_get_idx(session->results, i), reason, address))
                        return true;
        return false;
}

static void check_warning(Session *session, const char *reason, const char *function)
{
        if (!has_warning(session, reason, function))
                session_problem(session, "no warning %s %s", reason, function);
}

static void check_no_warning(Session *session, const char *reason, const char *function)
{
        if (has_warning(session, reason, function))
                session_problem(session, "there is a warning %s of %s", reason, function);
}

/* What the (last) result blames, and its words. */
static void check_told(Session *session, const char *function, const char *words)
{
        const char *culprit = result_text(session->last.result, "culprit"),
                   *detail = result_text(session->last.result, "detail");
        if (strcmp(culprit, function) != 0 || !strstr(detail, words))
                session_problem(session, "told is %s \"%.100s\", expected %s \"%.60s\"", culprit, detail,
                                function, words);
}

/* Of one among several functions that are refused. */
static void check_refusal(Session *session, const char *function, const char *reason)
{
        if (!result_lists(session->plans, "refusals", reason, function))
                session_problem(session, "%s was not refused because of %s", function, reason);
}

static void check_scope(Session *session, const char *expected)
{
        const char *scope = result_text(session_plan_at(session, 0), "scope");
        if (strcmp(scope, expected) != 0)
                session_problem(session, "the scope is \"%s\", expected %s", scope, expected);
}

static void check_text(Session *session, const char *text)
{
        char word[32] = "", first[64] = "", second[64] = "";
        int behind_first = 0;

        (void) sscanf(text, "%31s %63s %n%63s", word, first, &behind_first, second);
        if (strcmp(word, "line") == 0)
                check_line(session, text);
        else if (strcmp(word, "size") == 0)
                check_size(session, text);
        else if (strcmp(word, "driver") == 0)
                check_driver(session, first, second);
        else if (strcmp(word, "group-type") == 0)
                check_group_type(session, first, second);
        else if (strcmp(word, "alignment") == 0)
                check_alignment(session, text + strlen(word));
        else if (strcmp(word, "warning") == 0)
                check_warning(session, first, second);
        else if (strcmp(word, "no-warning") == 0)
                check_no_warning(session, first, second);
        else if (strcmp(word, "told") == 0)
                check_told(session, first, text + behind_first);
        else if (strcmp(word, "refusal") == 0)
                check_refusal(session, first, second);
        else if (strcmp(word, "scope") == 0)
                check_scope(session, first);
        else
                session_problem(session, "nothing is known of how to check \"%s\"", text);
}

static bool run_scenario(Campaign *campaign, const char *name, const char *text)
{
        Session *session = session_new(campaign, &(SessionSetup){ .name = name, .text = text });
        const Scenario *scenario = &session->scenario;

        if (scenario->struck != FAULT_NONE) {
                session->faults.kind = scenario->struck;
                session->faults.write = scenario->struck_write;
        }
        if (session->n_problems == 0 && session_plan(session)) {
                if (strcmp(scenario->expect, "refused") == 0)
                        expect_refusal(session);
                else if (!session_plan_at(session, 0) && *scenario->expect)
                        session_problem(session, "no plan was made: %.200s", session->last.output);
                for (size_t i = 0; session->n_problems == 0 && session_plan_at(session, i); i++) {
                        if (!session_execute(session, session_plan_at(session, i)))
                                break;
                        if (session->last.result)
                                json_object_array_add(session->results,
                                                      json_object_get(session->last.result));
                        session_check(session, scenario->struck);
                        session_count_outcome(session, run_outcome(&session->last));
                        if (*scenario->expect)
                                expect_outcome(session);
                }
                for (size_t i = 0; i < scenario->n_expect_texts; i++)
                        check_text(session, scenario->expect_texts[i]);
        }
        bool is_fine = session_report(session, "");
        session_free(session);
        return is_fine;
}

bool campaign_scenario(Campaign *campaign, const char *name, const char *text)
{
        SessionSetup setup = { name, text, .has_daemon = true };
        FaultPoint point = { .is_alone = true, .is_told = true };
        unsigned long ignored;

        if (!campaign->place.daemon)
                return run_scenario(campaign, name, text);
        bool is_fine = campaign_daemon(campaign, &setup, &point, &ignored);
        setup.binds_later = true;
        return campaign_daemon(campaign, &setup, &point, &ignored) && is_fine;
}

/* --- faults --- */

/* Runs it with a fault. *RET_N is how many operations there were. */
static bool run_worker_with_fault(Campaign *campaign, const char *name, const char *text,
                                  const FaultPoint *point, unsigned long *ret_n)
{
        Session *session = session_new(campaign, &(SessionSetup){ name, text, .fault = point->kind });
        char what[96];

        if (session->n_problems == 0 && session_plan(session) && session_count_plans(session) > 0) {
                session->faults.kind = point->kind;
                session->faults.at = point->at;
                session->faults.second_at = point->second_at;
                size_t plan = point->plan % session_count_plans(session);
                if (session_execute(session, session_plan_at(session, plan))) {
                        session_check(session, point->kind);
                        if (point->is_alone)
                                session_check_one_error(session, point->kind, run_outcome(&session->last));
                        session_count_outcome(session, run_outcome(&session->last));
                }
        }
        *ret_n = session->faults.n;
        snprintf(what, sizeof(what), "%s at operation %lu, second at %lu", fault_name(point->kind),
                 point->at, point->second_at);
        bool is_fine = session_report(session, session->n_problems > 0 ? what : NULL);
        session_free(session);
        return is_fine;
}

/* With the daemon, functions are bound before it starts or while it runs, by turns. */
static bool run_with_fault(Campaign *campaign, const char *name, const char *text, const FaultPoint *point,
                           unsigned long *ret_n)
{
        SessionSetup setup = { name, text, point->kind, .has_daemon = true, .binds_later = point->at & 1 };
        return campaign->place.daemon ? campaign_daemon(campaign, &setup, point, ret_n)
                                      : run_worker_with_fault(campaign, name, text, point, ret_n);
}

/* Errors are the worker's affair, whoever has started it. */
static bool is_of_campaign(const Campaign *campaign, FaultKind kind)
{
        if (campaign->only != FAULT_NONE)
                return kind == campaign->only;
        if (campaign->of_planning)
                return kind != FAULT_USER && !fault_needs_daemon(kind);
        return campaign->place.daemon ? fault_kills(kind) : !fault_needs_daemon(kind);
}

/* One kind, at each STRIDE-th of N operations. */
static bool strike_with(Campaign *campaign, const char *name, const char *text, FaultKind kind,
                        unsigned long n)
{
        unsigned long n_runs = 0, n_bad = 0, ignored;

        for (unsigned long at = campaign->first; at <= n; at += campaign->stride) {
                /* Every other recovery is struck as well, somewhere. */
                bool is_twice = fault_kills(kind) && !campaign->of_planning && n_runs & 1;
                FaultPoint point = { .kind = kind,
                                     .at = at,
                                     .second_at = is_twice ? (at * 7919) % n + 1 : campaign->second,
                                     .is_alone = true };
                n_runs++;
                if (!run_with_fault(campaign, name, text, &point, &ignored))
                        n_bad++;
        }
        printf("%sok %s: %s%s at %lu of %lu operations\n", n_bad ? "not " : "", name,
               campaign->of_planning    ? "planning, "
               : campaign->place.daemon ? "with the daemon, "
                                        : "",
               fault_name(kind), n_runs, n);
        fflush(stdout);
        return n_bad == 0;
}

bool campaign_faults(Campaign *campaign, const char *name, const char *text)
{
        FaultPoint none = { .is_alone = true };
        unsigned long n;
        bool is_fine = true;

        if (!run_with_fault(campaign, name, text, &none, &n))
                return false;
        for (FaultKind kind = FAULT_EIO; kind < FAULTS; kind++)
                if (is_of_campaign(campaign, kind))
                        is_fine = strike_with(campaign, name, text, kind, n) && is_fine;
        return is_fine;
}

/* --- random --- */

bool campaign_random(Campaign *campaign, uint64_t seed, unsigned long count)
{
        unsigned long n, n_bad = 0;
        bool has_daemon = campaign->place.daemon;

        for (unsigned long i = 0; i < count; i++) {
                char name[64];
                RandomCase random;
                generate(seed + i, &random);
                snprintf(name, sizeof(name), "random %llu", (unsigned long long) (seed + i));
                FaultPoint point = {
                        .kind = has_daemon ? random.daemon_fault : random.fault,
                        .at = random.at,
                        .second_at = random.second_at,
                        .plan = random.plan,
                };
                if (!run_with_fault(campaign, name, random.text, &point, &n))
                        n_bad++;
        }
        printf("%sok %lu random machines%s from seed %llu\n", n_bad ? "not " : "", count,
               has_daemon ? " with the daemon" : "", (unsigned long long) seed);
        return n_bad == 0;
}
