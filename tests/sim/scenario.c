/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "scenario.h"

#include "base/text.h"
#include "driver-core.h"
#include "tree.h"
#include "vfio-core.h"

#include <string.h>
#include <strings.h>

#define WORDS_MAX 40
#define SLOW_UDEV_USEC 20000u
#define PATIENT_SCAN_USEC 20000000u /* more than a listener needs that works at all */

/* A statement that is being read. */
typedef struct Statement {
        Scenario *scenario;
        Machine *machine;
        char *words[WORDS_MAX];
        size_t n_words;
        const char *rest; /* of the line, behind the first word */
} Statement;

static bool parse_hex(const char *text, uint64_t max, uint64_t *ret)
{
        return text_to_u64(text, 16, max, ret) == 0;
}

/* "0xe0000000-0xfebfffff" */
static bool parse_range(const char *text, uint64_t *ret_start, uint64_t *ret_end)
{
        unsigned long long start, end;
        if (sscanf(text, "%llx-%llx", &start, &end) != 2 || end < start)
                return false;
        *ret_start = start;
        *ret_end = end;
        return true;
}

/* The value of KEY in the statement's words ("key=value"); NULL. */
static const char *value_of(const Statement *statement, const char *key)
{
        size_t size = strlen(key);
        for (size_t i = 1; i < statement->n_words; i++)
                if (strncmp(statement->words[i], key, size) == 0 && statement->words[i][size] == '=')
                        return statement->words[i] + size + 1;
        return NULL;
}

static bool has_word(const Statement *statement, const char *word)
{
        for (size_t i = 1; i < statement->n_words; i++)
                if (strcmp(statement->words[i], word) == 0)
                        return true;
        return false;
}

static void copy(char *to, size_t size, const char *value)
{
        if (value)
                snprintf(to, size, "%s", value);
}

/* --- kernel, host, reserve --- */

static bool parse_kernel(Statement *s)
{
        KernelOptions *options = &s->machine->options;
        const char *page = value_of(s, "page");
        bool new_one = has_word(s, "7.3");

        options->floor = !new_one;
        options->optional_roms = new_one;
        options->async = has_word(s, "async");
        options->probe_only = has_word(s, "probe-only");
        options->lose_race = has_word(s, "lose-race");
        if (has_word(s, "patient"))
                options->scan_usec = PATIENT_SCAN_USEC;
        options->udev = !has_word(s, "no-udev");
        options->udev_usec = has_word(s, "slow-udev") ? SLOW_UDEV_USEC : 0;
        options->iommu = has_word(s, "iommu");
        return (new_one || has_word(s, "6.1")) && (!page || text_to_bytes(page, &options->page) == 0);
}

/* "A-B,C-D" */
static bool add_windows(Host *host, const char *ranges, uint64_t flags)
{
        for (; ranges; ranges = strchr(ranges, ',') ? strchr(ranges, ',') + 1 : NULL) {
                Resource *window = &host->windows[host->n_windows];
                if (host->n_windows == ELEMENTSOF(host->windows) ||
                    !parse_range(ranges, &window->start, &window->end))
                        return false;
                window->flags = flags;
                host->n_windows++;
        }
        return true;
}

static bool parse_host(Statement *s)
{
        unsigned domain, bus;
        if (s->machine->n_hosts == HOSTS_MAX || s->n_words < 2 ||
            sscanf(s->words[1], "%x:%x", &domain, &bus) != 2)
                return false;
        Host *host = &s->machine->hosts[s->machine->n_hosts++];
        *host = (Host){ .bus = { .domain = domain, .bus = (uint8_t) bus } };
        return add_windows(host, value_of(s, "io"), FLAG_IO) &&
               add_windows(host, value_of(s, "mem"), FLAG_MEMORY) &&
               add_windows(host, value_of(s, "high"), FLAG_MEMORY | FLAG_64);
}

static bool parse_reserve(Statement *s)
{
        Machine *machine = s->machine;
        if (machine->n_reserved == ELEMENTSOF(machine->reserved) || s->n_words < 2)
                return false;
        Reserved *reserved = &machine->reserved[machine->n_reserved++];
        const char *during = value_of(s, "during");
        uint64_t value = 0;
        reserved->range.flags = has_word(s, "io") ? FLAG_IO : FLAG_MEMORY;
        if (during && text_to_u64(during, 10, UINT16_MAX, &value) < 0)
                return false;
        reserved->during = (unsigned) value;
        return parse_range(s->words[s->n_words - 1], &reserved->range.start, &reserved->range.end);
}

