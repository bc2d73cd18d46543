/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "invariants.h"

#include "run-tree.h"
#include "tree.h"
#include "vfio-core.h"

#include <stdarg.h>
#include <string.h>

#define HOLD "vfio-realign-hold"
#define LAST_NEIGHBOUR_LINE 12u /* windows are behind it */

/* A check under way. */
typedef struct Check {
        Machine *machine;
        const Before *before;
        const WorkerRun *run;
        const char *outcome;
        bool faulted;
        char (*problems)[256];
        size_t n, n_max;
} Check;

static void problem(Check *check, const char *format, ...) _printf_(2, 3);
static void problem(Check *check, const char *format, ...)
{
        va_list args;
        if (check->n == check->n_max)
                return;
        va_start(args, format);
        vsnprintf(check->problems[check->n++], 256, format, args);
        va_end(args);
}

static bool is(const Check *check, const char *outcome)
{
        return strcmp(check->outcome, outcome) == 0;
}

void before_take(Machine *machine, struct json_object *plan, Before *ret)
{
        struct json_object *functions = NULL;

        memset(ret, 0, sizeof(*ret));
        snprintf(ret->alignment, sizeof(ret->alignment), "%s", machine->alignment);
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                FunctionBefore *before = &ret->functions[i];
                before->present = function->present;
                before->driver = function->driver;
                before->births = function->births;
                memcpy(before->attributes, function->attributes, sizeof(before->attributes));
                memcpy(before->resources, function->resources, sizeof(before->resources));
        }
        if (!plan || !json_object_object_get_ex(plan, "functions", &functions))
                return;
        for (size_t i = 0; i < json_object_array_length(functions); i++) {
                struct json_object *address;
                PciAddress parsed;
                if (!json_object_object_get_ex(json_object_array_get_idx(functions, i), "function",
                                               &address) ||
                    pci_address_parse(json_object_get_string(address), &parsed) < 0)
                        continue;
                for (size_t j = 0; j < machine->n_functions; j++)
                        if (pci_address_equal(machine->functions[j]->address, parsed))
                                ret->functions[j].in_radius = true;
        }
}

static const char *name_of(const Driver *driver)
{
        return driver ? driver->name : "no driver";
}

/* The kernel itself may give an address to what had none, when a rescan finds room (KF §3). */
static bool same_resources(const Function *function, const FunctionBefore *before)
{
        for (unsigned line = 0; line < LINES; line++)
                if (resource_assigned(&before->resources[line]) &&
                    memcmp(&function->resources[line], &before->resources[line], sizeof(Resource)) != 0)
                        return false;
        return true;
}

/* Nobody but the owner of a function outside the radius does anything to it. */
static void check_untouched(Check *check, const Function *function, const FunctionBefore *before)
{
        bool is_same = function->births == before->births && function->driver == before->driver &&
                       memcmp(function->attributes, before->attributes, sizeof(before->attributes)) == 0 &&
                       same_resources(function, before);
        if (!is_same)
                problem(check, "%s, which is outside the radius, was touched",
                        PCI_ADDRESS_TEXT(function->address));
}

static void check_driver(Check *check, const Function *function, const FunctionBefore *before)
{
        if (function->driver == before->driver)
                return;
        if (is(check, "failed") && !function->driver)
                return; /* the result has to tell it: check_told() */
        problem(check, "%s is on %s, was on %s", PCI_ADDRESS_TEXT(function->address),
                name_of(function->driver), name_of(before->driver));
}

static bool mentions(const Check *check, const Function *function)
{
        return check->run->output && strstr(check->run->output, PCI_ADDRESS_TEXT(function->address));
}

static void check_attributes(Check *check, const Function *function, const FunctionBefore *before)
{
        bool is_told = run_has_warning(check->run, "state-not-restored",
                                       PCI_ADDRESS_TEXT(function->address)) ||
                       is(check, "failed");

        for (unsigned i = 0; i < ATTRIBUTES; i++) {
                const char *now = function->attributes[i];
                if (strcmp(now, before->attributes[i]) == 0 || (is_told && i != ATTRIBUTE_OVERRIDE))
                        continue;
                if (is_told && (function->driver != before->driver || check->faulted))
                        continue;
                problem(check, "%s: %s is \"%s\", was \"%s\"", PCI_ADDRESS_TEXT(function->address),
                        attribute_name((Attribute) i), now, before->attributes[i]);
        }
}

static uint64_t bytes(const Resource *resource)
{
        return resource_assigned(resource) ? resource->end - resource->start + 1 : 0;
}

static void check_resources(Check *check, const Function *function, const FunctionBefore *before)
{
        for (unsigned line = 0; line <= ROM; line++) {
                const Resource *was = &before->resources[line], *now = &function->resources[line];
                if (!resource_assigned(was) || bytes(now) >= bytes(was))
                        continue;
                /* What could not be undone is told and left without a driver. */
                if (is(check, "failed") && (!function->driver || function->is_bridge))
                        continue;
                problem(check, "%s: line %u has %llu bytes, had %llu", PCI_ADDRESS_TEXT(function->address),
                        line, (unsigned long long) bytes(now), (unsigned long long) bytes(was));
        }
}

