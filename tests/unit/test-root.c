/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/root.h"
#include "base/text.h"
#include "suite.h"

#include <pthread.h>
#include <stdatomic.h>

static const char *folder;
static Root *root;

static void setup(void)
{
        folder = suite_folder();
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

START_TEST(test_reads_and_writes)
{
        _cleanup_free_ char *text = NULL;
        suite_write(folder, "sys/a/attribute", "value\n");
        ck_assert_int_eq(root_read_attribute(root, "sys/a/attribute", &text), 0);
        ck_assert_str_eq(text, "value");
        ck_assert_int_eq(root_write_attribute(root, "sys/a/attribute", "other"), 0);
        free(TAKE_PTR(text));
        ck_assert_int_eq(root_read_file(root, "sys/a/attribute", &text, NULL), 0);
        ck_assert_str_eq(text, "other\n"); /* an attribute is not truncated: a sysfs file has no length */
        ck_assert_int_eq(root_write_attribute(root, "sys/a/none", "x"), -ENOENT);
        ck_assert_int_eq(root_exists(root, "sys/a/none"), 0);
        ck_assert_int_eq(root_exists(root, "sys/a"), 1);
}
END_TEST

/* The simulated tree is a jail: neither absolute links, nor "..", nor both lead out of it. */
START_TEST(test_cannot_leave)
{
        char outside[80];
        _cleanup_free_ char *text = NULL;
        snprintf(outside, sizeof(outside), "%s-outside", folder);
        FILE *file = fopen(outside, "w");
        ck_assert_ptr_nonnull(file);
        fputs("secret", file);
        fclose(file);

        suite_link(folder, "sys/absolute", outside);
        suite_link(folder, "sys/relative", "../../../../../../../../etc/hostname");
        suite_link(folder, "sys/folder", "/etc");
        ck_assert_int_eq(root_read_file(root, "sys/absolute", &text, NULL), -ENOENT);
        ck_assert_int_eq(root_read_file(root, "sys/relative", &text, NULL), -ENOENT);
        ck_assert_int_eq(root_read_file(root, "sys/folder/passwd", &text, NULL), -ENOENT);
        ck_assert_int_eq(root_read_file(root, "../../../../etc/passwd", &text, NULL), -ENOENT);
        ck_assert_int_eq(root_read_file(root, "/etc/passwd", &text, NULL), -ENOENT);
        ck_assert_int_eq(root_write_attribute(root, "sys/absolute", "broken"), -ENOENT);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(unlink(outside), 0);
}
END_TEST

/* A magic link of /proc leads anywhere, so none is ever followed, not even with "/" as the root. */
START_TEST(test_no_magic_links)
{
        _cleanup_(root_freep) Root *host = NULL;
        int fd;
        ck_assert_int_eq(root_open(NULL, &host), 0);
        ck_assert(root_is_host(host));
        ck_assert(!root_is_host(root));
        ck_assert_int_eq(root_open_file(host, "proc/self/fd/0", O_RDONLY, 0, &fd), -ELOOP);
        ck_assert_int_eq(root_open_file(host, "proc/self/exe", O_RDONLY, 0, &fd), -ELOOP);

        _cleanup_free_ char *target = NULL;
        ck_assert_int_eq(root_read_link(host, "proc/self/exe", &target),
                         0); /* reading one is no following */
        ck_assert_int_eq(target[0], '/');
}
END_TEST

START_TEST(test_links)
{
        _cleanup_free_ char *target = NULL, *name = NULL;
        suite_write(folder, "sys/drivers/vfio-pci/bind", "");
        suite_link(folder, "sys/function/driver", "../drivers/vfio-pci");
        ck_assert_int_eq(root_read_link(root, "sys/function/driver", &target), 0);
        ck_assert_str_eq(target, "../drivers/vfio-pci");
        ck_assert_int_eq(root_read_link_name(root, "sys/function/driver", &name), 0);
        ck_assert_str_eq(name, "vfio-pci");
        ck_assert_int_eq(root_read_link(root, "sys/drivers/vfio-pci/bind", &target), -EINVAL);
        ck_assert_int_eq(root_read_link(root, "sys/function/none", &target), -ENOENT);
        ck_assert_int_eq(root_exists(root, "sys/function/driver/bind"), 1);
}
END_TEST

START_TEST(test_replace)
{
        _cleanup_free_ char *text = NULL;
        ck_assert_int_eq(root_replace_file(root, "run/journal", "x", 0600),
                         -ENOENT);                                         /* the folder is not there */
        ck_assert_int_eq(root_make_directory(root, "run", 0755), -EINVAL); /* a tree has its four folders */
        suite_write(folder, "run/other", "");
        ck_assert_int_eq(root_make_directory(root, "run/sub", 0755), 0);
        ck_assert_int_eq(root_make_directory(root, "run/sub", 0755), 0);
        ck_assert_int_eq(root_replace_file(root, "run/sub/journal", "first text", 0600), 0);
        ck_assert_int_eq(root_replace_file(root, "run/sub/journal", "second", 0600), 0);
        ck_assert_int_eq(root_read_file(root, "run/sub/journal", &text, NULL), 0);
        ck_assert_str_eq(text, "second");
        ck_assert_int_eq(root_exists(root, "run/sub/journal.new"), 0);
        ck_assert_int_eq(root_unlink(root, "run/sub/journal"), 0);
        ck_assert_int_eq(root_unlink(root, "run/sub/journal"), 0);
        ck_assert_int_eq(root_exists(root, "run/sub/journal"), 0);
}
END_TEST

static mode_t mode_of(const char *path)
{
        char full[512];
        struct stat st;
        snprintf(full, sizeof(full), "%s/%s", folder, path);
        ck_assert_int_eq(stat(full, &st), 0);
        return st.st_mode & 07777;
}

/* The unit's umask is strict, and what everybody may read is readable all the same. */
START_TEST(test_modes)
{
        mode_t before = umask(0077);
        suite_write(folder, "run/a", "a");
        ck_assert_int_eq(root_make_directory(root, "run/results", 0755), 0);
        ck_assert_int_eq(root_replace_file(root, "run/results/a", "text", 0644), 0);
        ck_assert_int_eq(root_replace_file(root, "run/results/b", "text", 0600), 0);
        umask(before);
        ck_assert_uint_eq(mode_of("run/results"), 0755);
        ck_assert_uint_eq(mode_of("run/results/a"), 0644);
        ck_assert_uint_eq(mode_of("run/results/b"), 0600);
        ck_assert_int_eq(root_make_directory(root, "run/results", 0700), 0);
        ck_assert_uint_eq(mode_of("run/results"), 0755);
}
END_TEST

START_TEST(test_odd_contents)
{
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        char path[128];
        suite_write(folder, "sys/nul", "");
        snprintf(path, sizeof(path), "%s/sys/nul", folder);
        FILE *file = fopen(path, "w");
        fwrite("a\0b", 1, 3, file);
        fclose(file);
        ck_assert_int_eq(root_read_file(root, "sys/nul", &text, NULL), -EBADMSG);
        ck_assert_int_eq(truncate(path, (off_t) ROOT_READ_MAX + 1), 0);
        ck_assert_int_eq(root_read_file(root, "sys/nul", &text, NULL), -EFBIG);
        ck_assert_int_eq(truncate(path, 0), 0);
        ck_assert_int_eq(root_read_file(root, "sys/nul", &text, &size), 0);
        ck_assert_uint_eq(size, 0);
        free(TAKE_PTR(text));
        ck_assert_int_eq(root_read_file(root, "sys", &text, NULL), -EISDIR);
        ck_assert_ptr_null(text);
}
END_TEST

static atomic_bool rename_enough;

static void *rename_all_the_time(void *userdata)
{
        char a[512], b[512];
        snprintf(a, sizeof(a), "%s/other/a", folder);
        snprintf(b, sizeof(b), "%s/other/b", folder);
        while (!rename_enough) {
                ck_assert_int_eq(rename(a, b), 0);
                ck_assert_int_eq(rename(b, a), 0);
        }
        return NULL;
}

/* The kernel cannot vouch for ".." while somebody renames, however far away that is; that must not be our failure. */
START_TEST(test_renames_elsewhere)
{
        pthread_t thread;
        char link[512];
        suite_write(folder, "other/a", "");
        suite_write(folder, "sys/devices/x", "");
        suite_write(folder, "sys/bus/y", "");
        snprintf(link, sizeof(link), "%s/sys/bus/link", folder);
        ck_assert_int_eq(symlink("../../sys/bus/../devices/x", link), 0);
        rename_enough = false;
        ck_assert_int_eq(pthread_create(&thread, NULL, rename_all_the_time, NULL), 0);
        for (unsigned i = 0; i < 20000; i++)
                ck_assert_int_eq(root_exists(root, "sys/bus/link"), 1);
        rename_enough = true;
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* The link itself gets the new name, not what it leads to; the names stay inside. */
START_TEST(test_rename)
{
        _cleanup_free_ char *text = NULL;
        suite_write(folder, "run/a", "a");
        suite_write(folder, "run/b", "b");
        suite_link(folder, "run/up", "/../../..");
        ck_assert_int_eq(root_rename(root, "run/a", "run/up/run/b"), 0);
        ck_assert_int_eq(root_read_file(root, "run/b", &text, NULL), 0);
        ck_assert_str_eq(text, "a");
        ck_assert_int_eq(root_rename(root, "run/a", "run/c"), -ENOENT);
        ck_assert_int_eq(root_rename(root, "run/b", "none/c"), -ENOENT);
        ck_assert_int_eq(root_rename(root, "run/up", "run/link"), 0);
        free(TAKE_PTR(text));
        ck_assert_int_eq(root_read_link(root, "run/link", &text), 0);
        ck_assert_str_eq(text, "/../../..");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("root");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_reads_and_writes);
        tcase_add_test(tcase, test_cannot_leave);
        tcase_add_test(tcase, test_no_magic_links);
        tcase_add_test(tcase, test_links);
        tcase_add_test(tcase, test_replace);
        tcase_add_test(tcase, test_modes);
        tcase_add_test(tcase, test_odd_contents);
        tcase_add_test(tcase, test_renames_elsewhere);
        tcase_add_test(tcase, test_rename);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
