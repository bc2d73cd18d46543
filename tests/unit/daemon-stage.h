/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where vfio-realignd is played against: a made-up tree, a network namespace in which the test is udev, a socket that is
 * systemd's, and a stand-in for the worker, which plans with the real one and executes what the test says.
 */

#include "act/outcome.h"
#include "tree.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define PORT "pci0000:00/0000:00:1c.0"
#define FIRST PORT "/0000:01:00.0"
#define SECOND PORT "/0000:01:00.1"
#define STAGE_TIMEOUT_MS 40000

typedef struct Stage {
        const char *folder;
        char *build; /* where the programs are */
        pid_t daemon, relay;
        int notify_fd;             /* what the relay passes on */
        const char *dbus;          /* address that it is given; NULL: none */
        const char *start_timeout; /* that it is given; NULL: a long one */
        char *heard;               /* what the daemon told systemd since the last stage_await() */
} Stage;

static inline void stage_write(const Stage *stage, const char *path, const char *text)
{
        suite_write(stage->folder, path, text);
}

static inline char *stage_read(const Stage *stage, const char *path)
{
        char full[TREE_PATH_MAX];
        snprintf(full, sizeof(full), "%s/%s", stage->folder, path);
        _cleanup_fclose_ FILE *file = fopen(full, "re");
        char *text = NULL;
        size_t room = 0;
        if (!file || getdelim(&text, &room, '\0', file) < 0) {
                free(text);
                return strdup("");
        }
        return text;
}

/* How often PATTERN stands in the file PATH. */
static inline unsigned stage_count(const Stage *stage, const char *path, const char *pattern)
{
        _cleanup_free_ char *text = stage_read(stage, path);
        unsigned n = 0;
        for (const char *at = text; (at = strstr(at, pattern)); at += strlen(pattern))
                n++;
        return n;
}

/* --- the machine */

/* One BAR of 256 bytes at START. */
static inline void stage_resources(const Stage *stage, const char *path, uint64_t start, uint64_t size)
{
        PciResource lines[13] = { 0 };
        lines[1] = (PciResource){ .start = start, .end = start + size - 1, .flags = RESOURCE_MEMORY };
        tree_resources(stage->folder, path, lines, ELEMENTSOF(lines));
}

/* Both functions in one page, unbound. */
static inline void stage_pack(const Stage *stage)
{
        stage_resources(stage, FIRST, 0xfe000000, 0x100);
        stage_resources(stage, SECOND, 0xfe000100, 0x100);
}

static inline void stage_machine(const Stage *stage)
{
        PciResource bridge[17] = { 0 };
        bridge[14] = (PciResource){ .start = 0xfe000000,
                                    .end = 0xfe0fffff,
                                    .flags = RESOURCE_MEMORY | RESOURCE_WINDOW };
        tree_add(stage->folder, PORT, 0x060400, 17);
        tree_resources(stage->folder, PORT, bridge, ELEMENTSOF(bridge));
        tree_bind(stage->folder, PORT, "pcieport", false);
        tree_add(stage->folder, FIRST, 0x020000, 13);
        tree_add(stage->folder, SECOND, 0x020000, 13);
        tree_group(stage->folder, FIRST, 5);
        tree_group(stage->folder, SECOND, 5);
        stage_pack(stage);
        stage_write(stage, "sys/bus/pci/resource_alignment", "");
        stage_write(stage, "dev/vfio/vfio", "");
        stage_write(stage, "dev/vfio/5", "");
        stage_write(stage, "proc/iomem", "");
        stage_write(stage, "run/vfio-realign/results/none", "");
}

static inline void stage_bind(const Stage *stage)
{
        tree_bind(stage->folder, FIRST, "vfio-pci", true);
        tree_bind(stage->folder, SECOND, "vfio-pci", true);
}

/* --- the policy, and the worker: shell snippets for its verbs */

static inline void stage_policy(const Stage *stage, const char *lines)
{
        _cleanup_free_ char *text = text_format("[default]\nsettle-delay = 300ms\n%s", lines);
        stage_write(stage, "etc/vfio-realign/vfio-realign.conf", text);
}

static inline void stage_on(const Stage *stage, const char *verb, const char *script)
{
        char path[64];
        snprintf(path, sizeof(path), "on-%s", verb);
        stage_write(stage, path, script);
}

