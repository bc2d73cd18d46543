/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/growth.h"
#include "base/text.h"
#include "topology-builder.h"

#define BAR 1u
#define OWN 256u

static const char *folder;
static Root *root;
static World world;
static PciFunction *first, *second;
static Plan *plan;

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, "run/lock", "");
        ck_assert_int_eq(root_open(folder, &root), 0);
        world_init(&world);
        PciFunction *port = world_add_bridge(&world, "0000:00:1c.0", NULL, 0xfe800000, 0x100000);
        first = world_add_small(&world, "0000:01:00.0", port, 0xfe800000);
        second = world_add_small(&world, "0000:01:00.1", port, 0xfe800100);
        world_line(second, RESOURCE_ROM, 0xfe810000, 0x800, WORLD_BAR_ROM);
        world_line(second, 0, 0xc000, 0x100, WORLD_BAR_IO);
        plan = world_only_plan(&world, "0000:01:00.0");
}

static void teardown(void)
{
        plan_free(plan);
        root = root_free(root);
        suite_folder_remove(folder);
}

static void grow(PciFunction *function)
{
        world_line(function, BAR, function->resources.lines[BAR].start + 0x10000, WORLD_PAGE, WORLD_BAR);
}

static Grown *load(const char *problem)
{
        _cleanup_free_ char *found = NULL;
        Grown *grown;
        ck_assert_int_eq(grown_load(root, &grown, &found), 0);
        if (!problem)
                ck_assert_msg(!found, "%s", found);
        else
                ck_assert_msg(found && strstr(found, problem), "%s", found ? found : "no problem");
        return grown;
}

static OwnSizes own_of(const PciFunction *function)
{
        _cleanup_(grown_freep) Grown *grown = load(NULL);
        OwnSizes own;
        ck_assert_int_eq(grown_own_sizes(grown, function, &own), 0);
        return own;
}

static bool is_grown(const PciFunction *function)
{
        OwnSizes own = own_of(function);
        return own_sizes_are_exceeded(&own, &function->resources);
}

/* What is recorded before is what is known afterwards, in another process as well. */
START_TEST(test_recorded)
{
        ck_assert(!is_grown(first)); /* no file at all */
        ck_assert_int_eq(growth_record(root, plan), 0);
        ck_assert(!is_grown(first));
        grow(first);
        grow(second);
        world_line(second, RESOURCE_ROM, 0xfe810000, WORLD_PAGE, WORLD_BAR_ROM);
        ck_assert(is_grown(first));
        ck_assert_uint_eq(own_of(first).lines[BAR], OWN);
        ck_assert_uint_eq(own_of(second).lines[BAR], OWN);
        ck_assert_uint_eq(own_of(second).lines[RESOURCE_ROM], 0x800);
        ck_assert_uint_eq(own_of(second).lines[0], 0);
        OwnSizes own = own_of(second);
        ck_assert(own_sizes_have_below(&own, WORLD_PAGE));
        ck_assert(!own_sizes_have_below(&own, OWN));
}
END_TEST

/* A later transaction finds them grown, and must not take that for their own size. */
START_TEST(test_second_transaction)
{
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(second);
        world_line(first, BAR, 0xfe800010, OWN, WORLD_BAR); /* misaligned */
        plan_free(plan);
        _cleanup_(grown_freep) Grown *grown = load(NULL);
        world.grown = grown;
        plan = world_only_plan(&world, "0000:01:00.0");
        world.grown = NULL;
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(first);
        ck_assert_uint_eq(own_of(first).lines[BAR], OWN);
        ck_assert_uint_eq(own_of(second).lines[BAR], OWN);
}
END_TEST

/* Another card in the slot has its own sizes. */
START_TEST(test_other_card)
{
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(first);
        ck_assert(is_grown(first));
        first->subdevice++;
        ck_assert(!is_grown(first));
        first->subdevice--;
        first->device++;
        ck_assert(!is_grown(first));
        ck_assert_uint_eq(own_of(first).lines[BAR], WORLD_PAGE);
}
END_TEST

/* What shrank again is forgotten, what is gone for a while is not. */
START_TEST(test_tidy)
{
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(first);
        ck_assert_int_eq(growth_tidy(root, &world.topology), 0);
        grow(second);
        ck_assert_msg(!is_grown(second), "it was forgotten while it had its own size");
        ck_assert(is_grown(first));
        world.topology.n_functions = 1; /* the port alone */
        ck_assert_int_eq(growth_tidy(root, &world.topology), 0);
        world.topology.n_functions = 3;
        ck_assert(is_grown(first));
        first->device++;
        ck_assert_int_eq(growth_tidy(root, &world.topology), 0);
        first->device--;
        ck_assert(!is_grown(first));
}
END_TEST

/* A line that has lost its address is no less recorded. */
START_TEST(test_unassigned)
{
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(first);
        PciResource was = first->resources.lines[BAR];
        first->resources.lines[BAR] = (PciResource){ 0 };
        ck_assert_uint_eq(own_of(first).lines[BAR], 0);
        first->resources.lines[BAR] = was;
        ck_assert_uint_eq(own_of(first).lines[BAR], OWN);
}
END_TEST

/* A file that is no record is none, and says so; the next one replaces it. */
START_TEST(test_garbage)
{
        static const struct {
                const char *text, *problem;
        } cases[] = {
                { "", "grown.json" },
                { "{", "grown.json" },
                { "[]", "version" },
                { "{\"version\":2,\"grown\":[]}", "version" },
                { "{\"version\":1}", "grown" },
                { "{\"version\":1,\"grown\":[7]}", "function" },
                { "{\"version\":1,\"grown\":[{\"function\":\"x\",\"vendor\":65536}]}", "vendor" },
                { "{\"version\":1,\"grown\":[{\"function\":\"x\",\"vendor\":1,\"device\":1,\"subvendor\":1,"
                  "\"subdevice\":1,\"sizes\":[-1]}]}",
                  "sizes" },
                { "{\"version\":1,\"grown\":[{\"function\":\"x\",\"vendor\":1,\"device\":1,\"subvendor\":1,"
                  "\"subdevice\":1,\"sizes\":[1,2,3,4,5,6,7,8]}]}",
                  "sizes" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                suite_write(folder, GROWN_PATH, cases[i].text);
                _cleanup_(grown_freep) Grown *grown = load(cases[i].problem);
                OwnSizes own;
                ck_assert_int_eq(grown_own_sizes(grown, first, &own), 0);
                ck_assert_uint_eq(own.lines[BAR], OWN);
        }
        ck_assert_int_eq(growth_record(root, plan), 0);
        grow(first);
        ck_assert(is_grown(first));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("grown");
        TCase *cases = tcase_create("grown");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_recorded);
        tcase_add_test(cases, test_second_transaction);
        tcase_add_test(cases, test_other_card);
        tcase_add_test(cases, test_tidy);
        tcase_add_test(cases, test_unassigned);
        tcase_add_test(cases, test_garbage);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
