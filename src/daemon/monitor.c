/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/monitor.h"

#include "base/text.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/epoll.h>

/* Room for the events of some ten thousand functions; the kernel takes it only when it is used. */
#define RECEIVE_BUFFER_SIZE (16 << 20)

struct Monitor {
        struct udev *udev;
        struct udev_monitor *socket;
        MonitorHandlers handlers;
        sd_event_source *source;
};

static const char *const actions[] = { "bind", "unbind", "add", "remove" };

static bool is_wanted(const char *action)
{
        for (size_t i = 0; action && i < ELEMENTSOF(actions); i++)
                if (strcmp(actions[i], action) == 0)
                        return true;
        return false;
}

/* An event that does not name a PCI function is not ours. */
static void tell(Monitor *monitor, struct udev_device *device)
{
        MonitorEvent event = {
                .action = udev_device_get_action(device),
                .path = udev_device_get_devpath(device),
        };
        const char *name = udev_device_get_sysname(device);
        if (!is_wanted(event.action) || !event.path || !name || pci_address_parse(name, &event.address) < 0)
                return;
        monitor->handlers.on_event(&event, monitor->handlers.userdata);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Monitor *monitor = userdata;
        bool overflow = false;
        for (;;) {
                errno = 0;
                struct udev_device *device = udev_monitor_receive_device(monitor->socket);
                if (device) {
                        tell(monitor, device);
                        udev_device_unref(device);
                } else if (errno == ENOBUFS) {
                        overflow = true;
                } else if (errno == EAGAIN || errno == EINTR) {
                        break;
                } else {
                        /* A message that udev did not send or libudev does not understand. There may be more
                         * behind it: the event loop comes back as long as there is. */
                        break;
                }
        }
        if (overflow)
                monitor->handlers.on_overflow(monitor->handlers.userdata);
        return 0;
}

static int listen_to(Monitor *monitor)
{
        int r = udev_monitor_filter_add_match_subsystem_devtype(monitor->socket, "pci", NULL);
        if (r < 0)
                return r;
        /* Above the machine's limit it takes CAP_NET_ADMIN, which the unit does not give; then the limit does. */
        (void) udev_monitor_set_receive_buffer_size(monitor->socket, RECEIVE_BUFFER_SIZE);
        return udev_monitor_enable_receiving(monitor->socket);
}

int monitor_new(sd_event *event, const MonitorHandlers *handlers, Monitor **ret)
{
        _cleanup_(monitor_freep) Monitor *monitor = calloc(1, sizeof(*monitor));
        if (!monitor)
                return -ENOMEM;
        monitor->handlers = *handlers;
        monitor->udev = udev_new();
        if (!monitor->udev)
                return -errno;
        monitor->socket = udev_monitor_new_from_netlink(monitor->udev, "udev");
        if (!monitor->socket)
                return -errno;
        int r = listen_to(monitor);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &monitor->source, udev_monitor_get_fd(monitor->socket), EPOLLIN,
                            on_readable, monitor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(monitor);
        return 0;
}

Monitor *monitor_free(Monitor *monitor)
{
        if (!monitor)
                return NULL;
        sd_event_source_disable_unref(monitor->source);
        udev_monitor_unref(monitor->socket);
        udev_unref(monitor->udev);
        free(monitor);
        return NULL;
}