/* --- functions --- */

/* "mem:256", "io:256", "mem64:16K", "pref:1M", "fixed:256@fed00000" */
static bool parse_bar(const char *text, Bar *ret)
{
        static const struct {
                const char *name;
                uint64_t flags;
        } kinds[] = {
                { "mem", FLAG_MEMORY },
                { "io", FLAG_IO | 1 },
                { "mem64", FLAG_MEMORY | FLAG_64 | 4 },
                { "pref", FLAG_MEMORY | FLAG_64 | FLAG_PREFETCH | 0xc },
                { "fixed", FLAG_MEMORY },
        };
        char kind[8], size[24];
        unsigned long long fixed = 0;

        if (sscanf(text, "%7[a-z0-9]:%23[0-9KMG]@%llx", kind, size, &fixed) < 2 ||
            text_to_bytes(size, &ret->size) < 0)
                return false;
        ret->fixed = fixed;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i].name, kind) == 0) {
                        ret->flags = kinds[i].flags;
                        return true;
                }
        return false;
}

static bool parse_ids(const char *text, Function *function)
{
        unsigned vendor, device, subvendor = 0, subdevice = 0;
        if (sscanf(text, "%x:%x:%x:%x", &vendor, &device, &subvendor, &subdevice) < 2)
                return false;
        function->vendor = (uint16_t) vendor;
        function->device = (uint16_t) device;
        function->subvendor = (uint16_t) subvendor;
        function->subdevice = (uint16_t) subdevice;
        return true;
}

static bool parse_late_ids(const char *text, Function *function)
{
        unsigned vendor, device;
        if (sscanf(text, "%x:%x", &vendor, &device) != 2)
                return false;
        function->late_vendor = (uint16_t) vendor;
        function->late_device = (uint16_t) device;
        return true;
}

static bool parse_bars(const Statement *s, Function *function)
{
        char key[8];
        const char *rom = value_of(s, "rom");

        for (unsigned i = 0; i < BARS; i++) {
                snprintf(key, sizeof(key), "bar%u", i);
                const char *bar = value_of(s, key);
                if (bar && !parse_bar(bar, &function->bars[i]))
                        return false;
        }
        function->bars[ROM].flags = FLAG_MEMORY | 0x6000;
        return !rom || text_to_bytes(rom, &function->bars[ROM].size) == 0;
}

static bool parse_common(const Statement *s, Function *function)
{
        const char *ids = value_of(s, "id"), *late = value_of(s, "late-id"), *class = value_of(s, "class");
        uint64_t value;

        if ((ids && !parse_ids(ids, function)) || (late && !parse_late_ids(late, function)))
                return false;
        if (class) {
                if (!parse_hex(class, 0xffffff, &value))
                        return false;
                function->class = (uint32_t) value;
        }
        copy(function->boot_driver, sizeof(function->boot_driver), value_of(s, "driver"));
        copy(function->group_key, sizeof(function->group_key), value_of(s, "group"));
        copy(function->refuses, sizeof(function->refuses), value_of(s, "refuses"));
        s->scenario->has_own_error |= *function->refuses != '\0';
        copy(function->late_key, sizeof(function->late_key), value_of(s, "late-group"));
        copy(function->group_type, sizeof(function->group_type), value_of(s, "group-type"));
        copy(function->boot_attributes[ATTRIBUTE_OVERRIDE], VALUE_MAX, value_of(s, "override"));
        for (int i = 0; i < ATTRIBUTES; i++)
                copy(function->boot_attributes[i], VALUE_MAX, value_of(s, attribute_name((Attribute) i)));
        function->vanishes = has_word(s, "vanishes");
        function->unplugged = has_word(s, "unplugged");
        function->external = has_word(s, "external");
        function->multi_bit = has_word(s, "multi");
        function->express = has_word(s, "express");
        function->acs = has_word(s, "acs");
        function->conventional = has_word(s, "conventional");
        s->scenario->has_own_error |= function->vanishes || function->unplugged || function->late_vendor;
        return parse_bars(s, function);
}

static Function *add_function(const Statement *s)
{
        PciAddress address;
        if (s->n_words < 2 || pci_address_parse(s->words[1], &address) < 0)
                return NULL;
        return machine_add(s->machine, address);
}

