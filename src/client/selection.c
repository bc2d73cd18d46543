/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/selection.h"

#include "base/reason.h"
#include "base/text.h"
#include "client/daemon-facts.h"

#include <fnmatch.h>
#include <string.h>

#define NAME_SHOWN 40u /* of a name that may be of any length */

void selection_clear(Selection *selection)
{
        free(selection->functions);
        *selection = (Selection){ 0 };
}

ClientExit selection_add(Selection *selection, const PciFunction *function)
{
        for (size_t i = 0; i < selection->n_functions; i++)
                if (selection->functions[i] == function)
                        return CLIENT_EXIT_FINE;
        const PciFunction **more = reallocarray((void *) selection->functions, selection->n_functions + 1,
                                                sizeof(const PciFunction *));
        if (!more)
                return client_error("out of memory");
        more[selection->n_functions++] = function;
        selection->functions = more;
        return CLIENT_EXIT_FINE;
}

/* Says that NAME, of which only the beginning is shown, is WHAT. */
static ClientExit complain(ClientExit status, const char *name, const char *what)
{
        _cleanup_free_ char *shown = strndup(name, NAME_SHOWN);
        if (!shown)
                return client_error("out of memory");
        text_make_printable(shown);
        (void) client_error("\"%s%s\" %s", shown, strlen(name) > NAME_SHOWN ? "…" : "", what);
        return status;
}

ClientExit selection_parse_address(const char *name, PciAddress *ret)
{
        if (pci_address_parse_loose(name, ret) >= 0)
                return CLIENT_EXIT_FINE;
        return complain(CLIENT_EXIT_USAGE, name,
                        "is no address of a function, expected one such as 0000:03:00.0");
}

/* One that is longer than any address can only have been meant for something else. */
bool selection_is_pattern(const char *name)
{
        return strlen(name) <= NAME_SHOWN && strpbrk(name, "*?[");
}

bool selection_pattern_matches(const char *pattern, PciAddress address)
{
        const char *text = PCI_ADDRESS_TEXT(address);
        return fnmatch(pattern, text, 0) == 0 ||
               (address.domain == 0 && fnmatch(pattern, strchr(text, ':') + 1, 0) == 0);
}

static ClientExit add_pattern(Selection *selection, const Topology *topology, const char *pattern)
{
        bool found = false;
        for (size_t i = 0; i < topology->n_functions; i++) {
                if (!selection_pattern_matches(pattern, topology->functions[i].address))
                        continue;
                found = true;
                ClientExit status = selection_add(selection, &topology->functions[i]);
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return found ? CLIENT_EXIT_FINE
                     : complain(CLIENT_EXIT_ERROR, pattern,
                                "matches no function of this machine; look them up with \"lspci -D\"");
}

static ClientExit add_one(Selection *selection, const Topology *topology, const char *name)
{
        PciAddress address;
        if (selection_is_pattern(name))
                return add_pattern(selection, topology, name);
        ClientExit status = selection_parse_address(name, &address);
        if (status != CLIENT_EXIT_FINE)
                return status;
        const PciFunction *function = topology_find(topology, address);
        return function ? selection_add(selection, function)
                        : client_error("%s: %s; %s", PCI_ADDRESS_TEXT(address),
                                       reason_text(REASON_NOT_FOUND), reason_remedy(REASON_NOT_FOUND));
}

ClientExit selection_add_named(Selection *selection, const Topology *topology, size_t n, char *const *names)
{
        ClientExit worst = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++)
                worst = client_exit_worse(worst, add_one(selection, topology, names[i]));
        return worst;
}

/* NAME is a bus when it becomes a function's address by adding device and function. */
static bool parse_bus(const char *name, PciAddress *ret)
{
        char address[PCI_ADDRESS_TEXT_MAX];
        int n = snprintf(address, sizeof(address), "%s:00.0", name);
        return n < (int) sizeof(address) && pci_address_parse_loose(address, ret) >= 0;
}

static ClientExit add_bus(Selection *selection, const Topology *topology, PciAddress bus)
{
        char name[PCI_ADDRESS_TEXT_MAX];
        bool found = false;

        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (function->address.domain != bus.domain || function->address.bus != bus.bus)
                        continue;
                found = true;
                ClientExit status = selection_add(selection, function);
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return found ? CLIENT_EXIT_FINE
                     : client_error("no function is on bus %s", pci_address_format_bus(bus, name));
}

