/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "uevents.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define MESSAGE_MAX 2048u
#define KERNEL_GROUP 1u
#define UDEV_GROUP 2u
#define INITIAL_NAMESPACE "net:[4026531840]"

typedef struct Message {
        struct nlmsghdr header;
        char text[MESSAGE_MAX];
        size_t size;
} Message;

int uevents_open(Machine *machine)
{
        char name[64] = "";
        ssize_t n = readlink("/proc/self/ns/net", name, sizeof(name) - 1);
        if (n < 0)
                return -errno;
        if (strcmp(name, INITIAL_NAMESPACE) == 0)
                return -EPERM;
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        if (fd < 0)
                return -errno;
        machine->uevents = fd;
        return 0;
}

static void message_add(Message *message, const char *format, ...) _printf_(2, 3);
static void message_add(Message *message, const char *format, ...)
{
        va_list args;
        size_t room = sizeof(message->text) - message->size;

        va_start(args, format);
        int n = vsnprintf(message->text + message->size, room, format, args);
        va_end(args);
        if (n > 0 && (size_t) n < room)
                message->size += (size_t) n + 1;
}

static void message_begin(Message *message, const char *action, const char *devpath, const char *subsystem)
{
        message->size = 0;
        message_add(message, "%s@/devices/%s", action, devpath);
        message_add(message, "ACTION=%s", action);
        message_add(message, "DEVPATH=/devices/%s", devpath);
        message_add(message, "SUBSYSTEM=%s", subsystem);
}

static void message_send(Machine *machine, Message *message, Function *function)
{
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

        message->header = (struct nlmsghdr){
                .nlmsg_len = (uint32_t) (sizeof(message->header) + message->size),
                .nlmsg_type = NLMSG_MIN_TYPE,
                .nlmsg_flags = NLM_F_REQUEST,
        };
        (void) !sendto(machine->uevents, message, message->header.nlmsg_len, 0, (struct sockaddr *) &kernel,
                       sizeof(kernel));
        if (machine->on_uevent)
                machine->on_uevent(machine, message->text, message->size, function);
}

static void send_event(Machine *machine, const char *action, Function *function, const char *uuid)
{
        static Message message; /* the machine's lock is held */
        char path[256];

        if (machine->booting || machine->uevents < 0)
                return;
        message_begin(&message, action, function_path(function, path), "pci");
        if (function->driver)
                message_add(&message, "DRIVER=%s", function->driver->name);
        message_add(&message, "PCI_CLASS=%04X", function->class);
        message_add(&message, "PCI_ID=%04X:%04X", function->vendor, function->device);
        message_add(&message, "PCI_SUBSYS_ID=%04X:%04X", function->subvendor, function->subdevice);
        message_add(&message, "PCI_SLOT_NAME=%s", PCI_ADDRESS_TEXT(function->address));
        if (uuid)
                message_add(&message, "SYNTH_UUID=%s", uuid);
        message_send(machine, &message, function);
}

void uevents_send(Machine *machine, const char *action, Function *function)
{
        send_event(machine, action, function, NULL);
}

void uevents_send_synthetic(Machine *machine, const char *action, Function *function, const char *uuid)
{
        send_event(machine, action, function, uuid);
}

void uevents_send_other(Machine *machine, const char *action, const char *subsystem, const char *devpath)
{
        static Message message;

        if (machine->booting || machine->uevents < 0)
                return;
        message_begin(&message, action, devpath, subsystem);
        message_send(machine, &message, NULL);
}

/* Calls LOOK with each socket of the protocol: its port, groups, and how many bytes wait in it. */
static bool any_socket(bool (*look)(unsigned port, unsigned groups, unsigned long waiting))
{
        _cleanup_fclose_ FILE *file = fopen("/proc/net/netlink", "re");
        char line[256];

        while (file && fgets(line, sizeof(line), file)) {
                unsigned protocol, port, groups;
                unsigned long waiting;
                if (sscanf(line, "%*x %u %u %x %lu", &protocol, &port, &groups, &waiting) == 4 &&
                    protocol == NETLINK_KOBJECT_UEVENT && look(port, groups, waiting))
                        return true;
        }
        return false;
}

static bool listens_to_kernel(unsigned port, unsigned groups, unsigned long waiting)
{
        return port != 0 && groups & KERNEL_GROUP;
}

static bool has_unread(unsigned port, unsigned groups, unsigned long waiting)
{
        return groups & UDEV_GROUP && waiting > 0;
}

bool uevents_have_listener(void)
{
        return any_socket(listens_to_kernel);
}

bool uevents_are_read(void)
{
        return !any_socket(has_unread);
}
