/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/assessment.h"

#include "base/text.h"
#include "daemon/bus-key.h"

#include <errno.h>
#include <string.h>

/* What becomes of one function. */
typedef enum Lot {
        LOT_NONE,     /* nothing: not on VFIO, its BARs are fine, or the policy says never */
        LOT_RESTORED, /* it has its own sizes because somebody asked for them */
        LOT_CANNOT,
        LOT_EXHAUSTED,
        LOT_REPORT,
        LOT_IN_USE,
        LOT_PLAN,
        LOT_COUNT_,
} Lot;

typedef struct Candidate {
        const PciFunction *function;
        const FunctionReport *report;
        PolicySettings settings;
        unsigned n_attempts;
        Reason last_reason;
        Reason reason; /* of LOT_CANNOT */
        bool requested, restored;
        Lot lot;
} Candidate;

static Lot decide(const Candidate *candidate, bool is_target)
{
        if (candidate->settings.realign == POLICY_REALIGN_NEVER)
                return LOT_NONE;
        if (!is_target)
                return candidate->function->on_vfio && candidate->reason != REASON_NONE ? LOT_CANNOT
                                                                                        : LOT_NONE;
        if (candidate->reason != REASON_NONE)
                return LOT_CANNOT;
        if (candidate->restored && !candidate->requested)
                return LOT_RESTORED;
        if (candidate->settings.realign == POLICY_REALIGN_REPORT && !candidate->requested)
                return LOT_REPORT;
        if (candidate->n_attempts >= candidate->settings.attempts)
                return LOT_EXHAUSTED;
        return candidate->function->enable > 0 ? LOT_IN_USE : LOT_PLAN;
}

static int candidate_make(const Survey *survey, const Policy *policy, const Attempts *attempts,
                          const Restored *restored, const Bus *bus, const PciFunction *function,
                          Candidate *ret)
{
        _cleanup_free_ char *path = topology_path(function);
        if (!path)
                return -ENOMEM;
        FunctionKey key = { .path = path, .vendor = function->vendor, .device = function->device };
        Candidate candidate = {
                .function = function,
                .report = verdict_of(survey->verdicts, function),
                .n_attempts = attempts_count(attempts, key),
                .last_reason = attempts_reason(attempts, key),
                .requested = bus_is_requested(bus, function->address),
                .restored = restored_has(restored, key),
        };
        bool is_target = verdict_is_target(survey->verdicts, function);
        candidate.reason = candidate.report->reason;
        if (is_target && attempts_host_is_kept(attempts, path))
                candidate.reason = REASON_FIRMWARE_ASSIGNMENT; /* as an attempt has shown */
        policy_settings(policy, function, &candidate.settings);
        candidate.lot = decide(&candidate, is_target);
        *ret = candidate;
        return 0;
}

static int remark(Assessment *assessment, const Candidate *candidate)
{
        Reason reason = candidate->reason;
        _cleanup_free_ char *why = NULL;
        if (candidate->lot == LOT_EXHAUSTED) {
                reason = REASON_ATTEMPTS;
                why = text_format(" (%u of %u; the last: %s)", candidate->n_attempts,
                                  candidate->settings.attempts, reason_text(candidate->last_reason));
                if (!why)
                        return -ENOMEM;
        }
        if (assessment->reason == REASON_NONE)
                assessment->reason = reason;
        const char *so_far = assessment->remarks ? assessment->remarks : "";
        return text_replace(&assessment->remarks, "%s%s%s cannot be realigned: %s%s. Remedy: %s.", so_far,
                            *so_far ? "\n" : "", PCI_ADDRESS_TEXT(candidate->function->address),
                            reason_text(reason), why ? why : "", reason_remedy(reason))
                               ? 0
                               : -ENOMEM;
}

static int take_target(Assessment *assessment, const Candidate *candidate)
{
        PciAddress *targets = reallocarray(assessment->targets, assessment->n_targets + 1, sizeof(*targets));
        if (!targets)
                return -ENOMEM;
        assessment->targets = targets;
        targets[assessment->n_targets++] = candidate->function->address;
        if (candidate->settings.settle_delay_usec > assessment->settle_delay_usec)
                assessment->settle_delay_usec = candidate->settings.settle_delay_usec;
        return 0;
}

static const AssessmentAnswer answers[LOT_COUNT_] = {
        [LOT_REPORT] = ASSESSMENT_REPORT,
        [LOT_IN_USE] = ASSESSMENT_IN_USE,
        [LOT_PLAN] = ASSESSMENT_PLAN,
};

/* A plan goes before waiting, waiting before reporting: what is left over is seen at the next look. */
static int settle_answer(Assessment *assessment, const Candidate *candidates, size_t n)
{
        Lot lot = LOT_NONE;
        for (size_t i = 0; i < n; i++)
                if (candidates[i].lot > lot)
                        lot = candidates[i].lot;
        assessment->answer = answers[lot];

        int r = 0;
        for (size_t i = 0; i < n && r == 0; i++) {
                if (candidates[i].lot == LOT_CANNOT || candidates[i].lot == LOT_EXHAUSTED)
                        r = remark(assessment, &candidates[i]);
                else if (assessment->answer != ASSESSMENT_NOTHING && candidates[i].lot == lot)
                        r = take_target(assessment, &candidates[i]);
        }
        for (size_t i = 0; i < n && assessment->reason == REASON_NONE; i++)
                if (candidates[i].lot == LOT_RESTORED)
                        assessment->reason = REASON_RESTORED;
        return r;
}

int assessment_make(const Survey *survey, const Policy *policy, const Attempts *attempts,
                    const Restored *restored, const Bus *bus, Assessment **ret)
{
        const Topology *topology = survey->topology;
        _cleanup_(assessment_freep) Assessment *assessment = calloc(1, sizeof(*assessment));
        _cleanup_free_ Candidate *candidates = calloc(topology->n_functions + 1, sizeof(*candidates));
        if (!assessment || !candidates)
                return -ENOMEM;

        size_t n = 0;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (!function->on_vfio || !text_equal(survey_bus_key(survey, function), bus->key))
                        continue;
                int r = candidate_make(survey, policy, attempts, restored, bus, function, &candidates[n]);
                if (r < 0)
                        return r;
                n++;
        }
        int r = settle_answer(assessment, candidates, n);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(assessment);
        return 0;
}

Assessment *assessment_free(Assessment *assessment)
{
        if (!assessment)
                return NULL;
        free(assessment->targets);
        free(assessment->remarks);
        free(assessment);
        return NULL;
}

char *assessment_targets_text(const Assessment *assessment)
{
        char *text = strdup("");
        for (size_t i = 0; i < assessment->n_targets && text; i++)
                text_replace(&text, "%s%s%s", text, *text ? ", " : "",
                             PCI_ADDRESS_TEXT(assessment->targets[i]));
        return text;
}

int assessment_watch(const Survey *survey, const char *key, EnableWatch **ret)
{
        _cleanup_(enable_watch_freep) EnableWatch *watch = NULL;
        int r = enable_watch_new(&watch);
        for (size_t i = 0; i < survey->topology->n_functions && r == 0; i++) {
                const PciFunction *function = &survey->topology->functions[i];
                const char *own = survey_bus_key(survey, function);
                if (!function->is_bridge && own && bus_key_related(own, key))
                        r = enable_watch_add(watch, function->address, function->enable);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(watch);
        return 0;
}
