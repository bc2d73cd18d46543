/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/uevent.h"

#include "base/text.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define KERNEL_GROUP 1 /* group 2 carries udev's copies */

int uevent_open(size_t room, int *ret_fd)
{
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                        NETLINK_KOBJECT_UEVENT);
        if (fd < 0)
                return -errno;
        int size = (int) room;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
                                  sizeof(size)); /* less room is no failure */
        if (bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int uevent_receive(int fd, char buffer[static UEVENT_SIZE_MAX], Uevent *ret)
{
        struct sockaddr_nl from = { 0 };
        struct iovec data = { .iov_base = buffer, .iov_len = UEVENT_SIZE_MAX };
        struct msghdr message = {
                .msg_name = &from,
                .msg_namelen = sizeof(from),
                .msg_iov = &data,
                .msg_iovlen = 1,
        };
        ssize_t n = recvmsg(fd, &message, 0);
        if (n < 0)
                return -errno;
        /* Only the kernel has port 0; anybody else's message is forged. */
        if (from.nl_pid != 0 || (message.msg_flags & MSG_TRUNC))
                return 1;
        return uevent_parse(buffer, (size_t) n, ret) < 0 ? 1 : 0;
}

int uevent_parse(char *message, size_t size, Uevent *ret)
{
        if (size == 0 || message[size - 1] != '\0' || !strchr(message, '@'))
                return -EBADMSG;

        Uevent event = { 0 };
        const struct {
                const char *key;
                const char **value;
        } wanted[] = {
                { "ACTION=", &event.action },
                { "DEVPATH=", &event.devpath },
                { "SUBSYSTEM=", &event.subsystem },
                { "PCI_CLASS=", &event.pci_class },
        };
        for (char *field = message + strlen(message) + 1; field < message + size; field += strlen(field) + 1)
                for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                        if (text_starts_with(field, wanted[i].key))
                                *wanted[i].value = field + strlen(wanted[i].key);
        if (!event.action || !event.devpath || !event.subsystem)
                return -EBADMSG;
        *ret = event;
        return 0;
}

int uevent_topology_path(const char *devpath, char **ret_path, PciAddress *ret_address)
{
        _cleanup_free_ char *copy = strdup(devpath), *path = NULL;
        PciAddress address = { 0 };
        char *state;

        if (!copy)
                return -ENOMEM;
        for (char *part = strtok_r(copy, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
                if (text_starts_with(part, "pci") && strchr(part, ':')) {
                        /* A root bus, perhaps one below a function of another domain: the path starts anew. */
                        free(TAKE_PTR(path));
                        continue;
                }
                PciAddress next;
                if (pci_address_parse(part, &next) < 0) {
                        if (path)
                                return -EINVAL; /* something below a function */
                        continue;
                }
                char *longer = path ? text_format("%s/%02x.%x", path, next.device, next.function)
                                    : strdup(part);
                if (!longer)
                        return -ENOMEM;
                free(path);
                path = longer;
                address = next;
        }
        if (!path)
                return -EINVAL;
        *ret_path = TAKE_PTR(path);
        *ret_address = address;
        return 0;
}
