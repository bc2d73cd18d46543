/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy-files.h"

#include "base/read-until-end.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MAIN_FILE "vfio-realign/vfio-realign.conf"
#define DROP_INS "vfio-realign/conf.d"
#define SUFFIX ".conf"

static const char *const places[] = { "etc", "run", "usr/lib" };

typedef struct FileList {
        char **paths; /* NULL-terminated */
        size_t n;
} FileList;

static int list_add(FileList *list, char *path)
{
        char **paths = path ? reallocarray(list->paths, list->n + 2, sizeof(*paths)) : NULL;
        if (!paths) {
                free(path);
                return -ENOMEM;
        }
        list->paths = paths;
        paths[list->n++] = path;
        paths[list->n] = NULL;
        return 0;
}

static void list_clear(FileList *list)
{
        text_list_free(list->paths);
}

static const char *last_component(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static bool list_has_name(const FileList *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(last_component(list->paths[i]), name) == 0)
                        return true;
        return false;
}

static void say_unreadable(PolicyProblems *problems, const char *path, int error)
{
        _cleanup_free_ char *shown = text_format("/%s", path);
        policy_problems_add_unreadable(problems, shown ? shown : path, error);
}

/* 1: there, also as a link that leads nowhere, which is a mistake or a mask but not nothing. */
static int is_there(const Root *root, const char *path)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_PATH | O_NOFOLLOW, 0, &fd);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : 1;
}

static int find_main(const Root *root, PolicyProblems *problems, FileList *list)
{
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = text_format("%s/" MAIN_FILE, places[i]);
                if (!path)
                        return -ENOMEM;
                int r = is_there(root, path);
                if (r < 0)
                        say_unreadable(problems, path, r);
                if (r > 0)
                        return list_add(list, TAKE_PTR(path));
        }
        return 0;
}

static bool is_drop_in(const char *name)
{
        size_t length = strlen(name);
        return name[0] != '.' && length > strlen(SUFFIX) &&
               strcmp(name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static int find_drop_ins(const Root *root, const char *place, PolicyProblems *problems, FileList *list)
{
        _cleanup_closedir_ DIR *directory = NULL;
        _cleanup_free_ char *path = text_format("%s/" DROP_INS, place);
        if (!path)
                return -ENOMEM;
        int r = root_open_directory(root, path, &directory);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                say_unreadable(problems, path, r);
                return 0;
        }

        errno = 0;
        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                if (is_drop_in(entry->d_name) && !list_has_name(list, entry->d_name)) {
                        r = list_add(list, text_format("%s/%s", path, entry->d_name));
                        if (r < 0)
                                return r;
                }
                errno = 0;
        }
        if (errno != 0)
                say_unreadable(problems, path, -errno);
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(last_component(*(char *const *) a), last_component(*(char *const *) b));
}

int policy_files_find(const Root *root, PolicyProblems *problems, char ***ret)
{
        _cleanup_(list_clear) FileList list = { .paths = calloc(1, sizeof(char *)) };
        _cleanup_(list_clear) FileList drop_ins = { 0 };
        if (!list.paths)
                return -ENOMEM;
        int r = find_main(root, problems, &list);
        for (size_t i = 0; i < ELEMENTSOF(places) && r >= 0; i++)
                r = find_drop_ins(root, places[i], problems, &drop_ins);
        if (r < 0)
                return r;

        if (drop_ins.n > 0)
                qsort(drop_ins.paths, drop_ins.n, sizeof(*drop_ins.paths), compare_names);
        for (size_t i = 0; i < drop_ins.n; i++) {
                r = list_add(&list, strdup(drop_ins.paths[i]));
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(list.paths);
        return 0;
}

/* A link to /dev/null masks, as systemd's files are masked, also in a root directory that has no dev/null. */
static bool is_mask(const Root *root, const char *path)
{
        _cleanup_free_ char *target = NULL;
        return root_read_link(root, path, &target) >= 0 && strcmp(target, "/dev/null") == 0;
}

int policy_file_read(const Root *root, const char *path, char **ret, size_t *ret_size)
{
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = 0;

        if (root && is_mask(root, path)) {
                *ret = strdup("");
                *ret_size = 0;
                return *ret ? 0 : -ENOMEM;
        }
        /* Not to be held up by a FIFO in the place of the file. */
        if (root)
                r = root_open_file(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, &fd);
        else if ((fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC)) < 0)
                r = -errno;
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (root && !S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return read_until_end(fd, POLICY_FILE_MOST, NULL, NULL, ret, ret_size);
}
