/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/blast-radius.h"

#include "base/text.h"
#include "judge/verdict.h"

#include <errno.h>

/* The drivers that a bridge has on the host whatever is done with the functions below it. */
static const char *const port_drivers[] = { "pcieport", "shpchp" };

static unsigned depth_of(const PciFunction *function)
{
        unsigned depth = 0;
        for (const PciFunction *bridge = function->bridge; bridge; bridge = bridge->bridge)
                depth++;
        return depth;
}

static int compare_depth(const void *a, const void *b)
{
        const PciFunction *x = *(const PciFunction *const *) a, *y = *(const PciFunction *const *) b;
        unsigned depth_x = depth_of(x), depth_y = depth_of(y);
        if (depth_x != depth_y)
                return depth_x < depth_y ? -1 : 1;
        return pci_address_compare(x->address, y->address);
}

/* A function counts once, however many of the removed ones it is below. */
static int append(BlastRadius *radius, const PciFunction *function)
{
        for (size_t i = 0; i < radius->n_functions; i++)
                if (radius->functions[i] == function)
                        return 0;
        const PciFunction **more = reallocarray(radius->functions, radius->n_functions + 1,
                                                sizeof(radius->functions[0]));
        if (!more)
                return -ENOMEM;
        radius->functions = more;
        radius->functions[radius->n_functions++] = function;
        return 0;
}

int blast_radius_add(BlastRadius *radius, const Topology *topology, const PciFunction *removed)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (function != removed && !topology_is_below(function, removed))
                        continue;
                int r = append(radius, function);
                if (r < 0)
                        return r;
        }
        qsort(radius->functions, radius->n_functions, sizeof(radius->functions[0]), compare_depth);
        return 0;
}

void blast_radius_clear(BlastRadius *radius)
{
        free(radius->functions);
        *radius = (BlastRadius){ 0 };
}

static bool is_port_driver(const char *driver)
{
        for (size_t i = 0; i < ELEMENTSOF(port_drivers); i++)
                if (text_equal(driver, port_drivers[i]))
                        return true;
        return false;
}

Reason obstacle_reason(const Holder *holder, bool is_target)
{
        switch (holder->kind) {
        case HOLDER_ENABLE:
                return REASON_ENABLE_COUNT;
        case HOLDER_HOST_DRIVER:
                return REASON_SIBLING_ON_HOST_DRIVER;
        case HOLDER_UNSEEN:
                return REASON_USERS_UNSEEN;
        case HOLDER_GROUP:
        case HOLDER_CDEV:
        case HOLDER_CDEV_GONE:
        case HOLDER_RESOURCE:
        case HOLDER_MOUNT:
        case HOLDER_SWAP:
        case HOLDER_BLOCK:
        case HOLDER_NET:
        case HOLDER_DISPLAY:
        case HOLDER_SOUND:
        case HOLDER_NODE:
        case HOLDER_USB:
                break;
        }
        return is_target ? REASON_IN_USE : REASON_SIBLING_IN_USE;
}

static const Holder *find_host_driver(const Usage *usage, PciAddress address)
{
        size_t n;
        const Holder *holders = usage_find(usage, address, &n);
        for (size_t i = 0; i < n; i++)
                if (holders[i].kind == HOLDER_HOST_DRIVER)
                        return &holders[i];
        return NULL;
}

Obstacle obstacle_of(const PciFunction *function, const Usage *usage, bool is_target)
{
        Obstacle obstacle = { .culprit = function->address };

        obstacle.reason = verdict_refusal(function);
        if (obstacle.reason == REASON_NONE && verdict_has_fixed_bar(function))
                obstacle.reason = REASON_FIXED_BAR;
        if (obstacle.reason != REASON_NONE)
                return obstacle;

        if (function->driver && !function->on_vfio &&
            !(function->is_bridge && is_port_driver(function->driver))) {
                obstacle.reason = REASON_SIBLING_ON_HOST_DRIVER;
                obstacle.holder = find_host_driver(usage, function->address);
                return obstacle;
        }
        if (function->is_bridge)
                return obstacle;

        size_t n;
        obstacle.holder = usage_find(usage, function->address, &n);
        if (obstacle.holder)
                obstacle.reason = obstacle_reason(obstacle.holder, is_target);
        else if (!usage->complete)
                obstacle.reason = REASON_USERS_UNSEEN;
        return obstacle;
}

int obstacle_text(const Obstacle *obstacle, const Usage *usage, char **ret)
{
        const Holder *holder =
                        obstacle->holder ? obstacle->holder : find_host_driver(usage, obstacle->culprit);

        *ret = holder ? usage_text(usage, holder) : NULL;
        return holder && !*ret ? -ENOMEM : 0;
}
