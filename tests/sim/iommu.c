/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "iommu.h"

/* pci_acs_enabled(): a function alone in its slot cannot reach a neighbour behind the port's back. */
static bool has_acs(const Function *function)
{
        return function->acs || (function->express && !function->is_multi);
}

/* pci_acs_path_enabled(): up to the root bus. */
static bool has_acs_path(const Function *function)
{
        for (; function; function = function->bridge)
                if (!has_acs(function))
                        return false;
        return true;
}

/* pci_for_each_dma_alias(): requests from below a bridge to conventional PCI carry the bridge's own name. */
static const Function *last_alias(const Function *function)
{
        const Function *last = function;
        for (const Function *bridge = function->bridge; bridge; bridge = bridge->bridge)
                if (bridge->conventional)
                        last = bridge;
        return last;
}

static int group_of_aliases(const Function *function)
{
        for (const Function *bridge = function->bridge; bridge; bridge = bridge->bridge)
                if (bridge->conventional && bridge->group != NONE)
                        return bridge->group;
        return NONE;
}

/* The last bridge above whose ports let functions reach each other; the function itself if there is none. */
static const Function *last_without_acs(const Function *function)
{
        const Function *last = function;
        for (const Function *bridge = function->bridge; bridge && !has_acs_path(bridge);
             bridge = bridge->bridge) {
                last = bridge;
                if (bridge->group != NONE)
                        break;
        }
        return last;
}

static bool is_beside(const Function *other, const Function *function)
{
        return other != function && other->present && other->host == function->host &&
               other->address.bus == function->address.bus &&
               other->address.device == function->address.device;
}

/* get_pci_function_alias_group(): the others of the slot, in the order in which the kernel came to know them. */
static int group_of_slot(const Machine *machine, const Function *function)
{
        const Function *first = NULL;

        if (!function->is_multi || has_acs(function))
                return NONE;
        for (size_t i = 0; i < machine->n_functions; i++) {
                const Function *other = machine->functions[i];
                if (is_beside(other, function) && !has_acs(other) && other->group != NONE &&
                    (!first || other->birth < first->birth))
                        first = other;
        }
        return first ? first->group : NONE;
}

int iommu_group_of(const Machine *machine, const Function *function)
{
        int group = group_of_aliases(function);
        if (group != NONE)
                return group;
        const Function *top = last_without_acs(last_alias(function));
        return top != function && top->group != NONE ? top->group : group_of_slot(machine, top);
}
