/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The kernel's parser is written down here a second time, in another way than in the code under test: as sscanf() calls
 * in the order of pci_specified_resource_alignment(), pci_dev_str_match() and pci_dev_str_match_path() (KF §1).
 */

#include "model/alignment-param.h"

#include "base/text.h"
#include "suite.h"

#define PAGE_ORDER 14
#define LIMIT 16382

/* A function for the replica: its place from the root bus down, and its ids. */
typedef struct Device {
        unsigned domain, bus;
        unsigned depth;
        struct {
                unsigned slot, function;
        } steps[3]; /* [0]: on the root bus */
        unsigned short vendor, device, subvendor, subdevice;
} Device;

typedef enum Match {
        MATCH_ERROR = -1,
        MATCH_NONE = 0,
        MATCH_FOUND = 1,
} Match;

static bool is_step(const Device *device, unsigned step, unsigned slot, unsigned function)
{
        return device->steps[step].slot == slot && device->steps[step].function == function;
}

static Match match_path(const Device *device, const char *text, const char **ret_end)
{
        _cleanup_free_ char *path = NULL;
        unsigned domain, bus, slot, function, step = device->depth - 1;
        char extra;

        *ret_end = text + strcspn(text, ";");
        path = strndup(text, (size_t) (*ret_end - text));
        for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
                if (sscanf(slash, "/%x.%x%c", &slot, &function, &extra) != 2)
                        return MATCH_ERROR;
                if (!is_step(device, step, slot, function) || step == 0)
                        return MATCH_NONE;
                step--;
                *slash = '\0';
        }
        if (sscanf(path, "%x:%x:%x.%x%c", &domain, &bus, &slot, &function, &extra) != 4) {
                domain = 0;
                if (sscanf(path, "%x:%x.%x%c", &bus, &slot, &function, &extra) != 3)
                        return MATCH_ERROR;
        }
        /* Below the root bus a bus number would have to be compared; the paths here begin at the root bus. */
        return step == 0 && domain == device->domain && bus == device->bus &&
                                               is_step(device, 0, slot, function)
                               ? MATCH_FOUND
                               : MATCH_NONE;
}

static bool id_matches(unsigned short wanted, unsigned short id)
{
        return wanted == 0 || wanted == id;
}

static Match match(const Device *device, const char *text, const char **ret_end)
{
        unsigned short vendor, id, subvendor, subdevice;
        int count;

        if (strncmp(text, "pci:", 4) != 0)
                return match_path(device, text, ret_end);
        text += 4;
        if (sscanf(text, "%hx:%hx:%hx:%hx%n", &vendor, &id, &subvendor, &subdevice, &count) != 4) {
                if (sscanf(text, "%hx:%hx%n", &vendor, &id, &count) != 2)
                        return MATCH_ERROR;
                subvendor = subdevice = 0;
        }
        *ret_end = text + count;
        return id_matches(vendor, device->vendor) && id_matches(id, device->device) &&
                                               id_matches(subvendor, device->subvendor) &&
                                               id_matches(subdevice, device->subdevice)
                               ? MATCH_FOUND
                               : MATCH_NONE;
}

/* The order that the kernel applies to DEVICE, or -1: none. */
static int kernel_order(const Device *device, const char *text)
{
        while (*text != '\0') {
                int order, count = 0;
                if (sscanf(text, "%d%n", &order, &count) == 1 && text[count] == '@') {
                        text += count + 1;
                        if (order > 63)
                                order = PAGE_ORDER;
                } else {
                        order = PAGE_ORDER;
                }
                const char *end = text;
                Match found = match(device, text, &end);
                if (found == MATCH_FOUND)
                        return order;
                if (found == MATCH_ERROR || (*end != ';' && *end != ','))
                        return -1;
                text = end + 1;
        }
        return -1;
}

static const Device device_below = { 0, 0, 2, { { 0x1c, 0 }, { 0, 0 } }, 0x10ec, 0x8139, 0x1af4, 0x1100 };
static const Device device_sibling = { 0, 0, 2, { { 0x1c, 0 }, { 0, 1 } }, 0x10ec, 0x8139, 0x1af4, 0x1100 };
static const Device device_root = { 0, 0, 1, { { 8, 0 } }, 0x106b, 0x003f, 0x1af4, 0x1100 };

#define ENTRY_BELOW "0000:00:1c.0/00.0"
#define ENTRY_SIBLING "16@0000:00:1c.0/00.1"
#define ENTRY_ROOT "0000:00:08.0"

