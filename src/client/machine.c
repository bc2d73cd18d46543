/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/machine.h"

#include <errno.h>
#include <string.h>

Machine *machine_free(Machine *machine)
{
        if (!machine)
                return NULL;
        page_index_free(machine->pages);
        verdict_free(machine->verdicts);
        grown_free(machine->grown);
        iomem_free(machine->iomem);
        topology_free(machine->topology);
        free(machine);
        return NULL;
}

/* What BARs had before they were grown is only lost when it cannot be read. */
static ClientExit read_grown(const ClientContext *context, Machine *machine)
{
        _cleanup_free_ char *problem = NULL;
        int r = grown_load(context->root, &machine->grown, &problem);
        if (r == 0 && !problem)
                return CLIENT_EXIT_FINE;
        if (r == -ENOMEM || (r < 0 && grown_new(&machine->grown) < 0))
                return client_error("out of memory");
        fprintf(stderr, "vfio-realign: %s: the BARs' sizes of before are not known\n",
                problem ? problem : "/" GROWN_PATH " cannot be read");
        return CLIENT_EXIT_FINE;
}

ClientExit machine_read(const ClientContext *context, Machine **ret)
{
        _cleanup_(machine_freep) Machine *machine = calloc(1, sizeof(*machine));
        if (!machine)
                return client_error("out of memory");

        ClientExit status = client_read_topology(context, &machine->topology);
        if (status != CLIENT_EXIT_FINE)
                return status;
        int r = iomem_read(context->root, &machine->iomem);
        if (r < 0)
                return client_error("/proc/iomem cannot be read: %s", strerror(-r));
        r = verdict_compute(machine->topology, machine->iomem, context->page, &machine->verdicts);
        if (r == 0)
                r = page_index_make(machine->topology, machine->iomem, context->page, &machine->pages);
        if (r < 0)
                return client_error("the functions cannot be judged: %s", strerror(-r));
        status = read_grown(context, machine);
        if (status == CLIENT_EXIT_FINE)
                *ret = TAKE_PTR(machine);
        return status;
}

ClientExit machine_sizes_before(const Machine *machine, const PciFunction *function, OwnSizes *ret)
{
        return grown_sizes_before(machine->grown, function, ret) < 0 ? client_error("out of memory")
                                                                     : CLIENT_EXIT_FINE;
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
