/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/usage.h"

#include "base/text.h"
#include "judge/proc-users.h"

#include <errno.h>
#include <string.h>

#define DEVICE_OBJECT "anon_inode:[vfio-device]"

#define TEXTS_MAX 6u /* of what one function carries: a refusal is no inventory */

/* A list of holders that is being made. */
typedef struct Collection {
        const Root *root;
        const Topology *topology;
        Usage *usage;
} Collection;

/* Whom the holder is about, and by which file or driver: strings are copied. */
static int add_holder(Collection *c, const PciFunction *function, HolderKind kind, const ProcUse *use,
                      const char *object)
{
        _cleanup_free_ char *process = use ? strdup(use->process) : NULL;
        _cleanup_free_ char *object_copy = object ? strdup(object) : NULL;
        if ((use && !process) || (object && !object_copy))
                return -ENOMEM;
        return usage_add(c->usage, (Holder){
                                                   .address = function->address,
                                                   .kind = kind,
                                                   .pid = use ? use->pid : 0,
                                                   .process = TAKE_PTR(process),
                                                   .object = TAKE_PTR(object_copy),
                                   });
}

/* A group is used as a whole (KF §5), but a bridge in it is judged by what is below it. */
static int add_group_members(Collection *c, int group, HolderKind kind, const ProcUse *use)
{
        for (size_t i = 0; i < c->topology->n_functions; i++) {
                const PciFunction *function = &c->topology->functions[i];
                if (function->iommu_group != group || function->is_bridge)
                        continue;
                int r = add_holder(c, function, kind, use, use->object);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* FUNCTION has neither a driver nor a VFIO device, or not any more. Negative: errno. */
static int may_be_going(const Collection *c, const PciFunction *function)
{
        if (function->is_bridge || function->iommu_group == IOMMU_GROUP_NONE)
                return 0;
        if (!function->on_vfio)
                return !function->driver;
        _cleanup_free_ char *path = text_format("%s/vfio-dev", function->sysfs_path);
        if (!path)
                return -ENOMEM;
        int r = root_exists(c->root, path);
        return r < 0 ? r : r == 0;
}

/*
 * An unbind first takes the driver's link and the VFIO device out of sysfs, and then waits for whoever has the device open
 * (vfio_unregister_group_dev(); without an iommufd that does not enable the function). Nothing tells which function it is.
 */
static int add_device_gone(Collection *c, const ProcUse *use)
{
        _cleanup_free_ char *path = text_format("sys/class/vfio-dev/vfio%u", use->number);
        if (!path)
                return -ENOMEM;
        int r = root_exists(c->root, path);
        if (r != 0) /* a device that is no PCI function */
                return r < 0 ? r : 0;
        for (size_t i = 0; i < c->topology->n_functions; i++) {
                const PciFunction *function = &c->topology->functions[i];
                r = may_be_going(c, function);
                if (r > 0)
                        r = add_holder(c, function, HOLDER_CDEV_GONE, use, use->object);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The function whose vfio-dev directory has the device's name, and those that share its group. */
static int add_character_device(Collection *c, const ProcUse *use)
{
        for (size_t i = 0; i < c->topology->n_functions; i++) {
                const PciFunction *function = &c->topology->functions[i];
                if (!function->on_vfio)
                        continue;
                _cleanup_free_ char *path =
                                text_format("%s/vfio-dev/vfio%u", function->sysfs_path, use->number);
                if (!path)
                        return -ENOMEM;
                int r = root_exists(c->root, path);
                if (r == 0)
                        continue;
                if (r < 0)
                        return r;
                return function->iommu_group == IOMMU_GROUP_NONE
                                       ? add_holder(c, function, HOLDER_CDEV, use, use->object)
                                       : add_group_members(c, function->iommu_group, HOLDER_CDEV, use);
        }
        return add_device_gone(c, use);
}

static int add_process_use(Collection *c, const ProcUse *use)
{
        const PciFunction *function;

        switch (use->kind) {
        case PROC_USE_GROUP:
                return add_group_members(c, (int) use->number, HOLDER_GROUP, use);
        case PROC_USE_CDEV:
                return add_character_device(c, use);
        case PROC_USE_RESOURCE:
                function = topology_find(c->topology, use->address);
                return function ? add_holder(c, function, HOLDER_RESOURCE, use, use->object) : 0;
        case PROC_USE_DEVICE: /* add_device_candidates() */
        case PROC_USE_NODE:   /* host_use_add() */
                break;
        }
        return 0;
}

static int compare_keys(const Holder *x, const Holder *y)
{
        int order = pci_address_compare(x->address, y->address);
        if (order != 0)
                return order;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return (x->pid > y->pid) - (x->pid < y->pid);
}

static int compare_holders(const void *a, const void *b)
{
        const Holder *x = a, *y = b;
        int order = compare_keys(x, y);
        if (order != 0 || !x->object || !y->object)
                return order;
        return strcmp(x->object, y->object);
}

/* A process that has several files of one kind for a function is listed once, but not so what the function carries. */
static bool is_same(const Holder *x, const Holder *y)
{
        return compare_keys(x, y) == 0 &&
               ((x->pid != 0 && x->kind < HOLDER_HOST_DRIVER) || text_equal(x->object, y->object));
}

/* The list has room for the next power of two. */
int usage_add(Usage *usage, Holder holder)
{
        size_t n = usage->n_holders;
        Holder *more = usage->holders;

        if ((n & (n - 1)) == 0)
                more = reallocarray(usage->holders, n ? n * 2 : 1, sizeof(*more));
        if (more)
                usage->holders = more;
        if (!more || (!holder.object && holder.kind >= HOLDER_HOST_DRIVER && holder.kind < HOLDER_UNSEEN) ||
            (holder.pid != 0 && !holder.process)) {
                free(holder.process);
                free(holder.object);
                return -ENOMEM;
        }
        usage->holders[usage->n_holders++] = holder;
        return 0;
}

void usage_sort(Usage *usage)
{
        size_t n = 0;

        if (usage->n_holders == 0)
                return;
        qsort(usage->holders, usage->n_holders, sizeof(*usage->holders), compare_holders);
        for (size_t i = 0; i < usage->n_holders; i++) {
                Holder *holder = &usage->holders[i];
                if (n > 0 && is_same(&usage->holders[n - 1], holder)) {
                        free(holder->process);
                        free(holder->object);
                } else
                        usage->holders[n++] = *holder;
        }
        usage->n_holders = n;
}

/* True for a descriptor of a VFIO device whose process has no group file or character device that tells which. */
static bool is_unattributed(const ProcUsers *users, const ProcUse *use)
{
        if (use->kind != PROC_USE_DEVICE)
                return false;
        for (size_t i = 0; i < users->n_uses; i++) {
                const ProcUse *other = &users->uses[i];
                if (other->pid == use->pid &&
                    (other->kind == PROC_USE_GROUP || other->kind == PROC_USE_CDEV))
                        return false;
        }
        return true;
}

/*
 * FUNCTION is enabled and nobody was found: the processes that were handed an open VFIO device over a socket are the
 * candidates; without any the count itself is the holder.
 */
static int add_enabled(Collection *c, const ProcUsers *users, const PciFunction *function)
{
        bool found = false;

        for (size_t i = 0; function->on_vfio && i < users->n_uses; i++) {
                const ProcUse *use = &users->uses[i];
                if (!is_unattributed(users, use))
                        continue;
                found = true;
                int r = add_holder(c, function, HOLDER_GROUP, use, DEVICE_OBJECT);
                if (r < 0)
                        return r;
        }
        return found ? 0 : add_holder(c, function, HOLDER_ENABLE, NULL, NULL);
}

/* Port drivers serve the bridge itself; what is below it counts (design §4 rule 1). */
static bool is_port_driver(const PciFunction *function)
{
        return function->is_bridge &&
               (text_equal(function->driver, "pcieport") || text_equal(function->driver, "shpchp"));
}

/* What the snapshot itself tells of FUNCTION. Expects the holders found so far to be sorted. */
static int add_from_snapshot(Collection *c, const ProcUsers *users, const PciFunction *function,
                             bool has_user)
{
        if (function->driver && !function->on_vfio && !is_port_driver(function))
                return add_holder(c, function, HOLDER_HOST_DRIVER, NULL, function->driver);
        if (function->enable != 0 && !function->is_bridge && !has_user)
                return add_enabled(c, users, function);
        return 0;
}

static int collect(Collection *c, const ProcUsers *users)
{
        for (size_t i = 0; i < users->n_uses; i++) {
                int r = add_process_use(c, &users->uses[i]);
                if (r < 0)
                        return r;
        }
        usage_sort(c->usage);

        /* The holders of processes stay in front while those of the snapshot are added behind. */
        Usage of_processes = *c->usage;
        for (size_t i = 0; i < c->topology->n_functions; i++) {
                const PciFunction *function = &c->topology->functions[i];
                size_t n;
                of_processes.holders = c->usage->holders;
                (void) usage_find(&of_processes, function->address, &n);
                int r = add_from_snapshot(c, users, function, n > 0);
                if (r < 0)
                        return r;
        }
        usage_sort(c->usage);
        return 0;
}

/* A kernel with VFIO's character devices alone has no group files to keep others out with (design §6). */
static int read_group_files(const Root *root, const Topology *topology, bool *ret)
{
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (!function->on_vfio)
                        continue;
                if (function->iommu_group == IOMMU_GROUP_NONE) {
                        *ret = false;
                        return 0;
                }
                _cleanup_free_ char *group = text_format("dev/vfio/%d", function->iommu_group);
                _cleanup_free_ char *unsafe = text_format("dev/vfio/noiommu-%d", function->iommu_group);
                if (!group || !unsafe)
                        return -ENOMEM;
                int r = root_exists(root, group);
                if (r == 0)
                        r = root_exists(root, unsafe);
                if (r <= 0) {
                        *ret = false;
                        return r;
                }
        }
        *ret = true;
        return 0;
}

int usage_read(const Root *root, const Topology *topology, Usage **ret, char **ret_problem)
{
        _cleanup_(usage_freep) Usage *usage = calloc(1, sizeof(*usage));
        _cleanup_(proc_users_freep) ProcUsers *users = NULL;
        if (!usage)
                return -ENOMEM;
        int r = proc_users_read(root, &users, ret_problem);
        if (r < 0)
                return r;
        usage->complete = users->complete;

        Collection collection = { .root = root, .topology = topology, .usage = usage };
        r = collect(&collection, users);
        if (r >= 0)
                r = read_group_files(root, topology, &usage->group_files);
        if (r < 0) {
                *ret_problem = text_format("the VFIO files of the functions cannot be read: %s",
                                           strerror(-r));
                return r;
        }
        *ret = TAKE_PTR(usage);
        return 0;
}

Usage *usage_free(Usage *usage)
{
        if (!usage)
                return NULL;
        for (size_t i = 0; i < usage->n_holders; i++) {
                free(usage->holders[i].process);
                free(usage->holders[i].object);
        }
        free(usage->holders);
        free(usage);
        return NULL;
}

const Holder *usage_find(const Usage *usage, PciAddress address, size_t *ret_n)
{
        size_t first = 0, end = usage->n_holders;
        while (first < end) {
                size_t middle = first + (end - first) / 2;
                if (pci_address_compare(usage->holders[middle].address, address) < 0)
                        first = middle + 1;
                else
                        end = middle;
        }
        size_t n = 0;
        while (first + n < usage->n_holders && pci_address_equal(usage->holders[first + n].address, address))
                n++;
        *ret_n = n;
        return n > 0 ? &usage->holders[first] : NULL;
}

/* Fits behind "carries ". */
static char *carried_text(const Holder *holder)
{
        if (holder->kind != HOLDER_NODE)
                return strdup(holder->object);
        return text_format("%s, open in %s (pid %d)", holder->object, holder->process, holder->pid);
}

char *holder_text(const Holder *holder)
{
        switch (holder->kind) {
        case HOLDER_GROUP:
                if (text_equal(holder->object, DEVICE_OBJECT))
                        return text_format(
                                        "probably open in %s (pid %d), which was handed an open VFIO device",
                                        holder->process, holder->pid);
                return text_format("open in %s (pid %d)", holder->process, holder->pid);
        case HOLDER_CDEV:
                return text_format("open in %s (pid %d)", holder->process, holder->pid);
        case HOLDER_CDEV_GONE:
                return text_format(
                                "perhaps open in %s (pid %d), which has a VFIO device that is being taken away",
                                holder->process, holder->pid);
        case HOLDER_RESOURCE:
                return text_format("open in %s (pid %d) through %s", holder->process, holder->pid,
                                   holder->object);
        case HOLDER_ENABLE:
                return strdup("enabled (its enable count is not 0), though no process was found that uses it");
        case HOLDER_HOST_DRIVER:
                return text_format("on the host driver %s", holder->object);
        case HOLDER_MOUNT:
        case HOLDER_SWAP:
        case HOLDER_BLOCK:
        case HOLDER_NET:
        case HOLDER_DISPLAY:
        case HOLDER_SOUND:
        case HOLDER_NODE:
        case HOLDER_USB: {
                _cleanup_free_ char *words = carried_text(holder);
                return words ? text_format("in use by the host: it carries %s", words) : NULL;
        }
        case HOLDER_UNSEEN:
                break;
        }
        return text_format("perhaps in use: %s",
                           holder->object ? holder->object
                                          : "the open files of some processes could not be seen");
}

bool holder_is_use_of_host(const Holder *holder)
{
        return holder->kind != HOLDER_HOST_DRIVER && holder->kind != HOLDER_ENABLE &&
               holder->kind != HOLDER_USB;
}

static bool is_carried(const Holder *holder)
{
        return holder->kind > HOLDER_HOST_DRIVER && holder->kind < HOLDER_UNSEEN;
}

char *usage_text(const Usage *usage, const Holder *holder)
{
        _cleanup_free_ char *text = holder_text(holder);
        unsigned n_told = 0, n_left = 0;
        size_t n;
        const Holder *all = usage_find(usage, holder->address, &n);

        for (size_t i = 0; holder->kind == HOLDER_HOST_DRIVER && text && i < n; i++) {
                if (!is_carried(&all[i]))
                        continue;
                if (n_told == TEXTS_MAX) {
                        n_left++;
                        continue;
                }
                _cleanup_free_ char *words = carried_text(&all[i]);
                if (!words || !text_replace(&text, "%s%s %s", text, n_told ? ";" : " and carries", words))
                        return NULL;
                n_told++;
        }
        if (text && n_left > 0)
                text_replace(&text, "%s; and %u more", text, n_left);
        for (size_t i = 0; holder->kind == HOLDER_HOST_DRIVER && text && i < n; i++)
                if (all[i].kind == HOLDER_UNSEEN && all[i].object)
                        text_replace(&text, "%s; %s", text, all[i].object);
        return TAKE_PTR(text);
}
