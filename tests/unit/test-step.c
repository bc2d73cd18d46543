/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Steps that come past their deadline: the kernel is a made-up tree whose writes wait until that has been told. */

#include "act/outcome.h"
#include "act/step.h"
#include "base/text.h"
#include "reason-given.h"
#include "topology-builder.h"
#include "tree.h"

#define FUNCTION "0000:00:08.0"
#define DRIVER_LINK "sys/bus/pci/devices/" FUNCTION "/driver"
#define UNBIND_PATH "sys/bus/pci/drivers/vfio-pci/unbind"
#define PROBE_PATH "sys/bus/pci/drivers_probe"
#define RESCAN_PATH "sys/class/pci_bus/0000:00/rescan"

static const char *folder;
static Root *root;
static World world;
static Transaction *transaction;
static Finding finding;
static char *states; /* "begin late done ": what was reported */

/* The write to this file does not return before "late" was reported. */
static const char *stuck;
static int told[2];
static const char *refused; /* what the kernel answers with an error */
static unsigned n_rescans;

int __real_root_write_attribute(const Root *at, const char *path, const char *value);
int __wrap_root_write_attribute(const Root *at, const char *path, const char *value);

int __real_hold_start(const Root *at, const Plan *plan, Hold **ret);
int __wrap_hold_start(const Root *at, const Plan *plan, Hold **ret);

/* No socket to listen on. */
int __wrap_hold_start(const Root *at, const Plan *plan, Hold **ret)
{
        return -EAFNOSUPPORT;
}

static void link_driver(const char *driver)
{
        char target[128], full[512];
        snprintf(full, sizeof(full), "%s/" DRIVER_LINK, folder);
        ck_assert(unlink(full) == 0 || errno == ENOENT);
        if (!driver)
                return;
        snprintf(target, sizeof(target), "../../../../bus/pci/drivers/%s", driver);
        suite_link(folder, DRIVER_LINK, target);
}

int __wrap_root_write_attribute(const Root *at, const char *path, const char *value)
{
        char byte;
        if (text_equal(path, stuck))
                ck_assert_int_eq(read(told[0], &byte, 1), 1);
        if (text_equal(path, refused))
                return -EIO;
        n_rescans += strcmp(path, RESCAN_PATH) == 0;
        if (strcmp(path, UNBIND_PATH) == 0)
                link_driver(NULL);
        if (strcmp(path, PROBE_PATH) == 0)
                link_driver("vfio-pci");
        return 0;
}

static void report(JsonObject *document, void *userdata)
{
        JsonObject *state;
        ck_assert(json_object_object_get_ex(document, "state", &state));
        text_replace(&states, "%s%s ", states ? states : "", json_object_get_string(state));
        if (strcmp(json_object_get_string(state), "late") == 0)
                ck_assert_int_eq(write(told[1], "x", 1), 1);
}

static const TransactionOptions options = { .report = report };

/* A snapshot of the world that the transaction may free. */
static Topology *copy_topology(void)
{
        Topology *topology = calloc(1, sizeof(*topology));
        topology->n_functions = world.topology.n_functions;
        topology->functions = calloc(topology->n_functions, sizeof(PciFunction));
        for (size_t i = 0; i < topology->n_functions; i++) {
                topology->functions[i] = world.functions[i];
                topology->functions[i].driver = NULL;
        }
        return topology;
}

static void setup(void)
{
        folder = suite_folder();
        suite_write(folder, RUN_DIRECTORY "/lock", "");
        link_driver("vfio-pci");
        ck_assert_int_eq(root_open(folder, &root), 0);
        ck_assert_int_eq(pipe(told), 0);
        world_init(&world);
        PciFunction *function = world_add_small(&world, FUNCTION, NULL, 0x90000100);
        world_settings(&world, function)->step_timeout_usec = 1000;
        ck_assert_int_eq(transaction_new(root, &options, world_only_plan(&world, FUNCTION), &transaction),
                         0);
        transaction->now = copy_topology();
        _cleanup_json_ JsonObject *nothing = json_object_new_object();
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(saved_state_from_json(nothing, &transaction->journal.state, &problem), 0);
        transaction->guard.fds = malloc(sizeof(int));
        transaction->guard.fds[transaction->guard.n_fds++] = dup(told[0]); /* stands for a group file */
        finding = (Finding){ 0 };
        stuck = refused = NULL;
        n_rescans = 0;
}

static void teardown(void)
{
        transaction = transaction_free(transaction);
        root = root_free(root);
        free(TAKE_PTR(states));
        close(told[0]);
        close(told[1]);
        suite_folder_remove(folder);
}

/* Runs the step of KIND at STAGE; EXPECTED is what it reports. */
static int run(PlanStepKind kind, JournalStage stage, const char *expected)
{
        transaction->journal.stage = stage;
        int r = step_run(transaction, kind, 0, 2, 8, &finding);
        ck_assert_str_eq(states, expected);
        return r;
}

/* Nothing more is taken out: an answer, and the group files are let go while the kernel is still at it. */
START_TEST(test_late_unbind)
{
        stuck = UNBIND_PATH;
        ck_assert_int_eq(run(PLAN_STEP_UNBIND, STAGE_TAKING, "begin late failed "), FINDING_MADE);
        assert_reason(finding.reason, REASON_STEP_LATE);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), FUNCTION);
        ck_assert_uint_eq(transaction->guard.n_fds, 0);

        _cleanup_free_ char *text = NULL;
        ck_assert_int_eq(root_read_file(root, PROGRESS_PATH, &text, NULL), 0);
        ck_assert_ptr_nonnull(strstr(text, "\"late\""));
}
END_TEST

