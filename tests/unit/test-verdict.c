/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/text.h"
#include "judge/verdict.h"
#include "layout.h"
#include "reason-given.h"
#include "reference.h"
#include "suite.h"

#include <time.h>

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
        const char *text = getenv(name);
        uint64_t value = otherwise;
        if (text)
                ck_assert_msg(text_to_u64(text, 10, UINT64_MAX, &value) == 0, "%s is not a number", name);
        return value;
}

/* REALIGN_TEST_SEED repeats a run, REALIGN_TEST_LAYOUTS makes it longer. */
START_TEST(test_random_layouts)
{
        static Layout layout;
        static Tree tree;
        static const uint64_t pages[] = { UINT64_C(1) << 12, UINT64_C(1) << 14, UINT64_C(1) << 16 };
        Tally tally = { 0 };
        uint64_t seed = number_from_environment("REALIGN_TEST_SEED", (uint64_t) time(NULL));
        uint64_t n = number_from_environment("REALIGN_TEST_LAYOUTS", 100000);

        for (uint64_t i = 0; i < n; i++) {
                char origin[64];
                snprintf(origin, sizeof(origin), "seed %" PRIu64 ", layout %" PRIu64, seed, i);
                layout_make(&layout, seed * 1000003 + i);
                build_tree(&layout.topology, &layout.iomem, &tree);
                for (size_t p = 0; p < ELEMENTSOF(pages); p++)
                        compare_all(&layout.topology, &layout.iomem, &tree, pages[p], origin, &tally);
        }
        printf("seed %" PRIu64 ": %" PRIu64 " layouts, %" PRIu64 " BARs: %" PRIu64 " mappable, %" PRIu64
               " misaligned, %" PRIu64 " shared\n",
               seed, n, tally.bars, tally.verdicts[BAR_MAPPABLE], tally.verdicts[BAR_MISALIGNED],
               tally.verdicts[BAR_SHARED]);
        fflush(stdout);
        /* a generator that makes no such BARs would prove nothing */
        ck_assert_uint_gt(tally.verdicts[BAR_MAPPABLE], n);
        ck_assert_uint_gt(tally.verdicts[BAR_MISALIGNED], n / 100);
        ck_assert_uint_gt(tally.verdicts[BAR_SHARED], n);
}
END_TEST

/* --- what makes a function's verdict --- */

#define PAGE (UINT64_C(1) << 12)
#define BASE LAYOUT_BASE

static Layout machine;
static PciFunction *function;

/* One function on VFIO, with BAR 0 of 256 bytes at a page's start. */
static void setup(void)
{
        machine.topology = (Topology){ .functions = machine.functions };
        function = layout_add(&machine, NULL, 13);
        function->resources.lines[0] = (PciResource){ BASE, BASE + 0xff, RESOURCE_MEMORY };
}

static FunctionReport judge(uint64_t page)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        ck_assert_int_eq(verdict_compute(&machine.topology, NULL, page, &verdicts), 0);
        FunctionReport report = *verdict_of(verdicts, function);
        ck_assert_int_eq(verdict_is_target(verdicts, function),
                         function->on_vfio && !function->is_bridge &&
                                         report.verdict == FUNCTION_NEEDS_REALIGN);
        return report;
}

static void expect(FunctionVerdict verdict, Reason reason)
{
        FunctionReport report = judge(PAGE);
        ck_assert_str_eq(function_verdict_name(report.verdict), function_verdict_name(verdict));
        assert_reason(report.reason, reason);
}

static void misalign(void)
{
        function->resources.lines[0] = (PciResource){ BASE + 0x100, BASE + 0x1ff, RESOURCE_MEMORY };
}

