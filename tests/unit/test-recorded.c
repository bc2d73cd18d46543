/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Snapshot and verdict on sysfs trees that were recorded from real guests (tests/data/recorded), and on a large one. */

#include "judge/verdict.h"
#include "model/topology.h"
#include "reference.h"
#include "tree.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#define SUFFIX ".tar.xz"

extern char **environ;

typedef struct Recording {
        const char *folder; /* unpacked */
        char name[128];     /* "x86-6.1-packed" */
        uint64_t page;      /* of the kernel that was recorded */
        Root *root;
        Topology *topology;
        Iomem *iomem;
} Recording;

static void unpack(const char *archive, const char *folder)
{
        const char *arguments[] = { "tar", "-x", "-f", archive, "-C", folder, NULL };
        pid_t child;
        int status;
        ck_assert_int_eq(posix_spawnp(&child, "tar", NULL, NULL, (char *const *) arguments, environ), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
}

static uint64_t page_of(const char *name)
{
        static const struct {
                const char *prefix;
                unsigned order;
        } machines[] = { { "x86-", 12 }, { "arm64-16k-", 14 }, { "arm64-64k-", 16 }, { "ppc64le-", 16 } };
        for (size_t i = 0; i < ELEMENTSOF(machines); i++)
                if (text_starts_with(name, machines[i].prefix))
                        return UINT64_C(1) << machines[i].order;
        ck_abort_msg("the page size of the recorded machine %s is not known here", name);
}

static void recording_open(Recording *recording, const char *directory, const char *file)
{
        char archive[TREE_PATH_MAX];
        char *problem = NULL;
        tree_text(archive, "%s/%s", directory, file);
        snprintf(recording->name, sizeof(recording->name), "%.*s", (int) (strlen(file) - strlen(SUFFIX)),
                 file);
        recording->page = page_of(recording->name);
        recording->folder = suite_folder();
        unpack(archive, recording->folder);
        ck_assert_int_eq(root_open(recording->folder, &recording->root), 0);
        int r = topology_read(recording->root, &recording->topology, &problem);
        ck_assert_msg(r == 0, "%s: %d %s", recording->name, r, problem ? problem : "");
        ck_assert_int_eq(iomem_read(recording->root, &recording->iomem), 0);
        ck_assert(recording->iomem->visible);
}

static void recording_close(Recording *recording)
{
        topology_free(recording->topology);
        iomem_free(recording->iomem);
        root_free(recording->root);
        suite_folder_remove(recording->folder);
}

/* Calls CHECK on every recording; there must be some. */
static void for_each(void (*check)(const Recording *recording))
{
        char directory[TREE_PATH_MAX];
        const char *data = getenv("REALIGN_TEST_DATA");
        ck_assert_msg(data != NULL, "REALIGN_TEST_DATA must name tests/data");
        tree_text(directory, "%s/recorded", data);
        _cleanup_closedir_ DIR *stream = opendir(directory);
        ck_assert_ptr_nonnull(stream);

        size_t n = 0;
        for (const struct dirent *entry; (entry = readdir(stream));) {
                const char *suffix = strstr(entry->d_name, SUFFIX);
                if (!suffix || suffix[strlen(SUFFIX)] != '\0')
                        continue;
                Recording recording = { 0 };
                recording_open(&recording, directory, entry->d_name);
                check(&recording);
                recording_close(&recording);
                n++;
        }
        ck_assert_uint_ge(n, 6);
}

static void check_hierarchy(const Recording *recording)
{
        const Topology *topology = recording->topology;
        ck_assert_uint_ge(topology->n_functions, 10);
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                _cleanup_free_ char *path = topology_path(function);
                ck_assert_ptr_eq(topology_find(topology, function->address), function);
                ck_assert_ptr_eq(topology_find_path(topology, path), function);
                ck_assert(!function->bridge || function->bridge->is_bridge);
                ck_assert_int_eq(function->resources.n_lines, function->is_bridge ? 17 : 13);
                ck_assert(function->vendor != 0 && function->class != 0);
                ck_assert(!function->on_vfio || (function->driver && function->iommu_group >= 0));
        }
}

START_TEST(test_hierarchy)
{
        for_each(check_hierarchy);
}
END_TEST

static void check_reference(const Recording *recording)
{
        static Tree tree;
        Tally tally = { 0 };
        build_tree(recording->topology, recording->iomem, &tree);
        for (unsigned order = 12; order <= 16; order += 2)
                compare_all(recording->topology, recording->iomem, &tree, UINT64_C(1) << order,
                            recording->name, &tally);
        ck_assert_uint_gt(tally.bars, 30);
        ck_assert_uint_gt(tally.verdicts[BAR_SHARED], 0); /* with the larger pages at the least */
}