/* Once things are being put back they take the time they take. */
START_TEST(test_late_while_undoing)
{
        link_driver(NULL);
        stuck = PROBE_PATH;
        ck_assert_int_eq(run(PLAN_STEP_BIND, STAGE_UNDONE, "begin late done "), FINDING_NONE);
        ck_assert_uint_eq(transaction->guard.n_fds, 1);
}
END_TEST

/* What had only been unbound is bound again: that this takes long is no failure of it. */
START_TEST(test_late_binding_after_taking)
{
        link_driver(NULL);
        stuck = PROBE_PATH;
        ck_assert_int_eq(run(PLAN_STEP_BIND, STAGE_TAKING, "begin late done "), FINDING_NONE);
}
END_TEST

START_TEST(test_late_removal)
{
        link_driver(NULL);
        stuck = "sys/bus/pci/devices/" FUNCTION "/remove";
        ck_assert_int_eq(run(PLAN_STEP_REMOVE, STAGE_REMOVING, "begin late done "), FINDING_NONE);
}
END_TEST

/* A tree in which the transaction's function, and no other, is found by a rescan. */
static void prepare_rescan(void)
{
        char full[512];
        transaction->journal.plan->step_timeout_usec = UINT64_C(3600) * 1000000;
        snprintf(full, sizeof(full), "%s/sys/bus/pci/devices/" FUNCTION, folder);
        suite_folder_remove(full);
        tree_add(folder, "pci0000:00/" FUNCTION, 0x020000, WORLD_LINES);
}

/* What was removed has to come back, whether somebody can listen or not. */
START_TEST(test_rescan_without_listener)
{
        prepare_rescan();
        ck_assert_int_eq(run(PLAN_STEP_RESCAN, STAGE_REMOVING, "begin done "), FINDING_NONE);
        ck_assert_uint_eq(n_rescans, 1);
        ck_assert_uint_eq(transaction->result.n_warnings, 1);
        ck_assert_ptr_nonnull(strstr(transaction->result.warnings[0].detail, "listen"));
}
END_TEST

/* What somebody else has removed since the transaction began was not there before the rescan. */
START_TEST(test_rescan_forgets_what_is_gone)
{
        const PciFunction *own = &transaction->now->functions[0];
        const PciAddress gone = { .bus = 2 };

        prepare_rescan();
        transaction->known.addresses = calloc(2, sizeof(PciAddress));
        transaction->known.addresses[0] = gone;
        transaction->known.addresses[1] = own->address;
        transaction->known.n = 2;
        PciAddress kept = own->address;
        ck_assert_int_eq(run(PLAN_STEP_RESCAN, STAGE_REMOVING, "begin done "), FINDING_NONE);
        ck_assert_uint_eq(transaction->known.n, 1);
        ck_assert(pci_address_equal(transaction->known.addresses[0], kept));
}
END_TEST

START_TEST(test_in_time)
{
        transaction->journal.plan->step_timeout_usec = UINT64_C(3600) * 1000000;
        ck_assert_int_eq(run(PLAN_STEP_UNBIND, STAGE_TAKING, "begin done "), FINDING_NONE);
        ck_assert_uint_eq(transaction->guard.n_fds, 1);
        ck_assert_uint_eq(transaction->result.n_steps, 1);
        ck_assert_str_eq(transaction->result.steps[0].name, "unbind");
}
END_TEST

START_TEST(test_failed)
{
        transaction->journal.plan->step_timeout_usec = UINT64_C(3600) * 1000000;
        link_driver("e1000e");
        ck_assert_int_eq(run(PLAN_STEP_UNBIND, STAGE_TAKING, "begin failed "), FINDING_MADE);
        assert_reason(finding.reason, REASON_WORLD_CHANGED);
        ck_assert_ptr_nonnull(strstr(finding.detail, "e1000e"));
}
END_TEST

START_TEST(test_refused_by_kernel)
{
        transaction->journal.plan->step_timeout_usec = UINT64_C(3600) * 1000000;
        refused = UNBIND_PATH;
        ck_assert_int_eq(run(PLAN_STEP_UNBIND, STAGE_TAKING, "begin failed "), FINDING_MADE);
        assert_reason(finding.reason, REASON_STEP_FAILED);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), FUNCTION);
        ck_assert_ptr_nonnull(strstr(finding.detail, "to /" UNBIND_PATH ": Input/output error"));
}
END_TEST

/* What cannot even be read is an answer as well: the transaction has to be undone, not abandoned. */
START_TEST(test_unreadable)
{
        transaction->journal.plan->step_timeout_usec = UINT64_C(3600) * 1000000;
        link_driver(NULL);
        suite_write(folder, DRIVER_LINK, "no link");
        ck_assert_int_eq(run(PLAN_STEP_UNBIND, STAGE_TAKING, "begin failed "), FINDING_MADE);
        assert_reason(finding.reason, REASON_STEP_FAILED);
        ck_assert_str_eq(PCI_ADDRESS_TEXT(finding.culprit), FUNCTION);
        ck_assert_str_eq(finding.detail, "unbind: Invalid argument");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("step");
        TCase *cases = tcase_create("late");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_late_unbind);
        tcase_add_test(cases, test_late_while_undoing);
        tcase_add_test(cases, test_late_binding_after_taking);
        tcase_add_test(cases, test_late_removal);
        tcase_add_test(cases, test_rescan_without_listener);
        tcase_add_test(cases, test_rescan_forgets_what_is_gone);
        tcase_add_test(cases, test_in_time);
        tcase_add_test(cases, test_failed);
        tcase_add_test(cases, test_refused_by_kernel);
        tcase_add_test(cases, test_unreadable);
        suite_add_tcase(suite, cases);
        return suite_run(suite);
}
