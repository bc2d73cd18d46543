/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The kernel's lines about some functions, from journals that systemd's own program has written. */

#include "act/deadline.h"
#include "act/kernel-log.h"
#include "base/text.h"
#include "suite.h"

#include <inttypes.h>
#include <sys/wait.h>
#include <systemd/sd-id128.h>

#define WRITER "/lib/systemd/systemd-journal-remote"
#define USEC_PER_SEC UINT64_C(1000000)
#define DEADLINE (20 * USEC_PER_SEC)
#define EXIT_SKIP 77

static const char *folder;
static char *entries; /* in the journal's export format */
static char **lines;
static const PciAddress addresses[] = { { .bus = 3 }, { .bus = 3, .function = 1 } };

static void setup(void)
{
        folder = suite_folder();
        entries = strdup("");
}

static void teardown(void)
{
        free(entries);
        lines = text_list_free(lines);
        suite_folder_remove(folder);
}

/* An entry of SECOND seconds after the boot; BOOT NULL: this one. */
static void add(const char *boot, unsigned second, const char *fields)
{
        char own[SD_ID128_STRING_MAX];
        sd_id128_t id;
        ck_assert_int_ge(sd_id128_get_boot(&id), 0);
        text_replace(&entries,
                     "%s__REALTIME_TIMESTAMP=%" PRIu64 "\n__MONOTONIC_TIMESTAMP=%" PRIu64
                     "\n_BOOT_ID=%s\nPRIORITY=6\n%s\n\n",
                     entries, 1700000000 * USEC_PER_SEC + second * USEC_PER_SEC, second * USEC_PER_SEC,
                     boot ? boot : sd_id128_to_string(id, own), fields);
}

#define KERNEL(function, message) "_TRANSPORT=kernel\n_KERNEL_DEVICE=+pci:" function "\nMESSAGE=" message

static void write_journal(void)
{
        suite_write(folder, "export", entries);
        _cleanup_free_ char *command = text_format("mkdir %s/journal && " WRITER
                                                   " -o %s/journal/system.journal %s/export 2>%s/said",
                                                   folder, folder, folder, folder);
        ck_assert_int_eq(system(command), 0);
}

static int read_since(unsigned second)
{
        char path[160];
        snprintf(path, sizeof(path), "%s/journal", folder);
        lines = text_list_free(lines);
        return kernel_log_read(path, addresses, ELEMENTSOF(addresses), second * USEC_PER_SEC, DEADLINE,
                               &lines);
}

START_TEST(test_lines)
{
        add(NULL, 10, KERNEL("0000:03:00.0", "pci 0000:03:00.0: too early"));
        add(NULL, 20, KERNEL("0000:03:00.0", "pci 0000:03:00.0: BAR 1: no space"));
        add(NULL, 21, KERNEL("0000:04:00.0", "pci 0000:04:00.0: of another function"));
        add(NULL, 22, "_TRANSPORT=kernel\nMESSAGE=of no device");
        add(NULL, 23, "_TRANSPORT=stdout\n_KERNEL_DEVICE=+pci:0000:03:00.0\nMESSAGE=not the kernel's");
        add(NULL, 24, KERNEL("0000:03:00.1", "pci 0000:03:00.1: a \033[31mcolour\xc3\xa9"));
        write_journal();
        ck_assert_int_eq(read_since(15), 0);
        ck_assert_str_eq(lines[0], "pci 0000:03:00.0: BAR 1: no space");
        ck_assert_str_eq(lines[1], "pci 0000:03:00.1: a ?[31mcolour??");
        ck_assert_ptr_null(lines[2]);
        ck_assert_int_eq(read_since(24), 0);
        ck_assert_str_eq(lines[0], "pci 0000:03:00.1: a ?[31mcolour??");
        ck_assert_ptr_null(lines[1]);
        ck_assert_int_eq(read_since(25), 0);
        ck_assert_ptr_null(lines[0]);
}
END_TEST

/* Entries of another boot have times that mean nothing here. */
START_TEST(test_other_boot)
{
        add("0123456789abcdef0123456789abcdef", 50, KERNEL("0000:03:00.0", "of another boot"));
        write_journal();
        ck_assert_int_eq(read_since(0), 0);
        ck_assert_ptr_null(lines[0]);
}
END_TEST

START_TEST(test_limits)
{
        char fields[2 * KERNEL_LOG_LINE_MAX + 128] = KERNEL("0000:03:00.0", "");
        memset(fields + strlen(fields), 'x', (size_t) 2 * KERNEL_LOG_LINE_MAX);
        for (unsigned i = 0; i < KERNEL_LOG_LINES_MAX + 10; i++)
                add(NULL, 100 + i, fields);
        write_journal();
        ck_assert_int_eq(read_since(100), 0);
        size_t n = 0;
        for (; lines[n]; n++)
                ck_assert_uint_eq(strlen(lines[n]), KERNEL_LOG_LINE_MAX);
        ck_assert_uint_eq(n, KERNEL_LOG_LINES_MAX);
}
END_TEST

/* Where there is no journal, or garbage, nothing is known. */
START_TEST(test_none)
{
        ck_assert_int_eq(read_since(0), 0);
        ck_assert_ptr_null(lines[0]);
        suite_write(folder, "journal/system.journal", "garbage");
        ck_assert_int_eq(read_since(0), 0);
        ck_assert_ptr_null(lines[0]);
}
END_TEST

/* No more time than is given, and no process is left that has our files open. */
START_TEST(test_deadline)
{
        char path[160];
        add(NULL, 10, KERNEL("0000:03:00.0", "x"));
        write_journal();
        snprintf(path, sizeof(path), "%s/journal", folder);
        ck_assert_int_eq(kernel_log_read(path, addresses, 1, 0, 0, &lines), -ETIMEDOUT);
        ck_assert_ptr_null(lines);
        (void) waitpid(-1, NULL, 0); /* it was killed */
}
END_TEST

int main(void)
{
        if (access(WRITER, X_OK) != 0) {
                puts(WRITER " is not installed");
                return EXIT_SKIP;
        }
        Suite *suite = suite_create("kernel-log");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_lines);
        tcase_add_test(tcase, test_other_boot);
        tcase_add_test(tcase, test_limits);
        tcase_add_test(tcase, test_none);
        tcase_add_test(tcase, test_deadline);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