static bool parse_function(Statement *s)
{
        Function *function = add_function(s);
        if (!function)
                return false;
        function->class = 0x020000;
        function->vendor = 0x10ec;
        function->device = 0x8139;
        return parse_common(s, function);
}

static bool parse_size(const char *text, uint64_t *ret)
{
        return !text || text_to_bytes(text, ret) == 0;
}

static bool parse_bridge(Statement *s)
{
        Function *bridge = add_function(s);
        const char *secondary = value_of(s, "secondary");
        uint64_t bus;

        if (!bridge || !secondary || !parse_hex(secondary, 0xff, &bus))
                return false;
        bridge->is_bridge = true;
        bridge->class = 0x060400;
        bridge->vendor = 0x1b36;
        bridge->device = 0x000c;
        bridge->secondary = (uint8_t) bus;
        bridge->hotplug = has_word(s, "hotplug");
        return parse_common(s, bridge) &&
               parse_size(value_of(s, "window"), &bridge->window_size[WINDOW_MEMORY]) &&
               parse_size(value_of(s, "io-window"), &bridge->window_size[WINDOW_IO]) &&
               parse_size(value_of(s, "pref-window"), &bridge->window_size[WINDOW_PREFETCH]);
}

/* A line of `resource` at boot; what it is of is a BAR, ROM or window of that size. */
static bool parse_line_statement(Statement *s)
{
        PciAddress address;
        unsigned long long line, start, end, flags;

        if (s->n_words < 2 || pci_address_parse(s->words[1], &address) < 0 ||
            sscanf(s->rest, "%*s %llu %llx %llx %llx", &line, &start, &end, &flags) != 4 || line >= LINES)
                return false;
        Function *function = machine_find(s->machine, address);
        if (!function)
                return false;
        uint64_t size = end - start + 1;
        function->recorded[line] = (Resource){ start, end, flags, size };
        if (line <= ROM)
                function->bars[line] = (Bar){ size, flags & ~FLAG_SIZEALIGN, 0 };
        else if (line >= FIRST_WINDOW)
                function->window_size[line - FIRST_WINDOW] = size;
        return true;
}

/* --- drivers and users --- */

static bool parse_driver(Statement *s)
{
        const char *ids = value_of(s, "id"), *class = value_of(s, "class");
        unsigned vendor = 0xffff, device = 0xffff;
        uint64_t value = 0;

        if (s->machine->n_drivers == DRIVERS_MAX || s->n_words < 2)
                return false;
        Driver *driver = &s->machine->drivers[s->machine->n_drivers++];
        *driver = (Driver){
                .vfio = has_word(s, "vfio"),
                .port = has_word(s, "port"),
                .async = has_word(s, "async"),
                .slow = has_word(s, "slow"),
                .fails = has_word(s, "fails"),
                .fails_once = has_word(s, "fails-once"),
                .late = has_word(s, "late"),
                .at_unbind = has_word(s, "at-unbind"),
        };
        copy(driver->name, sizeof(driver->name), s->words[1]);
        if ((ids && sscanf(ids, "%x:%x", &vendor, &device) != 2) ||
            (class && !parse_hex(class, 0xffff, &value)))
                return false;
        if (ids || class) {
                driver->ids[0].vendor = vendor;
                driver->ids[0].device = device;
                driver->ids[0].class = (uint32_t) value << 8;
                driver->ids[0].class_mask = class ? 0xffff00 : 0;
                driver->n_ids = 1;
        }
        s->scenario->has_own_error |= driver->fails || driver->fails_once;
        return true;
}

static bool parse_number(const char *text, unsigned long *ret)
{
        uint64_t value;
        if (!text)
                return true;
        if (text_to_u64(text, 10, INT32_MAX, &value) < 0)
                return false;
        *ret = (unsigned long) value;
        return true;
}

