/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uevent-log: writes down what the kernel says about PCI functions, so that a scenario can state what must
 * not have happened. It reads the kernel's own uevents (not udev's copies) and appends a line for each:
 * MICROSECONDS ACTION FUNCTION DRIVER, the time being CLOCK_MONOTONIC and DRIVER `-` where there is none.
 * Synthetic events that carry a SYNTH_UUID, of any subsystem, become `mark` lines: everything that the
 * kernel said before the mark stands above it. Goes to the background as soon as nothing can be missed.
 *
 *   uevent-log FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct Event {
        const char *action;
        const char *subsystem;
        const char *function;
        const char *driver;
        const char *mark;
} Event;

static int fail(const char *what)
{
        fprintf(stderr, "uevent-log: %s: %s\n", what, strerror(errno));
        return 1;
}

static int open_socket(void)
{
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        int size = 16 << 20, fd;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        if (fd < 0)
                return -1;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
            bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

static Event event_parse(const char *text, const char *end)
{
        static const char *const names[] = { "ACTION=", "SUBSYSTEM=", "PCI_SLOT_NAME=", "DRIVER=",
                                             "SYNTH_UUID=" };
        const char *values[5] = { "", "", "", "-", NULL };

        for (; text < end; text += strlen(text) + 1)
                for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                        if (strncmp(text, names[i], strlen(names[i])) == 0)
                                values[i] = text + strlen(names[i]);
        return (Event){ values[0], values[1], values[2], values[3], values[4] };
}

static int write_line(int file, const Event *e)
{
        struct timespec t;
        char line[256];
        int n;

        clock_gettime(CLOCK_MONOTONIC, &t);
        n = snprintf(line, sizeof(line), "%lld %s %s %s\n",
                     (long long) t.tv_sec * 1000000 + t.tv_nsec / 1000, e->mark ? "mark" : e->action,
                     e->mark ? e->mark : e->function, e->driver);
        return write(file, line, (size_t) n) == n ? 0 : -1;
}

static int record(int socket, int file)
{
        static const Event overrun = { .action = "overrun", .function = "-", .driver = "-" };
        char buffer[8192];

        for (;;) {
                ssize_t n = recv(socket, buffer, sizeof(buffer) - 1, 0);
                Event e = overrun;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno != ENOBUFS)
                        return fail("receive");
                if (n >= 0) {
                        buffer[n] = '\0';
                        e = event_parse(buffer, buffer + n);
                        /* The kernel writes the zero UUID into synthetic events that were given none. */
                        if (e.mark && strcmp(e.mark, "0") == 0)
                                e.mark = NULL;
                        if (!e.mark && strcmp(e.subsystem, "pci") != 0)
                                continue;
                }
                if (write_line(file, &e) < 0)
                        return fail("write");
        }
}

int main(int argc, char **argv)
{
        int file, socket;

        if (argc != 2) {
                fprintf(stderr, "usage: uevent-log FILE\n");
                return 2;
        }
        file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
        if (file < 0)
                return fail(argv[1]);
        socket = open_socket();
        if (socket < 0)
                return fail("uevent socket");
        if (daemon(1, 0) < 0)
                return fail("background");
        return record(socket, file);
}
