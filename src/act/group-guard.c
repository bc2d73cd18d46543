/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/group-guard.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

void group_guard_close(GroupGuard *guard)
{
        for (size_t i = 0; i < guard->n_fds; i++)
                close(guard->fds[i]);
        free(guard->fds);
        *guard = (GroupGuard){ 0 };
}

static bool has_earlier(const Plan *plan, size_t index)
{
        for (size_t i = 0; i < index; i++)
                if (plan->functions[i].on_vfio &&
                    plan->functions[i].iommu_group == plan->functions[index].iommu_group)
                        return true;
        return false;
}

/* Groups without an IOMMU have another name. */
static int open_group(const Root *root, int group, int *ret_fd)
{
        static const char *const prefixes[] = { "", "noiommu-" };
        int r = -ENOENT;
        for (size_t i = 0; i < ELEMENTSOF(prefixes) && r == -ENOENT; i++) {
                char path[64];
                snprintf(path, sizeof(path), "dev/vfio/%s%d", prefixes[i], group);
                r = root_open_file(root, path, O_RDWR, 0, ret_fd);
        }
        return r;
}

/* BUSY is the reason when somebody has it open. */
static int guard_group(GroupGuard *guard, const Root *root, PciAddress address, int group, Reason busy,
                       Finding *finding)
{
        int fd;
        int r = open_group(root, group, &fd);
        if (r == -EBUSY)
                return finding_make(finding, busy, address, "its VFIO group %d is open", group);
        /* Root may open all others: vfio_group_fops_open() asks for the capability where there is no IOMMU. */
        if (r == -EPERM)
                return finding_make(finding, REASON_NO_IOMMU, address, "/dev/vfio/noiommu-%d", group);
        if (r == -ENOENT || r == -ENODEV)
                return finding_make(finding, REASON_NO_GROUP_FILES, address, "/dev/vfio/%d is not there",
                                    group);
        if (r < 0)
                return r;
        guard->fds[guard->n_fds++] = fd;
        return FINDING_NONE;
}

int group_guard_open_one(GroupGuard *guard, const Root *root, const PciFunction *function, Finding *finding)
{
        *guard = (GroupGuard){ 0 };
        if (!function->on_vfio)
                return FINDING_NONE;
        guard->fds = calloc(1, sizeof(guard->fds[0]));
        if (!guard->fds)
                return -ENOMEM;
        int r = guard_group(guard, root, function->address, function->iommu_group, REASON_USE_BEGAN,
                            finding);
        if (r != FINDING_NONE)
                group_guard_close(guard);
        return r;
}

int group_guard_open(GroupGuard *guard, const Root *root, const Plan *plan, Finding *finding)
{
        int r = FINDING_NONE;

        *guard = (GroupGuard){ .fds = calloc(plan->n_functions, sizeof(guard->fds[0])) };
        if (!guard->fds)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions && r == FINDING_NONE; i++)
                if (plan->functions[i].on_vfio && !has_earlier(plan, i))
                        r = guard_group(guard, root, plan->functions[i].address,
                                        plan->functions[i].iommu_group,
                                        plan->functions[i].is_target ? REASON_IN_USE : REASON_SIBLING_IN_USE,
                                        finding);
        if (r != FINDING_NONE)
                group_guard_close(guard);
        return r;
}
