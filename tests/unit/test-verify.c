/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/verify.h"
#include "reason-given.h"
#include "topology-builder.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"
#define UNBOUND "0000:01:00.2"
#define WINDOW_START UINT64_C(0xfe800000)
#define MEMORY_BAR 1
#define IO_BAR 0
#define LARGE_BAR 2

/* Of the plan's functions, in its order. */
enum {
        PLANNED_PORT,
        PLANNED_FIRST,
        PLANNED_SECOND,
        PLANNED_UNBOUND,
};

static World world;
static PciFunction *port, *first, *second, *unbound, *bystander;
static Plan *plan;
static Finding finding;

/* FIRST has a BAR below a page, I/O ports, a BAR of 16 KiB and a ROM; its page is shared with SECOND's BAR. */
static void setup(void)
{
        world_init(&world);
        port = world_add_bridge(&world, PORT, NULL, WINDOW_START, 0x100000);
        bystander = world_add_small(&world, "0000:00:1e.0", NULL, 0x90000000);
        first = world_add_small(&world, FIRST, port, WINDOW_START);
        second = world_add_small(&world, SECOND, port, WINDOW_START + 0x100);
        unbound = world_add(&world, UNBOUND, port);
        world_line(first, IO_BAR, 0xc000, 0x100, WORLD_BAR_IO);
        world_line(first, LARGE_BAR, WINDOW_START + 0x10000, 0x4000, WORLD_BAR);
        world_line(first, RESOURCE_ROM, WINDOW_START + 0x20000, 0x10000, WORLD_BAR_ROM);
        world_line(unbound, MEMORY_BAR, WINDOW_START + 0x30000, 0x1000, WORLD_BAR);
        first->iommu_group = second->iommu_group = 12;
        unbound->iommu_group = 13;
        plan = world_only_plan(&world, FIRST);
        finding = (Finding){ 0 };
}

static void teardown(void)
{
        plan = plan_free(plan);
}

/* What the kernel makes of it: the small BARs are pages of their own. */
static void realign(void)
{
        world_line(first, MEMORY_BAR, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        world_line(second, MEMORY_BAR, WINDOW_START + 0x2000, WORLD_PAGE, WORLD_BAR);
}

static int verify(void)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        finding = (Finding){ 0 };
        return verify_world(plan, &world.topology, verdicts, &finding);
}

static int verify_back(void)
{
        finding = (Finding){ 0 };
        return verify_all_back(plan, &world.topology, &finding);
}

/* REASON about CULPRIT, with DETAIL in the words, whether forward or in a rollback. */
static void expect_loss(Reason reason, const char *culprit, const char *detail)
{
        int (*const ways[])(void) = { verify, verify_back };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                ck_assert_int_eq(ways[i](), FINDING_MADE);
                assert_reason(finding.reason, reason);
                ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), culprit);
                ck_assert_msg(strstr(finding.detail, detail), "\"%s\" does not say \"%s\"", finding.detail,
                              detail);
        }
}

START_TEST(test_realigned)
{
        ck_assert_int_eq(verify(), FINDING_MADE); /* nothing has happened yet */
        assert_reason(finding.reason, REASON_FIRMWARE_ASSIGNMENT);
        realign();
        ck_assert_int_eq(verify(), FINDING_NONE);
}
END_TEST

/* The entries had no effect at all: then it is the host bridge. Otherwise it is this page. */
START_TEST(test_no_effect)
{
        world_line(first, MEMORY_BAR, WINDOW_START + 0x500, 0x100, WORLD_BAR); /* moved, that is all */
        world_line(second, MEMORY_BAR, WINDOW_START + 0x600, 0x100, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_FIRMWARE_ASSIGNMENT);
        ck_assert_ptr_nonnull(strstr(finding.detail, "BAR 1 at 0xfe800500 is shared"));
        ck_assert_int_eq(verify_back(), FINDING_NONE);

        world_line(second, MEMORY_BAR, WINDOW_START + 0x1000, WORLD_PAGE, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);

        first->resources.lines[LARGE_BAR] = (PciResource){ 0 };
        expect_loss(REASON_BAR_LOST, FIRST, "BAR 2");
}
END_TEST

/* Nothing was due: what shares a page then is another matter. */
START_TEST(test_no_effect_where_none_was_due)
{
        plan->functions[PLANNED_FIRST].alignment = plan->functions[PLANNED_SECOND].alignment = 0;
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
}
END_TEST

