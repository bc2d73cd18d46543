/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/msix-table.h"
#include "suite.h"

#include <linux/pci_regs.h>

#define SIZE MSIX_TABLE_CONFIG_SIZE
#define ADDRESS ((PciAddress){ .bus = 3 })
#define CONFIG_PATH "sys/bus/pci/devices/0000:03:00.0/config"

static uint8_t config[SIZE];

static void setup(void)
{
        memset(config, 0, sizeof(config));
        config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
}

/* A capability ID at AT that leads on to NEXT. */
static void put(uint8_t at, uint8_t id, uint8_t next)
{
        config[at] = id;
        config[at + PCI_CAP_LIST_NEXT] = next;
}

/* Power management, then MSI-X at 0x70 whose table is at 0x2000 of BAR. */
static void put_msix(uint8_t bar)
{
        config[PCI_CAPABILITY_LIST] = 0x40;
        put(0x40, PCI_CAP_ID_PM, 0x70);
        put(0x70, PCI_CAP_ID_MSIX, 0);
        config[0x70 + PCI_MSIX_TABLE] = bar;
        config[0x70 + PCI_MSIX_TABLE + 1] = 0x20;
        config[0x70 + PCI_MSIX_PBA] = 5; /* the pending bits' BAR is another matter */
}

START_TEST(test_every_bar)
{
        for (uint8_t bar = 0; bar < 8; bar++) {
                put_msix(bar);
                ck_assert_int_eq(msix_table_find(config, SIZE), bar < 6 ? bar : MSIX_TABLE_NONE);
        }
}
END_TEST

START_TEST(test_none)
{
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        config[PCI_CAPABILITY_LIST] = 0x40;
        put(0x40, PCI_CAP_ID_PM, 0x50);
        put(0x50, PCI_CAP_ID_MSI, 0);
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        put_msix(2);
        config[PCI_STATUS] = 0; /* the list is not there, whatever the pointer says */
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
}
END_TEST

START_TEST(test_circle)
{
        config[PCI_CAPABILITY_LIST] = 0x40;
        put(0x40, PCI_CAP_ID_PM, 0x50);
        put(0x50, PCI_CAP_ID_MSI, 0x40);
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        put(0x50, PCI_CAP_ID_MSI, 0x50);
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
}
END_TEST

/* Pointers into the header end the list; the two low bits of a pointer do not count. */
START_TEST(test_pointers)
{
        put_msix(2);
        config[PCI_CAPABILITY_LIST] = 0x3c;
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        config[PCI_CAPABILITY_LIST] = 0x43;
        ck_assert_int_eq(msix_table_find(config, SIZE), 2);
        config[PCI_CAPABILITY_LIST] = 0xff;
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        config[PCI_CAPABILITY_LIST] = 0xf8; /* it would end outside */
        put(0xf8, PCI_CAP_ID_MSIX, 0);
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
        config[PCI_CAPABILITY_LIST] = 0xf4; /* it just ends inside */
        put(0xf4, PCI_CAP_ID_MSIX, 0);
        config[0xf4 + PCI_MSIX_TABLE] = 4;
        ck_assert_int_eq(msix_table_find(config, SIZE), 4);
}
END_TEST

/* Cut off anywhere: nothing is read behind the end, and nothing is found before all of it is there. */
START_TEST(test_truncated)
{
        put_msix(3);
        for (size_t size = 0; size <= SIZE; size++) {
                _cleanup_free_ uint8_t *part = malloc(size + 1);
                memcpy(part, config, size);
                part = realloc(part, size ? size : 1);
                int wanted = size >= 0x70 + PCI_CAP_MSIX_SIZEOF ? 3
                             : size == PCI_STD_HEADER_SIZEOF    ? MSIX_TABLE_UNSEEN
                                                                : MSIX_TABLE_NONE;
                ck_assert_int_eq(msix_table_find(part, size), wanted);
        }
}
END_TEST

/* A function that is gone reads as ones. */
START_TEST(test_gone)
{
        memset(config, 0xff, sizeof(config));
        ck_assert_int_eq(msix_table_find(config, SIZE), MSIX_TABLE_NONE);
}
END_TEST

START_TEST(test_garbage)
{
        uint64_t state = 4711;
        size_t n_found = 0;
        for (unsigned i = 0; i < 100000; i++) {
                for (size_t j = 0; j < SIZE; j++) {
                        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                        config[j] = (uint8_t) (state >> 56);
                }
                int8_t bar = msix_table_find(config, i % (SIZE + 1));
                ck_assert_int_ge(bar, MSIX_TABLE_UNSEEN);
                ck_assert_int_lt(bar, 6);
                n_found += bar >= 0;
        }
        ck_assert_uint_gt(n_found, 0);
}
END_TEST

START_TEST(test_read)
{
        const char *folder = suite_folder();
        char full[512];
        Root *root;
        int8_t bar = 77;

        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_eq(msix_table_read(root, ADDRESS, &bar), -ENOENT);
        ck_assert_int_eq(bar, 77);

        put_msix(1);
        suite_prepare(folder, CONFIG_PATH, full);
        FILE *file = fopen(full, "wx");
        ck_assert_uint_eq(fwrite(config, 1, SIZE, file), SIZE);
        for (unsigned i = 0; i < 4096 - SIZE; i++) /* the extended space of a PCI Express function */
                ck_assert_int_eq(fputc(0xff, file), 0xff);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(msix_table_read(root, ADDRESS, &bar), 0);
        ck_assert_int_eq(bar, 1);

        ck_assert_int_eq(truncate(full, 64), 0); /* what is seen without privileges */
        ck_assert_int_eq(msix_table_read(root, ADDRESS, &bar), 0);
        ck_assert_int_eq(bar, MSIX_TABLE_UNSEEN);

        ck_assert_int_eq(unlink(full), 0);
        ck_assert_int_eq(mkdir(full, 0755), 0);
        ck_assert_int_eq(msix_table_read(root, ADDRESS, &bar), -EISDIR);
        root_free(root);
        suite_folder_remove(folder);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("msix-table");
        TCase *cases = tcase_create("config");

        tcase_add_checked_fixture(cases, setup, NULL);
        tcase_add_test(cases, test_every_bar);
        tcase_add_test(cases, test_none);
        tcase_add_test(cases, test_circle);
        tcase_add_test(cases, test_pointers);
        tcase_add_test(cases, test_truncated);
        tcase_add_test(cases, test_gone);
        tcase_add_test(cases, test_garbage);
        tcase_add_test(cases, test_read);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
