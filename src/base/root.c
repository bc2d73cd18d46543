/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/root.h"

#include "base/read-until-end.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct Root {
        int fd;
        bool host;
};

/* "..", also in links, makes openat2() fail with EAGAIN while anybody renames or mounts anything, anywhere (openat2(2)). */
#define OPEN_ATTEMPTS 100000u

static int open_again(int directory, const char *path, const struct open_how *how)
{
        for (unsigned attempt = 1;; attempt++) {
                long fd = syscall(SYS_openat2, directory, path, how, sizeof(*how));
                if (fd >= 0)
                        return (int) fd;
                if (errno != EAGAIN || attempt == OPEN_ATTEMPTS)
                        return -errno;
        }
}

int root_open(const char *directory, Root **ret)
{
        _cleanup_(root_freep) Root *root = malloc(sizeof(*root));
        if (!root)
                return -ENOMEM;
        root->fd = open(directory ? directory : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        root->host = directory == NULL;
        if (root->fd < 0)
                return -errno;

        /* Ask the kernel for openat2() now rather than in the middle of a transaction. */
        _cleanup_close_ int probe = -1;
        int r = root_open_file(root, ".", O_PATH | O_DIRECTORY, 0, &probe);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(root);
        return 0;
}

Root *root_free(Root *root)
{
        if (!root)
                return NULL;
        if (root->fd >= 0)
                close(root->fd);
        free(root);
        return NULL;
}

bool root_is_host(const Root *root)
{
        return root->host;
}

int root_open_file(const Root *root, const char *path, int flags, mode_t mode, int *ret_fd)
{
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .mode = flags & O_CREAT ? mode : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        int fd = open_again(root->fd, path, &how);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

int root_open_directory(const Root *root, const char *path, DIR **ret)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_RDONLY | O_DIRECTORY, 0, &fd);
        if (r < 0)
                return r;
        DIR *directory = fdopendir(fd);
        if (!directory)
                return -errno;
        (void) TAKE_FD(fd);
        *ret = directory;
        return 0;
}

int root_exists(const Root *root, const char *path)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_PATH, 0, &fd);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        return r < 0 ? r : 1;
}

int root_read_link(const Root *root, const char *path, char **ret)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_PATH | O_NOFOLLOW, 0, &fd);
        if (r < 0)
                return r;

        char target[PATH_MAX];
        ssize_t n = readlinkat(fd, "", target, sizeof(target));
        if (n < 0)
                return errno == ENOENT ? -EINVAL : -errno; /* ENOENT: an empty path on what is not a link */
        char *copy = strndup(target, (size_t) n);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int root_read_link_name(const Root *root, const char *path, char **ret)
{
        _cleanup_free_ char *target = NULL;
        int r = root_read_link(root, path, &target);
        if (r < 0)
                return r;
        const char *slash = strrchr(target, '/');
        char *name = strdup(slash ? slash + 1 : target);
        if (!name)
                return -ENOMEM;
        *ret = name;
        return 0;
}

/* sysfs and proc know no file sizes: read until nothing comes. */
static int read_text(int fd, char **ret, size_t *ret_size)
{
        _cleanup_free_ char *text = NULL;
        int r = read_until_end(fd, ROOT_READ_MAX, NULL, NULL, &text, ret_size);
        if (r < 0)
                return r;
        if (strlen(text) != *ret_size)
                return -EBADMSG;
        *ret = TAKE_PTR(text);
        return 0;
}

static int read_value(int fd, char **ret)
{
        size_t size;
        int r = read_text(fd, ret, &size);
        if (r == 0 && size > 0 && (*ret)[size - 1] == '\n')
                (*ret)[size - 1] = '\0';
        return r;
}

int root_read_file(const Root *root, const char *path, char **ret, size_t *ret_size)
{
        _cleanup_close_ int fd = -1;
        size_t size;
        int r = root_open_file(root, path, O_RDONLY | O_NOCTTY, 0, &fd);
        if (r == 0)
                r = read_text(fd, ret, &size);
        if (r == 0 && ret_size)
                *ret_size = size;
        return r;
}

