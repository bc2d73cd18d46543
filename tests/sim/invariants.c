/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "invariants.h"

#include "driver-core.h"
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

static uint64_t bytes(const Resource *resource)
{
        return resource_assigned(resource) ? resource->end - resource->start + 1 : 0;
}

static bool is_true(struct json_object *object, const char *name)
{
        struct json_object *value;
        return json_object_object_get_ex(object, name, &value) && json_object_get_boolean(value);
}

static bool changes_drivers(const Before *before)
{
        return strcmp(before->goal, "detach") == 0 || strcmp(before->goal, "reattach") == 0;
}

static bool gives_back(const Before *before)
{
        return strcmp(before->goal, "restore") == 0 ||
               (strcmp(before->goal, "reattach") == 0 && strcmp(before->scope, "none") != 0);
}

static bool is_grown(const Function *function)
{
        for (unsigned line = 0; line <= ROM; line++)
                if (function->bars[line].size &&
                    bytes(&function->resources[line]) > function->bars[line].size)
                        return true;
        return false;
}

static void take_planned(const Function *function, struct json_object *planned, const Before *before,
                         FunctionBefore *ret)
{
        ret->in_radius = true;
        ret->is_rebound = changes_drivers(before) && is_true(planned, "target");
        ret->is_given_back = gives_back(before) && is_true(planned, "target") && is_grown(function);
}

static const char *group_type(const Machine *machine, const Function *function)
{
        return function->present && function->group != NONE ? machine->groups[function->group].type : "";
}