static void check_told(Check *check, const Function *function, const FunctionBefore *before)
{
        if (is(check, "failed") && function->driver != before->driver && !mentions(check, function))
                problem(check, "%s was left without its driver, and the result does not name it",
                        PCI_ADDRESS_TEXT(function->address));
}

static void check_function(Check *check, const Function *function, const FunctionBefore *before)
{
        if (!before->present)
                return; /* somebody had removed it; it may have appeared */
        if (!before->in_radius) {
                check_untouched(check, function, before);
                return;
        }
        if (!function->present) {
                if (!function->vanishes)
                        problem(check, "%s is missing", PCI_ADDRESS_TEXT(function->address));
                else if (!is(check, "failed"))
                        problem(check, "%s vanished, and the outcome is %s",
                                PCI_ADDRESS_TEXT(function->address), check->outcome);
                return;
        }
        check_driver(check, function, before);
        check_attributes(check, function, before);
        check_resources(check, function, before);
        check_told(check, function, before);
        if (is(check, "stale") && function->births != before->births)
                problem(check, "%s was removed although the outcome is stale",
                        PCI_ADDRESS_TEXT(function->address));
}

/* --- pages --- */

static bool is_memory(const Resource *resource)
{
        return resource_assigned(resource) && (resource->flags & FLAG_MEMORY);
}

/* Another memory resource with bytes of the range. */
static const Function *neighbour(const Machine *machine, const Resource *own, uint64_t start, uint64_t end)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                for (unsigned line = 0; machine->functions[i]->present && line <= LAST_NEIGHBOUR_LINE;
                     line++) {
                        const Resource *other = &machine->functions[i]->resources[line];
                        if (other != own && is_memory(other) && other->start <= end && other->end >= start)
                                return machine->functions[i];
                }
        return NULL;
}

/* vfio_pci_probe_mmaps() would refuse none of its BARs. */
static void check_mappable(Check *check, const Function *function)
{
        uint64_t page = check->machine->options.page;

        for (unsigned line = 0; line < BARS; line++) {
                const Resource *own = &function->resources[line];
                if (!is_memory(own))
                        continue;
                const Function *other = neighbour(check->machine, own, own->start & ~(page - 1),
                                                  own->end | (page - 1));
                if (bytes(own) < page && own->start & (page - 1))
                        problem(check, "verified, but BAR %u of %s is at 0x%llx", line,
                                PCI_ADDRESS_TEXT(function->address), (unsigned long long) own->start);
                if (other)
                        problem(check, "verified, but BAR %u of %s shares a page with %s", line,
                                PCI_ADDRESS_TEXT(function->address), PCI_ADDRESS_TEXT(other->address));
        }
}

/* --- the attribute --- */

/* What stands in front of the text of others: nothing, or entries of ours, each closed by ';'. */
static void check_alignment(Check *check)
{
        const char *now = check->machine->alignment, *was = check->before->alignment;
        size_t n = strlen(now), m = strlen(was);
        bool may_have_ours = is(check, "verified") || (is(check, "failed") && check->faulted);

        if (n < m || strcmp(now + n - m, was) != 0) {
                /* "ours;" without anything behind loses its separator. */
                problem(check, "resource_alignment was \"%.60s\" and is \"%.100s\"", was, now);
                return;
        }
        if (n == m)
                return;
        if (!may_have_ours)
                problem(check, "the outcome is %s, but resource_alignment is \"%.100s\"", check->outcome,
                        now);
        else if (m > 0 && now[n - m - 1] != ';')
                problem(check, "our entries are not apart from others' in \"%.100s\"", now);
}

static void check_violations(Check *check)
{
        for (size_t i = 0; i < check->machine->n_violations; i++)
                problem(check, "%s", check->machine->violations[i]);
}

size_t invariants_check(Machine *machine, const Before *before, const WorkerRun *run, bool faulted,
                        char problems[][256], size_t n_max)
{
        Check check = { machine, before, run, run_outcome(run), faulted, problems, 0, n_max };

        check_violations(&check);
        if (run->is_stuck)
                problem(&check, "the worker did not end");
        if (run->status == 1 && run->result)
                problem(&check, "exit status 1 with a result");
        for (size_t i = 0; i < machine->n_functions; i++)
                check_function(&check, machine->functions[i], &before->functions[i]);
        for (size_t i = 0; is(&check, "verified") && i < machine->n_functions; i++)
                if (before->functions[i].in_radius && machine->functions[i]->vfio != NONE)
                        check_mappable(&check, machine->functions[i]);
        check_alignment(&check);
        if (is(&check, "stale") && machine->n_changes > 0 && !faulted)
                problem(&check, "the outcome is stale, but %lu writes reached sysfs", machine->n_changes);
        if (run_find(machine, "run/vfio-realign/transaction.json"))
                problem(&check, "the journal is still there");
        return check.n;
}
