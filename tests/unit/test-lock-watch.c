/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/lock-watch.h"
#include "suite.h"

#include <fcntl.h>
#include <sys/file.h>

/* Whoever waits for what never comes is told so by this. */
#define TOO_LONG_USEC UINT64_C(20000000)

static const char *folder;
static Root *root;
static sd_event *event;
static int lock;

static int open_lock(void)
{
        char path[256];
        snprintf(path, sizeof(path), "%s/run/vfio-realign/lock", folder);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, "run/vfio-realign/lock", "");
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_ge(sd_event_new(&event), 0);
        lock = open_lock();
        ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
}

static void teardown(void)
{
        sd_event_unref(event);
        root_free(root);
        suite_folder_remove(folder);
}

static void on_progress(const WorkerProgress *progress, void *userdata)
{
}

static void on_released(void *userdata)
{
        ck_assert_int_eq(lock_probe(root), LOCK_STATE_FREE);
        sd_event_exit(event, 1);
}

static int on_too_long(sd_event_source *source, uint64_t usec, void *userdata)
{
        return sd_event_exit(event, 0);
}

static const LockWatchHandlers handlers = { .on_progress = on_progress, .on_released = on_released };

/* All that is there to be dealt with at the moment. */
static void deal_with_it(void)
{
        while (sd_event_run(event, 0) > 0)
                ;
}

static void expect_release(void)
{
        ck_assert_int_ge(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, TOO_LONG_USEC, 0,
                                                    on_too_long, NULL),
                         0);
        ck_assert_int_eq(sd_event_loop(event), 1);
}

START_TEST(hears_of_a_close)
{
        _cleanup_(lock_watch_freep) LockWatch *watch = NULL;
        ck_assert_int_eq(lock_watch_new(event, root, &handlers, &watch), 0);
        deal_with_it();
        close(lock);
        expect_release();
}
END_TEST

/*
 * The kernel tells of a close before it lets the lock go (__fput(): fsnotify_close(), then locks_remove_file()): whoever
 * looks at once still finds it held. Here somebody else's close is that early event, and nothing tells of the release.
 */
START_TEST(finds_a_release_behind_its_event)
{
        _cleanup_(lock_watch_freep) LockWatch *watch = NULL;
        ck_assert_int_eq(lock_watch_new(event, root, &handlers, &watch), 0);
        deal_with_it();
        close(open_lock());
        deal_with_it();
        ck_assert_int_eq(lock_probe(root), LOCK_STATE_HELD);
        flock(lock, LOCK_UN);
        expect_release();
        close(lock);
}
END_TEST

/* The event may have come before there was a watch. */
START_TEST(finds_a_release_without_any_event)
{
        _cleanup_(lock_watch_freep) LockWatch *watch = NULL;
        ck_assert_int_eq(lock_watch_new(event, root, &handlers, &watch), 0);
        deal_with_it();
        flock(lock, LOCK_UN);
        expect_release();
        close(lock);
}
END_TEST

START_TEST(finds_a_lock_that_is_free)
{
        _cleanup_(lock_watch_freep) LockWatch *watch = NULL;
        close(lock);
        ck_assert_int_eq(lock_watch_new(event, root, &handlers, &watch), 0);
        expect_release();
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("lock-watch");
        TCase *tests = tcase_create("lock-watch");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_set_timeout(tests, 60);
        tcase_add_test(tests, hears_of_a_close);
        tcase_add_test(tests, finds_a_release_behind_its_event);
        tcase_add_test(tests, finds_a_release_without_any_event);
        tcase_add_test(tests, finds_a_lock_that_is_free);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
