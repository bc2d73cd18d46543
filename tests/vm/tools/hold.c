/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold: somebody who uses a file. It opens FILE, or maps its first page and closes it again, says "holding", and keeps it
 * so until it is killed.
 *
 *   hold open|map FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        if (argc != 3 || (strcmp(argv[1], "open") != 0 && strcmp(argv[1], "map") != 0)) {
                fputs("usage: hold open|map FILE\n", stderr);
                return 2;
        }
        int fd = open(argv[2], O_RDWR);
        if (fd < 0) {
                perror(argv[2]);
                return 1;
        }
        if (strcmp(argv[1], "map") == 0) {
                size_t size = (size_t) sysconf(_SC_PAGESIZE);
                if (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED) {
                        perror(argv[2]);
                        return 1;
                }
                close(fd);
        }
        puts("holding");
        fflush(stdout);
        for (;;)
                pause();
}
