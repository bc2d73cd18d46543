/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/enable-watch.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>

typedef struct Item {
        PciAddress address;
        unsigned count;
} Item;

struct EnableWatch {
        Item *items;
        size_t n_items;
};

/* Stands for a function that is gone or cannot be read. */
#define COUNT_UNKNOWN UINT_MAX

int enable_watch_new(EnableWatch **ret)
{
        EnableWatch *watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        *ret = watch;
        return 0;
}

EnableWatch *enable_watch_free(EnableWatch *watch)
{
        if (!watch)
                return NULL;
        free(watch->items);
        free(watch);
        return NULL;
}

int enable_watch_add(EnableWatch *watch, PciAddress address, unsigned count)
{
        Item *items = reallocarray(watch->items, watch->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        watch->items = items;
        watch->items[watch->n_items++] = (Item){ .address = address, .count = count };
        return 0;
}

static unsigned read_count(const Root *root, PciAddress address)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/enable", PCI_ADDRESS_TEXT(address));
        _cleanup_free_ char *text = NULL;
        uint64_t count;
        if (!path || root_read_attribute(root, path, &text) < 0 ||
            text_to_u64(text, 10, UINT_MAX - 1, &count) < 0)
                return COUNT_UNKNOWN;
        return (unsigned) count;
}

bool enable_watch_changed(EnableWatch *watch, const Root *root)
{
        bool changed = false;
        for (size_t i = 0; i < watch->n_items; i++) {
                unsigned count = read_count(root, watch->items[i].address);
                changed = changed || count != watch->items[i].count;
                watch->items[i].count = count;
        }
        return changed;
}
