/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/function-view.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

/* --- facts */

/* Who else owns bytes of the page of the BAR in LINE. */
static int read_neighbours(const PageIndex *pages, const PciFunction *function, unsigned line, BarView *bar)
{
        _cleanup_(page_view_freep) PageView *page = NULL;
        int r = page_view_make(pages, bar->start, &page);
        return r < 0 ? r : page_view_neighbours(page, function, line, &bar->neighbours);
}

static int read_bars(const Survey *survey, const PageIndex *pages, const PciFunction *function,
                     FunctionFacts *facts)
{
        const FunctionReport *report = verdict_of(survey->verdicts, function);
        OwnSizes before;
        size_t n_bars = 0;
        for (unsigned line = 0; line < RESOURCE_BARS; line++)
                n_bars += report->bars[line].verdict != BAR_NONE;
        if (n_bars == 0)
                return 0;
        facts->bars = calloc(n_bars, sizeof(facts->bars[0]));
        if (!facts->bars)
                return -ENOMEM;
        int r = grown_sizes_before(survey->grown, function, &before);
        for (unsigned line = 0; line < RESOURCE_BARS && r == 0; line++) {
                if (report->bars[line].verdict == BAR_NONE)
                        continue;
                BarView *bar = &facts->bars[facts->n_bars++];
                bar->line = line;
                bar->verdict = bar_verdict_text(&report->bars[line]);
                bar->start = function->resources.lines[line].start;
                bar->size = resource_size(&function->resources.lines[line]);
                bar->own_size = before.lines[line];
                if (pages && report->bars[line].n_neighbours > 0)
                        r = read_neighbours(pages, function, line, bar);
        }
        return r;
}

int function_facts_read(const Manager *manager, const PageIndex *pages, const PciFunction *function,
                        FunctionFacts *ret)
{
        const FunctionReport *report = verdict_of(manager->survey->verdicts, function);
        FunctionFacts facts = {
                .address = function->address,
                .path = topology_path(function),
                .driver = strdup(function->driver ? function->driver : ""),
                .vendor = function->vendor,
                .device = function->device,
                .iommu_group = function->iommu_group,
                .verdict = report->verdict,
                .reason = report->reason,
        };
        int r = facts.path && facts.driver ? 0 : -ENOMEM;
        policy_settings(manager->policy, function, &facts.settings);
        if (r == 0)
                r = read_bars(manager->survey, pages, function, &facts);
        if (r < 0) {
                function_facts_clear(&facts);
                return r;
        }
        *ret = facts;
        return 0;
}

void function_facts_clear(FunctionFacts *facts)
{
        free(facts->path);
        free(facts->driver);
        for (size_t i = 0; i < facts->n_bars; i++)
                text_list_free(facts->bars[i].neighbours);
        free(facts->bars);
        *facts = (FunctionFacts){ 0 };
}

static bool lists_equal(char *const *a, char *const *b)
{
        size_t i = 0;
        if (!a || !b)
                return a == b;
        while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
                i++;
        return !a[i] && !b[i];
}

bool bar_views_equal(const FunctionFacts *a, const FunctionFacts *b)
{
        if (a->n_bars != b->n_bars)
                return false;
        for (size_t i = 0; i < a->n_bars; i++) {
                const BarView *x = &a->bars[i], *y = &b->bars[i];
                if (x->line != y->line || strcmp(x->verdict, y->verdict) != 0 || x->start != y->start ||
                    x->size != y->size || x->own_size != y->own_size ||
                    !lists_equal(x->neighbours, y->neighbours))
                        return false;
        }
        return true;
}

/* --- state */

/* Why a function that needs to be realigned is not: what was found out last goes first. */
static int read_reason(const Manager *manager, const FunctionFacts *facts, const Bus *bus,
                       const FunctionRecord *record, FunctionState *state)
{
        FunctionKey key = { facts->path, facts->vendor, facts->device };
        unsigned n_attempts = attempts_count(manager->attempts, key);
        if (facts->settings.realign == POLICY_REALIGN_NEVER)
                state->reason = REASON_POLICY_NEVER;
        else if (restored_has(manager->restored, key))
                state->reason = REASON_RESTORED;
        else if (bus && (bus->state == BUS_PLANNING || bus->state == BUS_EXECUTING))
                state->reason = REASON_NONE;
        else if (attempts_host_is_kept(manager->attempts, facts->path))
                state->reason = REASON_FIRMWARE_ASSIGNMENT;
        else if (n_attempts >= facts->settings.attempts) {
                state->reason = REASON_ATTEMPTS;
                state->detail = text_format("%u of %u; the last: %s", n_attempts, facts->settings.attempts,
                                            reason_text(attempts_reason(manager->attempts, key)));
                return state->detail ? 0 : -ENOMEM;
        } else if (record && record->refusal != REASON_NONE) {
                state->reason = record->refusal;
                state->detail = record->refusal_detail ? strdup(record->refusal_detail) : NULL;
                return record->refusal_detail && !state->detail ? -ENOMEM : 0;
        } else if (bus)
                state->reason = bus->reason;
        return 0;
}

int function_state_read(const Manager *manager, const FunctionFacts *facts, const Bus *bus,
                        FunctionState *ret)
{
        const FunctionRecord *record = function_records_find(
                        manager->records, (FunctionKey){ facts->path, facts->vendor, facts->device });
        FunctionState state = { .state = bus_state_name(bus ? bus->state : BUS_SETTLED) };
        int r = 0;

        if (facts->verdict == FUNCTION_CANNOT)
                state.reason = facts->reason;
        else if (facts->verdict == FUNCTION_NEEDS_REALIGN)
                r = read_reason(manager, facts, bus, record, &state);
        if (r == 0 && record && record->transaction) {
                state.transaction = strdup(record->transaction);
                state.outcome = record->outcome;
                state.transaction_reason = record->reason;
                state.when_usec = record->when_usec;
                r = state.transaction ? 0 : -ENOMEM;
        }
        if (r < 0) {
                function_state_clear(&state);
                return r;
        }
        *ret = state;
        return 0;
}

void function_state_clear(FunctionState *state)
{
        free(state->detail);
        free(state->transaction);
        *state = (FunctionState){ 0 };
}
