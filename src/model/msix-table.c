/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/msix-table.h"

#include "base/text.h"
#include "model/resource.h"

#include <errno.h>
#include <linux/pci_regs.h>

/* A list that is longer than there is room for goes in a circle (PCI_FIND_CAP_TTL of the kernel). */
#define CAPABILITIES_MAX 48u
#define CAPABILITY_ALIGNMENT 4u
#define CAPABILITY_ID_ABSENT 0xffu /* the function does not answer */

static bool has_capabilities(const uint8_t *config, size_t size)
{
        return size > PCI_CAPABILITY_LIST && config[PCI_STATUS] & PCI_STATUS_CAP_LIST;
}

/* Where the MSI-X capability begins; 0: there is none. */
static size_t find_capability(const uint8_t *config, size_t size)
{
        size_t at = has_capabilities(config, size) ? config[PCI_CAPABILITY_LIST] : 0;

        for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
                at &= ~(size_t) (CAPABILITY_ALIGNMENT - 1);
                if (at < PCI_STD_HEADER_SIZEOF || at + PCI_CAP_MSIX_SIZEOF > size ||
                    config[at + PCI_CAP_LIST_ID] == CAPABILITY_ID_ABSENT)
                        return 0;
                if (config[at + PCI_CAP_LIST_ID] == PCI_CAP_ID_MSIX)
                        return at;
                at = config[at + PCI_CAP_LIST_NEXT];
        }
        return 0;
}

int8_t msix_table_find(const uint8_t *config, size_t size)
{
        size_t at = find_capability(config, size);
        if (at == 0)
                return size == PCI_STD_HEADER_SIZEOF && has_capabilities(config, size) ? MSIX_TABLE_UNSEEN
                                                                                       : MSIX_TABLE_NONE;
        unsigned bar = config[at + PCI_MSIX_TABLE] & PCI_MSIX_TABLE_BIR;
        return bar < RESOURCE_BARS ? (int8_t) bar : MSIX_TABLE_NONE;
}

int msix_table_read(const Root *root, PciAddress address, int8_t *ret_bar)
{
        uint8_t config[MSIX_TABLE_CONFIG_SIZE];
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/config", PCI_ADDRESS_TEXT(address));
        size_t size = 0;
        if (!path)
                return -ENOMEM;
        int r = root_open_file(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd);
        if (r < 0)
                return r;
        while (size < sizeof(config)) {
                ssize_t n = read(fd, config + size, sizeof(config) - size);
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
        }
        *ret_bar = msix_table_find(config, size);
        return 0;
}
