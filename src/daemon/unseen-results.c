/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/unseen-results.h"

#include "base/text.h"
#include "daemon/attempts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Found {
        struct timespec written;
        WorkerReport *report;
} Found;

typedef struct FoundList {
        Found *items;
        size_t n_items;
} FoundList;

static void found_list_clear(FoundList *list)
{
        for (size_t i = 0; i < list->n_items; i++)
                worker_report_free(list->items[i].report);
        free(list->items);
        *list = (FoundList){ 0 };
}

static int compare_times(struct timespec a, struct timespec b)
{
        if (a.tv_sec != b.tv_sec)
                return a.tv_sec < b.tv_sec ? -1 : 1;
        return (a.tv_nsec > b.tv_nsec) - (a.tv_nsec < b.tv_nsec);
}

static int compare_found(const void *a, const void *b)
{
        return compare_times(((const Found *) a)->written, ((const Found *) b)->written);
}

static int time_of(const Root *root, const char *path, struct timespec *ret)
{
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = root_open_file(root, path, O_PATH | O_NOFOLLOW, 0, &fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        *ret = st.st_mtim;
        return 0;
}

static int take(FoundList *list, const Root *root, const char *name, const struct timespec *seen)
{
        _cleanup_(worker_report_freep) WorkerReport *report = NULL;
        _cleanup_free_ char *path = text_format(RESULTS_DIRECTORY "/%s", name), *text = NULL,
                            *problem = NULL;
        struct timespec written;

        if (!path)
                return -ENOMEM;
        if (time_of(root, path, &written) < 0 || compare_times(written, *seen) <= 0 ||
            root_read_file(root, path, &text, NULL) < 0 ||
            worker_report_parse(text, &report, &problem) < 0 || report->kind != WORKER_REPORT_RESULT)
                return 0;
        Found *items = reallocarray(list->items, list->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        list->items = items;
        items[list->n_items++] = (Found){ .written = written, .report = TAKE_PTR(report) };
        return 0;
}

static bool is_result_name(const char *name)
{
        const char *dot = strrchr(name, '.');
        return dot && dot != name && strcmp(dot, ".json") == 0;
}

int unseen_results_read(const Root *root, UnseenResults *ret)
{
        _cleanup_closedir_ DIR *directory = NULL;
        _cleanup_(found_list_clear) FoundList list = { 0 };
        struct timespec seen = { 0 };

        int r = time_of(root, ATTEMPTS_PATH, &seen);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        r = root_open_directory(root, RESULTS_DIRECTORY, &directory);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        struct dirent *entry;
        r = 0;
        while (directory && r == 0 && (entry = readdir(directory)))
                if (is_result_name(entry->d_name))
                        r = take(&list, root, entry->d_name, &seen);
        if (r < 0)
                return r;

        UnseenResults results = { .reports = calloc(list.n_items + 1, sizeof(*results.reports)) };
        if (!results.reports)
                return -ENOMEM;
        if (list.n_items > 0)
                qsort(list.items, list.n_items, sizeof(*list.items), compare_found);
        for (; results.n_reports < list.n_items; results.n_reports++)
                results.reports[results.n_reports] = TAKE_PTR(list.items[results.n_reports].report);
        *ret = results;
        return 0;
}

void unseen_results_clear(UnseenResults *results)
{
        for (size_t i = 0; i < results->n_reports; i++)
                worker_report_free(results->reports[i]);
        free(results->reports);
        *results = (UnseenResults){ 0 };
}
