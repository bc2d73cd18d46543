/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/uevent.h"
#include "suite.h"

#include <sys/socket.h>

#define DEVPATH "/devices/pci0000:00/0000:00:1c.0/0000:01:00.0"

/* As lib/kobject_uevent.c makes it: "ACTION@DEVPATH", then the variables, each with its NUL. */
#define MESSAGE                                                                                             \
        "add@" DEVPATH "\0ACTION=add\0DEVPATH=" DEVPATH "\0SUBSYSTEM=pci\0PCI_CLASS=20000\0"                \
        "PCI_ID=10EC:8139\0PCI_SLOT_NAME=0000:01:00.0\0SEQNUM=4711"

/* The message with its final NUL, in memory of just its size, so that the sanitizer sees what is read behind it. */
static int parse(const char *message, size_t size, char **ret_copy, Uevent *ret)
{
        *ret_copy = malloc(size ? size : 1);
        memcpy(*ret_copy, message, size);
        return uevent_parse(*ret_copy, size, ret);
}

static void expect_broken(const char *message, size_t size)
{
        Uevent event = { .action = "untouched" };
        _cleanup_free_ char *copy = NULL;
        ck_assert_int_eq(parse(message, size, &copy, &event), -EBADMSG);
        ck_assert_str_eq(event.action, "untouched");
}
#define EXPECT_BROKEN(message) expect_broken(message, sizeof(message))

START_TEST(test_parse)
{
        Uevent event;
        _cleanup_free_ char *copy = NULL;
        ck_assert_int_eq(parse(MESSAGE, sizeof(MESSAGE), &copy, &event), 0);
        ck_assert_str_eq(event.action, "add");
        ck_assert_str_eq(event.devpath, DEVPATH);
        ck_assert_str_eq(event.subsystem, "pci");
        ck_assert_str_eq(event.pci_class, "20000");
}
END_TEST

START_TEST(test_no_function)
{
        static const char message[] = "add@/module/vfio\0ACTION=add\0DEVPATH=/module/vfio\0SUBSYSTEM=module";
        Uevent event;
        _cleanup_free_ char *copy = NULL;
        ck_assert_int_eq(parse(message, sizeof(message), &copy, &event), 0);
        ck_assert_ptr_null(event.pci_class);
}
END_TEST

START_TEST(test_broken)
{
        EXPECT_BROKEN("");
        expect_broken("", 0);
        EXPECT_BROKEN("garbage");
        EXPECT_BROKEN("add@" DEVPATH);
        EXPECT_BROKEN("libudev\0\xfe\xed\xca\xfe"); /* udev's own copies begin so */
        EXPECT_BROKEN("ACTION=add\0DEVPATH=" DEVPATH "\0SUBSYSTEM=pci");
        EXPECT_BROKEN("add@" DEVPATH "\0DEVPATH=" DEVPATH "\0SUBSYSTEM=pci");
        EXPECT_BROKEN("add@" DEVPATH "\0ACTION=add\0SUBSYSTEM=pci");
        EXPECT_BROKEN("add@" DEVPATH "\0ACTION=add\0DEVPATH=" DEVPATH);
        EXPECT_BROKEN("add@" DEVPATH "\0action=add\0XDEVPATH=" DEVPATH "\0SUBSYSTEM=pci");
}
END_TEST

/* Cut off anywhere: either it lacks its final NUL, or it has all that is needed. */
START_TEST(test_truncated)
{
        for (size_t size = 0; size < sizeof(MESSAGE); size++) {
                Uevent event;
                _cleanup_free_ char *copy = NULL;
                int r = parse(MESSAGE, size, &copy, &event);
                if (r == 0)
                        ck_assert_str_eq(event.devpath, DEVPATH);
                else
                        ck_assert_int_eq(r, -EBADMSG);
                if (size > 0 && MESSAGE[size - 1] != '\0')
                        ck_assert_int_eq(r, -EBADMSG);
        }
}
END_TEST

