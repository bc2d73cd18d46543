/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/hold.h"

#include "act/uevent.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#define RECEIVE_ROOM (4 << 20)
#define CLASS_SHIFT_TO_SUBCLASS 8
#define CLASS_PCI_BRIDGE 0x0604u

struct Hold {
        const Root *root;
        const Plan *plan;
        pthread_t thread;
        int events;  /* the uevent socket */
        int stopper; /* an eventfd */
};

int hold_function(const Root *root, PciAddress address)
{
        _cleanup_free_ char *path =
                        text_format("sys/bus/pci/devices/%s/driver_override", PCI_ADDRESS_TEXT(address));
        return path ? root_write_attribute(root, path, HOLD_DRIVER "\n") : -ENOMEM;
}

static bool is_of_radius(const Plan *plan, const char *path)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (strcmp(plan->functions[i].path, path) == 0)
                        return !plan->functions[i].is_bridge;
        return false;
}

static void deal_with(Hold *hold, const Uevent *event)
{
        uint64_t class;
        PciAddress address;
        _cleanup_free_ char *path = NULL;

        if (strcmp(event->action, "add") != 0 || strcmp(event->subsystem, "pci") != 0 || !event->pci_class ||
            text_to_u64(event->pci_class, 16, UINT32_MAX, &class) < 0 ||
            class >> CLASS_SHIFT_TO_SUBCLASS == CLASS_PCI_BRIDGE)
                return;
        if (uevent_topology_path(event->devpath, &path, &address) < 0 || !is_of_radius(hold->plan, path))
                return;
        /* What fails here is found by the check after the rescan. */
        hold_function(hold->root, address);
}

/* False when nothing more is there. */
static bool deal_with_next(Hold *hold)
{
        char buffer[UEVENT_SIZE_MAX];
        Uevent event;

        int r = uevent_receive(hold->events, buffer, &event);
        if (r == 0)
                deal_with(hold, &event);
        return r >= 0 || r == -ENOBUFS || r == -EINTR;
}

static void *thread_main(void *userdata)
{
        Hold *hold = userdata;
        struct pollfd fds[] = {
                { .fd = hold->events, .events = POLLIN },
                { .fd = hold->stopper, .events = POLLIN },
        };

        while (!(fds[1].revents & POLLIN)) {
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        break;
                while (deal_with_next(hold))
                        ;
        }
        return NULL;
}

int hold_start(const Root *root, const Plan *plan, Hold **ret)
{
        Hold *hold = malloc(sizeof(*hold));
        if (!hold)
                return -ENOMEM;
        *hold = (Hold){ .root = root, .plan = plan, .events = -1, .stopper = -1 };

        int r = uevent_open(RECEIVE_ROOM, &hold->events);
        if (r == 0) {
                hold->stopper = eventfd(0, EFD_CLOEXEC);
                r = hold->stopper < 0 ? -errno : -pthread_create(&hold->thread, NULL, thread_main, hold);
        }
        if (r < 0) {
                closep(&hold->events);
                closep(&hold->stopper);
                free(hold);
                return r;
        }
        *ret = hold;
        return 0;
}

Hold *hold_stop(Hold *hold)
{
        if (!hold)
                return NULL;
        if (eventfd_write(hold->stopper, 1) == 0)
                pthread_join(hold->thread, NULL);
        close(hold->events);
        close(hold->stopper);
        free(hold);
        return NULL;
}
