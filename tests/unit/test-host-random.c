/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random stacks of block devices on functions' disks (partitions, md, device-mapper, partitions of those, at any depth):
 * a function is never found idle that has a mounted, swapped on or held device, and never found in use without one. The
 * seed is printed with a failure; REALIGN_TEST_SEED repeats one tree, REALIGN_TEST_TREES sets how many.
 */

#include "base/text.h"
#include "host-tree.h"

#define N_FUNCTIONS 3u
#define DEVICES_MAX 40u
#define LOWER_MAX 3u

typedef struct Device {
        char path[200];
        const char *name;
        unsigned lower[LOWER_MAX]; /* what it is built on */
        unsigned n_lower;
        unsigned parent; /* of a partition, and of the function for a disk */
        bool is_disk, is_partition;
        bool is_held, is_mounted, is_swap;
} Device;

typedef struct Stack {
        const char *folder;
        uint64_t random;
        Device devices[DEVICES_MAX];
        unsigned n_devices;
        char *mounts, *swaps;
} Stack;

static const char *const function_paths[N_FUNCTIONS] = {
        HOST_DISK,
        HOST_OTHER,
        "sys/devices/pci0000:00/0000:00:1f.2",
};

/* splitmix64: 0 to N - 1 */
static unsigned below(Stack *stack, unsigned n)
{
        uint64_t z = stack->random += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return (unsigned) ((z ^ z >> 31) % n);
}

static Device *add(Stack *stack)
{
        ck_assert_uint_lt(stack->n_devices, DEVICES_MAX);
        return &stack->devices[stack->n_devices++];
}

static void make(Stack *stack, Device *device, bool is_partition)
{
        char number[24];
        snprintf(number, sizeof(number), "%u:%u\n", 240 + (unsigned) (device - stack->devices) / 16,
                 (unsigned) (device - stack->devices) % 16);
        device->name = strrchr(device->path, '/') + 1;
        device->is_partition = is_partition;
        host_block(stack->folder, device->path, number, is_partition);
}

static void add_disks(Stack *stack)
{
        for (unsigned i = 0, n = 1 + below(stack, 5); i < n; i++) {
                unsigned function = below(stack, N_FUNCTIONS);
                Device *device = add(stack);
                device->parent = function;
                device->is_disk = true;
                if (below(stack, 2))
                        snprintf(device->path, sizeof(device->path), "%s/nvme/nvme%u/nvme%un1",
                                 function_paths[function], i, i);
                else
                        snprintf(device->path, sizeof(device->path),
                                 "%s/ata%u/host%u/target%u:0:0/%u:0:0:0/block/sd%c",
                                 function_paths[function], i + 1, i, i, i, 'a' + (int) i);
                make(stack, device, false);
        }
}

/* On a disk, or on md and device-mapper: "sda1", "md0p1". */
static void add_partition(Stack *stack)
{
        unsigned parent = below(stack, stack->n_devices);
        if (stack->devices[parent].is_partition)
                return;
        Device *device = add(stack);
        device->parent = parent;
        snprintf(device->path, sizeof(device->path), "%.120s/%.24s%s%u", stack->devices[parent].path,
                 stack->devices[parent].name, text_starts_with(stack->devices[parent].name, "sd") ? "" : "p",
                 stack->n_devices);
        make(stack, device, true);
}

static void add_stacked(Stack *stack)
{
        unsigned n_before = stack->n_devices;
        Device *device = add(stack);
        snprintf(device->path, sizeof(device->path), "sys/devices/virtual/block/%s%u",
                 below(stack, 2) ? "dm-" : "md", n_before);
        make(stack, device, false);
        for (unsigned i = 0, n = 1 + below(stack, LOWER_MAX); i < n; i++) {
                unsigned lower = below(stack, n_before);
                device->lower[device->n_lower++] = lower;
                stack->devices[lower].is_held = true;
                host_hold(stack->folder, stack->devices[lower].path, device->path);
        }
}

static void use(Stack *stack, Device *device)
{
        unsigned index = (unsigned) (device - stack->devices);
        switch (below(stack, 3)) {
        case 0: /* as file systems do that have a device number of their own */
                text_replace(&stack->mounts, "%s%u 1 0:%u / /m%u rw - btrfs /dev/%s rw\n", stack->mounts,
                             100 + index, 50 + index, index, device->name);
                device->is_mounted = true;
                break;
        case 1: /* under a name that nobody knows */
                text_replace(&stack->mounts, "%s%u 1 %u:%u / /m%u rw - ext4 /dev/disk/by-label/x rw\n",
                             stack->mounts, 100 + index, 240 + index / 16, index % 16, index);
                device->is_mounted = true;
                break;
        default:
                text_replace(&stack->swaps, "%s/dev/%s partition 1 0 -2\n", stack->swaps, device->name);
                device->is_swap = true;
        }
}

