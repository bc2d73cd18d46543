/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/daemon-facts.h"

#include "base/text.h"
#include "client/document.h"

#include <errno.h>
#include <string.h>

static void function_clear(DaemonFunction *function)
{
        free(function->driver);
        free(function->verdict);
        free(function->state);
        free(function->reason);
        free(function->detail);
        free(function->bars);
        json_object_put(function->bars_document);
        free(function->last);
}

DaemonFacts *daemon_facts_free(DaemonFacts *facts)
{
        if (!facts)
                return NULL;
        for (size_t i = 0; i < facts->n_functions; i++)
                function_clear(&facts->functions[i]);
        free(facts->functions);
        free(facts->status);
        free(facts);
        return NULL;
}

const DaemonFunction *daemon_facts_of(const DaemonFacts *facts, PciAddress address)
{
        for (size_t i = 0; facts && i < facts->n_functions; i++)
                if (pci_address_equal(facts->functions[i].address, address))
                        return &facts->functions[i];
        return NULL;
}

static bool is_among(PciAddress address, const PciAddress *addresses, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (pci_address_equal(address, addresses[i]))
                        return true;
        return false;
}

void daemon_facts_keep(DaemonFacts *facts, const PciAddress *addresses, size_t n)
{
        size_t n_kept = 0;
        for (size_t i = 0; i < facts->n_functions; i++)
                if (is_among(facts->functions[i].address, addresses, n))
                        facts->functions[n_kept++] = facts->functions[i];
                else
                        function_clear(&facts->functions[i]);
        facts->n_functions = n_kept;
}

/* --- the properties */

static int read_text(sd_bus_message *message, char **text)
{
        const char *value;
        int r = sd_bus_message_read(message, "v", "s", &value);
        if (r < 0)
                return r;
        return text_replace(text, "%s", value) ? 0 : -ENOMEM;
}

static int read_address(sd_bus_message *message, PciAddress *ret)
{
        const char *value;
        int r = sd_bus_message_read(message, "v", "s", &value);
        return r < 0 ? r : pci_address_parse(value, ret);
}

/* Reads "as" into a list, and the first of it with the number of the others into words. */
static int read_neighbours(sd_bus_message *message, JsonObject *bar, char **words)
{
        _cleanup_json_ JsonObject *list = json_object_new_array();
        const char *neighbour;
        unsigned n = 0;

        int r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(message, "s", &neighbour)) > 0) {
                r = list ? json_append(list, json_object_new_string(neighbour)) : -ENOMEM;
                if (n++ == 0)
                        text_replace(words, " %s", neighbour);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r >= 0 && n > 1)
                text_replace(words, "%s +%u", *words ? *words : "", n - 1);
        return r < 0 ? r : json_add(bar, "neighbours", TAKE_PTR(list));
}

/* (BAR, verdict, start, size, own size or 0, neighbours) */
static int read_bar(sd_bus_message *message, DaemonFunction *function)
{
        const char *verdict;
        char size_text[TEXT_BYTES_MAX], own_text[TEXT_BYTES_MAX];
        _cleanup_free_ char *neighbours = NULL, *by_itself = NULL;
        _cleanup_json_ JsonObject *bar = json_object_new_object();
        uint32_t line;
        uint64_t start, size, own;

        int r = sd_bus_message_read(message, "usttt", &line, &verdict, &start, &size, &own);
        if (r < 0)
                return r;
        if (!bar || json_add_u64(bar, "bar", line) < 0 || document_add_address(bar, "start", start) < 0 ||
            json_add_u64(bar, "size", size) < 0 ||
            json_add_u64(bar, "own-size", own != 0 ? own : size) < 0 ||
            json_add_text(bar, "verdict", verdict) < 0)
                return -ENOMEM;
        r = read_neighbours(message, bar, &neighbours);
        if (r < 0)
                return r;
        if (own != 0)
                by_itself = text_format(" (by itself %s)", text_from_bytes(own, own_text));
        if (!text_replace(&function->bars, "%s%s%u:%s%s %s%s", function->bars, *function->bars ? "\n" : "",
                          line, text_from_bytes(size, size_text), by_itself ? by_itself : "", verdict,
                          neighbours ? neighbours : ""))
                return -ENOMEM;
        return json_append(function->bars_document, TAKE_PTR(bar));
}

