/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor: what realigning cannot do without, and nothing else: the entries, the unbinds, the removal of the bridge above, the
 * rescan with what returns put on hold, the binds. Nothing is proved, recorded or verified. It is the measure for
 * vfio-realign's transaction, and prints the microseconds of each part: "entries unbind remove rescan bind".
 *
 *   floor ENTRIES BRIDGE ROOT-BUS FUNCTION...     the functions of the bridge's bus, all on vfio-pci
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DRIVER "vfio-pci"
#define HOLD "vfio-realign-hold"

enum { PART_ENTRIES, PART_UNBIND, PART_REMOVE, PART_RESCAN, PART_BIND, PART_COUNT };

/* What the listener needs: the functions, where it hears of them, and where it hears that it is over. */
typedef struct Listener {
        char *const *functions;
        int events, stopper;
} Listener;

static void fail(const char *what)
{
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(1);
}

static long long now_usec(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (long long) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void put(const char *path, const char *value)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, value, strlen(value)) < 0 || close(fd) < 0)
                fail(path);
}

static void put_of(const char *function, const char *attribute, const char *value)
{
        char path[128];
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", function, attribute);
        put(path, value);
}

static const char *value_of(const char *text, const char *end, const char *name)
{
        size_t size = strlen(name);
        for (; text < end; text += strlen(text) + 1)
                if (strncmp(text, name, size) == 0)
                        return text + size;
        return "";
}

static void hear(const Listener *listener)
{
        char text[8192];
        ssize_t n;

        while ((n = recv(listener->events, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0) {
                text[n] = '\0';
                if (strcmp(value_of(text, text + n, "ACTION="), "add") != 0)
                        continue;
                const char *function = value_of(text, text + n, "PCI_SLOT_NAME=");
                for (char *const *f = listener->functions; *f; f++)
                        if (strcmp(*f, function) == 0)
                                put_of(function, "driver_override", HOLD);
        }
}

static void *listen_main(void *argument)
{
        const Listener *listener = argument;
        struct pollfd fds[] = { { .fd = listener->events, .events = POLLIN },
                                { .fd = listener->stopper, .events = POLLIN } };
        while (!fds[1].revents && poll(fds, 2, -1) > 0)
                hear(listener);
        return NULL;
}

static void rescan(const char *root_bus, char *const *functions)
{
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        Listener listener = { .functions = functions,
                              .events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
                                               NETLINK_KOBJECT_UEVENT),
                              .stopper = eventfd(0, EFD_CLOEXEC) };
        char path[128];
        pthread_t thread;

        if (bind(listener.events, (struct sockaddr *) &address, sizeof(address)) < 0 ||
            pthread_create(&thread, NULL, listen_main, &listener) != 0)
                fail("listener");
        snprintf(path, sizeof(path), "/sys/class/pci_bus/%s/rescan", root_bus);
        put(path, "1");
        eventfd_write(listener.stopper, 1);
        pthread_join(thread, NULL);
        close(listener.events);
        close(listener.stopper);
}

static void bind_all(char *const *functions)
{
        for (; *functions; functions++) {
                put_of(*functions, "driver_override", DRIVER);
                put("/sys/bus/pci/drivers_probe", *functions);
        }
}

int main(int argc, char **argv)
{
        long long at[PART_COUNT + 1];

        if (argc < 5) {
                fprintf(stderr, "usage: floor ENTRIES BRIDGE ROOT-BUS FUNCTION...\n");
                return 2;
        }
        char **functions = argv + 4;
        at[PART_ENTRIES] = now_usec();
        put("/sys/bus/pci/resource_alignment", argv[1]);
        at[PART_UNBIND] = now_usec();
        for (char **f = functions; *f; f++)
                put("/sys/bus/pci/drivers/" DRIVER "/unbind", *f);
        at[PART_REMOVE] = now_usec();
        put_of(argv[2], "remove", "1");
        at[PART_RESCAN] = now_usec();
        rescan(argv[3], functions);
        at[PART_BIND] = now_usec();
        bind_all(functions);
        at[PART_COUNT] = now_usec();
        for (int part = 0; part < PART_COUNT; part++)
                printf("%lld%c", at[part + 1] - at[part], part + 1 < PART_COUNT ? ' ' : '\n');
        return 0;
}
