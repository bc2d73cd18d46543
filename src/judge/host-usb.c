/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Devices behind a USB controller. They are named by their ids: `product` and `manufacturer` take the lock of the USB
 * device, which a driver that hangs may hold.
 */

#include "base/text.h"
#include "judge/host-look.h"

#include <errno.h>
#include <string.h>

static int read_id(const Root *root, const char *path, const char *name, char **ret)
{
        _cleanup_free_ char *file = text_format("%s/%s", path, name);
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(root, file, ret);
        return r < 0 && !host_device_is_gone(root, file, r) ? r : 0;
}

int host_usb_look(HostLook *look, const HostDevice *device)
{
        const char *port = host_device_name(device->path);
        _cleanup_free_ char *vendor = NULL, *product = NULL;

        /* Root hubs are part of the controller, interfaces ("1-2:1.0") of their device. */
        if (text_starts_with(port, "usb") || strchr(port, ':'))
                return 0;
        int r = read_id(look->root, device->path, "idVendor", &vendor);
        if (r == 0)
                r = read_id(look->root, device->path, "idProduct", &product);
        if (r < 0 || !vendor || !product)
                return r;
        return host_look_found(look, HOLDER_USB,
                               text_format("USB device %s:%s at port %s", vendor, product, port));
}
