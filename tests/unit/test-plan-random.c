/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Random worlds: whatever they look like, what must hold of every plan and refusal holds. */

#include "base/text.h"
#include "judge/blast-radius.h"
#include "judge/plan-document.h"
#include "judge/plan-proof.h"
#include "topology-builder.h"

#define WORLDS 8000
#define SEED 20261123

static World world;
static uint64_t state;

/* xorshift64: the same worlds on every machine. */
static uint64_t next(uint64_t below)
{
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (state >> 11) % below;
}

static bool chance(unsigned percent)
{
        return next(100) < percent;
}

static void random_lines(PciFunction *function, uint64_t window)
{
        static const uint64_t sizes[] = { 16, 256, 256, 256, 0x800, 0x1000, 0x4000, 0x10000 };
        for (unsigned line = 0; line <= RESOURCE_ROM; line++) {
                if (!chance(line == 1 ? 80 : 15))
                        continue;
                uint64_t size = sizes[next(ELEMENTSOF(sizes))];
                uint64_t start = window + (next(64) << 8);
                uint64_t flags = line == RESOURCE_ROM ? WORLD_BAR_ROM : WORLD_BAR;
                start &= ~(size - 1);
                if (chance(5))
                        flags |= chance(50) ? RESOURCE_UNSET : RESOURCE_PCI_FIXED;
                else if (chance(10) && line < RESOURCE_ROM)
                        flags = WORLD_BAR_IO;
                if (chance(2)) {
                        size = UINT64_C(1) << 30;
                        start = UINT64_C(1) << 36;
                }
                world_line(function, line, start, size, flags);
        }
}

static void random_driver(PciFunction *function)
{
        static const char *const hosts[] = { "e1000e", "nvme", "pci-stub" };
        if (chance(70))
                world_bind(function, chance(90) ? "vfio-pci" : "mlx5_vfio_pci", true);
        else if (chance(40))
                world_bind_host(&world, function, hosts[next(ELEMENTSOF(hosts))]);
}

static void random_oddities(PciFunction *function)
{
        static const uint32_t classes[] = { 0x000000, 0x060000, 0x060100, 0x080020, 0x030000 };
        if (chance(3))
                function->class = classes[next(ELEMENTSOF(classes))];
        function->boot_display = chance(1);
        function->removable = chance(1);
        function->has_virtual = chance(1);
        function->vmd = chance(1);
        function->iommu_group = chance(5) ? IOMMU_GROUP_NONE : (int) next(8);
}

static void random_settings(PolicySettings *settings)
{
        if (chance(15))
                settings->scope = chance(50) ? POLICY_SCOPE_FUNCTION : POLICY_SCOPE_SMALLEST;
        if (chance(5))
                settings->realign = chance(50) ? POLICY_REALIGN_NEVER : POLICY_REALIGN_REPORT;
        if (chance(10))
                settings->alignment = UINT64_C(256) << next(12);
        if (chance(5))
                settings->max_move = UINT64_C(1) << (10 + next(30));
        settings->keep_entry = chance(80);
        settings->step_timeout_usec = 1000000 * (1 + next(20));
}

static void random_holder(const PciFunction *function)
{
        static const HolderKind kinds[] = { HOLDER_GROUP, HOLDER_CDEV, HOLDER_RESOURCE, HOLDER_ENABLE };
        if (!function->is_bridge && chance(8))
                world_hold(&world, function, kinds[next(ELEMENTSOF(kinds))]);
}

static PciFunction *random_function(PciAddress address, PciFunction *bridge, uint64_t window)
{
        PciFunction *function = world_add_at(&world, address, bridge);
        random_settings(world_settings(&world, function));
        random_oddities(function);
        if (chance(25)) {
                world_make_bridge(function, window, UINT64_C(1) << (12 + next(9)));
                if (chance(10))
                        function->driver = NULL;
        } else {
                random_lines(function, window);
                random_driver(function);
        }
        random_holder(function);
        return function;
}