static void make_stack(Stack *stack, uint64_t seed)
{
        *stack = (Stack){
                .folder = suite_folder(),
                .random = seed,
                .mounts = strdup("1 1 254:1 / / rw - ext4 /dev/vda1 rw\n"),
                .swaps = strdup("Filename Type Size Used Priority\n"),
        };
        for (unsigned i = 0; i < N_FUNCTIONS; i++)
                host_write(stack->folder, "", "%s/resource", function_paths[i]);
        add_disks(stack);
        unsigned likely = below(stack, 4); /* some trees are built high, others hardly */
        for (unsigned i = below(stack, DEVICES_MAX - stack->n_devices); i > 0; i--)
                if (likely > 0 && below(stack, 4) < likely)
                        add_stacked(stack);
                else
                        add_partition(stack);
        for (unsigned i = 0; i < stack->n_devices; i++)
                if (below(stack, 12) == 0)
                        use(stack, &stack->devices[i]);
        suite_write(stack->folder, "proc/self/mountinfo", stack->mounts);
        suite_write(stack->folder, "proc/swaps", stack->swaps);
}

/* UPPER rests on the disk or device at index LOWER, itself or through others. */
static bool rests_on(const Stack *stack, unsigned upper, unsigned lower)
{
        const Device *device = &stack->devices[upper];
        if (upper == lower)
                return true;
        if (device->is_partition && rests_on(stack, device->parent, lower))
                return true;
        for (unsigned i = 0; i < device->n_lower; i++)
                if (rests_on(stack, device->lower[i], lower))
                        return true;
        return false;
}

static bool is_in_use(const Stack *stack, unsigned function)
{
        for (unsigned disk = 0; disk < stack->n_devices; disk++) {
                if (!stack->devices[disk].is_disk || stack->devices[disk].parent != function)
                        continue;
                for (unsigned i = 0; i < stack->n_devices; i++) {
                        const Device *device = &stack->devices[i];
                        if ((device->is_held || device->is_mounted || device->is_swap) &&
                            rests_on(stack, i, disk))
                                return true;
                }
        }
        return false;
}

static bool is_found(const Usage *usage, PciAddress address)
{
        bool found = false;
        size_t n;
        const Holder *holders = usage_find(usage, address, &n);
        for (size_t i = 0; i < n; i++)
                found |= holder_is_use_of_host(&holders[i]);
        return found;
}

/* Every device in use that rests on FUNCTION's disks is named, not only some. */
static void expect_named(const Stack *stack, const Usage *usage, PciAddress address, unsigned function,
                         uint64_t seed)
{
        size_t n;
        const Holder *holders = usage_find(usage, address, &n);
        for (unsigned i = 0; i < stack->n_devices; i++) {
                const Device *device = &stack->devices[i];
                bool is_named = false, is_below = false;
                for (unsigned disk = 0; disk < stack->n_devices; disk++)
                        is_below |= stack->devices[disk].is_disk &&
                                    stack->devices[disk].parent == function && rests_on(stack, i, disk);
                if (!is_below || (!device->is_mounted && !device->is_swap))
                        continue;
                _cleanup_free_ char *name = text_format("/dev/%s, ", device->name);
                for (size_t j = 0; j < n; j++)
                        is_named |= holders[j].object && strstr(holders[j].object, name) &&
                                    holders[j].kind == (device->is_mounted ? HOLDER_MOUNT : HOLDER_SWAP);
                ck_assert_msg(is_named, "seed %llu: %s is in use and not named for %s",
                              (unsigned long long) seed, device->path, function_paths[function]);
        }
}

static unsigned n_used, n_idle;

static void check_tree(uint64_t seed)
{
        static Stack stack;
        PciFunction functions[N_FUNCTIONS];
        const PciFunction *pointers[N_FUNCTIONS];
        _cleanup_(root_freep) Root *root = NULL;

        make_stack(&stack, seed);
        for (unsigned i = 0; i < N_FUNCTIONS; i++) {
                functions[i] = (PciFunction){ .address = { .bus = (uint8_t) i },
                                              .sysfs_path = (char *) function_paths[i],
                                              .driver = (char *) "some" };
                pointers[i] = &functions[i];
        }
        _cleanup_(usage_freep) Usage *usage = calloc(1, sizeof(*usage));
        ck_assert_int_eq(root_open(stack.folder, &root), 0);
        ck_assert_int_eq(host_use_add(root, pointers, N_FUNCTIONS, usage), 0);
        for (unsigned i = 0; i < N_FUNCTIONS; i++) {
                bool wanted = is_in_use(&stack, i), found = is_found(usage, functions[i].address);
                ck_assert_msg(wanted == found, "seed %llu: %s is %s", (unsigned long long) seed,
                              function_paths[i],
                              wanted ? "in use, and found idle" : "idle, and found in use");
                expect_named(&stack, usage, functions[i].address, i, seed);
                n_used += wanted;
                n_idle += !wanted;
        }
        suite_folder_remove(stack.folder);
        free(stack.mounts);
        free(stack.swaps);
}

START_TEST(test_random)
{
        const char *only = getenv("REALIGN_TEST_SEED"), *trees = getenv("REALIGN_TEST_TREES");
        uint64_t n = trees ? strtoull(trees, NULL, 10) : 200;

        if (only) {
                check_tree(strtoull(only, NULL, 10));
                return;
        }
        for (uint64_t seed = 1; seed <= n; seed++)
                check_tree(seed);
        ck_assert_uint_gt(n_used, n / 4);
        ck_assert_uint_gt(n_idle, n / 4);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("host-random");
        TCase *tcase = tcase_create("all");
        tcase_set_timeout(tcase, 300);
        tcase_add_test(tcase, test_random);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
