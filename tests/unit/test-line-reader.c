/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "daemon/line-reader.h"
#include "suite.h"

static char *heard; /* every line with a '|' behind it */
static LineReader *reader;

static void hear(const char *line, void *userdata)
{
        ck_assert_ptr_eq(userdata, &heard);
        text_replace(&heard, "%s%s|", heard ? heard : "", line);
}

static void setup(void)
{
        heard = strdup("");
        ck_assert_int_eq(line_reader_new(hear, &heard, &reader), 0);
}

static void teardown(void)
{
        line_reader_free(reader);
        free(heard);
}

static void feed(const char *text)
{
        ck_assert_int_eq(line_reader_feed(reader, text, strlen(text)), 0);
}

START_TEST(lines_come_whole)
{
        feed("one\ntwo\n");
        ck_assert_str_eq(heard, "one|two|");
        feed("thr");
        feed("");
        feed("ee");
        ck_assert_str_eq(heard, "one|two|");
        feed("\nfo");
        ck_assert_str_eq(heard, "one|two|three|");
        line_reader_end(reader);
        ck_assert_str_eq(heard, "one|two|three|fo|");
        line_reader_end(reader);
        ck_assert_str_eq(heard, "one|two|three|fo|");
        ck_assert_uint_eq(line_reader_dropped(reader), 0);
}
END_TEST

START_TEST(byte_by_byte_is_the_same)
{
        static const char text[] = "{\"a\": 1}\n\n\n{\"b\": 2}\nend";
        for (size_t i = 0; i + 1 < sizeof(text); i++)
                ck_assert_int_eq(line_reader_feed(reader, text + i, 1), 0);
        line_reader_end(reader);
        ck_assert_str_eq(heard, "{\"a\": 1}|{\"b\": 2}|end|");
}
END_TEST

START_TEST(a_line_with_nul_is_left_out)
{
        static const char text[] = "good\nb\0ad\nfine\n";
        ck_assert_int_eq(line_reader_feed(reader, text, sizeof(text) - 1), 0);
        ck_assert_str_eq(heard, "good|fine|");
        ck_assert_uint_eq(line_reader_dropped(reader), 1);
}
END_TEST

START_TEST(a_line_without_end_is_left_out)
{
        _cleanup_free_ char *chunk = malloc(LINE_READER_MAX / 4 + 1);
        ck_assert_ptr_nonnull(chunk);
        memset(chunk, 'x', LINE_READER_MAX / 4 + 1);
        feed("first\n");
        for (unsigned i = 0; i < 40; i++)
                ck_assert_int_eq(line_reader_feed(reader, chunk, LINE_READER_MAX / 4 + 1), 0);
        feed("\nlast\n");
        ck_assert_str_eq(heard, "first|last|");
        ck_assert_uint_eq(line_reader_dropped(reader), 1);
        ck_assert_int_eq(line_reader_feed(reader, chunk, LINE_READER_MAX / 4 + 1), 0);
        for (unsigned i = 0; i < 4; i++)
                ck_assert_int_eq(line_reader_feed(reader, chunk, LINE_READER_MAX / 4 + 1), 0);
        line_reader_end(reader);
        ck_assert_uint_eq(line_reader_dropped(reader), 2);
        ck_assert_str_eq(heard, "first|last|");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("line-reader");
        TCase *tests = tcase_create("line-reader");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, lines_come_whole);
        tcase_add_test(tests, byte_by_byte_is_the_same);
        tcase_add_test(tests, a_line_with_nul_is_left_out);
        tcase_add_test(tests, a_line_without_end_is_left_out);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