void before_take(Machine *machine, struct json_object *plan, const char *foreign, Before *ret)
{
        struct json_object *functions = NULL;

        memset(ret, 0, sizeof(*ret));
        snprintf(ret->alignment, sizeof(ret->alignment), "%s", machine->alignment);
        snprintf(ret->foreign, sizeof(ret->foreign), "%s", foreign);
        for (size_t i = 0; i < machine->n_drivers; i++)
                ret->has_failing |= machine->drivers[i].fails_once;
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                FunctionBefore *before = &ret->functions[i];
                before->present = function->present;
                before->driver = function->driver;
                before->births = function->births;
                memcpy(before->attributes, function->attributes, sizeof(before->attributes));
                snprintf(before->group_type, sizeof(before->group_type), "%s",
                         group_type(machine, function));
                memcpy(before->resources, function->resources, sizeof(before->resources));
        }
        if (!plan || !json_object_object_get_ex(plan, "functions", &functions))
                return;
        snprintf(ret->goal, sizeof(ret->goal), "%s", result_text(plan, "goal"));
        snprintf(ret->scope, sizeof(ret->scope), "%s", result_text(plan, "scope"));
        for (size_t i = 0; i < json_object_array_length(functions); i++) {
                struct json_object *planned = json_object_array_get_idx(functions, i);
                PciAddress parsed;
                if (pci_address_parse(result_text(planned, "function"), &parsed) < 0)
                        continue;
                for (size_t j = 0; j < machine->n_functions; j++)
                        if (pci_address_equal(machine->functions[j]->address, parsed))
                                take_planned(machine->functions[j], planned, ret, &ret->functions[j]);
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
        /* A module that was loaded because of one function of the radius takes whatever is free elsewhere. */
        bool is_taken = !before->driver && function->driver &&
                        (function->driver->late || function->driver->at_unbind);
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

/* The driver that the host has for FUNCTION by its ids; NULL: none. One that fails leaves it to the next. */
static const Driver *host_driver_of(const Machine *machine, const Function *function)
{
        Function plain = *function;
        plain.attributes[ATTRIBUTE_OVERRIDE][0] = '\0';
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (driver_matches(&machine->drivers[i], &plain) && !machine->drivers[i].fails)
                        return &machine->drivers[i];
        return NULL;
}

/* Where the plan gives FUNCTION to another driver: which. */
static const Driver *driver_wanted(const Check *check, const Function *function)
{
        return strcmp(check->before->goal, "detach") == 0 ? machine_driver(check->machine, "vfio-pci")
                                                          : host_driver_of(check->machine, function);
}

/* Done with the goal of changing its driver: on VFIO's, or on the host's, with nothing of ours left behind. */
static void check_rebound(Check *check, const Function *function)
{
        bool is_detached = strcmp(check->before->goal, "detach") == 0;
        const Driver *wanted = driver_wanted(check, function);
        const char *override = function->attributes[ATTRIBUTE_OVERRIDE];
        /* One that has failed once left the function to none; so has one whose group a guest had come to use. */
        bool is_left = !is_detached && !function->driver &&
                       (check->before->has_failing || function->was_denied);

        if (function->driver != wanted && !is_left)
                problem(check, "%s is on %s, should be on %s", PCI_ADDRESS_TEXT(function->address),
                        name_of(function->driver), name_of(wanted));
        if (is_detached ? strcmp(override, "vfio-pci") != 0 : strstr(override, "vfio") != NULL)
                problem(check, "%s has the override \"%s\"", PCI_ADDRESS_TEXT(function->address), override);
}

static bool is_verified(const Check *check, const Function *function)
{
        return ended(check, function, "verified", false);
}

static bool is_faulted(const Check *check)
{
        return check->course->fault != FAULT_NONE;
}

/* A result gives REASON for FUNCTION: as what stood against all else, or beside something else. */
static bool is_told(const Check *check, const Function *function, const char *reason)
{
        const char *address = PCI_ADDRESS_TEXT(function->address);

        for (size_t i = 0; i < check->course->n_results; i++) {
                struct json_object *result = result_at(check, i);
                if ((strcmp(result_text(result, "reason"), reason) == 0 &&
                     strcmp(result_text(result, "culprit"), address) == 0) ||
                    result_lists(result, "warnings", reason, address) ||
                    result_lists(result, "state", reason, address))
                        return true;
        }
        return false;
}

/* It came into use; or its group file could not be opened because of an injected error, so that nobody knows. */
static bool is_told_of_use(const Check *check, const Function *function)
{
        return is_told(check, function, "use-began") ||
               (is_faulted(check) && is_told(check, function, "no-group-files"));
}

/*
 * A module that somebody loaded while functions were being unbound has taken it before anything was removed. Then nothing
 * is removed, and it is told. (What was injected may have ended it all before anybody looked: then it is not.)
 */
static bool is_taken_before(const Check *check, const Function *function, const FunctionBefore *before)
{
        return !before->driver && function->driver && function->driver->at_unbind &&
               function->births == before->births && !ended(check, function, "verified", true) &&
               (is_told_of_use(check, function) || is_faulted(check));
}

/*
 * What could not be undone has no driver; or it is in use, which is told, on the driver that the host has for it (that was
 * quicker than the hold) or that the plan gave it. In no case is it on one that nobody can have wanted. (What could not be
 * looked at because of an injected error is taken for used.)
 */
static bool is_left(const Check *check, const Function *function, const FunctionBefore *before)
{
        bool is_wanted = function->driver == host_driver_of(check->machine, function) ||
                         (before->is_rebound && function->driver == driver_wanted(check, function));
        bool is_used = function_user(check->machine, function) || is_faulted(check);

        return has_failed(check, function) &&
               (!function->driver || (is_wanted && is_used && is_told_of_use(check, function)));
}

static void check_driver(Check *check, const Function *function, const FunctionBefore *before)
{
        if (before->is_rebound && is_verified(check, function)) {
                check_rebound(check, function);
                return;
        }
        if (function->driver == before->driver)
                return;
        /* udev was slower than the step's deadline (short where something hangs), and the result warns of that. */
        if (!before->driver && function->driver && function->driver->late &&
            is_warned_of(check, function, "state-not-restored"))
                return;
        /* That it is on another one has to be told as well (check_told()). */
        if (is_taken_before(check, function, before) || is_left(check, function, before))
                return;
        problem(check, "%s is on %s, was on %s", PCI_ADDRESS_TEXT(function->address),
                name_of(function->driver), name_of(before->driver));
}

static bool is_of_driver(Attribute attribute)
{
        return attribute == ATTRIBUTE_OVERRIDE || attribute == ATTRIBUTE_CONTROL ||
               attribute == ATTRIBUTE_AUTOSUSPEND;
}

static void check_attributes(Check *check, const Function *function, const FunctionBefore *before)
{
        bool is_told = is_warned_of(check, function, "state-not-restored") || has_failed(check, function);

        for (unsigned i = 0; i < ATTRIBUTES; i++) {
                const char *now = function->attributes[i];
                if (strcmp(now, before->attributes[i]) == 0 || (is_told && i != ATTRIBUTE_OVERRIDE))
                        continue;
                if (before->is_rebound && is_verified(check, function) && is_of_driver((Attribute) i))
                        continue;
                if (is_told && (function->driver != before->driver || is_faulted(check)))
                        continue;
                problem(check, "%s: %s is \"%s\", was \"%s\"", PCI_ADDRESS_TEXT(function->address),
                        attribute_name((Attribute) i), now, before->attributes[i]);
        }
}

/* Its IOMMU group is translated as before, or it is told. */
static void check_group_type(Check *check, const Function *function, const FunctionBefore *before)
{
        const char *now = group_type(check->machine, function);
        if (strcmp(now, before->group_type) != 0 && !is_warned_of(check, function, "state-not-restored") &&
            !has_failed(check, function))
                problem(check, "%s: the type of its IOMMU group is \"%s\", was \"%s\"",
                        PCI_ADDRESS_TEXT(function->address), now, before->group_type);
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

static bool some_came_into_use(const Check *check)
{
        for (size_t i = 0; i < check->machine->n_functions; i++)
                if (is_told(check, check->machine->functions[i], "use-began"))
                        return true;
        return false;
}

static void check_resources(Check *check, const Function *function, const FunctionBefore *before)
{
        for (unsigned line = 0; line <= ROM; line++) {
                const Resource *was = &before->resources[line], *now = &function->resources[line];
                if (!resource_assigned(was))
                        continue;
                if (before->is_given_back && is_verified(check, function)) {
                        if (bytes(now) != function->bars[line].size)
                                problem(check, "%s: line %u has %llu bytes, its own size is %llu",
                                        PCI_ADDRESS_TEXT(function->address), line,
                                        (unsigned long long) bytes(now),
                                        (unsigned long long) function->bars[line].size);
                        continue;
                }
                if (bytes(now) >= bytes(was))
                        continue;
                /* It had its own size again when some came into use, so that this could not be undone. */
                if (before->is_given_back && bytes(now) == function->bars[line].size &&
                    has_failed(check, function) && some_came_into_use(check))
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
        /* One that has answered ENODEV is gone, for all that can be known. */
        if (check->course->fault == FAULT_ENODEV && told && !is_true(told, "present"))
                return;
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
        check_group_type(check, function, before);
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

/* At its own size it shares no page with a function on VFIO that is as it was: who has that one mapped would reach it. */
static void check_apart(Check *check, const Function *function)
{
        uint64_t page = check->machine->options.page;

        for (size_t i = 0; i < check->machine->n_functions; i++) {
                const Function *other = check->machine->functions[i];
                if (other == function || other->vfio == NONE || check->before->functions[i].is_given_back)
                        continue;
                for (unsigned pair = 0; pair < (BARS + 1) * (BARS + 1); pair++) {
                        const Resource *a = &function->resources[pair / (BARS + 1)],
                                       *b = &other->resources[pair % (BARS + 1)];
                        if (is_memory(a) && is_memory(b) && a->start / page <= b->end / page &&
                            b->start / page <= a->end / page)
                                problem(check, "verified, but %s shares a page with %s, which is on VFIO",
                                        PCI_ADDRESS_TEXT(function->address),
                                        PCI_ADDRESS_TEXT(other->address));
                }
        }
}

static void check_pages(Check *check, const Function *function, const FunctionBefore *before)
{
        if (!before->in_radius || !is_verified(check, function))
                return;
        if (before->is_given_back)
                check_apart(check, function);
        else if (!before->is_rebound && function->vfio != NONE)
                check_mappable(check, function);
}

/* --- the attribute --- */

/* What stands in front of the text of others: nothing, or entries of ours, each closed by ';'. */
static void check_alignment(Check *check)
{
        const Before *before = check->before;
        const char *now = check->machine->alignment, *foreign = before->foreign;
        size_t n = strlen(now), m = strlen(foreign);
        bool had_ours = strlen(before->alignment) > m;
        bool may_have_ours = had_ours || check->course->has_entries || some_ended(check, "verified") ||
                             (some_ended(check, "failed") && is_faulted(check));

        if (n < m || strcmp(now + n - m, foreign) != 0) {
                /* "ours;" without anything behind loses its separator. */
                problem(check, "resource_alignment was \"%.60s\" and is \"%.100s\"", foreign, now);
                return;
        }
        if (strcmp(before->scope, "none") == 0 && strcmp(now, before->alignment) != 0)
                problem(check, "nothing was to be removed, but resource_alignment is \"%.100s\"", now);
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
                check_pages(&check, machine->functions[i], &before->functions[i]);
        check_alignment(&check);
        if (all_ended(&check, "stale") && machine->n_changes > 0 && !is_faulted(&check))
                problem(&check, "the outcome is stale, but %lu writes reached sysfs", machine->n_changes);
        if (run_find(machine, "run/vfio-realign/transaction.json"))
                problem(&check, "the journal is still there");
        return check.n;
}
