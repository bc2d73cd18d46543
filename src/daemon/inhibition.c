/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/inhibition.h"

#include "base/text.h"
#include "daemon/bus-key.h"

#include <errno.h>
#include <string.h>

typedef struct Inhibition {
        PciAddress address;
        char *key;
        uint64_t until;
} Inhibition;

struct Inhibitions {
        Inhibition *items;
        size_t n_items;
};

int inhibitions_new(Inhibitions **ret)
{
        Inhibitions *inhibitions = calloc(1, sizeof(*inhibitions));
        if (!inhibitions)
                return -ENOMEM;
        *ret = inhibitions;
        return 0;
}

Inhibitions *inhibitions_free(Inhibitions *inhibitions)
{
        if (!inhibitions)
                return NULL;
        for (size_t i = 0; i < inhibitions->n_items; i++)
                free(inhibitions->items[i].key);
        free(inhibitions->items);
        free(inhibitions);
        return NULL;
}

static Inhibition *find(const Inhibitions *inhibitions, PciAddress address)
{
        for (size_t i = 0; i < inhibitions->n_items; i++)
                if (pci_address_equal(inhibitions->items[i].address, address))
                        return &inhibitions->items[i];
        return NULL;
}

int inhibitions_set(Inhibitions *inhibitions, PciAddress address, const char *key, uint64_t until)
{
        Inhibition *known = find(inhibitions, address);
        if (known) {
                known->until = until;
                return 0;
        }
        Inhibition *items = reallocarray(inhibitions->items, inhibitions->n_items + 1, sizeof(*items));
        char *copy = strdup(key);
        if (items)
                inhibitions->items = items;
        if (!items || !copy) {
                free(copy);
                return -ENOMEM;
        }
        items[inhibitions->n_items++] = (Inhibition){ address, copy, until };
        return 0;
}

static bool is_among(PciAddress address, const PciAddress *addresses, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (pci_address_equal(address, addresses[i]))
                        return true;
        return false;
}

bool inhibitions_cover(const Inhibitions *inhibitions, const char *key, const PciAddress *addresses,
                       size_t n)
{
        for (size_t i = 0; i < inhibitions->n_items; i++)
                if (bus_key_related(inhibitions->items[i].key, key) &&
                    !is_among(inhibitions->items[i].address, addresses, n))
                        return true;
        return false;
}

static char *take(Inhibitions *inhibitions, Inhibition *item)
{
        char *key = item->key;
        *item = inhibitions->items[--inhibitions->n_items];
        return key;
}

char *inhibitions_take(Inhibitions *inhibitions, PciAddress address)
{
        Inhibition *item = find(inhibitions, address);
        return item ? take(inhibitions, item) : NULL;
}

char *inhibitions_take_over(Inhibitions *inhibitions, uint64_t now)
{
        for (size_t i = 0; i < inhibitions->n_items; i++)
                if (inhibitions->items[i].until <= now)
                        return take(inhibitions, &inhibitions->items[i]);
        return NULL;
}

uint64_t inhibitions_next(const Inhibitions *inhibitions)
{
        uint64_t next = UINT64_MAX;
        for (size_t i = 0; i < inhibitions->n_items; i++)
                if (inhibitions->items[i].until < next)
                        next = inhibitions->items[i].until;
        return next;
}
