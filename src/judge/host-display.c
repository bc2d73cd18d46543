/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Displays: connectors of a graphics driver, drm/card0/card0-HDMI-A-1. */

#include "base/text.h"
#include "judge/host-look.h"

#include <errno.h>
#include <string.h>

int host_display_look(HostLook *look, const HostDevice *device)
{
        _cleanup_free_ char *file = text_format("%s/enabled", device->path), *text = NULL;
        const char *name = host_device_name(device->path), *connector = strchr(name, '-');
        if (!file)
                return -ENOMEM;
        if (!text_starts_with(name, "card") || !connector)
                return 0;
        int r = root_read_attribute(look->root, file, &text);
        if (r < 0)
                return host_device_is_gone(look->root, file, r) ? 0 : r;
        /* A monitor that is only plugged in shows nothing of this card. */
        if (strcmp(text, "enabled") != 0)
                return 0;
        return host_look_found(look, HOLDER_DISPLAY,
                               text_format("display %s of %.*s, which is on", connector + 1,
                                           (int) (connector - name), name));
}