int root_read_attribute(const Root *root, const char *path, char **ret)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_RDONLY | O_NOCTTY, 0, &fd);
        return r == 0 ? read_value(fd, ret) : r;
}

int root_read_attribute_below(int directory, const char *name, char **ret)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_below(directory, name, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd);
        return r == 0 ? read_value(fd, ret) : r;
}

static int write_once(int fd, const char *text)
{
        size_t size = strlen(text);
        ssize_t n = write(fd, text, size);
        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

int root_write_attribute(const Root *root, const char *path, const char *value)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(root, path, O_WRONLY | O_NOCTTY, 0, &fd);
        if (r < 0)
                return r;
        return write_once(fd, value);
}

/* The directory that PATH is in, and PATH's last component. */
static int open_parent(const Root *root, const char *path, int *ret_fd, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        if (!slash)
                return -EINVAL;
        _cleanup_free_ char *parent = strndup(path, (size_t) (slash - path));
        if (!parent)
                return -ENOMEM;
        *ret_name = slash + 1;
        return root_open_file(root, parent, O_RDONLY | O_DIRECTORY, 0, ret_fd);
}

int root_replace_file(const Root *root, const char *path, const char *text, mode_t mode)
{
        _cleanup_close_ int parent = -1;
        const char *name;
        int r = open_parent(root, path, &parent, &name);
        if (r < 0)
                return r;
        _cleanup_free_ char *fresh = text_format("%s.new", path);
        if (!fresh)
                return -ENOMEM;

        _cleanup_close_ int fd = -1;
        r = root_open_file(root, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, &fd);
        if (r < 0)
                return r;
        if (fchmod(fd, mode) < 0)
                return -errno;
        size_t size = strlen(text);
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, text + done, size - done);
                if (n < 0 && errno != EINTR)
                        return -errno;
                done += n < 0 ? 0 : (size_t) n;
        }
        if (fsync(fd) < 0)
                return -errno;
        /* Both names are single components of a directory that was opened inside the root. */
        if (renameat(parent, strrchr(fresh, '/') + 1, parent, name) < 0)
                return -errno;
        return fsync(parent) < 0 ? -errno : 0;
}

int root_unlink(const Root *root, const char *path)
{
        _cleanup_close_ int parent = -1;
        const char *name;
        int r = open_parent(root, path, &parent, &name);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int root_rename(const Root *root, const char *path, const char *new_path)
{
        _cleanup_close_ int parent = -1, new_parent = -1;
        const char *name = NULL, *new_name = NULL;
        int r = open_parent(root, path, &parent, &name);
        if (r == 0)
                r = open_parent(root, new_path, &new_parent, &new_name);
        if (r < 0)
                return r;
        return renameat(parent, name, new_parent, new_name) < 0 ? -errno : 0;
}

int root_make_directory(const Root *root, const char *path, mode_t mode)
{
        _cleanup_close_ int parent = -1;
        const char *name;
        int r = open_parent(root, path, &parent, &name);
        if (r < 0)
                return r;
        if (mkdirat(parent, name, mode) < 0)
                return errno == EEXIST ? 0 : -errno;
        return fchmodat(parent, name, mode, 0) < 0 ? -errno : 0;
}

int root_open_below(int directory, const char *path, int flags, int *ret_fd)
{
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
        };
        int fd = open_again(directory, path, &how);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

int root_read_below(int directory, const char *name, char *buffer, size_t size)
{
        _cleanup_close_ int fd = -1;
        /* O_NONBLOCK: a FIFO in a made-up tree must not stop us. */
        int r = root_open_below(directory, name, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd);
        if (r < 0)
                return r;
        ssize_t n = read(fd, buffer, size);
        if (n < 0)
                return -errno;
        if ((size_t) n == size)
                return -EFBIG;
        buffer[n] = '\0';
        return strlen(buffer) == (size_t) n ? 0 : -EBADMSG;
}
