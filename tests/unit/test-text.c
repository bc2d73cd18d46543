/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/page.h"
#include "base/reason.h"
#include "base/text.h"
#include "suite.h"

START_TEST(test_numbers)
{
        uint64_t value = 7;
        ck_assert_int_eq(text_to_u64("ff", 16, UINT64_MAX, &value), 0);
        ck_assert_uint_eq(value, 255);
        ck_assert_int_eq(text_to_u64("0x10", 16, UINT64_MAX, &value), 0);
        ck_assert_uint_eq(value, 16);
        ck_assert_int_eq(text_to_u64("256", 10, 255, &value), -ERANGE);
        ck_assert_int_eq(text_to_u64("99999999999999999999", 10, UINT64_MAX, &value), -ERANGE);
        ck_assert_int_eq(text_to_u64("", 10, UINT64_MAX, &value), -EINVAL);
        ck_assert_int_eq(text_to_u64("-1", 10, UINT64_MAX, &value), -EINVAL);
        ck_assert_int_eq(text_to_u64(" 1", 10, UINT64_MAX, &value), -EINVAL);
        ck_assert_int_eq(text_to_u64("1 ", 10, UINT64_MAX, &value), -EINVAL);
        ck_assert_int_eq(text_to_u64("fg", 16, UINT64_MAX, &value), -EINVAL);
        ck_assert_uint_eq(value, 16);
}
END_TEST

START_TEST(test_bytes)
{
        char buffer[TEXT_BYTES_MAX];
        uint64_t bytes;
        ck_assert_int_eq(text_to_bytes("256M", &bytes), 0);
        ck_assert_uint_eq(bytes, UINT64_C(256) << 20);
        ck_assert_str_eq(text_from_bytes(bytes, buffer), "256M");
        ck_assert_str_eq(text_from_bytes(0, buffer), "0");
        ck_assert_str_eq(text_from_bytes(1536, buffer), "1536");
        ck_assert_int_eq(text_to_bytes("4KB", &bytes), -EINVAL);
        ck_assert_int_eq(text_to_bytes("4k", &bytes), -EINVAL);
        ck_assert_int_eq(text_to_bytes("M", &bytes), -EINVAL);
        ck_assert_int_eq(text_to_bytes("99999999999G", &bytes), -ERANGE);
}
END_TEST

START_TEST(test_usec)
{
        uint64_t usec;
        ck_assert_int_eq(text_to_usec("3s", &usec), 0);
        ck_assert_uint_eq(usec, 3000000);
        ck_assert_int_eq(text_to_usec("10", &usec), 0);
        ck_assert_uint_eq(usec, 10000000);
        ck_assert_int_eq(text_to_usec("250ms", &usec), 0);
        ck_assert_uint_eq(usec, 250000);
        ck_assert_int_eq(text_to_usec("2min", &usec), 0);
        ck_assert_uint_eq(usec, 120000000);
        static const char *const texts[] = { "0s", "3s", "10s", "250ms", "2min", "90s", "1500ms", "60min" };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char buffer[TEXT_BYTES_MAX];
                ck_assert_int_eq(text_to_usec(texts[i], &usec), 0);
                ck_assert_str_eq(text_from_usec(usec, buffer), texts[i]);
        }
        ck_assert_int_eq(text_to_usec("3 s", &usec), -EINVAL);
        ck_assert_int_eq(text_to_usec("1.5s", &usec), -EINVAL);
}
END_TEST

START_TEST(test_page)
{
        ck_assert(page_size_valid(page_size()));
        for (unsigned order = 12; order <= 16; order++) {
                uint64_t page = UINT64_C(1) << order;
                ck_assert_uint_eq(page_order(page), order);
                ck_assert_uint_eq(page_start(5 * page + 3, page), 5 * page);
                ck_assert_uint_eq(page_end(5 * page + 3, page), 6 * page - 1);
        }
        ck_assert(!page_size_valid(0));
        ck_assert(!page_size_valid(3000));
}
END_TEST

START_TEST(test_reasons)
{
        for (Reason reason = REASON_NONE; reason < REASON_COUNT_; reason++) {
                Reason parsed;
                ck_assert_int_eq(reason_parse(reason_name(reason), &parsed), 0);
                ck_assert_int_eq(parsed, reason);
                if (reason == REASON_NONE)
                        continue;
                ck_assert_uint_eq(strlen(reason_message_id(reason)), 32);
                ck_assert_uint_gt(strlen(reason_text(reason)), 0);
                ck_assert_uint_gt(strlen(reason_remedy(reason)), 0);
                for (Reason other = REASON_NONE; other < reason; other++)
                        ck_assert_str_ne(reason_message_id(reason), reason_message_id(other));
        }
        Reason reason;
        ck_assert_int_eq(reason_parse("no-such-reason", &reason), -EINVAL);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("text");
        TCase *tcase = tcase_create("all");
        tcase_add_test(tcase, test_numbers);
        tcase_add_test(tcase, test_bytes);
        tcase_add_test(tcase, test_usec);
        tcase_add_test(tcase, test_page);
        tcase_add_test(tcase, test_reasons);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
