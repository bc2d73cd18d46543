/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/topology.h"
#include "tree.h"

#define PORT "pci0000:00/0000:00:1c.0"
#define CARD PORT "/0000:01:00.0"
#define SECOND PORT "/0000:01:00.1"
#define DEEP PORT "/0000:01:02.0/0000:02:1f.3"
#define BRIDGE PORT "/0000:01:02.0"
#define LONE "pci0000:00/0000:00:08.0"

static const char *folder;
static Root *root;

/* A root port with two functions and a bridge with one below, and one function on the root bus. */
static void setup(void)
{
        folder = suite_folder();
        tree_add(folder, PORT, 0x060400, 17);
        tree_add(folder, CARD, 0x020000, 13);
        tree_add(folder, SECOND, 0x080501, 13);
        tree_add(folder, BRIDGE, 0x060400, 17);
        tree_add(folder, DEEP, 0x0c0310, 13);
        tree_add(folder, LONE, 0x030000, 7);
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void teardown(void)
{
        root_free(root);
        suite_folder_remove(folder);
}

static PciAddress address_of(const char *text)
{
        PciAddress address;
        ck_assert_int_eq(pci_address_parse(text, &address), 0);
        return address;
}

static const PciFunction *find(const Topology *topology, const char *path)
{
        return topology_find(topology, address_of(tree_name(path)));
}

static Topology *read_well(void)
{
        Topology *topology = NULL;
        char *problem = NULL;
        int r = topology_read(root, &topology, &problem);
        ck_assert_msg(r == 0, "%d: %s", r, problem ? problem : "");
        ck_assert_ptr_null(problem);
        return topology;
}

/* Reading fails with -EBADMSG, and the message holds every one of the two texts. */
static void expect_problem(const char *file, const char *what)
{
        Topology *topology = NULL;
        _cleanup_free_ char *problem = NULL;
        int r = topology_read(root, &topology, &problem);
        ck_assert_msg(r == -EBADMSG, "%s: %d %s", file, r, problem ? problem : "");
        ck_assert_ptr_null(topology);
        ck_assert_ptr_nonnull(problem);
        ck_assert_msg(problem[0] == '/' && strstr(problem, file) && strstr(problem, what), "%s | %s | %s",
                      problem, file, what);
}

START_TEST(test_hierarchy)
{
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert_uint_eq(topology->n_functions, 6);
        for (size_t i = 1; i < topology->n_functions; i++)
                ck_assert_int_lt(pci_address_compare(topology->functions[i - 1].address,
                                                     topology->functions[i].address),
                                 0);
        const PciFunction *port = find(topology, PORT), *card = find(topology, CARD),
                          *second = find(topology, SECOND), *bridge = find(topology, BRIDGE),
                          *deep = find(topology, DEEP), *lone = find(topology, LONE);
        ck_assert_ptr_null(port->bridge);
        ck_assert_ptr_null(lone->bridge);
        ck_assert_ptr_eq(card->bridge, port);
        ck_assert_ptr_eq(bridge->bridge, port);
        ck_assert_ptr_eq(deep->bridge, bridge);
        ck_assert_ptr_null(topology_find(topology, address_of("0000:01:00.2")));

        ck_assert(port->is_bridge && bridge->is_bridge && !card->is_bridge);
        ck_assert(topology_is_below(deep, port) && topology_is_below(deep, bridge));
        ck_assert(!topology_is_below(port, port) && !topology_is_below(port, deep) &&
                  !topology_is_below(lone, port));
        ck_assert(topology_same_bus(card, second) && topology_same_bus(card, bridge));
        ck_assert(topology_same_bus(port, lone) && !topology_same_bus(port, card));
        ck_assert(!topology_same_bus(deep, card));

        ck_assert_uint_eq(card->class, 0x020000);
        ck_assert_uint_eq(card->vendor, 0x10ec);
        ck_assert_uint_eq(card->device, 0x8139);
        ck_assert_uint_eq(card->subvendor, 0x1af4);
        ck_assert_uint_eq(card->subdevice, 0x1100);
        ck_assert_uint_eq(port->resources.n_lines, 17);
        ck_assert_uint_eq(lone->resources.n_lines, 7);
        ck_assert_str_eq(card->sysfs_path, "sys/devices/" CARD);
        ck_assert_uint_eq(deep->root_bus.bus, 0);
}
END_TEST

START_TEST(test_paths)
{
        static const char *const paths[][2] = {
                { PORT, "0000:00:1c.0" },        { CARD, "0000:00:1c.0/00.0" },
                { SECOND, "0000:00:1c.0/00.1" }, { DEEP, "0000:00:1c.0/02.0/1f.3" },
                { LONE, "0000:00:08.0" },
        };
        static const char *const wrong[] = { "",
                                             "0000:01:00.0",
                                             "0000:00:1c.0/",
                                             "0000:00:1c.0/00.2",
                                             "0000:00:1c.0//00.0",
                                             "0000:00:1c.0/00.0/",
                                             "0000:00:1c.0/00.0/00.0",
                                             "/00.0",
                                             "0000:00:1c.0/00.00",
                                             "0000:00:08.0/00.0",
                                             "00:1c.0/00.0",
                                             "0000:00:1c.0/000000000000000000000000000000000000.0" };
        _cleanup_(topology_freep) Topology *topology = read_well();
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                const PciFunction *function = find(topology, paths[i][0]);
                _cleanup_free_ char *path = topology_path(function);
                ck_assert_str_eq(path, paths[i][1]);
                ck_assert_ptr_eq(topology_find_path(topology, path), function);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                ck_assert_msg(topology_find_path(topology, wrong[i]) == NULL, "%s", wrong[i]);
}
END_TEST

START_TEST(test_attributes)
{
        tree_bind(folder, CARD, "mlx5_vfio_pci", true);
        tree_bind(folder, SECOND, "sdhci-pci", false);
        tree_group(folder, CARD, 12);
        tree_write(folder, CARD, "enable", "3\n");
        tree_link(folder, SECOND, "physfn", "../0000:01:00.0");
        tree_write(folder, LONE, "boot_vga", "1\n");
        tree_write(folder, SECOND, "removable", "removable\n");
        tree_write(folder, DEEP, "removable", "fixed\n");
        tree_unlink(folder, DEEP, "enable");
        tree_write(folder, DEEP, "vfio-dev", "a file\n"); /* not what it seems */
        tree_write(folder, LONE, "function_id", "0x00000111\n");
        tree_add(folder, "pci0000:00/0000:00:1f.0", 0x060100, 13);

        _cleanup_(topology_freep) Topology *topology = read_well();
        const PciFunction *card = find(topology, CARD), *second = find(topology, SECOND),
                          *deep = find(topology, DEEP), *lone = find(topology, LONE);
        ck_assert_str_eq(card->driver, "mlx5_vfio_pci");
        ck_assert(card->on_vfio && card->has_virtual && !card->is_virtual);
        ck_assert_int_eq(card->iommu_group, 12);
        ck_assert_uint_eq(card->enable, 3);
        ck_assert_str_eq(second->driver, "sdhci-pci");
        ck_assert(!second->on_vfio && second->is_virtual && second->removable);
        ck_assert(pci_address_equal(second->physfn, card->address));
        ck_assert_int_eq(second->iommu_group, IOMMU_GROUP_NONE);
        ck_assert_ptr_null(deep->driver);
        ck_assert(!deep->removable);
        ck_assert_uint_eq(deep->enable, 0);
        ck_assert(lone->boot_display && !card->boot_display);
        ck_assert(!lone->device_tree && !lone->vmd);
        ck_assert(lone->zpci && !card->zpci);
        ck_assert(!deep->on_vfio && !deep->has_virtual);
        ck_assert(!find(topology, "pci0000:00/0000:00:1f.0")->is_bridge);
}
END_TEST

/* VMD: a root bus below a function; its domain has five digits. */
START_TEST(test_vmd)
{
        tree_add(folder, LONE "/pci10000:e0/10000:e0:06.0", 0x060400, 17);
        tree_add(folder, LONE "/pci10000:e0/10000:e0:06.0/10000:e1:00.0", 0x010802, 13);
        _cleanup_(topology_freep) Topology *topology = read_well();
        const PciFunction *port = topology_find(topology, address_of("10000:e0:06.0")),
                          *disk = topology_find(topology, address_of("10000:e1:00.0"));
        ck_assert(port->vmd && disk->vmd && !find(topology, LONE)->vmd);
        ck_assert_ptr_null(port->bridge);
        ck_assert_ptr_eq(disk->bridge, port);
        ck_assert_uint_eq(disk->root_bus.domain, 0x10000);
        ck_assert_uint_eq(disk->root_bus.bus, 0xe0);
        ck_assert(!topology_is_below(disk, find(topology, LONE)));
}
END_TEST

START_TEST(test_device_tree)
{
        tree_add(folder, "platform/4010000000.pcie/pci0001:00/0001:00:01.0", 0x060400, 17);
        tree_add(folder, "platform/4010000000.pcie/pci0001:00/0001:00:01.0/0001:01:00.0", 0x020000, 13);
        suite_link(folder, "sys/devices/platform/4010000000.pcie/of_node",
                   "../../../firmware/devicetree/base/pcie@10000000");
        tree_add(folder, "platform/acpi.pcie/pci0002:00/0002:00:01.0", 0x060400, 17);
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert(topology_find(topology, address_of("0001:01:00.0"))->device_tree);
        ck_assert(!topology_find(topology, address_of("0002:00:01.0"))->device_tree);
}
END_TEST

/* Writes SIZE bytes of a property of the device tree. */
static void write_property(const char *path, const char *bytes, size_t size)
{
        char full[512];
        suite_prepare(folder, path, full);
        FILE *file = fopen(full, "wx");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
        ck_assert_int_eq(fclose(file), 0);
}

#define TREE "sys/firmware/devicetree/base/"
#define PROBE_ONLY TREE "chosen/linux,pci-probe-only"

static bool is_probe_only(void)
{
        _cleanup_(topology_freep) Topology *topology = read_well();
        for (size_t i = 0; i < topology->n_functions; i++)
                ck_assert(topology->functions[i].probe_only == topology->functions[0].probe_only);
        return topology->functions[0].probe_only;
}

/* of_pci_check_probe_only(): the machine's property; a pseries keeps the firmware's addresses unless it says 0. */
START_TEST(test_probe_only)
{
        ck_assert(!is_probe_only());
        write_property(TREE "device_type", "", 1);
        ck_assert(!is_probe_only());
        write_property(PROBE_ONLY, "\0\0\0\1", 4);
        ck_assert(is_probe_only());
        write_property(PROBE_ONLY, "\0\0\0\0", 4);
        ck_assert(!is_probe_only());
        write_property(PROBE_ONLY, "\0\0\1", 3); /* no number: the kernel goes on as without it */
        ck_assert(!is_probe_only());

        write_property(TREE "device_type", "chrp", 5);
        ck_assert(is_probe_only());
        write_property(PROBE_ONLY, "\0\0\0\0", 4); /* as QEMU's firmware says */
        ck_assert(!is_probe_only());
        write_property(PROBE_ONLY, "\1\0\0\0", 4);
        ck_assert(is_probe_only());
}
END_TEST

/* The same of one host bridge, by its own node. */
START_TEST(test_probe_only_host)
{
        tree_add(folder, "platform/4010000000.pcie/pci0001:00/0001:00:01.0", 0x060400, 17);
        tree_add(folder, "platform/4020000000.pcie/pci0002:00/0002:00:01.0", 0x060400, 17);
        suite_link(folder, "sys/devices/platform/4010000000.pcie/of_node",
                   "../../../firmware/devicetree/base/pcie@10000000");
        suite_link(folder, "sys/devices/platform/4020000000.pcie/of_node",
                   "../../../firmware/devicetree/base/pcie@20000000");
        write_property(TREE "pcie@10000000/linux,pci-probe-only", "\0\0\0\1", 4);
        write_property(TREE "pcie@20000000/compatible", "x", 2);
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert(topology_find(topology, address_of("0001:00:01.0"))->probe_only);
        ck_assert(!topology_find(topology, address_of("0002:00:01.0"))->probe_only);
        ck_assert(!find(topology, CARD)->probe_only);
}
END_TEST

/* A Thunderbolt card that no firmware has marked: known by its router, with all that hangs on its switch. */
START_TEST(test_thunderbolt)
{
        tree_add(folder, BRIDGE "/0000:02:00.0", 0x060400, 17);
        tree_add(folder, BRIDGE "/0000:02:00.0/0000:03:00.0", 0x0c0340, 13);
        tree_add(folder, BRIDGE "/0000:02:01.0", 0x060400, 17);
        tree_add(folder, BRIDGE "/0000:02:01.0/0000:04:00.0", 0x010802, 13);
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert(topology_find(topology, address_of("0000:03:00.0"))->removable);
        ck_assert(topology_find(topology, address_of("0000:04:00.0"))->removable);
        ck_assert(find(topology, BRIDGE)->removable);
        ck_assert(find(topology, DEEP)->removable);
        ck_assert(!find(topology, PORT)->removable && !find(topology, CARD)->removable);
}
END_TEST

/* An older one's class says nothing, its driver does; the machine's own has no switch. */
START_TEST(test_thunderbolt_driver)
{
        tree_bind(folder, LONE, "thunderbolt", false);
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert(find(topology, LONE)->removable);
        ck_assert(!find(topology, PORT)->removable && !find(topology, DEEP)->removable);
}
END_TEST

#define MODALIAS_PROBLEM "line 1: expected pci:, ids and class"

START_TEST(test_garbage)
{
        static const struct {
                const char *file, *text, *what;
        } cases[] = {
                { "modalias", "", MODALIAS_PROBLEM },
                { "modalias", "pci:\n", MODALIAS_PROBLEM },
                { "modalias", "of:v000010ECd00008139sv00001AF4sd00001100bc02sc00i00\n", MODALIAS_PROBLEM },
                { "modalias", "pci:v000010ECd00008139sv00001AF4sd00001100bc02sc00i0\n", MODALIAS_PROBLEM },
                { "modalias", "pci:v000010ECd00008139sv00001AF4sd00001100bc02sc00i00x\n", MODALIAS_PROBLEM },
                { "modalias", "pci:v000010EZd00008139sv00001AF4sd00001100bc02sc00i00\n", MODALIAS_PROBLEM },
                { "modalias", "pci:v000110ECd00008139sv00001AF4sd00001100bc02sc00i00\n", MODALIAS_PROBLEM },
                { "modalias", "pci:v000010ECd 0008139sv00001AF4sd00001100bc02sc00i00\n", MODALIAS_PROBLEM },
                { "resource", "", "line 0: the file ends here" },
                { "resource", "garbage\n", "line 1: expected three hexadecimal numbers" },
                { "resource", "0x0 0x0 0x0\n0x0 0x0 0x0\n", "line 2: the file ends here" },
                { "enable", "", "line 1" },
                { "enable", "yes\n", "line 1: expected a decimal number" },
                { "enable", "-1\n", "line 1: expected a decimal number" },
                { "boot_vga", "2\n", "line 1: expected a decimal number" },
                { "removable", "perhaps\n", "line 1: expected removable" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char path[TREE_PATH_MAX];
                tree_text(path, "%s/%s:", LONE, cases[i].file);
                tree_write(folder, LONE, cases[i].file, cases[i].text);
                expect_problem(path, cases[i].what);
                teardown();
                setup();
        }
}
END_TEST

START_TEST(test_line_counts)
{
        static const unsigned counts[] = { 5, 8, 14, 18 };
        for (size_t i = 0; i < ELEMENTSOF(counts); i++) {
                static const PciResource none[18];
                char what[64];
                snprintf(what, sizeof(what), "line %u: the file ends here, expected 7 or 13 lines",
                         counts[i]);
                tree_resources(folder, CARD, none, counts[i]);
                expect_problem(CARD "/resource: ", what);
        }
}
END_TEST

/* Neither a link nor a folder behind a link is followed out of a function's own place. */
START_TEST(test_links_out)
{
        static const char *const targets[] = { "/etc",
                                               "../../../../../../../../etc",
                                               "../../../devices/../../../etc",
                                               "../../../devices/pci0000:00/../0000:01:00.0",
                                               "../../../devices/x/../" CARD,
                                               "../../../devices/./" CARD,
                                               "../../../devices//" CARD,
                                               "../../../devices/" CARD "/",
                                               "../../../devices/pci0000:00/strange/0000:01:00.0",
                                               "../../../devices/pci0001:00/0000:01:00.0",
                                               "../../../devices/pci0000:00/0000:01:00.1",
                                               "../../../devices/pci0000:00",
                                               "../../../devices/",
                                               "../../../devices/pci0000:00/0000:00:1c.0" };
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                suite_link(folder, "sys/bus/pci/devices/0000:01:00.0", targets[i]);
                expect_problem("/sys/bus/pci/devices/0000:01:00.0",
                               "expected a link below ../../../devices/");
        }
}
END_TEST

START_TEST(test_links_in_place)
{
        tree_unlink(folder, CARD, "resource");
        tree_link(folder, CARD, "resource", "../0000:01:00.1/resource");
        expect_problem(CARD "/resource", "is a symbolic link");
        tree_link(folder, CARD, "resource", "/etc/passwd");
        expect_problem(CARD "/resource", "is a symbolic link");

        suite_link(folder, "sys/devices/pci0000:80", "/etc");
        suite_link(folder, "sys/bus/pci/devices/0000:80:00.0", "../../../devices/pci0000:80/0000:80:00.0");
        tree_unlink(folder, CARD, "resource");
        expect_problem("/sys/bus/pci/devices/0000:80:00.0", "leads through a symbolic link");
}
END_TEST

START_TEST(test_bad_links)
{
        static const struct {
                const char *file, *target;
        } cases[] = {
                { "driver", "/etc/passwd" },
                { "driver", "../../../../bus/pci/drivers/" },
                { "driver", "../../../../bus/pci/drivers/.." },
                { "driver", "vfio-pci" },
                { "driver", "../../../../bus/usb/drivers/vfio-pci" },
                { "driver", "/sys/bus/pci/drivers/vfio-pci" },
                { "iommu_group", "../../../../kernel/iommu_groups/twelve" },
                { "iommu_group", "../../../../kernel/iommu_groups/99999999999" },
                { "iommu_group", "/kernel/iommu_groups/1" },
                { "physfn", "../../secret" },
                { "physfn", "/0000:01:00.0" },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                tree_link(folder, CARD, cases[i].file, cases[i].target);
                expect_problem(CARD, cases[i].file);
                tree_unlink(folder, CARD, cases[i].file);
        }
        tree_write(folder, CARD, "driver", "a file\n");
        expect_problem(CARD "/driver", "expected a symbolic link");
}
END_TEST

/* What goes away between the listing and the reading is left out, the others stay. */
START_TEST(test_vanishing)
{
        tree_unlink(folder, CARD, "resource");
        tree_unlink(folder, SECOND, "modalias");
        suite_link(folder, "sys/bus/pci/devices/0000:00:09.0", "../../../devices/pci0000:00/0000:00:09.0");
        _cleanup_(topology_freep) Topology *topology = read_well();
        ck_assert_uint_eq(topology->n_functions, 4);
        ck_assert_ptr_null(find(topology, CARD));
        ck_assert_ptr_null(find(topology, SECOND));
        ck_assert_ptr_nonnull(find(topology, DEEP));
}
END_TEST

START_TEST(test_bridge_absent)
{
        char entry[TREE_PATH_MAX];
        tree_text(entry, "%s/sys/bus/pci/devices/%s", folder, tree_name(BRIDGE));
        ck_assert_int_eq(unlink(entry), 0);
        expect_problem("/sys/bus/pci/devices/0000:02:1f.3",
                       "the bridge above it, 0000:01:02.0, is not listed");
}
END_TEST

/* Two bridges, each of which claims to be below the other. */
START_TEST(test_loop)
{
        tree_add(folder, "pci0000:00/0000:03:00.0/0000:04:00.0", 0x060400, 17);
        tree_add(folder, "pci0000:00/0000:04:00.0/0000:03:00.0", 0x060400, 17);
        expect_problem("/sys/bus/pci/devices/0000:03:00.0", "the bridge above it");
}
END_TEST

/* A bridge below itself. */
START_TEST(test_short_loop)
{
        tree_add(folder, "pci0000:00/0000:03:00.0/0000:03:00.0", 0x060400, 17);
        expect_problem("/sys/bus/pci/devices/0000:03:00.0", "the bridge above it");
}
END_TEST

/* A function below a bridge that the list shows in another place. */
START_TEST(test_bridge_elsewhere)
{
        tree_add(folder, "pci0000:00/0000:00:1d.0/0000:01:02.0", 0x060400, 17);
        expect_problem("/sys/bus/pci/devices/0000:01:02.0", "the bridge above it, 0000:00:1d.0");
        tree_add(folder, "pci0000:00/0000:00:1d.0", 0x060400, 17);
        expect_problem("/sys/bus/pci/devices/0000:02:1f.3", "the bridge above it, 0000:01:02.0");
}
END_TEST

START_TEST(test_odd_trees)
{
        suite_write(folder, "sys/bus/pci/devices/README", "");
        expect_problem("/sys/bus/pci/devices/README", "expected a function's address");
        suite_folder_remove(folder);
        root_free(root);

        folder = suite_folder();
        ck_assert_int_eq(root_open(folder, &root), 0);
        Topology *topology = NULL;
        _cleanup_free_ char *problem = NULL;
        ck_assert_int_eq(topology_read(root, &topology, &problem), -ENOENT);
        ck_assert_ptr_nonnull(strstr(problem, "/sys/bus/pci/devices"));
        suite_write(folder, "sys/bus/pci/devices/x", "");
        suite_write(folder, "sys/devices/x", "");
        char full[TREE_PATH_MAX];
        tree_text(full, "%s/sys/bus/pci/devices/x", folder);
        ck_assert_int_eq(unlink(full), 0);
        topology = read_well();
        ck_assert_uint_eq(topology->n_functions, 0);
        ck_assert_ptr_null(topology_find_path(topology, "0000:00:00.0"));
        topology_free(topology);
}
END_TEST

/* A FIFO or a directory in an attribute's place neither blocks nor passes. */
START_TEST(test_odd_files)
{
        char full[TREE_PATH_MAX];
        tree_text(full, "%s/sys/devices/" CARD "/enable", folder);
        ck_assert_int_eq(unlink(full), 0);
        ck_assert_int_eq(mkfifo(full, 0600), 0);
        expect_problem(CARD "/enable", "line 1");
        ck_assert_int_eq(unlink(full), 0);
        ck_assert_int_eq(mkdir(full, 0700), 0);
        expect_problem(CARD "/enable", "expected a short text file");
        ck_assert_int_eq(rmdir(full), 0);
        FILE *file = fopen(full, "w");
        ck_assert_ptr_nonnull(file);
        fwrite("0\0", 1, 2, file);
        fclose(file);
        expect_problem(CARD "/enable", "expected a short text file");
        ck_assert_int_eq(truncate(full, 0), 0);
        file = fopen(full, "w");
        ck_assert_ptr_nonnull(file);
        for (unsigned i = 0; i < 10000; i++)
                fputc('0', file);
        fclose(file);
        expect_problem(CARD "/enable", "expected a short text file");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("topology");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_hierarchy);
        tcase_add_test(tcase, test_paths);
        tcase_add_test(tcase, test_attributes);
        tcase_add_test(tcase, test_vmd);
        tcase_add_test(tcase, test_device_tree);
        tcase_add_test(tcase, test_probe_only);
        tcase_add_test(tcase, test_probe_only_host);
        tcase_add_test(tcase, test_thunderbolt);
        tcase_add_test(tcase, test_thunderbolt_driver);
        tcase_add_test(tcase, test_garbage);
        tcase_add_test(tcase, test_line_counts);
        tcase_add_test(tcase, test_links_out);
        tcase_add_test(tcase, test_links_in_place);
        tcase_add_test(tcase, test_bad_links);
        tcase_add_test(tcase, test_vanishing);
        tcase_add_test(tcase, test_bridge_absent);
        tcase_add_test(tcase, test_loop);
        tcase_add_test(tcase, test_short_loop);
        tcase_add_test(tcase, test_bridge_elsewhere);
        tcase_add_test(tcase, test_odd_trees);
        tcase_add_test(tcase, test_odd_files);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