/* Buses are filled in the order of their numbers: a bridge found on one gets the next free number. */
static void random_world(void)
{
        PciFunction *bridges[WORLD_FUNCTIONS_MAX] = { NULL };
        unsigned n_buses = 1 + chance(20);
        bool device_tree = chance(10);

        world_init(&world);
        world.page = UINT64_C(4096) << (2 * next(3));
        world.by_request = chance(20);
        world.lowest_rung = chance(85) ? 0 : (unsigned) next(4);
        world.usage.complete = chance(98);
        world.usage.group_files = chance(98);
        for (unsigned bus = 0; bus < n_buses; bus++) {
                unsigned n = 1 + (unsigned) next(4);
                PciFunction *bridge = bridges[bus];
                uint64_t window = UINT64_C(0xe0000000) + bus * UINT64_C(0x100000);
                for (unsigned i = 0; i < n && world.topology.n_functions < WORLD_FUNCTIONS_MAX; i++) {
                        PciAddress address = { .bus = (uint8_t) bus,
                                               .device = (uint8_t) (i / 2),
                                               .function = (uint8_t) (i % 2) };
                        PciFunction *function = random_function(address, bridge, window);
                        function->device_tree = device_tree;
                        if (function->is_bridge && n_buses < 16)
                                bridges[n_buses++] = function;
                }
        }
}

static const PciFunction *function_of(const PlanFunction *planned)
{
        const PciFunction *function = topology_find(&world.topology, planned->address);
        ck_assert_ptr_nonnull(function);
        ck_assert(plan_function_is(planned, function));
        return function;
}

/* Rule 1. */
static void check_untouchable(const PlanFunction *planned)
{
        const PciFunction *function = function_of(planned);
        size_t n;
        if (function->is_bridge) {
                ck_assert(!function->driver || strcmp(function->driver, "pcieport") == 0);
                return;
        }
        ck_assert(!function->driver || function->on_vfio);
        ck_assert_ptr_null(usage_find(&world.usage, function->address, &n));
        ck_assert_int_eq(verdict_refusal(function), REASON_NONE);
}

/* Rule 4. */
static void check_entry(const PlanFunction *planned)
{
        const PciFunction *function = function_of(planned);
        uint64_t wanted = world_settings(&world, function)->alignment;
        bool is_small = false;

        if (wanted < world.page)
                wanted = world.page;
        for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                is_small |= resource_is_assigned_memory(&function->resources.lines[line]) &&
                            resource_size(&function->resources.lines[line]) < wanted;
        ck_assert_uint_eq(planned->alignment,
                          function->on_vfio && !function->is_bridge && is_small ? wanted : 0);
}

static bool plan_has(const Plan *plan, const PciFunction *function)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (pci_address_equal(plan->functions[i].address, function->address))
                        return true;
        return false;
}

/* All that is below something of the radius is of the radius, and behind it. */
static void check_closed(const Plan *plan)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PciFunction *function = function_of(&plan->functions[i]);
                for (size_t j = 0; j < i; j++)
                        ck_assert(!topology_is_below(function_of(&plan->functions[j]), function));
        }
        for (size_t i = 0; i < world.topology.n_functions; i++)
                for (size_t j = 0; j < plan->n_functions; j++)
                        if (topology_is_below(&world.functions[i], function_of(&plan->functions[j])))
                                ck_assert(plan_has(plan, &world.functions[i]));
}

static size_t count_steps(const Plan *plan, PlanStepKind kind, size_t function)
{
        size_t n = 0;
        for (size_t i = 0; i < plan->n_steps; i++)
                n += plan->steps[i].kind == kind &&
                     (!plan_step_has_function(kind) || plan->steps[i].function == function);
        return n;
}

static void check_steps(const Plan *plan)
{
        for (size_t i = 1; i < plan->n_steps; i++)
                ck_assert_int_ge(plan->steps[i].kind, plan->steps[i - 1].kind);
        ck_assert_uint_eq(count_steps(plan, PLAN_STEP_ENTRIES, 0), 1);
        ck_assert_uint_eq(count_steps(plan, PLAN_STEP_RESCAN, 0), 1);
        ck_assert_uint_eq(count_steps(plan, PLAN_STEP_VERIFY, 0), 1);
        ck_assert_uint_eq(count_steps(plan, PLAN_STEP_DROP_ENTRIES, 0), plan->keep_entry ? 0 : 1);
        for (size_t i = 0; i < plan->n_functions; i++) {
                bool is_bound = plan->functions[i].driver && !plan->functions[i].is_bridge;
                ck_assert_uint_eq(count_steps(plan, PLAN_STEP_UNBIND, i), is_bound ? 1 : 0);
                ck_assert_uint_eq(count_steps(plan, PLAN_STEP_BIND, i), is_bound ? 1 : 0);
                ck_assert_uint_eq(count_steps(plan, PLAN_STEP_RESTORE, i), 1);
        }
}

