/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/result-files.h"

#include "base/text.h"
#include "daemon/attempts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void result_files_clear(ResultFiles *files)
{
        for (size_t i = 0; i < files->n_items; i++)
                worker_report_free(files->items[i].report);
        free(files->items);
        *files = (ResultFiles){ 0 };
}

static int compare_times(struct timespec a, struct timespec b)
{
        if (a.tv_sec != b.tv_sec)
                return a.tv_sec < b.tv_sec ? -1 : 1;
        return (a.tv_nsec > b.tv_nsec) - (a.tv_nsec < b.tv_nsec);
}

static int compare_files(const void *a, const void *b)
{
        return compare_times(((const ResultFile *) a)->written, ((const ResultFile *) b)->written);
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

/* When the attempts were saved last, and which of the results are asked for. */
typedef struct Since {
        struct timespec seen;
        ResultFilesKind kind;
} Since;

static bool is_wanted(const Since *since, struct timespec written)
{
        return (compare_times(written, since->seen) > 0) == (since->kind == RESULT_FILES_UNSEEN);
}

static int take(ResultFiles *files, const Root *root, const char *name, const Since *since)
{
        _cleanup_(worker_report_freep) WorkerReport *report = NULL;
        _cleanup_free_ char *path = text_format(RESULTS_DIRECTORY "/%s", name), *text = NULL,
                            *problem = NULL;
        struct timespec written;

        if (!path)
                return -ENOMEM;
        if (time_of(root, path, &written) < 0 || !is_wanted(since, written) ||
            root_read_file(root, path, &text, NULL) < 0 ||
            worker_report_parse(text, &report, &problem) < 0 || report->kind != WORKER_REPORT_RESULT)
                return 0;
        ResultFile *items = reallocarray(files->items, files->n_items + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        files->items = items;
        items[files->n_items++] = (ResultFile){ .written = written, .report = TAKE_PTR(report) };
        return 0;
}

static bool is_result_name(const char *name)
{
        const char *dot = strrchr(name, '.');
        return dot && dot != name && strcmp(dot, ".json") == 0;
}

int result_files_read(const Root *root, ResultFilesKind kind, ResultFiles *ret)
{
        _cleanup_closedir_ DIR *directory = NULL;
        _cleanup_(result_files_clear) ResultFiles files = { 0 };
        Since since = { .kind = kind };

        int r = time_of(root, ATTEMPTS_PATH, &since.seen);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        r = root_open_directory(root, RESULTS_DIRECTORY, &directory);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return r;
        struct dirent *entry;
        r = 0;
        while (directory && r == 0 && (entry = readdir(directory)))
                if (is_result_name(entry->d_name))
                        r = take(&files, root, entry->d_name, &since);
        if (r < 0)
                return r;
        if (files.n_items > 0)
                qsort(files.items, files.n_items, sizeof(files.items[0]), compare_files);
        *ret = files;
        files = (ResultFiles){ 0 };
        return 0;
}
