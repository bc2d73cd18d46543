/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/attempts.h"
#include "suite.h"

static const char *folder;
static Root *root;
static const FunctionKey card = { "0000:00:1c.0/00.0", 0x10ec, 0x8139 };
static const FunctionKey other_card = { "0000:00:1c.0/00.0", 0x10ec, 0x8168 };
static const FunctionKey other_slot = { "0000:00:1d.0/00.0", 0x10ec, 0x8139 };

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, "run/vfio-realign/lock", "");
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

static Attempts *load(void)
{
        _cleanup_free_ char *problem = NULL;
        Attempts *attempts;
        ck_assert_int_eq(attempts_load(root, &attempts, &problem), 0);
        ck_assert_ptr_null(problem);
        return attempts;
}

START_TEST(counts_by_place_and_ids)
{
        _cleanup_(attempts_freep) Attempts *attempts = load();
        ck_assert_uint_eq(attempts_count(attempts, card), 0);
        ck_assert_int_eq(attempts_reason(attempts, card), REASON_NONE);
        ck_assert_int_eq(attempts_add(attempts, card, REASON_BAR_LOST), 0);
        ck_assert_int_eq(attempts_add(attempts, card, REASON_PAGE_SHARED), 0);
        ck_assert_int_eq(attempts_add(attempts, other_slot, REASON_BAR_LOST), 0);
        ck_assert_uint_eq(attempts_count(attempts, card), 2);
        ck_assert_int_eq(attempts_reason(attempts, card), REASON_PAGE_SHARED);
        ck_assert_uint_eq(attempts_count(attempts, other_card), 0);
        ck_assert_uint_eq(attempts_count(attempts, other_slot), 1);
}
END_TEST

START_TEST(survives_a_restart)
{
        _cleanup_(attempts_freep) Attempts *attempts = load();
        ck_assert_int_eq(attempts_add(attempts, card, REASON_BAR_LOST), 0);
        ck_assert_int_eq(attempts_add(attempts, other_slot, REASON_STEP_FAILED), 0);
        ck_assert_int_eq(attempts_block(attempts, "0000:00:1c.0", "0000:01:00.0: gone"), 0);
        ck_assert_int_eq(attempts_block(attempts, "0000:00:1c.0", "0000:01:00.0: gone"), 0);
        ck_assert_int_eq(attempts_save(attempts, root), 0);

        _cleanup_(attempts_freep) Attempts *again = load();
        const char *state = NULL;
        ck_assert_str_eq(attempts_blocked(again, 0, &state), "0000:00:1c.0");
        ck_assert_str_eq(state, "0000:01:00.0: gone");
        ck_assert_ptr_null(attempts_blocked(again, 1, &state));
        ck_assert(attempts_is_blocked(again, "0000:00:1c.0"));
        ck_assert(attempts_is_blocked(again, "0000:00:1c.0/00.0"));
        ck_assert(!attempts_is_blocked(again, "0000:00:1d.0"));
        ck_assert_uint_eq(attempts_count(again, card), 1);
        ck_assert_int_eq(attempts_reason(again, card), REASON_BAR_LOST);
        ck_assert_uint_eq(attempts_count(again, other_slot), 1);
        ck_assert_uint_eq(attempts_count(again, other_card), 0);
        attempts_forget_all(again);
        ck_assert(!attempts_is_blocked(again, "0000:00:1c.0"));
}
END_TEST

START_TEST(forgets)
{
        _cleanup_(attempts_freep) Attempts *attempts = load();
        ck_assert_int_eq(attempts_add(attempts, card, REASON_BAR_LOST), 0);
        ck_assert_int_eq(attempts_add(attempts, other_slot, REASON_BAR_LOST), 0);
        attempts_forget(attempts, other_card);
        attempts_forget(attempts, card);
        ck_assert_uint_eq(attempts_count(attempts, card), 0);
        ck_assert_uint_eq(attempts_count(attempts, other_slot), 1);
        attempts_forget_all(attempts);
        ck_assert_uint_eq(attempts_count(attempts, other_slot), 0);
        ck_assert_int_eq(attempts_save(attempts, root), 0);
        _cleanup_(attempts_freep) Attempts *again = load();
        ck_assert_uint_eq(attempts_count(again, card), 0);
}
END_TEST

