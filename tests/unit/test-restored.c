/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/restored.h"
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

static Restored *load(void)
{
        _cleanup_free_ char *problem = NULL;
        Restored *restored;
        ck_assert_int_eq(restored_load(root, &restored, &problem), 0);
        ck_assert_ptr_null(problem);
        return restored;
}

START_TEST(marks_by_place_and_ids)
{
        _cleanup_(restored_freep) Restored *restored = load();
        ck_assert(!restored_has(restored, card));
        ck_assert_int_eq(restored_mark(restored, card), 0);
        ck_assert_int_eq(restored_mark(restored, card), 0);
        ck_assert(restored_has(restored, card));
        ck_assert(!restored_has(restored, other_card));
        ck_assert(!restored_has(restored, other_slot));
        ck_assert(restored_clear(restored, card));
        ck_assert(!restored_clear(restored, card));
        ck_assert(!restored_has(restored, card));
}
END_TEST

START_TEST(survives_a_restart)
{
        _cleanup_(restored_freep) Restored *restored = load();
        ck_assert_int_eq(restored_mark(restored, other_slot), 0);
        ck_assert_int_eq(restored_mark(restored, card), 0);
        ck_assert_int_eq(restored_mark(restored, other_card), 0);
        ck_assert(restored_clear(restored, other_slot));
        ck_assert_int_eq(restored_save(restored, root), 0);

        _cleanup_(restored_freep) Restored *again = load();
        ck_assert(restored_has(again, card));
        ck_assert(restored_has(again, other_card));
        ck_assert(!restored_has(again, other_slot));
        ck_assert(restored_clear_all(again));
        ck_assert(!restored_clear_all(again));
        ck_assert_int_eq(restored_save(again, root), 0);

        _cleanup_(restored_freep) Restored *empty = load();
        ck_assert(!restored_has(empty, card));
}
END_TEST

START_TEST(refuses_garbage)
{
        static const char *const texts[] = {
                "",
                "[]",
                "{\"version\": 2, \"restored\": []}",
                "{\"version\": 1}",
                "{\"version\": 1, \"restored\": [{\"vendor\": 1, \"device\": 1}]}",
                "{\"version\": 1, \"restored\": [{\"function\": \"x\", \"vendor\": 65536, \"device\": 1}]}"
        };
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *problem = NULL;
                Restored *restored = NULL;
                suite_write(folder, RESTORED_PATH, texts[i]);
                ck_assert_msg(restored_load(root, &restored, &problem) < 0, "%s", texts[i]);
                ck_assert_ptr_null(restored);
                ck_assert_ptr_nonnull(problem);
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("restored");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, marks_by_place_and_ids);
        tcase_add_test(cases, survives_a_restart);
        tcase_add_test(cases, refuses_garbage);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
