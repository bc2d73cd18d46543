/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/read-until-end.h"
#include "suite.h"

#include <sys/wait.h>

#define PIECE 1000u

/* Another process writes N pieces into the pipe that this returns, and ends. */
static int write_pieces(unsigned n)
{
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t pid = suite_fork();
        if (pid == 0) {
                char piece[PIECE];
                close(ends[0]);
                for (unsigned i = 0; i < n; i++) {
                        memset(piece, 'a' + (int) (i % 26), sizeof(piece));
                        if (write(ends[1], piece, sizeof(piece)) != (ssize_t) sizeof(piece))
                                _exit(EXIT_FAILURE);
                }
                _exit(EXIT_SUCCESS);
        }
        close(ends[1]);
        return ends[0];
}

START_TEST(test_sizes)
{
        static const unsigned counts[] = { 0, 1, 4, 5, 8, 9, 100, 3000 };
        for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
                _cleanup_close_ int fd = write_pieces(counts[i]);
                _cleanup_free_ char *text = NULL;
                size_t size = 1;
                ck_assert_int_eq(read_until_end(fd, SIZE_MAX, NULL, NULL, &text, &size), 0);
                ck_assert_uint_eq(size, counts[i] * PIECE);
                ck_assert_int_eq(text[size], '\0');
                size_t same = 0; /* an assertion a byte would take its time */
                while (same < size && text[same] == 'a' + (int) (same / PIECE % 26))
                        same++;
                ck_assert_uint_eq(same, size);
                ck_assert_int_gt(wait(NULL), 0);
        }
}
END_TEST

START_TEST(test_limit)
{
        for (size_t more = 0; more < 2; more++) {
                _cleanup_close_ int fd = write_pieces(20);
                _cleanup_free_ char *text = NULL;
                size_t size;
                ck_assert_int_eq(read_until_end(fd, 20 * PIECE - more, NULL, NULL, &text, &size),
                                 more ? -EFBIG : 0);
                ck_assert(!more == (text != NULL));
                ck_assert_int_gt(wait(NULL), 0);
        }
}
END_TEST

static int count_down(int fd, void *userdata)
{
        unsigned *left = userdata;
        return (*left)-- == 0 ? -ETIMEDOUT : 0;
}

START_TEST(test_ready)
{
        _cleanup_close_ int fd = write_pieces(20);
        _cleanup_free_ char *text = NULL;
        unsigned left = 2;
        size_t size;
        ck_assert_int_eq(read_until_end(fd, SIZE_MAX, count_down, &left, &text, &size), -ETIMEDOUT);
        ck_assert_ptr_null(text);
        left = 1000;
        ck_assert_int_eq(read_until_end(fd, SIZE_MAX, count_down, &left, &text, &size), 0);
        ck_assert_uint_lt(left, 1000);
}
END_TEST

START_TEST(test_error)
{
        char *text = NULL;
        size_t size;
        ck_assert_int_eq(read_until_end(-1, SIZE_MAX, NULL, NULL, &text, &size), -EBADF);
        _cleanup_close_ int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(read_until_end(fd, SIZE_MAX, NULL, NULL, &text, &size), -EISDIR);
        ck_assert_ptr_null(text);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("read-until-end");
        TCase *cases = tcase_create("read-until-end");
        tcase_add_test(cases, test_sizes);
        tcase_add_test(cases, test_limit);
        tcase_add_test(cases, test_ready);
        tcase_add_test(cases, test_error);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