static char *const entries_all[] = { (char *) ENTRY_BELOW, (char *) ENTRY_SIBLING, (char *) ENTRY_ROOT,
                                     NULL };
static char *const entries_one[] = { (char *) ENTRY_BELOW, NULL };

START_TEST(test_replica)
{
        /* KF §1, the table of what was tried */
        static const Device first = { 0, 1, 1, { { 0, 0 } }, 0x8086, 1, 0, 0 };
        ck_assert_int_eq(kernel_order(&first, "0000:02:00.0,0000:01:00.0"), -1);
        ck_assert_int_eq(kernel_order(&first, "pci:1234:5678,0000:01:00.0"), PAGE_ORDER);
        ck_assert_int_eq(kernel_order(&first, "bogus;0000:01:00.0"), -1);
        ck_assert_int_eq(kernel_order(&first, "0000:01:00.0;bogus"), PAGE_ORDER);
        ck_assert_int_eq(kernel_order(&first, ";0000:01:00.0"), -1);
        ck_assert_int_eq(kernel_order(&first, "pci:1234:5678:9;0000:01:00.0"), -1);
        ck_assert_int_eq(kernel_order(&first, "20@ 01:00.0;"), 20);
        ck_assert_int_eq(kernel_order(&first, "pci:8086:0;12@0000:01:00.0"), PAGE_ORDER);
}
END_TEST

static void check_format(const char *path, unsigned order, const char *expected)
{
        _cleanup_free_ char *entry = alignment_entry_format(path, order, PAGE_ORDER);
        ck_assert_str_eq(entry, expected);
}

START_TEST(test_format)
{
        check_format("0000:00:1c.0/00.0", PAGE_ORDER, "0000:00:1c.0/00.0");
        check_format("0000:00:1c.0/00.1", 16, ENTRY_SIBLING);
        ck_assert_uint_eq(alignment_param_limit(UINT64_C(1) << 16), 65534);
}
END_TEST

static char *merged(const char *text, char *const *entries)
{
        _cleanup_(text_list_freep) char **dropped = NULL;
        char *result = NULL;
        ck_assert_int_eq(alignment_param_merge(text, entries, NULL, LIMIT, &result, &dropped), ALIGNMENT_OK);
        ck_assert_ptr_null(dropped[0]);
        return result;
}

static char *removed(const char *text, char *const *entries)
{
        char *result = NULL;
        ck_assert_int_eq(alignment_param_remove(text, entries, &result), 0);
        return result;
}

static void check_merge(const char *text, char *const *entries, const char *expected)
{
        _cleanup_free_ char *result = merged(text, entries);
        ck_assert_str_eq(result, expected);
}

static void check_remove(const char *text, char *const *entries, const char *expected)
{
        _cleanup_free_ char *result = removed(text, entries);
        ck_assert_str_eq(result, expected);
}

START_TEST(test_merge)
{
        static char *const twice[] = { (char *) ENTRY_ROOT, (char *) ENTRY_ROOT, NULL };
        static char *const none[] = { NULL };

        check_merge("", entries_one, ENTRY_BELOW);
        check_merge("\n", entries_one, ENTRY_BELOW);
        check_merge("bogus\n", entries_one, ENTRY_BELOW ";bogus");
        check_merge(";x", entries_one, ENTRY_BELOW ";;x");
        check_merge("pci:1:2,x", entries_one, ENTRY_BELOW ";pci:1:2,x");
        check_merge("", entries_all, ENTRY_BELOW ";" ENTRY_SIBLING ";" ENTRY_ROOT);
        check_merge("pci:1:2;" ENTRY_BELOW ";pci:3:4", entries_one, ENTRY_BELOW ";pci:1:2;pci:3:4");
        check_merge(ENTRY_BELOW, entries_one, ENTRY_BELOW);
        check_merge("", twice, ENTRY_ROOT);
        check_merge("x", none, "x");
        check_merge("", none, "");
}
END_TEST

