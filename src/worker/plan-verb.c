/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/outcome.h"
#include "base/text.h"
#include "judge/host-use.h"
#include "judge/plan-document.h"
#include "judge/rebind.h"
#include "model/msix-table.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* A read of /proc may block on another process's lock: past this the answer is that there is none. */
#define PLAN_DEADLINE_SEC 30

static const char deadline_text[] = "vfio-realign-worker: planning did not end within " STRINGIFY(
                PLAN_DEADLINE_SEC) " seconds: "
                                   "a read of /proc or /sys is blocked in the kernel; nothing was changed\n";

static void on_deadline(int signal_number)
{
        (void) !write(STDERR_FILENO, deadline_text, sizeof(deadline_text) - 1);
        _exit(WORKER_EXIT_ERROR);
}

static int parse_functions(size_t n, char *const *functions, PciAddress **ret)
{
        _cleanup_free_ PciAddress *addresses = calloc(n, sizeof(*addresses));
        if (!addresses)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (pci_address_parse_loose(functions[i], &addresses[i]) < 0) {
                        worker_complain("\"%s\" is not a function: expected an address like 0000:03:00.0",
                                        functions[i]);
                        return -EINVAL;
                }
        *ret = TAKE_PTR(addresses);
        return 0;
}

/* Everything that a plan is made from. */
typedef struct World {
        Topology *topology;
        Iomem *iomem;
        Verdicts *verdicts;
        Usage *usage;
        Policy *policy;
        Grown *grown;
        int8_t *msix_bars; /* parallel to the topology's functions */
} World;

static void world_clear(World *world)
{
        verdict_free(world->verdicts);
        iomem_free(world->iomem);
        usage_free(world->usage);
        topology_free(world->topology);
        policy_free(world->policy);
        grown_free(world->grown);
        free(world->msix_bars);
}

/*
 * The MSI-X tables of those functions whose policy asks for them: reading it may resume a function, which is not done to
 * others. One whose configuration space cannot be read (it may just have gone) is taken as one without a table.
 */
static int read_msix_tables(const Root *root, bool is_for_guest, World *world)
{
        const Topology *topology = world->topology;

        world->msix_bars = malloc(topology->n_functions + 1);
        if (!world->msix_bars)
                return -ENOMEM;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                PolicySettings settings;
                policy_settings(world->policy, function, &settings);
                world->msix_bars[i] = MSIX_TABLE_NONE;
                if (verdict_of(world->verdicts, function)->verdict != FUNCTION_NEEDS_REALIGN ||
                    (!function->on_vfio && !is_for_guest) || settings.msix_table_bar != POLICY_MSIX_SKIP)
                        continue;
                if (msix_table_read(root, function->address, &world->msix_bars[i]) == -ENOMEM)
                        return -ENOMEM;
        }
        return 0;
}

/* One that is broken tells nothing: then functions that were grown come back in their own sizes. */
static int read_grown(const Root *root, World *world)
{
        _cleanup_free_ char *problem = NULL;
        int r = grown_load(root, &world->grown, &problem);
        if (r == 0 && problem)
                worker_complain("%s; the BARs' sizes of before are not known", problem);
        return r;
}

static int world_read(const WorkerContext *context, World *world, char **ret_problem)
{
        int r = policy_load(context->root, context->config, &world->policy, ret_problem);
        if (r == 0)
                r = topology_read(context->root, &world->topology, ret_problem);
        if (r == 0)
                r = read_grown(context->root, world);
        if (r == 0)
                r = iomem_read(context->root, &world->iomem);
        if (r == 0)
                r = verdict_compute(world->topology, world->iomem, context->page, &world->verdicts);
        if (r == 0)
                r = read_msix_tables(context->root, context->goal == PLAN_GOAL_PREPARE, world);
        return r == 0 ? usage_read(context->root, world->topology, &world->usage, ret_problem) : r;
}

/* A bridge that stands at the top of the ladder of ADDRESS, or the function itself. */
static const PciFunction *top_of(const Topology *topology, PciAddress address)
{
        const PciFunction *top = topology_find(topology, address);
        while (top && top->bridge)
                top = top->bridge;
        return top;
}

/* Only what could stand in the way of a plan is looked at: below the same root port, at whatever rung. */
static bool is_concerned(const Topology *topology, const PciFunction *function, const PciAddress *addresses,
                         size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const PciFunction *top = top_of(topology, addresses[i]);
                if (top && (function == top || topology_is_below(function, top)))
                        return true;
        }
        return false;
}

static int world_read_host_use(const WorkerContext *context, World *world, const PciAddress *addresses,
                               size_t n)
{
        const Topology *topology = world->topology;
        const PciFunction **functions = calloc(topology->n_functions + 1, sizeof(functions[0]));
        size_t n_functions = 0;
        if (!functions)
                return -ENOMEM;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (function->driver && !function->on_vfio && !function->is_bridge &&
                    is_concerned(topology, function, addresses, n))
                        functions[n_functions++] = function;
        }
        int r = host_use_add(context->root, functions, n_functions, world->usage);
        free((void *) functions);
        return r;
}

static int make_plans(const WorkerContext *context, const World *world, const PciAddress *addresses,
                      size_t n, PlanSet **ret)
{
        int has_driver = root_exists(context->root, "sys/bus/pci/drivers/" VFIO_DRIVER);
        PlanInput input = {
                .topology = world->topology,
                .verdicts = world->verdicts,
                .usage = world->usage,
                .policy = world->policy,
                .grown = world->grown,
                .msix_bars = world->msix_bars,
                .goal = context->goal,
                .keep_sizes = context->keep_sizes,
                .by_request = context->by_request,
                .lowest_rung = context->lowest_rung,
                .has_vfio_driver = has_driver > 0,
        };
        if (has_driver < 0)
                return has_driver;
        return context->goal == PLAN_GOAL_DETACH || context->goal == PLAN_GOAL_REATTACH
                               ? rebind_plan(&input, context->goal, addresses, n, ret)
                               : plan_make(&input, addresses, n, ret);
}

int worker_make_plans(const WorkerContext *context, size_t n, char *const *functions, PlanSet **ret)
{
        _cleanup_free_ PciAddress *addresses = NULL;
        _cleanup_free_ char *problem = NULL;
        World world = { 0 };

        int r = parse_functions(n, functions, &addresses);
        if (r == -EINVAL)
                return WORKER_EXIT_USAGE;
        signal(SIGALRM, on_deadline);
        alarm(PLAN_DEADLINE_SEC);
        if (r == 0)
                r = world_read(context, &world, &problem);
        if (r == 0)
                r = world_read_host_use(context, &world, addresses, n);
        if (r == 0)
                r = make_plans(context, &world, addresses, n, ret);
        alarm(0);
        world_clear(&world);
        if (r < 0)
                worker_complain("cannot plan: %s", problem ? problem : strerror(-r));
        return r < 0 ? WORKER_EXIT_ERROR : 0;
}

int worker_plan(const WorkerContext *context, size_t n, char *const *functions)
{
        _cleanup_(plan_set_freep) PlanSet *set = NULL;

        int status = worker_make_plans(context, n, functions, &set);
        if (status != 0)
                return status;
        _cleanup_json_ JsonObject *document = plan_set_to_json(set);
        if (document && puts(json_object_to_json_string(document)) != EOF && fflush(stdout) != EOF)
                return 0;
        worker_complain("cannot say what was planned: %s", strerror(document ? errno : ENOMEM));
        return WORKER_EXIT_ERROR;
}