/* What we had grown may come back in the size that it has by itself, but no smaller, page or not. */
START_TEST(test_own_size)
{
        plan->functions[PLANNED_UNBOUND].own.lines[MEMORY_BAR] = 0x400;
        plan->functions[PLANNED_FIRST].own.lines[LARGE_BAR] = 0x2000;
        realign();
        world_line(unbound, MEMORY_BAR, WINDOW_START + 0x30000, 0x400, WORLD_BAR);
        world_line(first, LARGE_BAR, WINDOW_START + 0x10000, 0x2000, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_NONE);
        world_line(unbound, MEMORY_BAR, WINDOW_START + 0x30000, 0x200, WORLD_BAR);
        expect_loss(REASON_BAR_LOST, UNBOUND, "BAR 1, 4096 bytes");
        world_line(unbound, MEMORY_BAR, WINDOW_START + 0x30000, 0x400, WORLD_BAR);
        world_line(first, LARGE_BAR, WINDOW_START + 0x10000, 0x1000, WORLD_BAR);
        expect_loss(REASON_BAR_LOST, FIRST, "BAR 2, 16384 bytes");
}
END_TEST

/* Addresses may differ, and pages may be shared again. */
START_TEST(test_rolled_back)
{
        ck_assert_int_eq(verify_back(), FINDING_NONE);
        world_line(first, MEMORY_BAR, WINDOW_START + 0x500, 0x100, WORLD_BAR);
        world_line(second, MEMORY_BAR, WINDOW_START + 0x600, 0x100, WORLD_BAR);
        world_line(first, IO_BAR, 0xd000, 0x100, WORLD_BAR_IO);
        ck_assert_int_eq(verify_back(), FINDING_NONE);
}
END_TEST

/* What the kernel could not place reads as zeros (KF §6). */
START_TEST(test_lost)
{
        static const struct {
                unsigned line;
                const char *name;
        } lines[] = {
                { IO_BAR, "BAR 0, 256 bytes" },
                { MEMORY_BAR, "BAR 1, 256 bytes" },
                { LARGE_BAR, "BAR 2, 16384 bytes" },
                { RESOURCE_ROM, "ROM, 65536 bytes" },
        };
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                PciResource *line = &first->resources.lines[lines[i].line];
                realign();
                PciResource honest = *line;
                *line = (PciResource){ 0 };
                expect_loss(REASON_BAR_LOST, FIRST, lines[i].name);
                *line = honest;
                line->flags |= RESOURCE_UNSET;
                expect_loss(REASON_BAR_LOST, FIRST, lines[i].name);
                *line = honest;
                line->flags ^= RESOURCE_IO | RESOURCE_MEMORY; /* of the other type */
                expect_loss(REASON_BAR_LOST, FIRST, lines[i].name);
                *line = honest;
        }
        ck_assert_int_eq(verify(), FINDING_NONE);
}
END_TEST

START_TEST(test_lost_of_bystander)
{
        realign();
        unbound->resources.lines[MEMORY_BAR] = (PciResource){ 0 };
        expect_loss(REASON_BAR_LOST, UNBOUND, "BAR 1, 4096 bytes");
}
END_TEST

/* A size that only an entry can have given goes with the entry; any other size must come back. */
START_TEST(test_smaller)
{
        realign();
        world_line(first, LARGE_BAR, WINDOW_START + 0x10000, 0x2000, WORLD_BAR);
        expect_loss(REASON_BAR_LOST, FIRST, "BAR 2, 16384 bytes");
        world_line(first, LARGE_BAR, WINDOW_START + 0x10000, 0x4000, WORLD_BAR);
        world_line(unbound, MEMORY_BAR, WINDOW_START + 0x30000, 0x80, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_NONE);
        ck_assert_int_eq(verify_back(), FINDING_NONE);
}
END_TEST

/* What had no address before may do without one. */
START_TEST(test_unassigned_before)
{
        plan->functions[PLANNED_FIRST].resources.lines[LARGE_BAR].flags |= RESOURCE_UNSET;
        plan->functions[PLANNED_FIRST].resources.lines[IO_BAR] = (PciResource){ 0 };
        realign();
        first->resources.lines[LARGE_BAR] = (PciResource){ 0, 0x3fff, WORLD_BAR | RESOURCE_UNSET };
        first->resources.lines[IO_BAR] = (PciResource){ 0 };
        ck_assert_int_eq(verify(), FINDING_NONE);
}
END_TEST