/* One host bridge keeps the firmware's addresses: all below it, and nothing below another one. */
START_TEST(a_host_bridge_is_remembered_as_a_whole)
{
        _cleanup_(attempts_freep) Attempts *attempts = load();
        ck_assert(!attempts_host_is_kept(attempts, "0000:00:1c.0/00.0"));
        ck_assert_int_eq(attempts_keep_host(attempts, "0000:00:1c.0/00.0"), 0);
        ck_assert_int_eq(attempts_keep_host(attempts, "0000:00:08.0"), 0);
        ck_assert_int_eq(attempts_save(attempts, root), 0);
        _cleanup_(attempts_freep) Attempts *again = load();
        ck_assert(attempts_host_is_kept(again, "0000:00:1d.0/00.0/01.0"));
        ck_assert(attempts_host_is_kept(again, "0000:00:02.0"));
        ck_assert(!attempts_host_is_kept(again, "0000:80:02.0"));
        ck_assert(!attempts_host_is_kept(again, "0001:00:02.0"));
        ck_assert(!attempts_host_is_kept(again, "10000:00:02.0"));
        ck_assert(!attempts_is_blocked(again, "0000:00:1c.0"));
        attempts_forget_all(again);
        ck_assert(!attempts_host_is_kept(again, "0000:00:02.0"));
}
END_TEST

START_TEST(a_broken_file_is_said)
{
        static const char *const texts[] = {
                "",
                "{",
                "[]",
                "{\"version\": 2, \"attempts\": []}",
                "{\"version\": 1}",
                "{\"version\": 1, \"attempts\": [7]}",
                "{\"version\": 1, \"attempts\": [{\"function\": \"0000:00:08.0\"}]}",
                "{\"version\": 1, \"attempts\": [{\"function\": \"0000:00:08.0\", \"vendor\": 65536, \"device\": 0, \"count\": 1}]}",
                "{\"version\": 1, \"attempts\": [], \"blocked\": [], \"kept\": []} trailing",
                "{\"version\": 1, \"attempts\": []}",
                "{\"version\": 1, \"attempts\": [], \"blocked\": []}",
                "{\"version\": 1, \"attempts\": [], \"blocked\": [{}], \"kept\": []}",
                "{\"version\": 1, \"attempts\": [], \"blocked\": [], \"kept\": [7]}",
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *problem = NULL;
                Attempts *attempts = NULL;
                suite_write(folder, ATTEMPTS_PATH, texts[i]);
                ck_assert_int_eq(attempts_load(root, &attempts, &problem), -EBADMSG);
                ck_assert_ptr_nonnull(problem);
                ck_assert_ptr_null(attempts);
        }
}
END_TEST

START_TEST(an_unknown_reason_still_counts)
{
        suite_write(folder, ATTEMPTS_PATH,
                    "{\"version\": 1, \"attempts\": [{\"function\": \"0000:00:1c.0/00.0\", \"vendor\": 4332, "
                    "\"device\": 33081, \"count\": 3, \"reason\": \"of-a-later-version\"}], \"blocked\": [], \"kept\": []}");
        _cleanup_(attempts_freep) Attempts *attempts = load();
        ck_assert_uint_eq(attempts_count(attempts, card), 3);
        ck_assert_int_ne(attempts_reason(attempts, card), REASON_NONE);
}
END_TEST

START_TEST(a_directory_in_its_place_is_said)
{
        _cleanup_free_ char *problem = NULL;
        Attempts *attempts = NULL;
        suite_write(folder, ATTEMPTS_PATH "/file", "");
        ck_assert_int_eq(attempts_load(root, &attempts, &problem), -EISDIR);
        ck_assert_ptr_nonnull(problem);
        ck_assert_ptr_null(attempts);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("attempts");
        TCase *tests = tcase_create("attempts");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, counts_by_place_and_ids);
        tcase_add_test(tests, survives_a_restart);
        tcase_add_test(tests, forgets);
        tcase_add_test(tests, a_host_bridge_is_remembered_as_a_whole);
        tcase_add_test(tests, a_broken_file_is_said);
        tcase_add_test(tests, an_unknown_reason_still_counts);
        tcase_add_test(tests, a_directory_in_its_place_is_said);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
