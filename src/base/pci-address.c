/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/pci-address.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Reads between MIN and MAX hexadecimal digits at *TEXT and moves *TEXT behind them. */
static int take_hex(const char **text, size_t min, size_t max, uint32_t limit, uint32_t *ret)
{
        uint32_t value = 0;
        size_t n = 0;

        for (; n < max && isxdigit((unsigned char) (*text)[n]); n++) {
                unsigned char c = (unsigned char) (*text)[n];
                value = value << 4 | (uint32_t) (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
        }
        if (n < min || value > limit)
                return -EINVAL;
        *text += n;
        *ret = value;
        return 0;
}

static int take_char(const char **text, char c)
{
        if (**text != c)
                return -EINVAL;
        (*text)++;
        return 0;
}

/* BB:DD.F with the separators given, up to the end of TEXT. */
static int take_bus_device_function(const char *text, uint32_t domain, char colon, char dot, PciAddress *ret)
{
        uint32_t bus, device, function;

        if (take_hex(&text, 2, 2, UINT8_MAX, &bus) < 0 || take_char(&text, colon) < 0 ||
            take_hex(&text, 2, 2, 31, &device) < 0 || take_char(&text, dot) < 0 ||
            take_hex(&text, 1, 1, 7, &function) < 0 || *text != '\0')
                return -EINVAL;
        *ret = (PciAddress){
                .domain = domain,
                .bus = (uint8_t) bus,
                .device = (uint8_t) device,
                .function = (uint8_t) function,
        };
        return 0;
}

static int parse_with(const char *text, char colon, char dot, PciAddress *ret)
{
        uint32_t domain;

        if (take_hex(&text, 4, 8, UINT32_MAX, &domain) < 0 || take_char(&text, colon) < 0)
                return -EINVAL;
        return take_bus_device_function(text, domain, colon, dot, ret);
}

int pci_address_parse(const char *text, PciAddress *ret)
{
        return parse_with(text, ':', '.', ret);
}

int pci_address_parse_loose(const char *text, PciAddress *ret)
{
        if (strncmp(text, "pci_", 4) == 0)
                return parse_with(text + 4, '_', '_', ret);
        if (pci_address_parse(text, ret) == 0)
                return 0;
        return take_bus_device_function(text, 0, ':', '.', ret);
}

const char *pci_address_format(PciAddress address, char buffer[static PCI_ADDRESS_TEXT_MAX])
{
        snprintf(buffer, PCI_ADDRESS_TEXT_MAX, "%04x:%02x:%02x.%x", address.domain, address.bus,
                 address.device, address.function & 0xfu);
        return buffer;
}

const char *pci_address_format_bus(PciAddress address, char buffer[static PCI_ADDRESS_TEXT_MAX])
{
        snprintf(buffer, PCI_ADDRESS_TEXT_MAX, "%04x:%02x", address.domain, address.bus);
        return buffer;
}

int pci_address_compare(PciAddress a, PciAddress b)
{
        if (a.domain != b.domain)
                return a.domain < b.domain ? -1 : 1;
        uint32_t low_a = (uint32_t) a.bus << 16 | (uint32_t) a.device << 8 | a.function;
        uint32_t low_b = (uint32_t) b.bus << 16 | (uint32_t) b.device << 8 | b.function;
        return (low_a > low_b) - (low_a < low_b);
}
