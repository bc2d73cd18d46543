/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/kernel-log.h"

#include "act/deadline.h"
#include "base/read-until-end.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-journal.h>

#define MESSAGE_FIELD "MESSAGE="
#define OUTPUT_MAX (KERNEL_LOG_LINES_MAX * (KERNEL_LOG_LINE_MAX + 1))

/* --- the process that reads */

static int add_matches(sd_journal *journal, const PciAddress *addresses, size_t n)
{
        int r = sd_journal_add_match(journal, "_TRANSPORT=kernel", 0);
        for (size_t i = 0; i < n && r >= 0; i++) {
                char match[64];
                snprintf(match, sizeof(match), "_KERNEL_DEVICE=+pci:%s", PCI_ADDRESS_TEXT(addresses[i]));
                r = sd_journal_add_match(journal, match, 0);
        }
        return r;
}

static int seek(sd_journal *journal, uint64_t since_usec)
{
        sd_id128_t boot;
        int r = sd_id128_get_boot(&boot);
        return r < 0 ? r : sd_journal_seek_monotonic_usec(journal, boot, since_usec);
}

/* Where SINCE_USEC lies in no entry of this boot, seeking leads to one of another boot: that is none of ours. */
static bool is_wanted(sd_journal *journal, uint64_t since_usec)
{
        uint64_t usec;
        sd_id128_t boot, own;
        return sd_journal_get_monotonic_usec(journal, &usec, &boot) >= 0 && sd_id128_get_boot(&own) >= 0 &&
               sd_id128_equal(boot, own) && usec >= since_usec;
}

static void write_message(sd_journal *journal, int output)
{
        const void *data;
        size_t size;
        char line[KERNEL_LOG_LINE_MAX + 1] = "";
        if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0 || size <= strlen(MESSAGE_FIELD))
                return;
        size -= strlen(MESSAGE_FIELD);
        memcpy(line, (const char *) data + strlen(MESSAGE_FIELD),
               size < sizeof(line) - 1 ? size : sizeof(line) - 1);
        text_make_printable(line);
        (void) !dprintf(output, "%s\n", line);
}

static int read_journal(const char *directory, const PciAddress *addresses, size_t n, uint64_t since_usec,
                        int output)
{
        sd_journal *journal;
        int r = directory ? sd_journal_open_directory(&journal, directory, 0)
                          : sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        r = add_matches(journal, addresses, n);
        if (r >= 0)
                r = seek(journal, since_usec);
        for (unsigned lines = 0;
             r >= 0 && lines < KERNEL_LOG_LINES_MAX && (r = sd_journal_next(journal)) > 0;)
                if (is_wanted(journal, since_usec)) {
                        write_message(journal, output);
                        lines++;
                }
        sd_journal_close(journal);
        return r;
}

/* Keeps nothing open that is anybody's lock or guard. */
__attribute__((noreturn)) static void be_reader(const char *directory, const PciAddress *addresses, size_t n,
                                                uint64_t since_usec, int output)
{
        signal(SIGTERM, SIG_DFL);
        if (dup2(output, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0u, 0) < 0)
                _exit(EXIT_FAILURE);
        _exit(read_journal(directory, addresses, n, since_usec, STDOUT_FILENO) < 0 ? EXIT_FAILURE
                                                                                   : EXIT_SUCCESS);
}

/* --- the one that waits */

static int split_lines(char *text, char ***ret)
{
        _cleanup_(text_list_freep) char **list = calloc(KERNEL_LOG_LINES_MAX + 2, sizeof(list[0]));
        size_t n = 0;
        if (!list)
                return -ENOMEM;
        for (char *line; n <= KERNEL_LOG_LINES_MAX && (line = strsep(&text, "\n"));) {
                if (*line == '\0')
                        continue;
                list[n] = strdup(line);
                if (!list[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

int kernel_log_read(const char *directory, const PciAddress *addresses, size_t n, uint64_t since_usec,
                    uint64_t deadline_usec, char ***ret)
{
        uint64_t until = deadline_now() + deadline_usec;
        _cleanup_free_ char *text = NULL;
        size_t size;
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        _cleanup_close_ int reading = ends[0];
        _cleanup_close_ int writing = ends[1];

        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                be_reader(directory, addresses, n, since_usec, writing);
        close(TAKE_FD(writing));
        int r = read_until_end(reading, OUTPUT_MAX, deadline_wait_to_read, &until, &text, &size);
        if (r < 0)
                kill(pid, SIGKILL);
        /* one that is stuck in the kernel outlives even this, and is not waited for */
        (void) waitpid(pid, NULL, r < 0 ? WNOHANG : 0);
        return r < 0 ? r : split_lines(text, ret);
}
