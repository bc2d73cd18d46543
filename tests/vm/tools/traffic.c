/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic: two network interfaces at the two ends of one cable send numbered frames to each other, one every 20 ms, until
 * SIGTERM; what is under way then is still received. It writes a line for every frame that arrives, "to INTERFACE NUMBER",
 * and in the end "sent NUMBER" (each way), so that whoever reads it can tell what was lost.
 *
 *   traffic INTERFACE INTERFACE FILE
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define ETHERTYPE 0x88b5 /* set aside for experiments */
#define PERIOD_NSEC 20000000
#define SILENCE_MSEC 2000

typedef struct End {
        const char *name;
        int socket;
        unsigned char address[ETH_ALEN];
} End;

/* The shortest frame that Ethernet allows. */
typedef struct Frame {
        struct ether_header header;
        uint32_t number;
        unsigned char padding[ETH_ZLEN - sizeof(struct ether_header) - sizeof(uint32_t)];
} __attribute__((packed)) Frame;

static int fail(const char *what)
{
        fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
        return -1;
}

static int end_open(End *end, const char *name)
{
        struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE) };
        struct ifreq request = { 0 };

        end->name = name;
        here.sll_ifindex = (int) if_nametoindex(name);
        if (here.sll_ifindex == 0 || strlen(name) >= sizeof(request.ifr_name))
                return fail(name);
        strcpy(request.ifr_name, name);
        end->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETHERTYPE));
        if (end->socket < 0 || bind(end->socket, (struct sockaddr *) &here, sizeof(here)) < 0 ||
            ioctl(end->socket, SIOCGIFHWADDR, &request) < 0)
                return fail(name);
        memcpy(end->address, request.ifr_hwaddr.sa_data, ETH_ALEN);
        return 0;
}

static int end_send(const End *from, const End *to, uint32_t number)
{
        Frame frame = { .header.ether_type = htons(ETHERTYPE), .number = htonl(number) };

        memcpy(frame.header.ether_dhost, to->address, ETH_ALEN);
        memcpy(frame.header.ether_shost, from->address, ETH_ALEN);
        return send(from->socket, &frame, sizeof(frame), 0) == sizeof(frame) ? 0 : fail(from->name);
}

static int end_receive(const End *end, FILE *file)
{
        struct sockaddr_ll from;
        socklen_t size = sizeof(from);
        Frame frame;
        ssize_t n = recvfrom(end->socket, &frame, sizeof(frame), 0, (struct sockaddr *) &from, &size);

        if (n < 0)
                return fail(end->name);
        if (n == sizeof(frame) && from.sll_pkttype == PACKET_HOST)
                fprintf(file, "to %s %u\n", end->name, ntohl(frame.number));
        return fflush(file);
}

/* A descriptor that becomes readable with SIGTERM, and one that does so every PERIOD_NSEC. */
static int clocks(struct pollfd *stop, struct pollfd *tick)
{
        const struct timespec period = { .tv_nsec = PERIOD_NSEC };
        const struct itimerspec timer = { .it_interval = period, .it_value = period };
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        stop->fd = signalfd(-1, &signals, SFD_CLOEXEC);
        tick->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        stop->events = tick->events = POLLIN;
        if (stop->fd < 0 || tick->fd < 0 || timerfd_settime(tick->fd, 0, &timer, NULL) < 0)
                return fail("clock");
        return 0;
}

static int run(const End ends[2], FILE *file)
{
        struct pollfd p[4] = { { .fd = ends[0].socket, .events = POLLIN },
                               { .fd = ends[1].socket, .events = POLLIN } };
        uint64_t ticks;
        uint32_t sent = 0;
        int r = clocks(&p[2], &p[3]);

        while (r == 0 && (r = poll(p, 4, SILENCE_MSEC)) > 0) {
                r = 0;
                for (int i = 0; i < 2 && r == 0; i++)
                        if (p[i].revents)
                                r = end_receive(&ends[i], file);
                if (p[2].revents)
                        p[2].fd = p[3].fd = -1; /* sends no more; ends with the first silence */
                else if (r == 0 && p[3].revents && read(p[3].fd, &ticks, sizeof(ticks)) > 0) {
                        sent++;
                        r = end_send(&ends[0], &ends[1], sent);
                        if (r == 0)
                                r = end_send(&ends[1], &ends[0], sent);
                }
        }
        fprintf(file, "sent %u\n", sent);
        return r;
}

int main(int argc, char **argv)
{
        End ends[2];
        FILE *file;

        if (argc != 4) {
                fputs("usage: traffic INTERFACE INTERFACE FILE\n", stderr);
                return 2;
        }
        file = fopen(argv[3], "we");
        if (!file || end_open(&ends[0], argv[1]) < 0 || end_open(&ends[1], argv[2]) < 0)
                return 1;
        return run(ends, file) < 0 ? 1 : fclose(file) != 0;
}
