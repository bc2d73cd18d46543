/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * openat2() in user space, for valgrind alone: that of Debian 12 does not know the system call. Preloaded by
 * tests/valgrind, it resolves paths one component at a time, never leaving the directory that it starts from. It is not
 * safe against renames meanwhile, as the kernel is; tests do not need that.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define LINKS_MAX 40

/* The directories from the start down to where the walk is. */
typedef struct Walk {
        int fds[DEPTH_MAX];
        unsigned depth;
        unsigned n_links;
        const struct open_how *how;
} Walk;

static void walk_up_to(Walk *walk, unsigned depth)
{
        while (walk->depth > depth)
                close(walk->fds[--walk->depth]);
}

/* All links of proc but these are magic: they lead to what no path names. */
static int is_magic(int fd, const char *name)
{
        struct statfs fs;
        return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC && strcmp(name, "self") != 0 &&
               strcmp(name, "thread-self") != 0 && strcmp(name, "mounts") != 0 && strcmp(name, "net") != 0;
}

/* Opens NAME in the walk's directory, which is its last component. */
static int open_last(const Walk *walk, const char *name)
{
        int flags = (int) walk->how->flags | O_NOFOLLOW;
        return openat(walk->fds[walk->depth - 1], name, flags, (mode_t) walk->how->mode);
}

/* Follows the link NAME: its target in front of REST, at BUFFER. */
static int expand(Walk *walk, const char *name, const char *rest, char buffer[static PATH_MAX * 2])
{
        char target[PATH_MAX];
        int directory = walk->fds[walk->depth - 1];

        if (walk->how->resolve & RESOLVE_NO_SYMLINKS || ++walk->n_links > LINKS_MAX ||
            is_magic(directory, name)) {
                errno = ELOOP;
                return -1;
        }
        ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);
        if (n < 0)
                return -1;
        target[n] = '\0';
        if (target[0] == '/')
                walk_up_to(walk, 1);
        snprintf(buffer, PATH_MAX * 2, "%s/%s", target, rest);
        return 0;
}

static int step_into(Walk *walk, const char *name)
{
        if (walk->depth == DEPTH_MAX) {
                errno = ENAMETOOLONG;
                return -1;
        }
        int fd = openat(walk->fds[walk->depth - 1], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -1;
        walk->fds[walk->depth++] = fd;
        return 0;
}

/* ".." stays at the root of the walk, or is refused there. */
static int step_up(Walk *walk)
{
        if (walk->depth > 1)
                walk_up_to(walk, walk->depth - 1);
        else if (walk->how->resolve & RESOLVE_BENEATH) {
                errno = EXDEV;
                return -1;
        }
        return 0;
}

static int is_link(const Walk *walk, const char *name)
{
        struct stat st;
        return fstatat(walk->fds[walk->depth - 1], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISLNK(st.st_mode);
}

static int resolve(Walk *walk, const char *path)
{
        char text[PATH_MAX * 2], next[PATH_MAX * 2];

        snprintf(text, sizeof(text), "%s", path);
        for (;;) {
                char *name = text + strspn(text, "/");
                size_t length = strcspn(name, "/");
                char *rest = name + length;
                rest += strspn(rest, "/");
                int is_last = *rest == '\0';
                name[length] = '\0';

                if (is_last && (length == 0 || strcmp(name, "..") == 0)) {
                        if (length > 0 && step_up(walk) < 0)
                                return -1;
                        return open_last(walk, ".");
                }
                if (is_link(walk, name) && !(is_last && walk->how->flags & O_NOFOLLOW)) {
                        if (expand(walk, name, rest, next) < 0)
                                return -1;
                } else if (is_last) {
                        return open_last(walk, name);
                } else {
                        if ((strcmp(name, "..") == 0  ? step_up(walk)
                             : strcmp(name, ".") == 0 ? 0
                                                      : step_into(walk, name)) < 0)
                                return -1;
                        snprintf(next, sizeof(next), "%s", rest);
                }
                memcpy(text, next, sizeof(text));
        }
}

static int openat2_shim(int directory, const char *path, const struct open_how *how)
{
        Walk walk = { .how = how };
        walk.fds[walk.depth] = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (walk.fds[walk.depth++] < 0)
                return -1;
        if (path[0] == '/' && how->resolve & RESOLVE_BENEATH) {
                errno = EXDEV;
                walk_up_to(&walk, 0);
                return -1;
        }
        int fd = resolve(&walk, path), saved = errno;
        walk_up_to(&walk, 0);
        errno = saved;
        return fd;
}

long syscall(long number, ...)
{
        static long (*real)(long, ...);
        long a[6];
        va_list args;

        va_start(args, number);
        for (unsigned i = 0; i < 6; i++)
                a[i] = va_arg(args, long);
        va_end(args);
        if (number == SYS_openat2)
                return openat2_shim((int) a[0], (const char *) a[1], (const struct open_how *) a[2]);
        if (!real)
                *(void **) &real = dlsym(RTLD_NEXT, "syscall");
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