START_TEST(test_remove)
{
        check_remove(ENTRY_BELOW, entries_one, "");
        check_remove(ENTRY_BELOW "\n", entries_one, "");
        check_remove("pci:1:2;" ENTRY_BELOW, entries_one, "pci:1:2");
        check_remove("pci:1:2," ENTRY_BELOW, entries_one, "pci:1:2");
        check_remove("pci:1:2," ENTRY_BELOW ";x", entries_one, "pci:1:2,x");
        check_remove("pci:1:2;" ENTRY_BELOW ";", entries_one, "pci:1:2;");
        check_remove("12@pci:1:2;" ENTRY_BELOW ";" ENTRY_ROOT ";x", entries_all, "12@pci:1:2;x");
        check_remove("0000:00:1.0;" ENTRY_BELOW ";;x", entries_one, "0000:00:1.0;;x");
        /* not as a whole entry, or out of the kernel's reach */
        check_remove("13@" ENTRY_BELOW, entries_one, "13@" ENTRY_BELOW);
        check_remove(ENTRY_BELOW "/00.0", entries_one, ENTRY_BELOW "/00.0");
        check_remove(ENTRY_BELOW ",x", entries_one, ENTRY_BELOW ",x");
        check_remove("bogus;" ENTRY_BELOW, entries_one, "bogus;" ENTRY_BELOW);
        check_remove(";" ENTRY_BELOW, entries_one, ";" ENTRY_BELOW);
        check_remove("pci:1:2:3;" ENTRY_BELOW, entries_one, "pci:1:2:3;" ENTRY_BELOW);
        check_remove("0000:02:00.0,0000:01:00.0;" ENTRY_BELOW, entries_one,
                     "0000:02:00.0,0000:01:00.0;" ENTRY_BELOW);
        /* "bogus/1f.0" stops only functions 1f.0, so the kernel goes on for ours */
        check_remove("bogus/1f.0;" ENTRY_BELOW, entries_one, "bogus/1f.0");
}
END_TEST

START_TEST(test_has)
{
        ck_assert(alignment_param_has("pci:1:2;" ENTRY_BELOW, ENTRY_BELOW));
        ck_assert(!alignment_param_has("pci:1:2;" ENTRY_BELOW "/1.0", ENTRY_BELOW));
        ck_assert(!alignment_param_has("", ENTRY_BELOW));
}
END_TEST

/* A text of pieces that mean something to the parser, valid ones more often than not. */
static void random_text(char *buffer, size_t size)
{
        static const char *const pieces[] = {
                ";",
                ";;",
                ",",
                " ",
                "bogus",
                "pci:",
                "@",
                "12@",
                "-3@",
                "99@",
                "pci:1234:5678",
                "pci:1234:5678:9",
                "/",
                "00.0",
                ":",
                "pci:0:0",
                "0x",
                "0000:02:00.0",
                "16@",
                "PCI:",
                "\t",
                "/00.0",
                "1c.0",
                "pci:10ec:8139:1af4:1100",
                ";pci",
                "0:0",
                "ffff",
                "0000:00:1c.0",
                "/1f.7",
                "0000:00:1c.0/00.0/01.0",
        };
        static const char *const whole[] = {
                "pci:1234:5678;",
                "12@0000:02:00.0;",
                "pci:10ec:8139:1af4:1100,",
                "16@0000:00:1c.0/00.0/01.0;",
        };
        size_t n_pieces = (size_t) rand() % 12;
        buffer[0] = '\0';
        for (size_t i = 0; i < n_pieces; i++) {
                size_t used = strlen(buffer);
                if (rand() % 3 != 0)
                        snprintf(buffer + used, size - used, "%s",
                                 whole[(size_t) rand() % ELEMENTSOF(whole)]);
                else if (rand() % 8 == 0)
                        snprintf(buffer + used, size - used, "%c", 1 + rand() % 255);
                else
                        snprintf(buffer + used, size - used, "%s%s",
                                 pieces[(size_t) rand() % ELEMENTSOF(pieces)], rand() % 3 ? "" : ";");
        }
        buffer[strcspn(buffer, "\n")] = '\0';
}

START_TEST(test_random)
{
        srand(4);
        for (unsigned round = 0; round < 50000; round++) {
                char text[512];
                random_text(text, sizeof(text));
                _cleanup_free_ char *after = merged(text, entries_all);

                ck_assert_int_eq(kernel_order(&device_below, after), PAGE_ORDER);
                ck_assert_int_eq(kernel_order(&device_sibling, after), 16);
                ck_assert_int_eq(kernel_order(&device_root, after), PAGE_ORDER);

                /* what is foreign is there, byte for byte, and is all that is left when ours go */
                _cleanup_free_ char *foreign = removed(text, entries_all);
                size_t size = strlen(after), foreign_size = strlen(foreign);
                ck_assert_uint_ge(size, foreign_size);
                ck_assert_str_eq(after + size - foreign_size, foreign);
                _cleanup_free_ char *back = removed(after, entries_all);
                ck_assert_str_eq(back, foreign);

                bool held_ours = false;
                for (char *const *entry = entries_all; *entry; entry++)
                        held_ours = held_ours || alignment_param_has(text, *entry);
                if (!held_ours)
                        ck_assert_str_eq(foreign, text);
        }
}
END_TEST

