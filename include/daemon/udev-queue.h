/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Whether udev still has events to deal with: it keeps run/udev/queue as long as it has. Watched until the daemon has said
 * that it is ready, so that whoever waits for the daemon finds what was bound during boot dealt with.
 */

#include "base/root.h"

#include <systemd/sd-event.h>

typedef struct UdevQueue UdevQueue;

/* Calls HANDLER whenever the queue has become empty. Without udev (-ENOENT inside) it never does, and is empty. */
int udev_queue_watch(sd_event *event, const Root *root, void (*handler)(void *userdata), void *userdata,
                     UdevQueue **ret) _warn_unused_result_ _nonnull_(1, 2, 3, 5);
UdevQueue *udev_queue_free(UdevQueue *queue);
DEFINE_CLEANUP(UdevQueue *, udev_queue_free);

bool udev_queue_is_empty(const UdevQueue *queue) _nonnull_(1);
