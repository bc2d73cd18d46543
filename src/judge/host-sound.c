/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sound cards: their streams are in /proc/asound/card0/pcm0p/sub0/status. */

#include "base/text.h"
#include "judge/host-look.h"

#include <errno.h>
#include <string.h>

/* "closed", or lines of which one is "owner_pid   : 1234". */
static int look_at_stream(HostLook *look, const char *card, const char *path)
{
        static const char key[] = "owner_pid";
        _cleanup_free_ char *file = text_format("%s/status", path), *text = NULL;
        int pid = 0;
        if (!file)
                return -ENOMEM;
        int r = root_read_attribute(look->root, file, &text);
        if (r < 0)
                return host_device_is_gone(look->root, file, r) ? 0 : r;
        if (strcmp(text, "closed") == 0)
                return 0;
        const char *owner = strstr(text, key);
        if (owner && sscanf(owner + strlen(key), " : %d", &pid) != 1)
                pid = 0;
        return host_look_found(
                        look, HOLDER_SOUND,
                        pid > 0 ? text_format("sound %s, of which process %d plays or records", card, pid)
                                : text_format("sound %s, of which somebody plays or records", card));
}

/* Each entry of the folder PATH whose name begins with PREFIX, given to LOOK_AT. */
static int for_each(HostLook *look, const char *card, const char *path, const char *prefix,
                    int (*look_at)(HostLook *look, const char *card, const char *path))
{
        _cleanup_closedir_ DIR *folder = NULL;
        int r = root_open_directory(look->root, path, &folder);
        if (r < 0)
                return host_device_is_gone(look->root, path, r) ? 0 : r;
        const struct dirent *entry;
        while (r == 0 && (entry = readdir(folder))) {
                if (!text_starts_with(entry->d_name, prefix))
                        continue;
                _cleanup_free_ char *below = text_format("%s/%s", path, entry->d_name);
                r = below ? look_at(look, card, below) : -ENOMEM;
        }
        return r;
}

static int look_at_pcm(HostLook *look, const char *card, const char *path)
{
        return for_each(look, card, path, "sub", look_at_stream);
}

int host_sound_look(HostLook *look, const HostDevice *device)
{
        const char *name = host_device_name(device->path);
        if (!text_starts_with(name, "card"))
                return 0;
        _cleanup_free_ char *path = text_format("proc/asound/%s", name);
        return path ? for_each(look, name, path, "pcm", look_at_pcm) : -ENOMEM;
}