START_TEST(test_bars)
{
        FunctionReport report = judge(PAGE);
        ck_assert_int_eq(report.verdict, FUNCTION_OK);
        ck_assert_str_eq(bar_verdict_text(&report.bars[0]), "mappable (small)");
        ck_assert_str_eq(bar_verdict_text(&report.bars[1]), "");

        function->resources.lines[0].end = BASE + PAGE - 1;
        report = judge(PAGE);
        ck_assert_str_eq(bar_verdict_text(&report.bars[0]), "mappable");

        misalign();
        report = judge(PAGE);
        ck_assert_str_eq(bar_verdict_text(&report.bars[0]), "misaligned");
        ck_assert_uint_eq(report.bars[0].n_neighbours, 0);
        ck_assert_ptr_null(report.bars[0].neighbour);
        ck_assert_int_eq(report.verdict, FUNCTION_NEEDS_REALIGN);

        /* a neighbour of its own; the worse of two BARs counts */
        function->resources.lines[2] = (PciResource){ BASE, BASE + 0xff, RESOURCE_MEMORY };
        report = judge(PAGE);
        ck_assert_str_eq(bar_verdict_text(&report.bars[0]), "shared");
        ck_assert_ptr_eq(report.bars[0].neighbour, function);
        ck_assert_uint_eq(report.bars[0].neighbour_line, 2);
        ck_assert_uint_eq(report.bars[2].neighbour_line, 0);
        ck_assert_int_eq(report.verdict, FUNCTION_NEEDS_REALIGN);
        function->resources.lines[3] = (PciResource){ 0, 0xff, RESOURCE_MEMORY | RESOURCE_UNSET };
        report = judge(PAGE);
        ck_assert_str_eq(bar_verdict_text(&report.bars[3]), "unassigned");
        expect(FUNCTION_CANNOT, REASON_BAR_UNASSIGNED);
}
END_TEST

/* What is no memory BAR is neither judged nor a neighbour. */
START_TEST(test_no_neighbours)
{
        PciFunction *other = layout_add(&machine, NULL, 17);
        other->resources.lines[14] = (PciResource){ BASE, BASE + 0x1ff, RESOURCE_MEMORY | RESOURCE_WINDOW };
        other->resources.lines[0] = (PciResource){ BASE + 0x100, BASE + 0x1ff, RESOURCE_IO };
        other->resources.lines[1] =
                        (PciResource){ BASE + 0x100, BASE + 0x1ff, RESOURCE_MEMORY | RESOURCE_UNSET };
        other->resources.lines[RESOURCE_ROM] =
                        (PciResource){ BASE + 0x800, BASE + 0xfff, RESOURCE_MEMORY | RESOURCE_ROM_SHADOW };
        expect(FUNCTION_OK, REASON_NONE);
        /* a ROM that is not enabled has its place all the same */
        other->resources.lines[RESOURCE_ROM].flags = 0x46200;
        FunctionReport report = judge(PAGE);
        ck_assert_str_eq(bar_verdict_text(&report.bars[0]), "shared");
        ck_assert_ptr_eq(report.bars[0].neighbour, other);
        ck_assert_uint_eq(report.bars[0].neighbour_line, RESOURCE_ROM);
        expect(FUNCTION_NEEDS_REALIGN, REASON_NONE);
}
END_TEST

START_TEST(test_refusals)
{
        static const struct {
                PciFunction function;
                Reason reason;
        } cases[] = {
                { { .class = 0x020000 }, REASON_NONE },
                { { .class = 0x00ff00 }, REASON_NONE }, /* QEMU's pci-testdev */
                { { .class = 0x060400, .is_bridge = true }, REASON_NONE },
                { { .class = 0x020000, .is_virtual = true }, REASON_VIRTUAL_FUNCTION },
                { { .class = 0x020000, .has_virtual = true }, REASON_PF_WITH_VFS },
                { { .class = 0x060000 }, REASON_HOST_BRIDGE },
                { { .class = 0x000000 }, REASON_CLASS_UNDEFINED },
                { { .class = 0x000001 }, REASON_CLASS_UNDEFINED },
                { { .class = 0x080020 }, REASON_IOAPIC },
                { { .class = 0x060100 }, REASON_ISA_BRIDGE },
                { { .class = 0x030000, .boot_display = true }, REASON_BOOT_DISPLAY },
                { { .class = 0x010802, .removable = true }, REASON_EXTERNAL },
                { { .class = 0x010802, .vmd = true }, REASON_VMD },
                { { .class = 0x010802, .zpci = true }, REASON_PLATFORM },
                { { .class = 0x010802, .probe_only = true }, REASON_FIRMWARE_ASSIGNMENT },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ResourceTable aligned = { .n_lines = 13,
                                          .lines[0] = { BASE, BASE + 0xff, RESOURCE_MEMORY } };
                *function = cases[i].function;
                function->on_vfio = true;
                function->resources = aligned;
                assert_reason(verdict_refusal(function), cases[i].reason);
                expect(FUNCTION_OK, REASON_NONE); /* nothing has to be done, so nothing is refused */
                misalign();
                expect(cases[i].reason == REASON_NONE ? FUNCTION_NEEDS_REALIGN : FUNCTION_CANNOT,
                       cases[i].reason);
        }
}
END_TEST

