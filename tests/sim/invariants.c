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
        const Course *course;
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

static struct json_object *result_at(const Check *check, size_t i)
{
        return check->course->results[i];
}

/* What the result says of the function; NULL when it is not about it. */
static struct json_object *told_of(const Check *check, size_t i, const Function *function)
{
        return result_function(result_at(check, i), PCI_ADDRESS_TEXT(function->address));
}

/* A transaction about it ended so: the last one, or (ANY) one of them. */
static bool ended(const Check *check, const Function *function, const char *outcome, bool any)
{
        for (size_t i = check->course->n_results; i-- > 0;) {
                if (!told_of(check, i, function))
                        continue;
                if (strcmp(result_text(result_at(check, i), "outcome"), outcome) == 0)
                        return true;
                if (!any)
                        return false;
        }
        return false;
}

/* What failed once is described, whatever came after. */
static bool has_failed(const Check *check, const Function *function)
{
        return ended(check, function, "failed", true);
}

static bool some_ended(const Check *check, const char *outcome)
{
        for (size_t i = 0; i < check->course->n_results; i++)
                if (strcmp(result_text(result_at(check, i), "outcome"), outcome) == 0)
                        return true;
        return false;
}

static bool all_ended(const Check *check, const char *outcome)
{
        for (size_t i = 0; i < check->course->n_results; i++)
                if (strcmp(result_text(result_at(check, i), "outcome"), outcome) != 0)
                        return false;
        return check->course->n_results > 0;
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

void before_widen(Before *before, const Machine *machine, const Course *course)
{
        for (size_t i = 0; i < machine->n_functions; i++)
                for (size_t j = 0; j < course->n_results; j++)
                        if (result_function(course->results[j],
                                            PCI_ADDRESS_TEXT(machine->functions[i]->address)))
                                before->functions[i].in_radius = true;
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

static bool same_attributes(const Function *function, const FunctionBefore *before)
{
        for (unsigned i = 0; i < ATTRIBUTES; i++)
                if (strcmp(function->attributes[i], before->attributes[i]) != 0)
                        return false;
        return true;
}

/* Nobody but the owner of a function outside the radius does anything to it. */
static void check_untouched(Check *check, const Function *function, const FunctionBefore *before)
{
        /* A module that udev loaded for one function of the radius takes whatever is free elsewhere. */
        bool is_taken = !before->driver && function->driver && function->driver->late;
        bool is_same = function->births == before->births &&
                       (function->driver == before->driver || is_taken) &&
                       same_attributes(function, before) && same_resources(function, before);
        if (!is_same)
                problem(check, "%s, which is outside the radius, was touched",
                        PCI_ADDRESS_TEXT(function->address));
}

static bool is_warned_of(const Check *check, const Function *function, const char *reason)
{
        for (size_t i = 0; i < check->course->n_results; i++)
                if (result_has_warning(result_at(check, i), reason, PCI_ADDRESS_TEXT(function->address)))
                        return true;
        return false;
}

static void check_driver(Check *check, const Function *function, const FunctionBefore *before)
{
        if (function->driver == before->driver)
                return;
        /* udev was slower than the step's deadline (short where something hangs), and the result warns of that. */
        if (!before->driver && function->driver && function->driver->late &&
            is_warned_of(check, function, "state-not-restored"))
                return;
        if (has_failed(check, function) && !function->driver)
                return; /* the result has to tell it: check_told() */
        problem(check, "%s is on %s, was on %s", PCI_ADDRESS_TEXT(function->address),
                name_of(function->driver), name_of(before->driver));
}

static bool is_faulted(const Check *check)
{
        return check->course->fault != FAULT_NONE;
}

static void check_attributes(Check *check, const Function *function, const FunctionBefore *before)
{
        bool is_told = is_warned_of(check, function, "state-not-restored") || has_failed(check, function);

        for (unsigned i = 0; i < ATTRIBUTES; i++) {
                const char *now = function->attributes[i];
                if (strcmp(now, before->attributes[i]) == 0 || (is_told && i != ATTRIBUTE_OVERRIDE))
                        continue;
                if (is_told && (function->driver != before->driver || is_faulted(check)))
                        continue;
                problem(check, "%s: %s is \"%s\", was \"%s\"", PCI_ADDRESS_TEXT(function->address),
                        attribute_name((Attribute) i), now, before->attributes[i]);
        }
}

/* What needs nobody's attention is not reported to need it; an error that was injected may be all that there was. */
static void check_not_alarmed(Check *check, const Function *function, const FunctionBefore *before)
{
        bool may_have_failed = is_faulted(check) && !fault_kills(check->course->fault);
        if (!may_have_failed && function->driver == before->driver && same_attributes(function, before) &&
            is_warned_of(check, function, "state-not-restored"))
                problem(check, "%s is as before, and is reported not to be",
                        PCI_ADDRESS_TEXT(function->address));
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
                if (has_failed(check, function) && (!function->driver || function->is_bridge))
                        continue;
                problem(check, "%s: line %u has %llu bytes, had %llu", PCI_ADDRESS_TEXT(function->address),
                        line, (unsigned long long) bytes(now), (unsigned long long) bytes(was));
        }
}

/* What failed says how it left things. */
static void check_told(Check *check, const Function *function, const FunctionBefore *before)
{
        struct json_object *told = NULL;

        if (!has_failed(check, function) || function->driver == before->driver)
                return;
        for (size_t i = check->course->n_results; i-- > 0 && !told;)
                told = told_of(check, i, function);
        if (strcmp(result_text(told, "driver"), function->driver ? function->driver->name : "") != 0)
                problem(check, "%s is on %s, and the result says that it is on \"%s\"",
                        PCI_ADDRESS_TEXT(function->address), name_of(function->driver),
                        result_text(told, "driver"));
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
                else if (!has_failed(check, function))
                        problem(check, "%s vanished, and no outcome is failed",
                                PCI_ADDRESS_TEXT(function->address));
                return;
        }
        check_driver(check, function, before);
        check_attributes(check, function, before);
        check_not_alarmed(check, function, before);
        check_resources(check, function, before);
        check_told(check, function, before);
        if (all_ended(check, "stale") && function->births != before->births)
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
        bool may_have_ours = check->course->has_entries || some_ended(check, "verified") ||
                             (some_ended(check, "failed") && is_faulted(check));

        if (n < m || strcmp(now + n - m, was) != 0) {
                /* "ours;" without anything behind loses its separator. */
                problem(check, "resource_alignment was \"%.60s\" and is \"%.100s\"", was, now);
                return;
        }
        if (n == m)
                return;
        if (!may_have_ours)
                problem(check, "nothing was verified, but resource_alignment is \"%.100s\"", now);
        else if (m > 0 && now[n - m - 1] != ';')
                problem(check, "our entries are not apart from others' in \"%.100s\"", now);
}

static void check_violations(Check *check)
{
        for (size_t i = 0; i < check->machine->n_violations; i++)
                problem(check, "%s", check->machine->violations[i]);
}

size_t invariants_check(Machine *machine, const Before *before, const Course *course, char problems[][256],
                        size_t n_max)
{
        Check check = { machine, before, course, problems, 0, n_max };

        check_violations(&check);
        for (size_t i = 0; i < machine->n_functions; i++)
                check_function(&check, machine->functions[i], &before->functions[i]);
        for (size_t i = 0; i < machine->n_functions; i++)
                if (before->functions[i].in_radius && machine->functions[i]->vfio != NONE &&
                    ended(&check, machine->functions[i], "verified", false))
                        check_mappable(&check, machine->functions[i]);
        check_alignment(&check);
        if (all_ended(&check, "stale") && machine->n_changes > 0 && !is_faulted(&check))
                problem(&check, "the outcome is stale, but %lu writes reached sysfs", machine->n_changes);
        if (run_find(machine, "run/vfio-realign/transaction.json"))
                problem(&check, "the journal is still there");
        return check.n;
}