ClientExit selection_add_named_with_buses(Selection *selection, const Topology *topology, size_t n,
                                          char *const *names)
{
        ClientExit worst = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++) {
                PciAddress bus;
                ClientExit status = parse_bus(names[i], &bus) ? add_bus(selection, topology, bus)
                                                              : add_one(selection, topology, names[i]);
                worst = client_exit_worse(worst, status);
        }
        return worst;
}

ClientExit selection_add_on_vfio(Selection *selection, const Topology *topology)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                ClientExit status =
                                function->on_vfio ? selection_add(selection, function) : CLIENT_EXIT_FINE;
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return CLIENT_EXIT_FINE;
}

/* Appends ADDRESS to the list unless it is there. */
static ClientExit append_address(PciAddress **list, size_t *n, PciAddress address)
{
        for (size_t i = 0; i < *n; i++)
                if (pci_address_equal((*list)[i], address))
                        return CLIENT_EXIT_FINE;
        PciAddress *more = reallocarray(*list, *n + 1, sizeof(*more));
        if (!more)
                return client_error("out of memory");
        more[(*n)++] = address;
        *list = more;
        return CLIENT_EXIT_FINE;
}

static ClientExit append_pattern(const Topology *topology, const char *pattern, PciAddress **list, size_t *n)
{
        _cleanup_(selection_clear) Selection selection = { 0 };
        ClientExit status = add_pattern(&selection, topology, pattern);
        for (size_t i = 0; i < selection.n_functions && status == CLIENT_EXIT_FINE; i++)
                status = append_address(list, n, selection.functions[i]->address);
        return status;
}

static ClientExit read_facts(const ClientContext *context, DaemonFacts **ret)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        ClientExit status = bus_client_open(context, &bus);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = daemon_facts_read(bus, ret, &error);
        return r < 0 ? bus_client_complain(context, &error, r) : CLIENT_EXIT_FINE;
}

/* Of another machine there are the functions that its daemon knows: those on VFIO drivers. */
static ClientExit append_remote(const DaemonFacts *facts, const char *pattern, PciAddress **list, size_t *n)
{
        bool found = false;
        for (size_t i = 0; i < facts->n_functions; i++) {
                if (!selection_pattern_matches(pattern, facts->functions[i].address))
                        continue;
                found = true;
                ClientExit status = append_address(list, n, facts->functions[i].address);
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return found ? CLIENT_EXIT_FINE
                     : complain(CLIENT_EXIT_ERROR, pattern,
                                "matches no function on a VFIO driver there; see \"vfio-realign status -H\"");
}

ClientExit selection_parse_addresses(const ClientContext *context, size_t n, char *const *names,
                                     PciAddress **ret, size_t *ret_n)
{
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_(daemon_facts_freep) DaemonFacts *facts = NULL;
        _cleanup_free_ PciAddress *list = NULL;
        ClientExit worst = CLIENT_EXIT_FINE;
        size_t n_list = 0;

        for (size_t i = 0; i < n; i++) {
                PciAddress address;
                ClientExit status = CLIENT_EXIT_FINE;
                if (selection_is_pattern(names[i]) && context->host) {
                        if (!facts)
                                status = read_facts(context, &facts);
                        if (status != CLIENT_EXIT_FINE)
                                return status;
                        status = append_remote(facts, names[i], &list, &n_list);
                } else if (selection_is_pattern(names[i])) {
                        if (!topology)
                                status = client_read_topology(context, &topology);
                        if (status == CLIENT_EXIT_FINE)
                                status = append_pattern(topology, names[i], &list, &n_list);
                } else {
                        status = selection_parse_address(names[i], &address);
                        if (status == CLIENT_EXIT_FINE)
                                status = append_address(&list, &n_list, address);
                }
                worst = client_exit_worse(worst, status);
        }
        if (worst != CLIENT_EXIT_FINE)
                return worst;
        *ret = TAKE_PTR(list);
        *ret_n = n_list;
        return CLIENT_EXIT_FINE;
}