START_TEST(test_shadow_rom)
{
        plan->functions[PLANNED_FIRST].resources.lines[RESOURCE_ROM].flags |= RESOURCE_ROM_SHADOW;
        realign();
        first->resources.lines[RESOURCE_ROM] = (PciResource){ 0 };
        ck_assert_int_eq(verify(), FINDING_NONE);
}
END_TEST

START_TEST(test_missing)
{
        realign();
        world.topology.n_functions = 3; /* up to FIRST */
        expect_loss(REASON_FUNCTION_MISSING, SECOND, PORT "/00.1");
        world.topology.n_functions = 0;
        expect_loss(REASON_FUNCTION_MISSING, PORT, PORT);
}
END_TEST

/* A bus number may change: the function is found by its path. */
START_TEST(test_renumbered_bus)
{
        realign();
        first->address.bus = second->address.bus = unbound->address.bus = 7;
        ck_assert_int_eq(verify(), FINDING_NONE);
        first->resources.lines[RESOURCE_ROM] = (PciResource){ 0 };
        expect_loss(REASON_BAR_LOST, "0000:07:00.0", "ROM");
}
END_TEST

START_TEST(test_ids)
{
        realign();
        second->device++;
        expect_loss(REASON_IDS_CHANGED, SECOND, "10ec:8139 class 020000 was there, now 10ec:813a");
        second->device--;
        second->subdevice = 0;
        expect_loss(REASON_IDS_CHANGED, SECOND, "");
        second->subdevice = 0x1100;
        second->class = 0xff0000;
        expect_loss(REASON_IDS_CHANGED, SECOND, "class ff0000");
}
END_TEST

/* The neighbour may be any function of the machine. */
START_TEST(test_still_shared)
{
        realign();
        world_line(second, MEMORY_BAR, WINDOW_START + 0x2100, 0x100,
                   WORLD_BAR); /* alone, off the page's start */
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), SECOND);
        ck_assert_ptr_nonnull(strstr(finding.detail, "BAR 1 at 0xfe802100 is misaligned"));

        world_line(second, MEMORY_BAR, WINDOW_START + 0x2000, 0x100, WORLD_BAR);
        world_line(bystander, MEMORY_BAR, WINDOW_START + 0x2800, 0x100, WORLD_BAR);
        ck_assert_int_eq(verify(), FINDING_MADE);
        assert_reason(finding.reason, REASON_PAGE_SHARED);
        ck_assert_ptr_nonnull(strstr(finding.detail, "is shared, its neighbour is 0000:00:1e.0"));

        second->on_vfio = false; /* whatever it is now: it was on VFIO, and will be again */
        ck_assert_int_eq(verify(), FINDING_MADE);
}
END_TEST

/* What is not on VFIO may share pages. */
START_TEST(test_unbound_may_share)
{
        realign();
        world_line(unbound, MEMORY_BAR, 0x90000800, 0x100, WORLD_BAR); /* in the bystander's page */
        ck_assert_int_eq(verify(), FINDING_NONE);
}
END_TEST

