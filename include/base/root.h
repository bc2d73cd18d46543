/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The one handle on the root directory under which sys, proc, dev and run (and the policy's etc and usr) are
 * found. Every open goes through openat2() with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, so no symbolic link and
 * no ".." leads out of it: with --sysroot DIR the programs cannot touch the machine they run on. Paths are relative,
 * without a leading slash: "sys/bus/pci/devices".
 */

#include "base/util.h"

#include <fcntl.h>

typedef struct Root Root;

/* Opens DIRECTORY, or "/" for NULL. Negative errno: the directory cannot be opened, or the kernel has no openat2(). */
int root_open(const char *directory, Root **ret) _warn_unused_result_ _nonnull_(2);
Root *root_free(Root *root);
DEFINE_CLEANUP(Root *, root_free);

/* True when this is the machine's own "/", false under --sysroot. */
bool root_is_host(const Root *root) _pure_;

/* As open(2), O_CLOEXEC added; MODE counts for O_CREAT. */
int root_open_file(const Root *root, const char *path, int flags, mode_t mode,
                   int *ret_fd) _warn_unused_result_ _nonnull_(1, 2, 5);

/* A directory stream. -ENOENT, -ENOTDIR, … */
int root_open_directory(const Root *root, const char *path, DIR **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* 1 there, 0 not there, negative errno when that cannot be told. Follows links within the root. */
int root_exists(const Root *root, const char *path) _warn_unused_result_ _nonnull_(1, 2);

/* What the symbolic link PATH holds, unresolved. -ENOENT, -EINVAL (not a link). */
int root_read_link(const Root *root, const char *path, char **ret) _warn_unused_result_ _nonnull_(1, 2, 3);

/* The last component of what the link PATH holds: the driver's name for ".../driver". */
int root_read_link_name(const Root *root, const char *path, char **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* The whole file as a NUL-terminated text. -EFBIG above ROOT_READ_MAX, -EBADMSG if it holds a NUL byte. */
#define ROOT_READ_MAX (8u << 20)
int root_read_file(const Root *root, const char *path, char **ret, size_t *ret_size) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* As root_read_file() without the final newline: a sysfs attribute of one line. */
int root_read_attribute(const Root *root, const char *path, char **ret) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Writes VALUE to an existing attribute with ONE write(2), because each write to a sysfs attribute is complete in
 * itself (KF §1). -EIO when the kernel took only a part of it.
 */
int root_write_attribute(const Root *root, const char *path, const char *value) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Replaces the regular file PATH as a whole: a temporary file beside it, fsync(), rename(). Whoever reads PATH,
 * also after a crash at any instant, finds the old text or the new one. It has MODE whatever the umask.
 */
int root_replace_file(const Root *root, const char *path, const char *text, mode_t mode) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* Removes the file PATH; one that is not there is fine. */
int root_unlink(const Root *root, const char *path) _warn_unused_result_ _nonnull_(1, 2);

/* Gives what is at PATH, of whatever kind, the name NEW_PATH, replacing a file that has it. Links are not followed. */
int root_rename(const Root *root, const char *path, const char *new_path) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* Makes the directory PATH (its parent must be there) with MODE whatever the umask; one that is there is fine. */
int root_make_directory(const Root *root, const char *path, mode_t mode) _warn_unused_result_
                _nonnull_(1, 2);

/*
 * Many small attributes of one directory: opened relative to DIRECTORY (a descriptor that was itself opened inside the
 * root), without following any symbolic link and without leaving DIRECTORY. -ELOOP for a link, -EXDEV for "..".
 */
int root_open_below(int directory, const char *path, int flags, int *ret_fd) _warn_unused_result_
                _nonnull_(2, 4);

/* As root_read_attribute(), of the file NAME below an open DIRECTORY, without following any symbolic link. */
int root_read_attribute_below(int directory, const char *name, char **ret) _warn_unused_result_
                _nonnull_(2, 3);

/*
 * Reads the attribute NAME below DIRECTORY with one read(2) into BUFFER (SIZE bytes), NUL-terminated. -EFBIG when it
 * does not fit, -EBADMSG if it holds a NUL byte.
 */
int root_read_below(int directory, const char *name, char *buffer, size_t size) _warn_unused_result_
                _nonnull_(2, 3);