/* A result line for both functions. */
#define STAGE_RESULT(outcome, reason, attempted) STAGE_RESULT_AND(outcome, reason, attempted, "[]")
#define STAGE_RESULT_AND(outcome, reason, attempted, state)                                                                 \
        "echo '{\"transaction\":\"ab12\",\"outcome\":\"" outcome "\",\"reason\":\"" reason                                  \
        "\",\"attempted\":" attempted ",\"usec\":5000,\"kernel-usec\":3000,\"functions\":["                                 \
        "{\"function\":\"0000:01:00.0\",\"path\":\"0000:00:1c.0/00.0\",\"vendor\":4332,\"device\":33081,\"target\":true},"  \
        "{\"function\":\"0000:01:00.1\",\"path\":\"0000:00:1c.0/00.1\",\"vendor\":4332,\"device\":33081,\"target\":true}]," \
        "\"warnings\":[],\"state\":" state "}'\n"

/* What a worker that succeeds leaves: each BAR a page of its own (of 64 KiB, so that it is one on any machine). */
#define STAGE_REALIGN                                                                                       \
        "cp $d/realigned-0 $d/sys/devices/" FIRST "/resource\n"                                             \
        "cp $d/realigned-1 $d/sys/devices/" SECOND "/resource\n"

/* What the daemon takes for its worker: it notes each call, and runs the verb's script. */
static inline void stage_script(const Stage *stage)
{
        char full[TREE_PATH_MAX];
        _cleanup_free_ char *script = text_format(
                        "#!/bin/sh\n"
                        "d=%s\n"
                        "for word; do\n"
                        "    case $word in --plan | --execute | --recover | --restore | --detach | --reattach | --prepare) verb=${word#--} ;; esac\n"
                        "done\n"
                        "echo \"$verb $*\" >>$d/calls\n"
                        ". $d/on-$verb\n",
                        stage->folder);
        _cleanup_free_ char *plan = text_format("exec %s/vfio-realign-worker \"$@\"\n", stage->build);
        stage_write(stage, "worker", script);
        snprintf(full, sizeof(full), "%s/worker", stage->folder);
        ck_assert_int_eq(chmod(full, 0755), 0);
        stage_on(stage, "plan", plan);
}

static inline void stage_worker(const Stage *stage)
{
        stage_script(stage);
        stage_resources(stage, FIRST, 0xfe000000, 0x10000);
        stage_resources(stage, SECOND, 0xfe010000, 0x10000);
        _cleanup_free_ char *first = stage_read(stage, "sys/devices/" FIRST "/resource");
        _cleanup_free_ char *second = stage_read(stage, "sys/devices/" SECOND "/resource");
        stage_write(stage, "realigned-0", first);
        stage_write(stage, "realigned-1", second);
        stage_pack(stage);

        stage_on(stage, "execute",
                 "cat >$d/plan\n" STAGE_REALIGN
                 "echo '{\"transaction\":\"ab12\",\"step\":\"verify\",\"index\":0,\"of\":1,\"state\":\"done\"}'\n" STAGE_RESULT(
                                 "verified", "none", "true"));
        stage_on(stage, "recover", "exit 0\n");
}

/* --- udev: libudev's own message, to the group that udev sends to */

static inline uint32_t stage_hash(const char *text)
{
        const uint32_t m = 0x5bd1e995;
        size_t size = strlen(text);
        uint32_t h = (uint32_t) size;
        for (; size >= 4; text += 4, size -= 4) {
                uint32_t k;
                memcpy(&k, text, sizeof(k));
                k *= m;
                k ^= k >> 24;
                k *= m;
                h = (h * m) ^ k;
        }
        for (size_t i = size; i > 0; i--)
                h ^= (uint32_t) (unsigned char) text[i - 1] << (8 * (i - 1));
        h = size ? h * m : h;
        h ^= h >> 13;
        h *= m;
        return h ^ (h >> 15);
}

typedef struct StageHeader {
        char prefix[8];
        uint32_t magic, header_size, properties_offset, properties_size;
        uint32_t subsystem_hash, devtype_hash, tag_high, tag_low;
} StageHeader;

/* N times, through one socket. */
static inline void stage_send(const void *message, size_t size, unsigned n)
{
        const struct sockaddr_nl udev_group = { .nl_family = AF_NETLINK, .nl_groups = 2 };
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        ck_assert_int_ge(fd, 0);
        for (unsigned i = 0; i < n; i++)
                ck_assert_int_eq(sendto(fd, message, size, 0, (const struct sockaddr *) &udev_group,
                                        sizeof(udev_group)),
                                 (int) size);
}

static inline void stage_flood(const char *action, const char *path, unsigned n)
{
        StageHeader header = {
                .prefix = "libudev",
                .magic = htonl(0xfeedcafe),
                .header_size = sizeof(header),
                .properties_offset = sizeof(header),
                .subsystem_hash = htonl(stage_hash("pci")),
        };
        char message[1024];
        int size = snprintf(message + sizeof(header), sizeof(message) - sizeof(header),
                            "ACTION=%s%cDEVPATH=/devices/%s%cSUBSYSTEM=pci%cSEQNUM=1%c", action, 0, path, 0,
                            0, 0);
        header.properties_size = (uint32_t) size;
        memcpy(message, &header, sizeof(header));
        stage_send(message, sizeof(header) + (size_t) size, n);
}

