/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/blocker.h"

#include "base/text.h"
#include "judge/usage.h"

/* Whoever writes to "remove" takes that attribute away first; the function itself goes when its user has (KF §3). */
static bool has_lost_remove(const Root *root, const PciFunction *function)
{
        _cleanup_free_ char *attribute = text_format("%s/remove", function->sysfs_path);
        return attribute && !function->is_virtual && root_exists(root, attribute) == 0 &&
               root_exists(root, function->sysfs_path) > 0;
}

static bool is_being_removed(const Root *root, const PciFunction *function)
{
        for (; function; function = function->bridge)
                if (has_lost_remove(root, function))
                        return true;
        return false;
}

static char *find_user_of_removed(const Root *root, const Topology *topology, const Usage *usage)
{
        for (size_t i = 0; i < usage->n_holders; i++) {
                const Holder *holder = &usage->holders[i];
                const PciFunction *function =
                                holder->pid == 0 ? NULL : topology_find(topology, holder->address);
                if (!function || !is_being_removed(root, function))
                        continue;
                _cleanup_free_ char *text = holder_text(holder);
                return text ? text_format("somebody is removing %s, which is %s",
                                          PCI_ADDRESS_TEXT(holder->address), text)
                            : NULL;
        }
        return NULL;
}

char *blocker_find(const Root *root, const PciAddress *function, bool needs_lock)
{
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_(usage_freep) Usage *usage = NULL;
        _cleanup_free_ char *problem = NULL;
        size_t n;

        if (topology_read(root, &topology, &problem) < 0 || usage_read(root, topology, &usage, &problem) < 0)
                return NULL;
        const Holder *holder = function ? usage_find(usage, *function, &n) : NULL;
        if (holder)
                return holder_text(holder);
        return needs_lock ? find_user_of_removed(root, topology, usage) : NULL;
}
