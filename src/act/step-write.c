/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/step-write.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>

int step_write(Transaction *transaction, PciAddress about, const char *path, const char *value,
               Finding *finding)
{
        _cleanup_free_ char *line = text_format("%s\n", value);
        if (!line || !path)
                return -ENOMEM;
        uint64_t began = deadline_now();
        int r = root_write_attribute(transaction->root, path, line);
        transaction->kernel_usec += deadline_now() - began;
        if (r < 0)
                return finding_make(finding, REASON_STEP_FAILED, about, "writing \"%s\" to /%s: %s", value,
                                    path, strerror(-r));
        return FINDING_NONE;
}

int step_write_of(Transaction *transaction, PciAddress address, const char *attribute, const char *value,
                  Finding *finding)
{
        _cleanup_free_ char *path =
                        text_format("sys/bus/pci/devices/%s/%s", PCI_ADDRESS_TEXT(address), attribute);
        return step_write(transaction, address, path, value, finding);
}

int step_probe(Transaction *transaction, PciAddress address, Finding *finding)
{
        return step_write(transaction, address, "sys/bus/pci/drivers_probe", PCI_ADDRESS_TEXT(address),
                          finding);
}

int step_driver_now(const Transaction *transaction, PciAddress address, char **ret)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/driver", PCI_ADDRESS_TEXT(address));
        if (!path)
                return -ENOMEM;
        int r = root_read_link_name(transaction->root, path, ret);
        if (r == -ENOENT) {
                *ret = NULL;
                return 0;
        }
        return r;
}
