/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/lock.h"

#include "act/outcome.h"

#include <errno.h>
#include <sys/file.h>

int lock_take(const Root *root, int *ret_fd)
{
        _cleanup_close_ int fd = -1;
        int r = root_make_directory(root, RUN_DIRECTORY, 0755);
        if (r == 0)
                r = root_open_file(root, LOCK_PATH, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &fd);
        if (r < 0)
                return r;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? LOCK_HELD : -errno;
        *ret_fd = TAKE_FD(fd);
        return LOCK_TAKEN;
}
