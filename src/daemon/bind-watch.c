/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/bind-watch.h"

#include <errno.h>
#include <string.h>

typedef struct AddressSet {
        PciAddress *items;
        size_t n;
} AddressSet;

struct BindWatch {
        AddressSet heard;    /* bound, since the transaction began */
        AddressSet expected; /* bound by the transaction, not heard of */
};

int bind_watch_new(BindWatch **ret)
{
        BindWatch *watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        *ret = watch;
        return 0;
}

BindWatch *bind_watch_free(BindWatch *watch)
{
        if (!watch)
                return NULL;
        free(watch->heard.items);
        free(watch->expected.items);
        free(watch);
        return NULL;
}

static bool has(const AddressSet *set, PciAddress address)
{
        for (size_t i = 0; i < set->n; i++)
                if (pci_address_equal(set->items[i], address))
                        return true;
        return false;
}

static int put(AddressSet *set, PciAddress address)
{
        if (has(set, address))
                return 0;
        PciAddress *items = reallocarray(set->items, set->n + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        set->items = items;
        items[set->n++] = address;
        return 0;
}

static void drop(AddressSet *set, PciAddress address)
{
        for (size_t i = set->n; i-- > 0;)
                if (pci_address_equal(set->items[i], address))
                        set->items[i] = set->items[--set->n];
}

void bind_watch_begin(BindWatch *watch)
{
        watch->heard.n = 0;
}

int bind_watch_hear(BindWatch *watch, const char *action, PciAddress address)
{
        if (strcmp(action, "bind") == 0) {
                drop(&watch->expected, address);
                return put(&watch->heard, address);
        }
        /* May come late, and be that of the transaction itself: the bind that is expected is still to come. */
        if (strcmp(action, "unbind") == 0 || strcmp(action, "remove") == 0)
                drop(&watch->heard, address);
        return 0;
}

int bind_watch_expect(BindWatch *watch, PciAddress address)
{
        return has(&watch->heard, address) ? 0 : put(&watch->expected, address);
}

bool bind_watch_awaits(const BindWatch *watch, PciAddress address)
{
        return has(&watch->expected, address);
}
