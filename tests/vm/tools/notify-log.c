/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify-log: stands in for systemd's end of sd_notify(3) in a guest without systemd. It binds the socket,
 * goes to the background and appends what arrives to a file, one assignment per line (READY=1, STATUS=...).
 *
 *   notify-log SOCKET FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
        fprintf(stderr, "notify-log: %s: %s\n", what, strerror(errno));
        return 1;
}

static int record(int socket, int file)
{
        char buffer[4096];

        for (;;) {
                ssize_t n = recv(socket, buffer, sizeof(buffer) - 1, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail("receive");
                if (n == 0)
                        continue;
                if (buffer[n - 1] != '\n')
                        buffer[n++] = '\n';
                if (write(file, buffer, (size_t) n) != n)
                        return fail("write");
        }
}

int main(int argc, char **argv)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int file, fd;

        if (argc != 3 || strlen(argv[1]) >= sizeof(address.sun_path)) {
                fprintf(stderr, "usage: notify-log SOCKET FILE\n");
                return 2;
        }
        strcpy(address.sun_path, argv[1]);
        unlink(argv[1]);
        file = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (file < 0 || fd < 0)
                return fail(argv[2]);
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return fail(argv[1]);
        if (daemon(1, 0) < 0)
                return fail("background");
        return record(fd, file);
}
