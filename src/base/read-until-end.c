/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/read-until-end.h"

#include <errno.h>

#define ROOM_FIRST 8192u /* bytes: what most files in /sys and /proc have fits */

static int make_room(char **text, size_t size, size_t *room)
{
        if (*room - size > ROOM_FIRST / 2)
                return 0;
        size_t more = *room ? *room * 2 : ROOM_FIRST;
        char *larger = realloc(*text, more);
        if (!larger)
                return -ENOMEM;
        *text = larger;
        *room = more;
        return 0;
}

int read_until_end(int fd, size_t max, ReadReady ready, void *userdata, char **ret, size_t *ret_size)
{
        _cleanup_free_ char *text = NULL;
        size_t size = 0, room = 0;

        for (ssize_t n = 1; n != 0;) {
                int r = make_room(&text, size, &room);
                if (r == 0 && ready)
                        r = ready(fd, userdata);
                if (r < 0)
                        return r;
                n = read(fd, text + size, room - size - 1);
                if (n < 0 && errno != EINTR)
                        return -errno;
                size += n > 0 ? (size_t) n : 0;
                if (size > max)
                        return -EFBIG;
        }
        text[size] = '\0';
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}