static int read_bars(sd_bus_message *message, DaemonFunction *function)
{
        json_object_put(function->bars_document);
        function->bars_document = json_object_new_array();
        if (!function->bars_document || !text_replace(&function->bars, "%s", ""))
                return -ENOMEM;
        int r = sd_bus_message_enter_container(message, 'v', "a(ustttas)");
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(ustttas)");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'r', "ustttas")) > 0) {
                r = read_bar(message, function);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_last(sd_bus_message *message, char **text)
{
        const char *id, *outcome, *reason;
        uint64_t when;
        int r = sd_bus_message_read(message, "v", "(ssst)", &id, &outcome, &reason, &when);
        if (r < 0)
                return r;
        return text_replace(text, "%s%s%s", outcome, *id ? " " : "", id) ? 0 : -ENOMEM;
}

static int read_property(sd_bus_message *message, const char *name, DaemonFunction *function)
{
        const struct {
                const char *name;
                char **text;
        } texts[] = {
                { "Driver", &function->driver }, { "Verdict", &function->verdict },
                { "State", &function->state },   { "Reason", &function->reason },
                { "Detail", &function->detail },
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (strcmp(texts[i].name, name) == 0)
                        return read_text(message, texts[i].text);
        if (strcmp(name, "Address") == 0)
                return read_address(message, &function->address);
        if (strcmp(name, "IOMMUGroup") == 0)
                return sd_bus_message_read(message, "v", "i", &function->group);
        if (strcmp(name, "BARs") == 0)
                return read_bars(message, function);
        if (strcmp(name, "LastTransaction") == 0)
                return read_last(message, &function->last);
        return sd_bus_message_skip(message, "v");
}

static int read_properties(sd_bus_message *message, DaemonFunction *function)
{
        int r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *name;
                r = sd_bus_message_read(message, "s", &name);
                if (r >= 0)
                        r = read_property(message, name, function);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* --- the objects */

static bool is_complete(const DaemonFunction *function)
{
        return function->driver && function->verdict && function->state && function->reason &&
               function->detail && function->bars && function->last;
}

static int add_function(DaemonFacts *facts, DaemonFunction *function)
{
        if (!is_complete(function))
                return -EBADMSG;
        DaemonFunction *more = reallocarray(facts->functions, facts->n_functions + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        more[facts->n_functions++] = *function;
        facts->functions = more;
        *function = (DaemonFunction){ 0 };
        return 0;
}

/* The interfaces of one object. */
static int read_object(sd_bus_message *message, DaemonFacts *facts)
{
        int r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                _cleanup_(function_clear) DaemonFunction function = { 0 };
                const char *interface;
                r = sd_bus_message_read(message, "s", &interface);
                if (r >= 0 && strcmp(interface, BUS_FUNCTION) == 0) {
                        r = read_properties(message, &function);
                        if (r >= 0)
                                r = add_function(facts, &function);
                } else if (r >= 0)
                        r = sd_bus_message_skip(message, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_objects(sd_bus_message *message, DaemonFacts *facts)
{
        int r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
                r = sd_bus_message_skip(message, "o");
                if (r >= 0)
                        r = read_object(message, facts);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int compare_functions(const void *a, const void *b)
{
        return pci_address_compare(((const DaemonFunction *) a)->address,
                                   ((const DaemonFunction *) b)->address);
}

int daemon_facts_read(sd_bus *bus, DaemonFacts **ret, sd_bus_error *error)
{
        _cleanup_(daemon_facts_freep) DaemonFacts *facts = calloc(1, sizeof(*facts));
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        if (!facts)
                return -ENOMEM;

        int r = sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_MANAGER, "Status", error,
                                           &facts->status);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH,
                                                   "org.freedesktop.DBus.ObjectManager",
                                                   "GetManagedObjects");
        if (r >= 0)
                r = sd_bus_call(bus, call, BUS_QUICK_USEC, error, &reply);
        if (r >= 0)
                r = read_objects(reply, facts);
        if (r < 0)
                return r;
        if (facts->n_functions > 0)
                qsort(facts->functions, facts->n_functions, sizeof(*facts->functions), compare_functions);
        *ret = TAKE_PTR(facts);
        return 0;
}
