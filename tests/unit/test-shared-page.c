/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/shared-page.h"
#include "topology-builder.h"

#define START UINT64_C(0xfe800000)

static World world;
static PciFunction *port, *first, *second, *host, *lone;
static SharedPages pages;

/* Three functions in one page, of which the third is on a host driver; one in a page of its own. */
static void setup(void)
{
        world_init(&world);
        port = world_add_bridge(&world, "0000:00:1c.0", NULL, START, 0x100000);
        first = world_add_small(&world, "0000:01:00.0", port, START);
        second = world_add_small(&world, "0000:01:00.1", port, START + 0x100);
        host = world_add_small(&world, "0000:01:00.2", port, START + 0x200);
        lone = world_add_small(&world, "0000:01:00.3", port, START + 2 * WORLD_PAGE);
        world_bind(host, "e1000e", false);
        first->iommu_group = 9;
        second->iommu_group = 10;
        host->iommu_group = 9;
        lone->iommu_group = 11;
        pages = (SharedPages){ 0 };
}

static void teardown(void)
{
        shared_pages_clear(&pages);
}

static void find(void)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        _cleanup_(page_index_freep) PageIndex *index = NULL;
        ck_assert_int_eq(page_index_make(&world.topology, NULL, verdicts->page, &index), 0);
        shared_pages_clear(&pages);
        ck_assert_int_eq(shared_pages_add_on_vfio(&pages, verdicts, index), 0);
}

START_TEST(test_two_groups)
{
        find();
        ck_assert_uint_eq(pages.n_pages, 1); /* once, although three have a part of it */
        _cleanup_free_ char *text = shared_page_text(pages.pages[0]);
        ck_assert_str_eq(text, "the page at 0xfe800000 belongs to several IOMMU groups: "
                               "0000:01:00.0 BAR 1 (group 9), 0000:01:00.1 BAR 1 (group 10), "
                               "0000:01:00.2 BAR 1 (group 9); who has one of them reaches the registers of "
                               "the others (XSA-461)");
}
END_TEST

START_TEST(test_one_group)
{
        second->iommu_group = 9;
        find();
        ck_assert_uint_eq(pages.n_pages, 0);
}
END_TEST

/* A function of the host in the page of one that is given away counts; two of the host do not. */
START_TEST(test_host)
{
        world_bind(second, NULL, false);
        second->iommu_group = IOMMU_GROUP_NONE;
        host->iommu_group = 12;
        find();
        ck_assert_uint_eq(pages.n_pages, 1);
        _cleanup_free_ char *text = shared_page_text(pages.pages[0]);
        ck_assert_ptr_nonnull(strstr(
                        text, "groups: 0000:01:00.0 BAR 1 (group 9), 0000:01:00.2 BAR 1 (group 12);"));

        world_bind(first, "e1000e", false);
        find();
        ck_assert_uint_eq(pages.n_pages, 0);
}
END_TEST

START_TEST(test_several_pages)
{
        PciFunction *other = world_add_small(&world, "0000:01:00.4", port, START + 2 * WORLD_PAGE + 0x100);
        other->iommu_group = 12;
        find();
        ck_assert_uint_eq(pages.n_pages, 2);
        ck_assert_uint_eq(pages.pages[0]->start, START);
        ck_assert_uint_eq(pages.pages[1]->start, START + 2 * WORLD_PAGE);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("shared-page");
        TCase *cases = tcase_create("all");
        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_two_groups);
        tcase_add_test(cases, test_one_group);
        tcase_add_test(cases, test_host);
        tcase_add_test(cases, test_several_pages);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
