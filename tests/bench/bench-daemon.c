/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * bench-daemon MEASURE N: vfio-realignd on a machine of N functions (bench-tree's), with a bus of its own, and this
 * program as udev and systemd, as in the unit tests. MEASURE is
 *
 *   start    from exec to READY, when none of the functions needs work: "nsec"
 *   idle     what it takes of memory, and how often it wakes in a minute, and how often of that for systemd's watchdog:
 *            "pss-bytes wake-ups watchdogs"
 *   burst    every second bus comes to have small BARs, and a bind event of every function at once: "events buses plans lost status-calls p50-nsec p99-nsec peak-bytes nsec",
 *            status being asked over the bus until the daemon has nothing left to do
 *
 * It is run in the build folder. No test: an assertion is a way to end.
 */

#include "dbus-stage.h"
#include "measure.h"

#include <dirent.h>
#include <inttypes.h>

#define IDLE_SECONDS 60
#define WATCHDOG_USEC "30000000" /* as in the unit */
#define CALLS_MAX 1000000u
#define FINE_BAR_SIZE "4096"
#define SMALL_BAR_SIZE "256"

static const char *measure, *n_functions;
static BusStage bus;

static void run_program(const char *const argv[])
{
        int status;
        pid_t pid = suite_fork();
        if (pid == 0) {
                execv(argv[0], (char *const *) argv);
                _exit(127);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(status == 0, "%s failed", argv[0]);
}

static void make_functions(const char *folder, const char *bar_size)
{
        run_program((const char *const[]){ "./bench-tree", folder, n_functions, "8", bar_size, NULL });
}

static void open_machine(void)
{
        stage_open_bare(&bus.stage);
        stage_write(&bus.stage, "etc/vfio-realign/vfio-realign.conf", "[default]\nrealign = report\n");
        stage_write(&bus.stage, "dev/vfio/vfio", "");
        stage_write(&bus.stage, "proc/iomem", "");
        stage_write(&bus.stage, "run/vfio-realign/results/none", "");
        make_functions(bus.stage.folder, FINE_BAR_SIZE);
        stage_write(&bus.stage, "sys/bus/pci/resource_alignment", "");
        stage_script(&bus.stage);
        bus_join(&bus);
}

/* --- what /proc says of the daemon */

static uint64_t proc_value(const char *file, const char *key)
{
        char path[64], line[256];
        uint64_t value = 0;
        snprintf(path, sizeof(path), "/proc/%d/%s", (int) bus.stage.daemon, file);
        _cleanup_fclose_ FILE *stream = fopen(path, "re");
        ck_assert_ptr_nonnull(stream);
        while (fgets(line, sizeof(line), stream))
                if (strncmp(line, key, strlen(key)) == 0)
                        value = strtoull(line + strlen(key), NULL, 10);
        return value;
}

static uint64_t wake_ups(void)
{
        return proc_value("status", "voluntary_ctxt_switches:");
}

/* --- the measures */

static void measure_start(void)
{
        open_machine();
        uint64_t began = measure_now_nsec();
        stage_start(&bus.stage);
        stage_await(&bus.stage, "READY=1");
        printf("%" PRIu64 "\n", measure_now_nsec() - began);
}

/* How often it has told systemd TEXT since the last stage_await(). */
static unsigned heard(const char *text)
{
        struct pollfd item = { .fd = bus.stage.notify_fd, .events = POLLIN };
        char message[4000];
        unsigned n = 0;
        while (poll(&item, 1, 0) == 1) {
                ssize_t size = recv(bus.stage.notify_fd, message, sizeof(message) - 1, 0);
                ck_assert_int_gt(size, 0);
                message[size] = '\0';
                for (const char *at = message; (at = strstr(at, text)); at++)
                        n++;
        }
        return n;
}

static void measure_idle(void)
{
        ck_assert_int_eq(setenv("WATCHDOG_USEC", WATCHDOG_USEC, 1), 0);
        open_machine();
        stage_start(&bus.stage);
        stage_await(&bus.stage, "READY=1");
        sleep(1); /* what was begun before it was ready is over */
        uint64_t before = wake_ups();
        sleep(IDLE_SECONDS);
        uint64_t after = wake_ups();
        printf("%" PRIu64 " %" PRIu64 " %u\n", proc_value("smaps_rollup", "Pss:") * 1024, after - before,
               heard("WATCHDOG=1"));
}

/* All functions come to have small BARs. */
static void shrink_bars(void)
{
        char folder[TREE_PATH_MAX], now[TREE_PATH_MAX], before[TREE_PATH_MAX], small[2 * TREE_PATH_MAX];
        snprintf(folder, sizeof(folder), "%s/small", bus.stage.folder);
        snprintf(now, sizeof(now), "%s/sys", bus.stage.folder);
        snprintf(before, sizeof(before), "%s/before", bus.stage.folder);
        snprintf(small, sizeof(small), "%s/sys", folder);
        ck_assert_int_eq(mkdir(folder, 0755), 0);
        make_functions(folder, SMALL_BAR_SIZE);
        stage_write(&bus.stage, "small/sys/bus/pci/resource_alignment", "");
        ck_assert_int_eq(rename(now, before), 0);
        ck_assert_int_eq(rename(small, now), 0);
}

/* PATH, below sys/devices, is a bus's first function and on VFIO. */
static bool is_first_on_vfio(const char *path)
{
        char folder[2 * TREE_PATH_MAX];
        size_t size = strlen(path), end = strlen(":00.0");
        snprintf(folder, sizeof(folder), "%s/sys/devices/%s/vfio-dev", bus.stage.folder, path);
        return size > end && strcmp(path + size - end, ":00.0") == 0 && access(folder, F_OK) == 0;
}

/* udev reports that each function was bound. Adds the buses on which there is something to realign to *N_BUSES. */
static unsigned report_binds(unsigned *n_buses)
{
        char path[TREE_PATH_MAX], target[TREE_PATH_MAX];
        const struct dirent *entry;
        unsigned n = 0;
        snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", bus.stage.folder);
        _cleanup_closedir_ DIR *list = opendir(path);
        ck_assert_ptr_nonnull(list);
        while ((entry = readdir(list))) {
                ssize_t size = readlinkat(dirfd(list), entry->d_name, target, sizeof(target) - 1);
                if (size < 0)
                        continue;
                target[size] = '\0';
                const char *function = target + strlen("../../../devices/");
                stage_event("bind", function);
                *n_buses += is_first_on_vfio(function);
                n++;
        }
        return n;
}

/* Asks for the state until it is one in which nothing is pending, and returns how often. */
static size_t ask_until_idle(sd_bus *asker, uint64_t *nsec)
{
        for (size_t n = 0; n < CALLS_MAX;) {
                uint64_t began = measure_now_nsec();
                _cleanup_free_ char *state = client_property(asker, OBJECT, MANAGER, "State");
                nsec[n++] = measure_now_nsec() - began;
                if (strcmp(state, "idle") == 0 || strcmp(state, "waiting") == 0)
                        return n;
        }
        ck_abort_msg("the daemon does not come to an end");
}

static void measure_burst(void)
{
        uint64_t *nsec = calloc(CALLS_MAX, sizeof(*nsec));
        ck_assert_ptr_nonnull(nsec);
        open_machine();
        stage_start(&bus.stage);
        stage_await(&bus.stage, "READY=1");
        sd_bus *asker = client_new(&bus);
        client_await_name(asker, NAME);
        shrink_bars();
        unsigned plans = stage_count(&bus.stage, "calls", " --plan "), n_buses = 0;

        uint64_t began = measure_now_nsec();
        unsigned events = report_binds(&n_buses);
        size_t calls = ask_until_idle(asker, nsec);
        uint64_t took = measure_now_nsec() - began;
        uint64_t p50 = measure_median(nsec, calls); /* sorted from here on */
        printf("%u %u %u %u %zu %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", events, n_buses,
               stage_count(&bus.stage, "calls", " --plan ") - plans,
               stage_count(&bus.stage, "log", "Events of udev were lost"), calls, p50,
               nsec[calls * 99 / 100], proc_value("status", "VmHWM:") * 1024, took);
        sd_bus_flush_close_unref(asker);
        free(nsec);
}

START_TEST(the_measure)
{
        if (strcmp(measure, "start") == 0)
                measure_start();
        else if (strcmp(measure, "idle") == 0)
                measure_idle();
        else
                measure_burst();
        bus_close(&bus);
}
END_TEST

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: bench-daemon start|idle|burst N\n");
                return 2;
        }
        measure = argv[1];
        n_functions = argv[2];
        Suite *suite = suite_create("bench-daemon");
        TCase *tests = tcase_create("measure");
        tcase_set_timeout(tests, 600);
        tcase_add_test(tests, the_measure);
        suite_add_tcase(suite, tests);
        SRunner *runner = srunner_create(suite);
        srunner_run_all(runner, CK_SILENT);
        int n_failed = srunner_ntests_failed(runner);
        if (n_failed)
                srunner_print(runner, CK_NORMAL);
        srunner_free(runner);
        return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