START_TEST(test_garbage)
{
        uint64_t state = 42;
        for (unsigned i = 0; i < 20000; i++) {
                char message[sizeof(MESSAGE)];
                Uevent event;
                _cleanup_free_ char *copy = NULL;
                memcpy(message, MESSAGE, sizeof(message));
                for (unsigned j = 0; j < 1 + i % 8; j++) {
                        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                        message[(state >> 16) % sizeof(message)] = (char) (state >> 56);
                }
                int r = parse(message, sizeof(message), &copy, &event);
                ck_assert(r == 0 || r == -EBADMSG);
        }
}
END_TEST

static void expect_path(const char *devpath, const char *expected, const char *address_text)
{
        _cleanup_free_ char *path = NULL;
        PciAddress address;
        ck_assert_msg(uevent_topology_path(devpath, &path, &address) == 0, "%s", devpath);
        ck_assert_str_eq(path, expected);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(address), address_text);
}

START_TEST(test_paths)
{
        expect_path("/devices/pci0000:00/0000:00:08.0", "0000:00:08.0", "0000:00:08.0");
        expect_path(DEVPATH, "0000:00:1c.0/00.0", "0000:01:00.0");
        expect_path("/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/0000:02:1f.7", "0000:00:1c.0/00.0/1f.7",
                    "0000:02:1f.7");
        /* host bridges that hang elsewhere */
        expect_path("/devices/platform/4010000000.pcie/pci0000:00/0000:00:01.0", "0000:00:01.0",
                    "0000:00:01.0");
        expect_path("/devices/pci0000:80/0000:80:01.0/0000:81:00.1", "0000:80:01.0/00.1", "0000:81:00.1");
        /* VMD: a root bus of another domain below a function */
        expect_path("/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
                    "10000:e0:06.0/00.0", "10000:e1:00.0");
}
END_TEST

START_TEST(test_no_paths)
{
        static const char *const paths[] = {
                "",
                "/",
                "/devices",
                "/devices/pci0000:00",
                "/devices/pci0000:00/0000:00:0e.0/pci10000:e0",
                "/devices/pci0000:00/0000:00:1c.0/pci_bus/0000:01",
                "/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/net/eth0",
                "/devices/pci0000:00/0000:00:1c.0:pcie001",
                "/devices/pci0000:00/0000:00:1c.0/0000:00:1c.0:pcie001",
                "/devices/pci0000:00/0000:00:20.0",
                "/devices/pci0000:00/0000:00:1c.8",
                "/devices/virtual/vfio/12",
                "/module/vfio_pci",
        };
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                char *path = (char *) "untouched";
                PciAddress address = { .bus = 77 };
                ck_assert_msg(uevent_topology_path(paths[i], &path, &address) == -EINVAL, "%s", paths[i]);
                ck_assert_str_eq(path, "untouched");
                ck_assert_uint_eq(address.bus, 77);
        }
}
END_TEST

START_TEST(test_receive)
{
        char buffer[UEVENT_SIZE_MAX];
        Uevent event;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), -EAGAIN);
        ck_assert_int_eq(send(fds[0], MESSAGE, sizeof(MESSAGE), 0), sizeof(MESSAGE));
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), 0);
        ck_assert_str_eq(event.devpath, DEVPATH);

        /* a broken one does not keep the next one away */
        ck_assert_int_eq(send(fds[0], "garbage", 7, 0), 7);
        ck_assert_int_eq(send(fds[0], MESSAGE, sizeof(MESSAGE), 0), sizeof(MESSAGE));
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), 1);
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), 0);

        /* one that does not fit is cut off, and so not to be trusted */
        _cleanup_free_ char *large = calloc(1, UEVENT_SIZE_MAX + 1);
        memcpy(large, MESSAGE, sizeof(MESSAGE));
        ck_assert_int_eq(send(fds[0], large, UEVENT_SIZE_MAX + 1, 0), UEVENT_SIZE_MAX + 1);
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), 1);
        ck_assert_int_eq(uevent_receive(fds[1], buffer, &event), -EAGAIN);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("uevent");
        TCase *cases = tcase_create("uevent");

        tcase_add_test(cases, test_parse);
        tcase_add_test(cases, test_no_function);
        tcase_add_test(cases, test_broken);
        tcase_add_test(cases, test_truncated);
        tcase_add_test(cases, test_garbage);
        tcase_add_test(cases, test_paths);
        tcase_add_test(cases, test_no_paths);
        tcase_add_test(cases, test_receive);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