START_TEST(test_reference)
{
        for_each(check_reference);
}
END_TEST

static bool ends_with(const char *text, const char *end)
{
        size_t size = strlen(text), length = strlen(end);
        return size >= length && text_equal(text + size - length, end);
}

/* What VFIO itself said of these machines (LF): packed by the kernel, all nine small BARs refused; realigned, none. */
static void check_targets(const Recording *recording)
{
        static const char *const packed[] = { "0000:00:08.0", "0000:00:09.0", "0000:02:01.0", "0000:02:02.0",
                                              "0000:02:03.0", "0000:02:04.0", "0000:03:00.0", "0000:03:00.1",
                                              "0000:03:00.2", "0000:04:00.0" };
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        ck_assert_int_eq(verdict_compute(recording->topology, recording->iomem, recording->page, &verdicts),
                         0);
        size_t n_targets = 0, n_known = 0;
        for (size_t i = 0; i < recording->topology->n_functions; i++) {
                const PciFunction *function = &recording->topology->functions[i];
                if (!verdict_is_target(verdicts, function))
                        continue;
                n_targets++;
                for (size_t j = 0; j < ELEMENTSOF(packed); j++)
                        n_known += text_equal(PCI_ADDRESS_TEXT(function->address), packed[j]);
        }
        if (!ends_with(recording->name, "-packed")) {
                ck_assert_msg(n_targets == 0, "%s: %zu targets", recording->name, n_targets);
        } else if (text_starts_with(recording->name, "x86-")) {
                ck_assert_msg(n_targets == ELEMENTSOF(packed) && n_known == n_targets,
                              "%s: %zu targets, %zu known", recording->name, n_targets, n_known);
        } else {
                ck_assert_msg(n_targets > 0, "%s: no targets", recording->name);
        }
}

START_TEST(test_targets)
{
        for_each(check_targets);
}
END_TEST

/* --- a large machine --- */

#define PORTS 128u
#define BELOW 31u
#define SMALL UINT64_C(0x100)
#define PAGE (UINT64_C(1) << 12)

/* 128 ports with 31 functions each, whose small BARs are packed without a gap. */
static void make_large(const char *folder)
{
        uint64_t at = UINT64_C(0xa0000000);
        for (unsigned port = 0; port < PORTS; port++) {
                char path[TREE_PATH_MAX];
                int size = snprintf(path, sizeof(path), "pci0000:00/0000:00:%02x.%x", port / 8, port % 8);
                tree_add(folder, path, 0x060400, 17);
                for (unsigned i = 0; i < BELOW; i++, at += SMALL) {
                        PciResource lines[13] = { { at, at + SMALL - 1, RESOURCE_MEMORY } };
                        snprintf(path + size, sizeof(path) - (size_t) size, "/0000:%02x:%02x.0", port + 1,
                                 i);
                        tree_add(folder, path, 0x020000, 13);
                        tree_resources(folder, path, lines, 13);
                        tree_bind(folder, path, "vfio-pci", true);
                }
        }
}

static double seconds(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

START_TEST(test_large)
{
        const char *folder = suite_folder();
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_(verdict_freep) Verdicts *verdicts = NULL;
        _cleanup_free_ char *problem = NULL;
        make_large(folder);
        ck_assert_int_eq(root_open(folder, &root), 0);

        double begin = seconds();
        ck_assert_int_eq(topology_read(root, &topology, &problem), 0);
        double read = seconds();
        ck_assert_int_eq(verdict_compute(topology, NULL, PAGE, &verdicts), 0);
        printf("%zu functions: snapshot %.1f ms, verdict %.1f ms\n", topology->n_functions,
               (read - begin) * 1e3, (seconds() - read) * 1e3);
        fflush(stdout);

        ck_assert_uint_eq(topology->n_functions, PORTS * (BELOW + 1));
        size_t n_targets = 0;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                const FunctionReport *report = verdict_of(verdicts, function);
                n_targets += verdict_is_target(verdicts, function);
                ck_assert(function->is_bridge || report->bars[0].n_neighbours == PAGE / SMALL - 1);
        }
        ck_assert_uint_eq(n_targets, PORTS * BELOW);
        suite_folder_remove(folder);
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("recorded");
        TCase *tcase = tcase_create("recorded"), *large = tcase_create("large");
        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, test_hierarchy);
        tcase_add_test(tcase, test_reference);
        tcase_add_test(tcase, test_targets);
        suite_add_tcase(suite, tcase);
        tcase_set_timeout(large, 120);
        tcase_add_test(large, test_large);
        suite_add_tcase(suite, large);
        return suite_run(suite);
}
