/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "alignment.h"

#include <errno.h>
#include <string.h>

#define ORDER_MAX 63

typedef enum Match {
        MATCH_NO,
        MATCH_YES,
        MATCH_ERROR,
} Match;

static bool is_devfn(const Function *function, unsigned device, unsigned number)
{
        return function->address.device == device && function->address.function == number;
}

/* pci_dev_str_match_path(): everything up to the next ';' is the path, a ',' included. */
static Match match_path(const Function *function, const char *text, const char **ret_end)
{
        char path[512], more;
        unsigned domain = 0, bus, device, number;

        *ret_end = strchrnul(text, ';');
        if ((size_t) (*ret_end - text) >= sizeof(path))
                return MATCH_ERROR;
        memcpy(path, text, (size_t) (*ret_end - text));
        path[*ret_end - text] = '\0';

        for (char *slash; (slash = strrchr(path, '/'));) {
                if (sscanf(slash, "/%x.%x%c", &device, &number, &more) != 2)
                        return MATCH_ERROR;
                if (!is_devfn(function, device, number) || !function->bridge)
                        return MATCH_NO;
                *slash = '\0';
                function = function->bridge;
        }
        if (sscanf(path, "%x:%x:%x.%x%c", &domain, &bus, &device, &number, &more) != 4) {
                domain = 0;
                if (sscanf(path, "%x:%x.%x%c", &bus, &device, &number, &more) != 3)
                        return MATCH_ERROR;
        }
        return domain == function->address.domain && bus == function->address.bus &&
                                               is_devfn(function, device, number)
                               ? MATCH_YES
                               : MATCH_NO;
}

static Match match_ids(const Function *function, const char *text, const char **ret_end)
{
        unsigned short vendor, device, subvendor = 0, subdevice = 0;
        int size;

        if (sscanf(text, "%hx:%hx:%hx:%hx%n", &vendor, &device, &subvendor, &subdevice, &size) != 4) {
                subvendor = subdevice = 0;
                if (sscanf(text, "%hx:%hx%n", &vendor, &device, &size) != 2)
                        return MATCH_ERROR;
        }
        *ret_end = text + size;
        return (!vendor || vendor == function->vendor) && (!device || device == function->device) &&
                                               (!subvendor || subvendor == function->subvendor) &&
                                               (!subdevice || subdevice == function->subdevice)
                               ? MATCH_YES
                               : MATCH_NO;
}

static Match match(const Function *function, const char *text, const char **ret_end)
{
        *ret_end = text;
        if (strncmp(text, "pci:", 4) == 0)
                return match_ids(function, text + 4, ret_end);
        return match_path(function, text, ret_end);
}

uint64_t alignment_of(const char *text, const Function *function, uint64_t page)
{
        while (*text) {
                uint64_t alignment = page;
                int order, size = 0;

                if (sscanf(text, "%d%n", &order, &size) == 1 && text[size] == '@') {
                        text += size + 1;
                        if (order >= 0 && order <= ORDER_MAX)
                                alignment = UINT64_C(1) << order;
                }
                switch (match(function, text, &text)) {
                case MATCH_YES:
                        return alignment;
                case MATCH_ERROR:
                        return 0; /* and what comes behind is lost */
                case MATCH_NO:
                        break;
                }
                if (*text != ';' && *text != ',')
                        return 0;
                text++;
        }
        return 0;
}

int alignment_store(char text[static TEXT_MAX], const char *data, size_t size, uint64_t page)
{
        size_t limit = page < TEXT_MAX ? page : TEXT_MAX;

        if (size >= limit - 1)
                return -EINVAL;
        size_t end = strnlen(data, size);
        const char *newline = memchr(data, '\n', end);
        if (newline)
                end = (size_t) (newline - data);
        memcpy(text, data, end);
        text[end] = '\0';
        return (int) size;
}
