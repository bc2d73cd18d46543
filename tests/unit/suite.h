/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every unit test shares: main() that runs one suite, and a folder that is made for a test and removed after it. */

#include "base/util.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static inline int suite_run(Suite *suite)
{
        SRunner *runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        int n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * fork(). That it worked only the parent checks: an assertion of the child is noted in the file that both share, maybe while
 * the parent reads what is there. A child leaves by _exit() and asserts nothing.
 */
static inline pid_t suite_fork(void)
{
        pid_t pid = fork();
        if (pid != 0)
                ck_assert_int_gt(pid, 0);
        return pid;
}

static inline int suite_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

/* The folder that all folders of this process and those it forks are in, and whose work it is to remove it. */
static char suite_base[64];
static pid_t suite_base_owner;

/* A test that failed did not come to remove its folder. */
static inline void suite_base_remove(void)
{
        if (suite_base_owner == getpid())
                (void) nftw(suite_base, suite_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder; its name lives until the next one is made in this process. */
static inline const char *suite_folder(void)
{
        static char name[128];
        static unsigned n;
        if (!suite_base_owner) {
                /* thousands of small files are quicker in memory */
                snprintf(suite_base, sizeof(suite_base), "%s/vfio-realign-test-XXXXXX",
                         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
                ck_assert_ptr_nonnull(mkdtemp(suite_base));
                suite_base_owner = getpid();
                ck_assert_int_eq(atexit(suite_base_remove), 0);
        }
        snprintf(name, sizeof(name), "%s/%d-%u", suite_base, (int) getpid(), n++);
        ck_assert_int_eq(mkdir(name, 0700), 0);
        return name;
}

static inline void suite_folder_remove(const char *folder)
{
        ck_assert_int_eq(nftw(folder, suite_remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Makes the folder FULL and those above it, unless it is there. */
static inline void suite_make_folder(char *full)
{
        if (mkdir(full, 0755) == 0 || errno == EEXIST)
                return;
        char *slash = strrchr(full, '/');
        *slash = '\0';
        suite_make_folder(full);
        *slash = '/';
        ck_assert_int_eq(mkdir(full, 0755), 0);
}

/* FOLDER/PATH at FULL, with the folders on the way made, and whatever had that name removed. */
static inline void suite_prepare(const char *folder, const char *path, char full[static 512])
{
        ck_assert_int_lt(snprintf(full, 512, "%s/%s", folder, path), 512);
        char *slash = strrchr(full, '/');
        *slash = '\0';
        suite_make_folder(full);
        *slash = '/';
        ck_assert(unlink(full) == 0 || errno == ENOENT);
}

/* Writes TEXT to the new file FOLDER/PATH: never through a link that is there, which may lead anywhere. */
static inline void suite_write(const char *folder, const char *path, const char *text)
{
        char full[512];
        suite_prepare(folder, path, full);
        FILE *file = fopen(full, "wx");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
        ck_assert_int_eq(fclose(file), 0);
}

/* Makes the symbolic link FOLDER/PATH, and the folders on the way. */
static inline void suite_link(const char *folder, const char *path, const char *target)
{
        char full[512];
        suite_prepare(folder, path, full);
        ck_assert_int_eq(symlink(target, full), 0);
}