/* The kernel, asked about a function that no foreign entry matches, agrees on whether an entry behind is reached. */
START_TEST(test_reached_as_by_kernel)
{
        static const Device probe = { 0, 0, 1, { { 0x15, 5 } }, 0x7001, 0x7002, 0x7003, 0x7004 };
        unsigned n_reached = 0, n_lost = 0;
        srand(5);
        for (unsigned round = 0; round < 50000; round++) {
                char text[512];
                random_text(text, sizeof(text));
                if (strstr(text, "pci:0:0") || strpbrk(text, "-+"))
                        continue; /* matches all; and glibc's %x takes a sign, the kernel's does not */
                bool separated = text[0] == '\0' || strchr(";,", text[strlen(text) - 1]);
                _cleanup_free_ char *behind = text_format("%s%s20@0000:00:15.5", text, separated ? "" : ";");
                if (kernel_order(&probe, behind) == 20) {
                        n_reached++;
                        ck_assert_msg(alignment_param_has(behind, "20@0000:00:15.5"), "lost in: %s", behind);
                } else {
                        n_lost++;
                        ck_assert_msg(!alignment_param_has(behind, "20@0000:00:15.5"), "found in: %s",
                                      behind);
                }
        }
        ck_assert_uint_gt(n_reached, 5000);
        ck_assert_uint_gt(n_lost, 5000);
}
END_TEST

START_TEST(test_limit)
{
        static char *const ours[] = { (char *) "0000:00:01.0", (char *) "0000:00:02.0",
                                      (char *) "0000:00:03.0", NULL };
        const char *current = "0000:00:02.0;0000:00:01.0;foreign";
        size_t whole = strlen(ENTRY_BELOW ";") + strlen(current) + 1;
        _cleanup_free_ char *text = NULL;
        _cleanup_(text_list_freep) char **dropped = NULL;

        ck_assert_int_eq(alignment_param_merge(current, entries_one, ours, whole, &text, &dropped),
                         ALIGNMENT_OK);
        ck_assert_str_eq(text, ENTRY_BELOW ";0000:00:02.0;0000:00:01.0;foreign");
        ck_assert_ptr_null(dropped[0]);
        text = (free(text), NULL);
        dropped = text_list_free(dropped);

        ck_assert_int_eq(alignment_param_merge(current, entries_one, ours, whole - 1, &text, &dropped),
                         ALIGNMENT_OK);
        ck_assert_str_eq(text, ENTRY_BELOW ";0000:00:02.0;foreign");
        ck_assert_str_eq(dropped[0], "0000:00:01.0");
        ck_assert_ptr_null(dropped[1]);
        text = (free(text), NULL);
        dropped = text_list_free(dropped);

        size_t least = strlen(ENTRY_BELOW ";foreign") + 1;
        ck_assert_int_eq(alignment_param_merge(current, entries_one, ours, least, &text, &dropped),
                         ALIGNMENT_OK);
        ck_assert_str_eq(text, ENTRY_BELOW ";foreign");
        ck_assert_str_eq(dropped[0], "0000:00:01.0");
        ck_assert_str_eq(dropped[1], "0000:00:02.0");
        ck_assert_ptr_null(dropped[2]);
        text = (free(text), NULL);
        dropped = text_list_free(dropped);

        ck_assert_int_eq(alignment_param_merge(current, entries_one, ours, least - 1, &text, &dropped),
                         ALIGNMENT_FULL);
        ck_assert_int_eq(alignment_param_merge(current, entries_one, NULL, whole - 1, &text, &dropped),
                         ALIGNMENT_FULL);
        ck_assert_ptr_null(text);
        ck_assert_ptr_null(dropped);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("alignment-param");
        TCase *tcase = tcase_create("all");
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, test_replica);
        tcase_add_test(tcase, test_format);
        tcase_add_test(tcase, test_merge);
        tcase_add_test(tcase, test_remove);
        tcase_add_test(tcase, test_has);
        tcase_add_test(tcase, test_random);
        tcase_add_test(tcase, test_reached_as_by_kernel);
        tcase_add_test(tcase, test_limit);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
