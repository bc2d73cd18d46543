/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Functions that are on their way: which buses they keep, and how that ends. */

#include "daemon/inhibition.h"
#include "suite.h"

static Inhibitions *inhibitions;

static const PciAddress first = { .bus = 3 }, second = { .bus = 3, .function = 1 };

static void setup(void)
{
        ck_assert_int_eq(inhibitions_new(&inhibitions), 0);
}

static void teardown(void)
{
        inhibitions_free(inhibitions);
}

static bool keeps(const char *key)
{
        return inhibitions_cover(inhibitions, key, NULL, 0);
}

/* A bus above would be taken out with them, and one below with the bus above it. */
START_TEST(test_related)
{
        ck_assert(!keeps("0000:00:1c.0"));
        ck_assert_int_eq(inhibitions_set(inhibitions, first, "0000:00:1c.0/00.0", 10), 0);
        ck_assert(keeps("0000:00:1c.0/00.0"));
        ck_assert(keeps("0000:00:1c.0"));
        ck_assert(keeps("0000:00:1c.0/00.0/01.0"));
        ck_assert(!keeps("0000:00:1c.0/01.0"));
        ck_assert(!keeps("0000:00:1d.0"));
}
END_TEST

/* Whoever moves them does not wait for himself. */
START_TEST(test_own)
{
        const PciAddress both[] = { first, second };
        ck_assert_int_eq(inhibitions_set(inhibitions, first, "0000:00:1c.0", 10), 0);
        ck_assert(!inhibitions_cover(inhibitions, "0000:00:1c.0", both, 2));
        ck_assert(inhibitions_cover(inhibitions, "0000:00:1c.0", &second, 1));
}
END_TEST

START_TEST(test_ends)
{
        ck_assert_uint_eq(inhibitions_next(inhibitions), UINT64_MAX);
        ck_assert_int_eq(inhibitions_set(inhibitions, first, "0000:00:1c.0", 10), 0);
        ck_assert_int_eq(inhibitions_set(inhibitions, second, "0000:00:1d.0", 20), 0);
        ck_assert_uint_eq(inhibitions_next(inhibitions), 10);
        ck_assert_int_eq(inhibitions_set(inhibitions, first, "0000:00:1c.0", 30), 0); /* longer */
        ck_assert_uint_eq(inhibitions_next(inhibitions), 20);
        ck_assert_ptr_null(inhibitions_take_over(inhibitions, 19));
        char *key = inhibitions_take_over(inhibitions, 20);
        ck_assert_str_eq(key, "0000:00:1d.0");
        free(key);
        ck_assert_ptr_null(inhibitions_take(inhibitions, second));
        key = inhibitions_take(inhibitions, first);
        ck_assert_str_eq(key, "0000:00:1c.0");
        free(key);
        ck_assert(!keeps("0000:00:1c.0"));
        ck_assert_ptr_null(inhibitions_take_over(inhibitions, UINT64_MAX));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("inhibition");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_related);
        tcase_add_test(cases, test_own);
        tcase_add_test(cases, test_ends);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