static bool parse_user(Statement *s)
{
        static const char *const kinds[] = {
                "group", "cdev", "resource", "mapping", "invisible", "interface"
        };
        const char *kind = value_of(s, "kind"), *address = value_of(s, "function");
        unsigned long pid = 800 + s->machine->n_users;

        if (s->machine->n_users == USERS_MAX || s->n_words < 2)
                return false;
        User *user = &s->machine->users[s->machine->n_users++];
        *user = (User){ .group = NONE, .vfio = NONE, .is_late = has_word(s, "late") };
        copy(user->name, sizeof(user->name), s->words[1]);
        for (size_t i = 0; kind && i < ELEMENTSOF(kinds); i++)
                if (strcmp(kinds[i], kind) == 0)
                        user->kind = (UserKind) i;
        if (!parse_number(value_of(s, "pid"), &pid) || !parse_number(value_of(s, "from"), &user->from) ||
            !parse_number(value_of(s, "until"), &user->until))
                return false;
        user->pid = (int) pid;
        return address && pci_address_parse(address, &user->function) == 0;
}

/* --- what is asked and expected --- */

static bool parse_addresses(const Statement *s, PciAddress *to, size_t *n, size_t max)
{
        for (size_t i = 1; i < s->n_words; i++)
                if (*n == max || pci_address_parse(s->words[i], &to[(*n)++]) < 0)
                        return false;
        return s->n_words > 1;
}

static bool parse_target(Statement *s)
{
        return parse_addresses(s, s->scenario->targets, &s->scenario->n_targets, TARGETS_MAX);
}

static bool parse_realigned(Statement *s)
{
        return parse_addresses(s, s->scenario->realigned, &s->scenario->n_realigned, TARGETS_MAX);
}

static bool parse_absent(Statement *s)
{
        return parse_addresses(s, s->scenario->absent, &s->scenario->n_absent,
                               ELEMENTSOF(s->scenario->absent));
}

static bool parse_alignment(Statement *s)
{
        copy(s->machine->alignment, sizeof(s->machine->alignment), s->rest);
        return true;
}

static bool parse_foreign(Statement *s)
{
        copy(s->scenario->foreign, sizeof(s->scenario->foreign), s->rest);
        return true;
}

static bool parse_place(Statement *s)
{
        s->scenario->placement = has_word(s, "spread")     ? PLACEMENT_SPREAD
                                 : has_word(s, "recorded") ? PLACEMENT_RECORDED
                                                           : PLACEMENT_PACKED;
        return has_word(s, "spread") || has_word(s, "recorded") || has_word(s, "packed");
}

static bool parse_config(Statement *s)
{
        size_t size = strlen(s->scenario->config);
        snprintf(s->scenario->config + size, sizeof(s->scenario->config) - size, "%s\n", s->rest);
        return true;
}

static bool parse_option(Statement *s)
{
        if (s->scenario->n_arguments == ELEMENTSOF(s->scenario->arguments))
                return false;
        copy(s->scenario->arguments[s->scenario->n_arguments++], sizeof(s->scenario->arguments[0]), s->rest);
        return true;
}

static bool parse_rung(Statement *s)
{
        copy(s->scenario->rung, sizeof(s->scenario->rung), s->rest);
        return true;
}

static bool parse_goal(Statement *s)
{
        copy(s->scenario->goal, sizeof(s->scenario->goal), s->rest);
        return s->n_words == 2;
}

static bool parse_expect(Statement *s)
{
        if (s->n_words < 2)
                return false;
        copy(s->scenario->expect, sizeof(s->scenario->expect), s->words[1]);
        /* What fails without a fault may fail with one. */
        s->scenario->has_own_error |= strcmp(s->words[1], "failed") == 0;
        copy(s->scenario->expect_reason, sizeof(s->scenario->expect_reason),
             s->n_words > 2 ? s->words[2] : "");
        return true;
}

static bool parse_check(Statement *s)
{
        Scenario *scenario = s->scenario;
        if (scenario->n_expect_texts == EXPECTATIONS_MAX)
                return false;
        copy(scenario->expect_texts[scenario->n_expect_texts++], sizeof(scenario->expect_texts[0]), s->rest);
        return true;
}

/* For `run`: which scenarios are struck, and whether with the daemon too. */
static bool parse_faults(Statement *s)
{
        return s->n_words < 2 || has_word(s, "daemon");
}

static bool parse_struck(Statement *s)
{
        copy(s->scenario->struck_write, sizeof(s->scenario->struck_write),
             s->n_words == 3 ? s->words[2] : "");
        return s->n_words == 3 && fault_parse(s->words[1], &s->scenario->struck);
}

