/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The address of a function: domain, bus, device, function, written DDDD:BB:DD.F. */

#include "base/util.h"

typedef struct PciAddress {
        uint32_t domain;
        uint8_t bus;
        uint8_t device;   /* 0 to 31 */
        uint8_t function; /* 0 to 7 */
} PciAddress;

/* Room for the longest address: a domain has up to eight digits (VMD: 10000 and above). */
#define PCI_ADDRESS_TEXT_MAX 20

/* "0000:03:00.0", exactly as sysfs names it. -EINVAL for anything else. */
int pci_address_parse(const char *text, PciAddress *ret) _warn_unused_result_ _nonnull_(1, 2);

/* As a person may write it: also "03:00.0" (domain 0) and libvirt's "pci_0000_03_00_0". -EINVAL. */
int pci_address_parse_loose(const char *text, PciAddress *ret) _warn_unused_result_ _nonnull_(1, 2);

/* Writes the address at BUFFER and returns BUFFER. */
const char *pci_address_format(PciAddress address, char buffer[static PCI_ADDRESS_TEXT_MAX]);

/* For a printf argument: PCI_ADDRESS_TEXT(address) lives as long as the enclosing block. */
#define PCI_ADDRESS_TEXT(address) pci_address_format((address), (char[PCI_ADDRESS_TEXT_MAX]){ 0 })

/* "0000:03", the name of the bus that the function is on, at BUFFER. */
const char *pci_address_format_bus(PciAddress address, char buffer[static PCI_ADDRESS_TEXT_MAX]);

/* Order of domain, bus, device, function: negative, zero, positive as for qsort(). */
int pci_address_compare(PciAddress a, PciAddress b);

static inline bool pci_address_equal(PciAddress a, PciAddress b)
{
        return pci_address_compare(a, b) == 0;
}