static inline void stage_event(const char *action, const char *path)
{
        stage_flood(action, path, 1);
}

/* --- the daemon */

static inline void stage_namespace(void)
{
        char map[64];
        uid_t uid = geteuid();
        if (unshare(CLONE_NEWNET) == 0)
                return;
        ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0,
                      "this test needs root, or user namespaces: %s", strerror(errno));
        snprintf(map, sizeof(map), "0 %u 1", (unsigned) uid);
        suite_write("/proc/self", "uid_map", map);
}

/* Takes what the daemon tells systemd as it comes, as systemd would: it does not wait for a test that is elsewhere. */
static inline void stage_relay(Stage *stage, int from)
{
        char message[4000];
        int room = 1 << 22, fds[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
        stage->relay = suite_fork();
        if (stage->relay > 0) {
                close(from);
                close(fds[1]);
                stage->notify_fd = fds[0];
                return;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        for (;;) {
                ssize_t n = recv(from, message, sizeof(message) - 1, 0);
                if (n < 0)
                        _exit(1);
                message[n] = '\n';
                if (send(fds[1], message, (size_t) n + 1, MSG_NOSIGNAL) < 0)
                        _exit(1);
        }
}

/* A stage without a machine. */
static inline void stage_open_bare(Stage *stage)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        *stage = (Stage){ .folder = suite_folder(), .build = getcwd(NULL, 0), .notify_fd = -1 };
        stage_namespace();
        stage_policy(stage, "");

        snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", stage->folder);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        stage_relay(stage, fd);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        stage->heard = strdup("");
}

static inline void stage_open(Stage *stage)
{
        stage_open_bare(stage);
        stage_machine(stage);
        stage_worker(stage);
}

static inline void stage_start(Stage *stage)
{
        char program[TREE_PATH_MAX], worker[TREE_PATH_MAX], log[TREE_PATH_MAX];
        snprintf(program, sizeof(program), "%s/vfio-realignd", stage->build);
        snprintf(worker, sizeof(worker), "%s/worker", stage->folder);
        snprintf(log, sizeof(log), "%s/log", stage->folder);
        stage->daemon = suite_fork();
        if (stage->daemon == 0) {
                int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
                dup2(fd, STDERR_FILENO);
                execl(program, program, "--sysroot", stage->folder, "--worker", worker, "--start-timeout",
                      stage->start_timeout ? stage->start_timeout : "5min", stage->dbus ? "--bus" : NULL,
                      stage->dbus, NULL);
                _exit(126);
        }
}

static inline int stage_ended(Stage *stage)
{
        int status;
        ck_assert_int_eq(waitpid(stage->daemon, &status, 0), stage->daemon);
        stage->daemon = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void stage_stop(Stage *stage)
{
        ck_assert_int_eq(kill(stage->daemon, SIGTERM), 0);
        int status = stage_ended(stage);
        _cleanup_free_ char *log = stage_read(stage, "log");
        ck_assert_msg(status == 0, "exit status %d:\n%s", status, log);
}

static inline void stage_close(Stage *stage)
{
        if (stage->daemon > 0)
                stage_stop(stage);
        close(stage->notify_fd);
        ck_assert_int_eq(kill(stage->relay, SIGKILL), 0);
        ck_assert_int_eq(waitpid(stage->relay, NULL, 0), stage->relay);
        free(stage->heard);
        free(stage->build);
        suite_folder_remove(stage->folder);
}

/* Waits until the daemon has told systemd TEXT; what it told before is not looked at again. */
static inline void stage_await(Stage *stage, const char *text)
{
        char *at;
        while (!(at = strstr(stage->heard, text))) {
                struct pollfd item = { .fd = stage->notify_fd, .events = POLLIN };
                char message[4000];
                _cleanup_free_ char *log = NULL;
                if (poll(&item, 1, STAGE_TIMEOUT_MS) != 1) {
                        log = stage_read(stage, "log");
                        ck_abort_msg("not heard: \"%s\", but:\n%s\nlog:\n%s", text, stage->heard, log);
                }
                ssize_t n = recv(stage->notify_fd, message, sizeof(message) - 1, 0);
                ck_assert_int_gt(n, 0);
                message[n] = '\0';
                text_replace(&stage->heard, "%s%s", stage->heard, message);
        }
        char *rest = strdup(at + strlen(text));
        free(stage->heard);
        stage->heard = rest;
}