static const struct {
        const char *word;
        bool (*parse)(Statement *statement);
} statements[] = {
        { "kernel", parse_kernel },       { "host", parse_host },           { "reserve", parse_reserve },
        { "bridge", parse_bridge },       { "function", parse_function },   { "driver", parse_driver },
        { "user", parse_user },           { "target", parse_target },       { "absent", parse_absent },
        { "place", parse_place },         { "alignment", parse_alignment }, { "config", parse_config },
        { "option", parse_option },       { "expect", parse_expect },       { "check", parse_check },
        { "faults", parse_faults },       { "rung", parse_rung },           { "goal", parse_goal },
        { "realigned", parse_realigned }, { "foreign", parse_foreign },     { "line", parse_line_statement },
        { "struck", parse_struck },
};

static bool parse_line(Statement *s, char *line)
{
        char *state;

        s->rest = "";
        size_t first = strcspn(line, " ");
        char *rest = strdup(line[first] ? line + first + 1 : "");
        if (!rest)
                return false;
        s->rest = rest;
        s->n_words = 0;
        for (char *word = strtok_r(line, " ", &state); word && s->n_words < WORDS_MAX;
             word = strtok_r(NULL, " ", &state))
                s->words[s->n_words++] = word;
        bool is_fine = false;
        for (size_t i = 0; s->n_words > 0 && i < ELEMENTSOF(statements); i++)
                if (strcmp(statements[i].word, s->words[0]) == 0)
                        is_fine = statements[i].parse(s);
        free(rest);
        return is_fine;
}

bool scenario_statement(Machine *machine, char *line)
{
        Scenario scenario = { .machine = machine };
        Statement statement = { .scenario = &scenario, .machine = machine };
        return parse_line(&statement, line);
}

bool scenario_parse(Scenario *scenario, const char *text, char problem[static 256])
{
        Statement statement = { .scenario = scenario, .machine = scenario->machine };
        _cleanup_free_ char *copy_of = strdup(text);
        unsigned n = 0;

        for (char *rest = copy_of, *line; (line = strsep(&rest, "\n"));) {
                _cleanup_free_ char *original = strdup(line);
                n++;
                line[strcspn(line, "#")] = '\0';
                while (*line && line[strlen(line) - 1] == ' ')
                        line[strlen(line) - 1] = '\0';
                if (*line && !parse_line(&statement, line)) {
                        snprintf(problem, 256, "%s: line %u: not understood: %s", scenario->name, n,
                                 original ? original : "");
                        return false;
                }
        }
        if (machine_link(scenario->machine))
                return true;
        snprintf(problem, 256, "%s: a function is on a bus that no bridge leads to", scenario->name);
        return false;
}

/* VFIO and the ports' driver are there whatever the scenario says; they register last and first. */
static void add_usual_drivers(Machine *machine)
{
        memmove(&machine->drivers[1], &machine->drivers[0],
                machine->n_drivers * sizeof(machine->drivers[0]));
        machine->drivers[0] = (Driver){ .name = "pcieport", .port = true, .n_ids = 1 };
        machine->drivers[0].ids[0].vendor = machine->drivers[0].ids[0].device = 0xffff;
        machine->drivers[0].ids[0].class = 0x060400;
        machine->drivers[0].ids[0].class_mask = 0xffff00;
        machine->n_drivers++;
        machine->drivers[machine->n_drivers++] = (Driver){ .name = "vfio-pci", .vfio = true };
}

bool scenario_boot(Scenario *scenario, char problem[static 256])
{
        Machine *machine = scenario->machine;

        add_usual_drivers(machine);
        pci_boot(machine, scenario->placement);
        machine->booting = true;
        for (size_t i = 0; i < scenario->n_absent; i++) {
                Function *function = machine_find(machine, scenario->absent[i]);
                if (function)
                        pci_remove(machine, function);
        }
        machine->booting = false;
        machine->n_violations = 0;
        return machine->binds_later || scenario_begin(scenario, problem);
}

bool scenario_begin(Scenario *scenario, char problem[static 256])
{
        Machine *machine = scenario->machine;

        if (machine->binds_later)
                pci_bind_vfio(machine);
        for (size_t i = 0; i < machine->n_users; i++)
                if (machine->users[i].from == 0)
                        user_try(machine, &machine->users[i]);
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *function = machine->functions[i];
                if (function->present && function->boot_driver[0] && !function->driver) {
                        snprintf(problem, 256, "%s: %s is not on driver %s", scenario->name,
                                 PCI_ADDRESS_TEXT(function->address), function->boot_driver);
                        return false;
                }
        }
        return true;
}