START_TEST(test_function)
{
        ck_assert_int_eq(verify_function(plan, PLANNED_FIRST, &world.topology, &finding), FINDING_NONE);
        first->resources.lines[LARGE_BAR] = (PciResource){ 0 };
        ck_assert_int_eq(verify_function(plan, PLANNED_SECOND, &world.topology, &finding), FINDING_NONE);
        ck_assert_int_eq(verify_function(plan, PLANNED_FIRST, &world.topology, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_BAR_LOST);
        first->vendor = 0;
        ck_assert_int_eq(verify_function(plan, PLANNED_FIRST, &world.topology, &finding), FINDING_MADE);
        assert_reason(finding.reason, REASON_IDS_CHANGED);
}
END_TEST

START_TEST(test_untouched)
{
        ck_assert(verify_untouched(plan, &world.topology));
        world_bind(first, NULL, false); /* unbound is not removed */
        ck_assert(verify_untouched(plan, &world.topology));
        realign();
        ck_assert(!verify_untouched(plan, &world.topology));
        teardown();
        setup();
        port->resources.lines[WORLD_MEMORY_WINDOW].end += 0x100000;
        ck_assert(!verify_untouched(plan, &world.topology));
        port->resources.lines[WORLD_MEMORY_WINDOW].end -= 0x100000;
        world.topology.n_functions--;
        ck_assert(!verify_untouched(plan, &world.topology));
}
END_TEST

static const KnownFunctions *known; /* NULL: all were there before */

static void expect_group_reason(size_t index, Reason reason, const char *detail)
{
        finding = (Finding){ 0 };
        int r = verify_group(plan, index, &world.topology, known, &finding);
        ck_assert_int_eq(r, detail ? FINDING_MADE : FINDING_NONE);
        if (!detail)
                return;
        assert_reason(finding.reason, reason);
        ck_assert_msg(strstr(finding.detail, detail), "\"%s\" does not say \"%s\"", finding.detail, detail);
}

static void expect_group(size_t index, const char *detail)
{
        expect_group_reason(index, REASON_GROUP_CHANGED, detail);
}

START_TEST(test_groups)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                expect_group(i, NULL);

        unbound->iommu_group = 12; /* joins the two others */
        expect_group(PLANNED_FIRST, UNBOUND " has joined its group 12: the two are no longer isolated");
        expect_group(PLANNED_SECOND, UNBOUND " has joined");
        expect_group(PLANNED_UNBOUND, FIRST " has joined its group 12");

        unbound->iommu_group = 13;
        second->iommu_group = 14; /* leaves */
        expect_group(PLANNED_FIRST, SECOND " has left its group 12");
        expect_group(PLANNED_SECOND, FIRST " has left its group 14");
        expect_group(PLANNED_UNBOUND, NULL);

        unbound->iommu_group = 12; /* one leaves, another one joins: that is the worse news */
        expect_group(PLANNED_FIRST, UNBOUND " has joined its group 12");
        unbound->iommu_group = 13;

        first->iommu_group = second->iommu_group = 99; /* both, together */
        expect_group_reason(PLANNED_FIRST, REASON_GROUP_RENUMBERED, "group 12 is now group 99");
        expect_group_reason(PLANNED_SECOND, REASON_GROUP_RENUMBERED, "group 12 is now group 99");
        expect_group(PLANNED_UNBOUND, NULL);

        first->iommu_group = IOMMU_GROUP_NONE; /* until something binds (LF) */
        expect_group(PLANNED_FIRST, NULL);
}
END_TEST

/* A function that was not there before the rescan may have been given the number that the group had then. */
START_TEST(test_groups_of_what_appeared)
{
        const KnownFunctions nobody = { 0 };
        known = &nobody;
        bystander->iommu_group = 12;
        first->iommu_group = second->iommu_group = 4;
        expect_group_reason(PLANNED_FIRST, REASON_GROUP_RENUMBERED, "group 12 is now group 4");
        bystander->iommu_group = 4;
        expect_group(PLANNED_FIRST, "0000:00:1e.0 has joined its group 4: the two are no longer isolated");
        known = NULL;
}
END_TEST

/* What was not removed keeps its group, so it tells whom the returned functions share theirs with. */
START_TEST(test_groups_outside_of_radius)
{
        bystander->iommu_group = 4;
        first->iommu_group = second->iommu_group = 4;
        expect_group(PLANNED_FIRST, "0000:00:1e.0 has joined its group 4: the two are no longer isolated");

        bystander->iommu_group = 12;
        expect_group(PLANNED_FIRST, "0000:00:1e.0 has left its group 4");
        first->iommu_group = second->iommu_group = 12;
        expect_group(PLANNED_FIRST, NULL);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("verify");
        TCase *cases = tcase_create("verify");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_realigned);
        tcase_add_test(cases, test_own_size);
        tcase_add_test(cases, test_no_effect);
        tcase_add_test(cases, test_no_effect_where_none_was_due);
        tcase_add_test(cases, test_rolled_back);
        tcase_add_test(cases, test_lost);
        tcase_add_test(cases, test_lost_of_bystander);
        tcase_add_test(cases, test_smaller);
        tcase_add_test(cases, test_unassigned_before);
        tcase_add_test(cases, test_shadow_rom);
        tcase_add_test(cases, test_missing);
        tcase_add_test(cases, test_renumbered_bus);
        tcase_add_test(cases, test_ids);
        tcase_add_test(cases, test_still_shared);
        tcase_add_test(cases, test_unbound_may_share);
        tcase_add_test(cases, test_function);
        tcase_add_test(cases, test_untouched);
        tcase_add_test(cases, test_groups);
        tcase_add_test(cases, test_groups_of_what_appeared);
        tcase_add_test(cases, test_groups_outside_of_radius);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
