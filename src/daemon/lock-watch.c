/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/lock-watch.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>

/*
 * The kernel tells of the last close of a file before it lets the file's lock go, so a look at that moment may still
 * find it held; the next one comes by itself.
 */
#define LOOK_AGAIN_USEC UINT64_C(500000)

struct LockWatch {
        const Root *root;
        LockWatchHandlers handlers;
        sd_event_source *directory, *first, *again;
};

int lock_probe(const Root *root)
{
        /* Read only: closing it again is then no IN_CLOSE_WRITE, which LockWatch waits for. */
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, LOCK_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd);
        if (r == -ENOENT || r == -ENOTDIR)
                return LOCK_STATE_FREE;
        if (r < 0)
                return r;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? LOCK_STATE_HELD : -errno;
        return LOCK_STATE_FREE;
}

static void tell_progress(LockWatch *watch)
{
        _cleanup_(worker_report_freep) WorkerReport *report = NULL;
        _cleanup_free_ char *text = NULL, *problem = NULL;
        /* A file that is not there (yet) or makes no sense costs a line of status, nothing else. */
        if (root_read_file(watch->root, PROGRESS_PATH, &text, NULL) < 0 ||
            worker_report_parse(text, &report, &problem) < 0 || report->kind != WORKER_REPORT_PROGRESS)
                return;
        watch->handlers.on_progress(&report->progress, watch->handlers.userdata);
}

static int look(LockWatch *watch)
{
        int r = lock_probe(watch->root);
        if (r == LOCK_STATE_HELD)
                return 0;
        /* Also when that cannot be told: whoever is called looks for itself and sees the error. */
        watch->handlers.on_released(watch->handlers.userdata);
        return 0;
}

static int on_directory(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        LockWatch *watch = userdata;
        if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF))
                return look(watch);
        if (event->len == 0)
                return 0;
        if (strcmp(event->name, strrchr(LOCK_PATH, '/') + 1) == 0)
                return look(watch);
        if (strcmp(event->name, strrchr(PROGRESS_PATH, '/') + 1) == 0)
                tell_progress(watch);
        return 0;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
        int r = sd_event_source_set_time_relative(source, LOOK_AGAIN_USEC);
        return r < 0 ? r : look(userdata);
}

static int on_first(sd_event_source *source, void *userdata)
{
        LockWatch *watch = userdata;
        tell_progress(watch);
        return look(watch);
}

int lock_watch_new(sd_event *event, const Root *root, const LockWatchHandlers *handlers, LockWatch **ret)
{
        _cleanup_close_ int fd = -1;
        _cleanup_(lock_watch_freep) LockWatch *watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->root = root;
        watch->handlers = *handlers;

        int r = root_open_file(root, RUN_DIRECTORY, O_PATH | O_DIRECTORY, 0, &fd);
        if (r < 0)
                return r;
        r = sd_event_add_inotify_fd(event, &watch->directory, fd,
                                    IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF, on_directory,
                                    watch);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &watch->again, CLOCK_MONOTONIC, LOOK_AGAIN_USEC, 0, on_again,
                                       watch);
        if (r == 0)
                r = sd_event_source_set_enabled(watch->again, SD_EVENT_ON);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &watch->first, on_first, watch);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(watch);
        return 0;
}

LockWatch *lock_watch_free(LockWatch *watch)
{
        if (!watch)
                return NULL;
        sd_event_source_disable_unref(watch->directory);
        sd_event_source_disable_unref(watch->first);
        sd_event_source_disable_unref(watch->again);
        free(watch);
        return NULL;
}