/* The world has not changed, so the plan holds, also after it was a document. */
static void check_proof(const Plan *plan)
{
        Obstacle obstacle;
        ck_assert_int_eq(plan_prove(plan, &world.topology, &world.usage, world.grown, &obstacle), 0);
        ck_assert_str_eq(reason_name(obstacle.reason), "none");

        _cleanup_json_ JsonObject *document = plan_to_json(plan);
        _cleanup_(plan_freep) Plan *again = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(plan_from_json(document, &again, &problem), 0);
        ck_assert_int_eq(plan_prove(again, &world.topology, &world.usage, world.grown, &obstacle), 0);
        ck_assert_str_eq(reason_name(obstacle.reason), "none");
        _cleanup_json_ JsonObject *twice = plan_to_json(again);
        ck_assert(json_object_equal(document, twice));
}

static void check_plan(const Plan *plan)
{
        bool has_target = false;
        ck_assert_uint_gt(plan->n_functions, 0);
        for (size_t i = 0; i < plan->n_functions; i++) {
                check_untouchable(&plan->functions[i]);
                check_entry(&plan->functions[i]);
                has_target |= plan->functions[i].is_target;
        }
        ck_assert(has_target);
        ck_assert(plan->rung >= world.lowest_rung);
        check_closed(plan);
        check_steps(plan);
        check_proof(plan);
}

static bool is_refused(const PlanSet *set, const PciFunction *function)
{
        for (size_t i = 0; i < set->n_refusals; i++)
                if (pci_address_equal(set->refusals[i].address, function->address))
                        return true;
        return false;
}

/* Every function that needs something is target of exactly one plan, or refused. */
static void check_nobody_forgotten(const PlanSet *set)
{
        _cleanup_(verdict_freep) Verdicts *verdicts = world_verdicts(&world);
        for (size_t i = 0; i < world.topology.n_functions; i++) {
                const PciFunction *function = &world.functions[i];
                size_t n_plans = 0;
                for (size_t j = 0; j < set->n_plans; j++)
                        n_plans += plan_has(set->plans[j], function);
                ck_assert_uint_le(n_plans, 1);
                if (verdict_is_target(verdicts, function))
                        ck_assert(n_plans == 1 || is_refused(set, function));
                if (is_refused(set, function) && function->on_vfio)
                        ck_assert_int_ne(verdict_of(verdicts, function)->verdict, FUNCTION_OK);
        }
}

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
        const char *text = getenv(name);
        uint64_t value = otherwise;
        if (text)
                ck_assert_msg(text_to_u64(text, 10, UINT64_MAX, &value) == 0, "%s is not a number", name);
        return value;
}

/* REALIGN_TEST_SEED makes other worlds, REALIGN_TEST_LAYOUTS another number of them. */
START_TEST(test_random_worlds)
{
        size_t n_plans[2] = { 0 }, n_refusals = 0;
        uint64_t n = number_from_environment("REALIGN_TEST_LAYOUTS", WORLDS);

        state = number_from_environment("REALIGN_TEST_SEED", SEED) * UINT64_C(0x9e3779b97f4a7c15) | 1;
        for (uint64_t i = 0; i < n; i++) {
                PciAddress all[WORLD_FUNCTIONS_MAX];
                random_world();
                for (size_t j = 0; j < world.topology.n_functions; j++)
                        all[j] = world.functions[j].address;
                _cleanup_(plan_set_freep) PlanSet *set =
                                world_plan_for(&world, all, world.topology.n_functions);
                for (size_t j = 0; j < set->n_plans; j++) {
                        check_plan(set->plans[j]);
                        n_plans[set->plans[j]->scope]++;
                }
                check_nobody_forgotten(set);
                n_refusals += set->n_refusals;
        }
        /* The worlds are not all of one kind. */
        ck_assert_uint_gt(n_plans[PLAN_SCOPE_FUNCTION], n / 10);
        ck_assert_uint_gt(n_plans[PLAN_SCOPE_BUS], n / 10);
        ck_assert_uint_gt(n_refusals, n / 10);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("plan-random");
        TCase *random = tcase_create("random");

        tcase_set_timeout(random, 300);
        tcase_add_test(random, test_random_worlds);
        suite_add_tcase(suite, random);
        return suite_run(suite);
}
