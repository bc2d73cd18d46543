/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reading a file, pipe or socket as a whole. */

#include "base/util.h"

/* Called before each read(2): 0 to go on, or negative errno. */
typedef int (*ReadReady)(int fd, void *userdata);

/*
 * All that FD has until its end, NUL-terminated, and its size. READY may be NULL. -EFBIG when it is more than MAX bytes, -ENOMEM,
 * what READY says, or the error of the read.
 */
int read_until_end(int fd, size_t max, ReadReady ready, void *userdata, char **ret,
                   size_t *ret_size) _warn_unused_result_ _nonnull_(5, 6);