START_TEST(test_fixed)
{
        static const uint64_t flags[] = { RESOURCE_PCI_FIXED, RESOURCE_PCI_EA,
                                          RESOURCE_PCI_FIXED | RESOURCE_PCI_EA };
        for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                setup();
                function->resources.lines[0].flags |= flags[i];
                expect(FUNCTION_OK, REASON_NONE);
                misalign();
                function->resources.lines[0].flags |= flags[i];
                expect(FUNCTION_CANNOT, REASON_FIXED_BAR);
                misalign(); /* another BAR is the fixed one */
                function->resources.lines[2] = (PciResource){ BASE + PAGE, BASE + 2 * PAGE - 1,
                                                              RESOURCE_MEMORY | flags[i] };
                expect(FUNCTION_CANNOT, REASON_FIXED_BAR);
                function->resources.lines[2].flags = RESOURCE_IO | flags[i]; /* a legacy IDE port */
                expect(FUNCTION_NEEDS_REALIGN, REASON_NONE);
        }
}
END_TEST

START_TEST(test_targets)
{
        misalign();
        ck_assert_int_eq(judge(PAGE).verdict,
                         FUNCTION_NEEDS_REALIGN); /* judge() compares verdict_is_target() */
        function->on_vfio = false;
        ck_assert_int_eq(judge(PAGE).verdict, FUNCTION_NEEDS_REALIGN);
        function->on_vfio = function->is_bridge = true;
        judge(PAGE);
}
END_TEST

/* Ranges of /proc/iomem count while their addresses can be seen. */
START_TEST(test_iomem)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        IomemRange range = { BASE + 0x400, BASE + 0x7ff, (char[]){ "IOAPIC 0" } };
        Iomem iomem = { .visible = true, .ranges = &range, .n_ranges = 1 };
        ck_assert_int_eq(verdict_compute(&machine.topology, &iomem, PAGE, &verdicts), 0);
        const BarReport *bar = &verdict_of(verdicts, function)->bars[0];
        ck_assert_int_eq(bar->verdict, BAR_SHARED);
        ck_assert_ptr_null(bar->neighbour);
        ck_assert_str_eq(bar->neighbour_name, "IOAPIC 0");
        verdict_free(TAKE_PTR(verdicts));

        iomem.visible = false;
        ck_assert_int_eq(verdict_compute(&machine.topology, &iomem, PAGE, &verdicts), 0);
        ck_assert_int_eq(verdict_of(verdicts, function)->verdict, FUNCTION_OK);
}
END_TEST

/* The last page of the address space, and nothing at all. */
START_TEST(test_edges)
{
        function->resources.lines[0] = (PciResource){ UINT64_MAX - 0xff, UINT64_MAX, RESOURCE_MEMORY };
        ck_assert_int_eq(judge(PAGE).bars[0].verdict, BAR_MISALIGNED);
        function->resources.lines[1] =
                        (PciResource){ UINT64_MAX - PAGE + 1, UINT64_MAX - PAGE + 0x10, RESOURCE_MEMORY };
        ck_assert_int_eq(judge(PAGE).bars[0].verdict, BAR_SHARED);
        ck_assert_int_eq(judge(PAGE).bars[1].verdict, BAR_SHARED);

        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        Topology empty = { 0 };
        ck_assert_int_eq(verdict_compute(&empty, NULL, PAGE, &verdicts), 0);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("verdict");
        TCase *tcase = tcase_create("cases"), *random = tcase_create("random");
        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, test_bars);
        tcase_add_test(tcase, test_no_neighbours);
        tcase_add_test(tcase, test_refusals);
        tcase_add_test(tcase, test_fixed);
        tcase_add_test(tcase, test_targets);
        tcase_add_test(tcase, test_iomem);
        tcase_add_test(tcase, test_edges);
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(random, 300);
        tcase_add_test(random, test_random_layouts);
        suite_add_tcase(suite, random);
        return suite_run(suite);
}
