/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap-meter: preloaded into a program, it appends how many bytes the program has allocated and not freed to the file that
 * HEAP_METER names, one line for each SIGUSR2. Exact where the size of the process is not, which allocator and
 * fragmentation have a say in; for that, glibc must keep no freed memory by itself (glibc.malloc.tcache_count=0).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *path;

/* The program sleeps when it is asked, so that it is in no allocation. */
static void tell(int number)
{
        struct mallinfo2 info = mallinfo2();
        char text[32];
        int n = snprintf(text, sizeof(text), "%zu\n", info.uordblks + info.hblkhd);
        int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

        (void) number;
        if (fd >= 0) {
                (void) !write(fd, text, (size_t) n);
                close(fd);
        }
}

__attribute__((constructor)) static void begin(void)
{
        const struct sigaction action = { .sa_handler = tell, .sa_flags = SA_RESTART };

        path = getenv("HEAP_METER");
        if (path)
                sigaction(SIGUSR2, &action, NULL);
}
