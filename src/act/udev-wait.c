/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/udev-wait.h"

#include "act/deadline.h"
#include "base/text.h"

#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-id128.h>

#define RECEIVE_ROOM (4 << 20)
#define USEC_PER_MSEC 1000
#define UUID_SIZE 37u

struct UdevWait {
        const Root *root;
        struct udev *udev;
        struct udev_monitor *monitor;
        char **seen; /* names of functions whose `add` udev has dealt with */
        size_t n_seen;
        bool asks;                /* some may have been dealt with before it began to listen */
        char question[UUID_SIZE]; /* what the answers carry */
};

UdevWait *udev_wait_free(UdevWait *wait)
{
        if (!wait)
                return NULL;
        for (size_t i = 0; i < wait->n_seen; i++)
                free(wait->seen[i]);
        free(wait->seen);
        udev_monitor_unref(wait->monitor);
        udev_unref(wait->udev);
        free(wait);
        return NULL;
}

int udev_wait_new(const Root *root, UdevWait **ret)
{
        int r = root_exists(root, UDEV_CONTROL_PATH);
        if (r <= 0) {
                if (r == 0)
                        *ret = NULL;
                return r;
        }
        _cleanup_(udev_wait_freep) UdevWait *wait = calloc(1, sizeof(*wait));
        if (!wait)
                return -ENOMEM;
        wait->root = root;
        wait->udev = udev_new();
        wait->monitor = wait->udev ? udev_monitor_new_from_netlink(wait->udev, "udev") : NULL;
        if (!wait->monitor)
                return -ENOMEM;
        /* Less room than wished for is no failure: an event that is lost ends in a time-out. */
        (void) udev_monitor_set_receive_buffer_size(wait->monitor, RECEIVE_ROOM);
        r = udev_monitor_filter_add_match_subsystem_devtype(wait->monitor, "pci", NULL);
        if (r >= 0)
                r = udev_monitor_enable_receiving(wait->monitor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(wait);
        return 0;
}

static int remember(UdevWait *wait, const char *name)
{
        char **more = reallocarray(wait->seen, wait->n_seen + 1, sizeof(more[0]));
        if (!more)
                return -ENOMEM;
        wait->seen = more;
        wait->seen[wait->n_seen] = strdup(name);
        return wait->seen[wait->n_seen++] ? 0 : -ENOMEM;
}

static int receive(UdevWait *wait)
{
        struct udev_device *device = udev_monitor_receive_device(wait->monitor);
        int r = 0;
        if (!device)
                return 0;
        const char *question = udev_device_get_property_value(device, "SYNTH_UUID");
        if (text_equal(udev_device_get_action(device), "add") ||
            (question && text_equal(question, wait->question)))
                r = remember(wait, udev_device_get_sysname(device));
        udev_device_unref(device);
        return r;
}

static bool has_seen(const UdevWait *wait, const char *name)
{
        for (size_t i = 0; i < wait->n_seen; i++)
                if (text_equal(wait->seen[i], name))
                        return true;
        return false;
}

int udev_wait_ask(UdevWait *wait)
{
        sd_id128_t id;
        if (!wait)
                return 0;
        int r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        snprintf(wait->question, sizeof(wait->question), SD_ID128_UUID_FORMAT_STR, SD_ID128_FORMAT_VAL(id));
        wait->asks = true;
        return 0;
}

/* A kernel that takes no identifier makes no event: then it ends in a time-out. */
static int ask(const UdevWait *wait, const char *name)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/uevent", name);
        _cleanup_free_ char *value = text_format("change %s", wait->question);
        if (!path || !value)
                return -ENOMEM;
        (void) !root_write_attribute(wait->root, path, value);
        return 0;
}

int udev_wait_for_add(UdevWait *wait, const char *name, uint64_t usec)
{
        if (!wait)
                return 0;
        uint64_t end = deadline_now() + usec;
        struct pollfd fd = { .fd = udev_monitor_get_fd(wait->monitor), .events = POLLIN };

        if (wait->asks && !has_seen(wait, name)) {
                int r = ask(wait, name);
                if (r < 0)
                        return r;
        }
        while (!has_seen(wait, name)) {
                uint64_t now = deadline_now();
                if (now >= end)
                        return -ETIME;
                if (poll(&fd, 1, (int) ((end - now) / USEC_PER_MSEC) + 1) < 0 && errno != EINTR)
                        return -errno;
                int r = fd.revents ? receive(wait) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}
