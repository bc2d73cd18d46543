/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "udevd.h"

#include "driver-core.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define UDEV_GROUP 2u /* UDEV_MONITOR_UDEV */
#define MAGIC 0xfeedcafeu
#define EVENT_MAX 2048u

/* monitor_netlink_header; what socket filters look at is in network order. */
typedef struct Header {
        char prefix[8];
        uint32_t magic;
        uint32_t header_size;
        uint32_t properties_offset, properties_size;
        uint32_t subsystem_hash, devtype_hash;
        uint32_t tag_bloom[2];
} Header;

typedef struct Event {
        struct Event *next;
        Function *function;
        size_t size;
        char text[EVENT_MAX];
} Event;

static Event *first, **last = &first;
static bool is_busy;
static unsigned long generation, sequence;
static int udev_socket = -1;

/* MurmurHash2 with seed 0, with which libudev hashes the names of subsystems. */
static uint32_t hash(const char *text)
{
        const uint32_t m = 0x5bd1e995;
        size_t size = strlen(text);
        uint32_t h = (uint32_t) size;

        for (; size >= 4; text += 4, size -= 4) {
                uint32_t k;
                memcpy(&k, text, sizeof(k));
                k *= m;
                k ^= k >> 24;
                h = (h * m) ^ (k * m);
        }
        for (size_t i = size; i-- > 0;)
                h ^= (uint32_t) (unsigned char) text[i] << (8 * i);
        if (size > 0)
                h *= m;
        h = (h ^ (h >> 13)) * m;
        return h ^ (h >> 15);
}

static const char *value_of(const Event *event, const char *key)
{
        size_t n = strlen(key);
        for (const char *at = event->text; at < event->text + event->size; at += strlen(at) + 1)
                if (strncmp(at, key, n) == 0)
                        return at + n;
        return "";
}

/* A rule of every distribution: `add` of a function loads the module that its modalias names. */
static void load_modules(Machine *machine, const Event *event)
{
        if (!event->function || strcmp(value_of(event, "ACTION="), "add") != 0)
                return;
        for (size_t i = 0; i < machine->n_drivers; i++)
                if (machine->drivers[i].late && driver_has_id(&machine->drivers[i], event->function))
                        driver_load(machine, &machine->drivers[i]);
}

static void send_copy(const Event *event)
{
        struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
        size_t summary = strlen(event->text) + 1;
        char more[96];
        sequence++;
        int n = snprintf(more, sizeof(more), "SEQNUM=%lu%cUSEC_INITIALIZED=%lu", sequence, '\0', sequence);
        Header header = {
                .prefix = "libudev",
                .magic = htonl(MAGIC),
                .header_size = sizeof(header),
                .properties_offset = sizeof(header),
                .properties_size = (uint32_t) (event->size - summary + (size_t) n + 1),
                .subsystem_hash = htonl(hash(value_of(event, "SUBSYSTEM="))),
        };
        struct iovec parts[] = {
                { &header, sizeof(header) },
                { (void *) (uintptr_t) (event->text + summary), event->size - summary },
                { more, (size_t) n + 1 },
        };
        struct msghdr message = {
                .msg_name = &group,
                .msg_namelen = sizeof(group),
                .msg_iov = parts,
                .msg_iovlen = ELEMENTSOF(parts),
        };
        /* ECONNREFUSED: nobody listens. */
        (void) !sendmsg(udev_socket, &message, 0);
}

static Event *take(void)
{
        Event *event = first;
        first = event->next;
        if (!first)
                last = &first;
        return event;
}

static void deal_with(Machine *machine, const Event *event)
{
        unsigned long now = generation;

        if (machine->options.udev_usec > 0)
                machine_wait_usec(machine, machine->options.udev_usec);
        /* The machine may have been replaced meanwhile, its functions with it. */
        if (now == generation)
                load_modules(machine, event);
        if (now == generation)
                send_copy(event);
}

static void *udevd_main(void *userdata)
{
        Machine *machine = userdata;

        pthread_mutex_lock(&machine->lock);
        for (;;) {
                while (!first)
                        pthread_cond_wait(&machine->changed, &machine->lock);
                Event *event = take();
                is_busy = true;
                deal_with(machine, event);
                free(event);
                is_busy = false;
                machine_changed(machine);
        }
        return NULL;
}

static void queue(Machine *machine, const char *text, size_t size, Function *function)
{
        if (!machine->options.udev || size > EVENT_MAX)
                return;
        Event *event = malloc(sizeof(*event));
        if (!event)
                return;
        event->next = NULL;
        event->function = function;
        event->size = size;
        memcpy(event->text, text, size);
        *last = event;
        last = &event->next;
        machine_changed(machine);
}

int udevd_start(Machine *machine)
{
        pthread_t thread;

        machine->on_uevent = queue;
        udev_socket = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        if (udev_socket < 0)
                return -errno;
        int r = -pthread_create(&thread, NULL, udevd_main, machine);
        return r < 0 ? r : -pthread_detach(thread);
}

void udevd_reset(void)
{
        generation++;
        while (first)
                free(take());
}

bool udevd_is_idle(void)
{
        return !first && !is_busy;
}
