/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/udev-queue.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

/* libudev's own udev_queue_get_fd() watches the same file, but only ever the one of "/". */
#define UDEV_DIRECTORY "run/udev"
#define QUEUE_NAME "queue"

struct UdevQueue {
        const Root *root;
        void (*handler)(void *userdata);
        void *userdata;
        sd_event_source *directory;
};

static int on_directory(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        UdevQueue *queue = userdata;
        if (event->mask & IN_Q_OVERFLOW || (event->len > 0 && strcmp(event->name, QUEUE_NAME) == 0))
                queue->handler(queue->userdata);
        return 0;
}

int udev_queue_watch(sd_event *event, const Root *root, void (*handler)(void *userdata), void *userdata,
                     UdevQueue **ret)
{
        _cleanup_close_ int fd = -1;
        _cleanup_(udev_queue_freep) UdevQueue *queue = calloc(1, sizeof(*queue));
        if (!queue)
                return -ENOMEM;
        queue->root = root;
        queue->handler = handler;
        queue->userdata = userdata;

        int r = root_open_file(root, UDEV_DIRECTORY, O_PATH | O_DIRECTORY, 0, &fd);
        if (r == 0)
                r = sd_event_add_inotify_fd(event, &queue->directory, fd, IN_DELETE, on_directory, queue);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        *ret = TAKE_PTR(queue);
        return 0;
}

UdevQueue *udev_queue_free(UdevQueue *queue)
{
        if (!queue)
                return NULL;
        sd_event_source_disable_unref(queue->directory);
        free(queue);
        return NULL;
}

bool udev_queue_is_empty(const UdevQueue *queue)
{
        return root_exists(queue->root, UDEV_DIRECTORY "/" QUEUE_NAME) == 0;
}
