/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/machine.h"

#include <errno.h>
#include <string.h>

#define NAME_SHOWN 40 /* of a name that may be of any length */

Machine *machine_free(Machine *machine)
{
        if (!machine)
                return NULL;
        verdict_free(machine->verdicts);
        iomem_free(machine->iomem);
        topology_free(machine->topology);
        free(machine);
        return NULL;
}

ClientExit machine_read(const ClientContext *context, Machine **ret)
{
        _cleanup_free_ char *problem = NULL;
        _cleanup_(machine_freep) Machine *machine = calloc(1, sizeof(*machine));
        if (!machine)
                return client_error("out of memory");

        int r = topology_read(context->root, &machine->topology, &problem);
        if (r < 0 && problem)
                return client_error("%s", problem);
        if (r < 0)
                return client_error("the PCI functions cannot be read: %s", strerror(-r));
        r = iomem_read(context->root, &machine->iomem);
        if (r < 0)
                return client_error("/proc/iomem cannot be read: %s", strerror(-r));
        r = verdict_compute(machine->topology, machine->iomem, context->page, &machine->verdicts);
        if (r < 0)
                return client_error("the functions cannot be judged: %s", strerror(-r));
        *ret = TAKE_PTR(machine);
        return CLIENT_EXIT_FINE;
}

void machine_say_unseen(const Machine *machine)
{
        if (machine->iomem->visible)
                return;
        fflush(stdout);
        fputs("vfio-realign: /proc/iomem shows no addresses to this process: neighbours that are no PCI functions\n"
              "(interrupt controllers, timers, firmware) were not looked for. Run it as root to have them counted.\n",
              stderr);
}

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

static ClientExit parse_address(const char *name, PciAddress *ret)
{
        if (pci_address_parse_loose(name, ret) >= 0)
                return CLIENT_EXIT_FINE;
        (void) client_error("\"%.*s%s\" is no address of a function, expected one such as 0000:03:00.0",
                            NAME_SHOWN, name, strlen(name) > NAME_SHOWN ? "…" : "");
        return CLIENT_EXIT_USAGE;
}

static ClientExit select_one(const Machine *machine, const char *name, Selection *selection)
{
        PciAddress address;
        ClientExit status = parse_address(name, &address);
        if (status != CLIENT_EXIT_FINE)
                return status;
        const PciFunction *function = topology_find(machine->topology, address);
        return function ? selection_add(selection, function)
                        : client_error("%s: %s; %s", PCI_ADDRESS_TEXT(address),
                                       reason_text(REASON_NOT_FOUND), reason_remedy(REASON_NOT_FOUND));
}

ClientExit machine_select(const Machine *machine, size_t n, char *const *names, Selection *selection)
{
        ClientExit worst = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++)
                worst = client_exit_worse(worst, select_one(machine, names[i], selection));
        return worst;
}

/* NAME is a bus when it becomes a function's address by adding device and function. */
static bool parse_bus(const char *name, PciAddress *ret)
{
        char address[PCI_ADDRESS_TEXT_MAX];
        int n = snprintf(address, sizeof(address), "%s:00.0", name);
        return n < (int) sizeof(address) && pci_address_parse_loose(address, ret) >= 0;
}

static ClientExit select_bus(const Machine *machine, PciAddress bus, Selection *selection)
{
        char name[PCI_ADDRESS_TEXT_MAX];
        bool found = false;

        for (size_t i = 0; i < machine->topology->n_functions; i++) {
                const PciFunction *function = &machine->topology->functions[i];
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

ClientExit machine_select_with_buses(const Machine *machine, size_t n, char *const *names,
                                     Selection *selection)
{
        ClientExit worst = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++) {
                PciAddress bus;
                ClientExit status = parse_bus(names[i], &bus) ? select_bus(machine, bus, selection)
                                                              : select_one(machine, names[i], selection);
                worst = client_exit_worse(worst, status);
        }
        return worst;
}

ClientExit machine_select_on_vfio(const Machine *machine, Selection *selection)
{
        for (size_t i = 0; i < machine->topology->n_functions; i++) {
                const PciFunction *function = &machine->topology->functions[i];
                ClientExit status =
                                function->on_vfio ? selection_add(selection, function) : CLIENT_EXIT_FINE;
                if (status != CLIENT_EXIT_FINE)
                        return status;
        }
        return CLIENT_EXIT_FINE;
}

ClientExit machine_parse_addresses(size_t n, char *const *names, PciAddress *ret_addresses)
{
        ClientExit worst = CLIENT_EXIT_FINE;
        for (size_t i = 0; i < n; i++)
                worst = client_exit_worse(worst, parse_address(names[i], &ret_addresses[i]));
        return worst;
}

ClientExit machine_exit_status(FunctionVerdict verdict)
{
        switch (verdict) {
        case FUNCTION_NEEDS_REALIGN:
                return CLIENT_EXIT_NEEDS_REALIGN;
        case FUNCTION_CANNOT:
                return CLIENT_EXIT_CANNOT;
        case FUNCTION_OK:
                break;
        }
        return CLIENT_EXIT_FINE;
}
