/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The command line as its users run it: the real binaries on trees that were recorded from real guests (and on some that
 * were spoilt afterwards), standard output compared with tests/data/expected/CASE.out. After a change that is meant,
 * REALIGN_TEST_UPDATE=1 writes these files anew; read the difference before committing it.
 */

#include "base/json-document.h"
#include "base/text.h"
#include "verb-trees.h"

#include <sys/wait.h>

#define TERMINAL_MAX 8000u
#define ARGUMENTS_MAX 24
#define LINE_OF_A_MEGABYTE (1u << 20)

static char shared[64]; /* the recorded trees, unpacked once, for tests that spoil nothing */

static const char *const trees[] = { "x86-6.1-firmware", "x86-6.1-packed", "x86-6.1-realigned",
                                     "x86-7.3-packed", "x86-7.3-realigned" };

static char *data_path(const char *kind, const char *name, const char *suffix)
{
        const char *data = getenv("REALIGN_TEST_DATA");
        ck_assert_ptr_nonnull(data);
        char *path = text_format("%s/%s/%s%s", data, kind, name, suffix);
        ck_assert_ptr_nonnull(path);
        return path;
}

/* Runs ARGUMENTS (NULL-terminated) with standard output and error in the files "out" and "err" of the test's folder. */
static int run(char *const *arguments)
{
        char out[80], err[80];
        snprintf(out, sizeof(out), "%s/out", folder);
        snprintf(err, sizeof(err), "%s/err", folder);
        pid_t pid = suite_fork();
        if (pid == 0) {
                if (!freopen(out, "w", stdout) || !freopen(err, "w", stderr))
                        _exit(125);
                setenv("LC_ALL", "C.UTF-8", 1);
                execvp(arguments[0], arguments);
                _exit(126);
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
        return WEXITSTATUS(status);
}

static char *read_whole(const char *path)
{
        char *text = NULL;
        size_t size = 0;
        FILE *file = fopen(path, "r");
        ck_assert_msg(file, "%s cannot be opened", path);
        ssize_t n = getdelim(&text, &size, '\0', file);
        fclose(file);
        if (n < 0 && text)
                text[0] = '\0';
        ck_assert_ptr_nonnull(text);
        return text;
}

static char *read_result(const char *name)
{
        char path[80];
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return read_whole(path);
}

static void unpack(const char *tree, const char *where)
{
        _cleanup_free_ char *archive = data_path("recorded", tree, ".tar.xz");
        _cleanup_free_ char *command =
                        text_format("mkdir '%s' && tar -C '%s' -xJf '%s'", where, where, archive);
        ck_assert_ptr_nonnull(command);
        ck_assert_int_eq(system(command), 0);
}

/* The test works on TREE, and is free to spoil it if it is its OWN. */
static void use_tree(const char *tree, bool own)
{
        snprintf(root, sizeof(root), "%s/%s", own ? folder : shared, own ? "root" : tree);
        if (own)
                unpack(tree, root);
}

/* "vfio-realign WORDS" on the tree of the test's folder; WORDS are separated by blanks. */
static int run_client(const char *worker, const char *words)
{
        char *arguments[ARGUMENTS_MAX] = { (char *) "./vfio-realign", (char *) "--worker", (char *) worker,
                                           (char *) "--sysroot", root };
        size_t n = 5;
        _cleanup_free_ char *copy = strdup(words);
        char *rest = copy;
        for (char *word; (word = strsep(&rest, " ")) && n + 1 < ARGUMENTS_MAX;)
                arguments[n++] = word;
        return run(arguments);
}

static void setup_trees(void)
{
        snprintf(shared, sizeof(shared), "%s", suite_folder());
        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                _cleanup_free_ char *where = text_format("%s/%s", shared, trees[i]);
                ck_assert_ptr_nonnull(where);
                unpack(trees[i], where);
        }
}

static void teardown_trees(void)
{
        suite_folder_remove(shared);
}

static void setup(void)
{
        folder = suite_folder();
}

static void teardown(void)
{
        suite_folder_remove(folder);
}

typedef struct Case {
        const char *name; /* of the file with the expected output; NULL: none is expected */
        const char *tree;
        void (*spoil)(void);
        const char *words;
        int status;
        const char *said; /* part of what stands on standard error; NULL: it is empty */
} Case;

#define XSA "belongs to several IOMMU groups: 0000:00:08.0 BAR 1 (group 5), 0000:00:09.0 BAR 0 (group 6); "

static const Case cases[] = {
        { "status-packed", "x86-6.1-packed", NULL, "status", 3, XSA },
        { "status-realigned", "x86-6.1-realigned", NULL, "status", 0, NULL },
        { "status-realigned-7.3", "x86-7.3-realigned", NULL, "status", 0, NULL },
        { "status-grown", "x86-6.1-realigned", spoil_grown, "status 03:00.0 04:00.0", 0, NULL },
        { "status-grown-json", "x86-6.1-realigned", spoil_grown, "status --json 03:00.0", 0, NULL },
        { "status-packed", "x86-6.1-packed", spoil_grown_garbage, "status", 3, "grown.json: " },
        { "status-packed-7.3", "x86-7.3-packed", NULL, "status", 3, "belongs to several IOMMU groups" },
        { "status-64k", "x86-6.1-realigned", NULL, "--page-size 64K status", 3,
          "belongs to several IOMMU groups" },
        { "status-none", "x86-6.1-firmware", NULL, "status", 0, NULL },
        { "status-none-json", "x86-6.1-firmware", NULL, "status --json", 0, NULL },
        { "status-none-json", "x86-6.1-firmware", NULL, "status --json=pretty", 0, NULL },
        { "status-named", "x86-6.1-packed", NULL, "status 03:00.1 pci_0000_04_00_0 0000:03:00.1", 3, NULL },
        { "status-glob", "x86-6.1-packed", NULL, "status 0000:03:00.* *:04:*", 3, NULL },
        { "status-glob", "x86-6.1-packed", NULL, "status 03:00.[0-2] 04:00.?", 3, NULL },
        { NULL, "x86-6.1-packed", NULL, "status 0001:*", 1,
          "\"0001:*\" matches no function of this machine" },
        { NULL, "x86-6.1-packed", NULL, "status *\xff\x1b*", 1, "\"*??*\" matches no function" },
        { NULL, "x86-6.1-packed", NULL, "status \xc3\x28:00.0", 2, "\"?(:00.0\" is no address" },
        { "status-named-host", "x86-6.1-packed", NULL, "status 00:04.0 00:1f.2", 0, NULL },
        { "status-json", "x86-6.1-packed", NULL, "status --json", 3, XSA },
        { "status-json-short", "x86-6.1-packed", NULL, "status --json=short 00:09.0 00:1f.2", 3, XSA },
        { "status-columns", "x86-6.1-packed", NULL,
          "status -o function,IDS,Class,subsystem,enabled,BRIDGE,path,policy,scope", 3, XSA },
        { "status-columns-json", "x86-6.1-packed", NULL,
          "status --json=short -o +policy,enabled,bridge 04:00.0", 3, NULL },
        { "status-no-legend", "x86-6.1-packed", NULL, "status --no-legend -o FUNCTION,VERDICT 03:00.0", 3,
          NULL },
        { "status-cannot", "x86-6.1-packed", spoil_boot_display, "status 00:08.0 03:00.0 00:1f.2 -o +REMEDY",
          4, XSA },
        { "status-iomem-hidden", "x86-6.1-realigned", spoil_iomem, "status 03:00.0", 0,
          "/proc/iomem shows no addresses" },
        { "status-iomem-hidden-json", "x86-6.1-realigned", spoil_iomem, "status 03:00.0 --json", 0,
          "/proc/iomem shows no addresses" },
        { "status-policy", "x86-6.1-realigned", spoil_policy, "status -o FUNCTION,IDS,POLICY,SCOPE", 0,
          NULL },
        { "status-policy-garbage", "x86-6.1-realigned", spoil_policy_garbage,
          "status -o FUNCTION,VERDICT,POLICY", 1, "vfio-realign.conf:2: " },
        { "status-unknown", "x86-6.1-realigned", NULL, "status 03:00.0 ff:00.0", 1,
          "0000:ff:00.0: no such function is on this machine" },
        { NULL, "x86-6.1-realigned", NULL, "status ff:00.0", 1, "0000:ff:00.0: no such function" },
        { NULL, "x86-6.1-realigned", NULL, "status 03:00", 2, "\"03:00\" is no address of a function" },
        { NULL, "x86-6.1-realigned", NULL, "status -o FUNCTION,,IDS", 2, "\"\" is no column" },
        { NULL, "x86-6.1-realigned", NULL, "status -o NOSUCH", 2, "\"NOSUCH\" is no column" },
        { NULL, "x86-6.1-realigned", NULL, "status -o FUNC", 2, "\"FUNC\" is no column" },
        { NULL, "x86-6.1-packed", spoil_resource, "status", 1, "0000:00:08.0/resource" },
        { NULL, "x86-6.1-packed", spoil_short_resource, "status", 1, "0000:00:08.0/resource" },
        { NULL, "x86-6.1-packed", spoil_iomem_garbage, "status", 1, "/proc/iomem" },
        { "status-none", "x86-6.1-packed", spoil_empty, "status", 0, "/proc/iomem" },

        { "plan-bus", "x86-6.1-packed", NULL, "plan 03:00.0", 3, NULL },
        { "plan-function", "x86-6.1-packed", NULL, "plan 00:08.0", 3, NULL },
        { "plan-three-bars", "x86-6.1-packed", NULL, "plan 04:00.0", 3, NULL },
        { "plan-several", "x86-6.1-packed", NULL, "plan 04:00.0 03:00.2 00:1f.2", 4, NULL },
        { "plan-fine", "x86-6.1-realigned", NULL, "plan 04:00.0 03:00.2", 0, NULL },
        { "plan-open", "x86-6.1-packed", spoil_open_group, "plan 03:00.0", 4, NULL },
        { "plan-sibling", "x86-6.1-packed", spoil_host_driver, "plan 03:00.0", 3, NULL },
        { "plan-unknown", "x86-6.1-packed", NULL, "plan ff:00.0", 1, NULL },
        { "plan-64k", "x86-6.1-realigned", NULL, "--page-size 64K plan 04:00.0", 3, NULL },
        { "explain-bus", "x86-6.1-packed", NULL, "explain 03:00.1", 3, NULL },
        { "explain-function", "x86-6.1-packed", NULL, "explain 00:08.0", 3, NULL },
        { "explain-three-bars", "x86-6.1-packed", NULL, "explain 04:00.0", 3, NULL },
        { "explain-fine", "x86-6.1-realigned", NULL, "explain 03:00.1", 0, NULL },
        { "explain-grown", "x86-6.1-realigned", spoil_grown, "explain 03:00.0", 0, NULL },
        { "explain-table", "x86-6.1-packed", spoil_table, "explain 03:00.1", 3, NULL },
        { "explain-table-skip", "x86-6.1-packed", spoil_table_skip, "explain 04:00.0", 3, NULL },
        { "explain-table-elsewhere", "x86-6.1-packed", spoil_table_elsewhere, "explain 03:00.1", 3, NULL },
        { "explain-table-json", "x86-6.1-packed", spoil_table, "explain --json=short 03:00.1", 3, NULL },
        { "explain-unseen", "x86-6.1-packed", spoil_config_hidden, "explain 03:00.1", 3, NULL },
        { "explain-open", "x86-6.1-packed", spoil_open_group, "explain 03:00.1", 3, NULL },
        { "explain-sibling", "x86-6.1-packed", spoil_host_driver, "explain 03:00.0", 3, NULL },
        { "explain-host", "x86-6.1-packed", spoil_host_driver, "explain 03:00.1", 3, NULL },
        { "explain-cannot", "x86-6.1-packed", spoil_boot_display, "explain 00:08.0", 4, NULL },
        { "explain-report", "x86-6.1-packed", spoil_policy, "explain 00:09.0", 3, NULL },
        { "explain-never", "x86-6.1-packed", spoil_policy, "explain 03:00.1", 3, NULL },
        { NULL, "x86-6.1-packed", NULL, "explain ff:00.0", 1, "0000:ff:00.0: no such function" },
        { NULL, "x86-6.1-packed", NULL, "explain", 2, "\"explain\" takes" },
        { "explain-bus-json", "x86-6.1-packed", NULL, "explain --json 03:00.1", 3, NULL },
        { "explain-several-json", "x86-6.1-packed", spoil_host_driver,
          "--json=short explain 03:00.1 00:1f.2 04:00.0", 3, NULL },
        { "explain-cannot-json", "x86-6.1-packed", spoil_boot_display, "explain 00:08.0 --json", 4, NULL },
        { "explain-open-json", "x86-6.1-packed", spoil_open_group, "explain 03:00.1 --json", 3, NULL },
        { "explain-fine", "x86-6.1-realigned", NULL, "explain 03:00.1 --json=off", 0, NULL },
        { NULL, "x86-6.1-packed", NULL, "explain 77:*", 1, "\"77:*\" matches no function of this machine" },
        { NULL, "x86-6.1-packed", NULL, "explain -o FUNCTION 03:00.0", 2, "\"explain\" takes no --output" },
        { "map-all", "x86-6.1-packed", NULL, "map", 0, NULL },
        { "map-bus", "x86-6.1-packed", NULL, "map 03", 0, NULL },
        { "map-bus", "x86-6.1-packed", NULL, "map 0000:03", 0, NULL },
        { "map-functions", "x86-6.1-packed", NULL, "map 04:00.0 pci_0000_00_09_0", 0, NULL },
        { "map-realigned", "x86-6.1-realigned", NULL, "map 03", 0, NULL },
        { "map-grown", "x86-6.1-realigned", spoil_grown, "map 03:00.0", 0, NULL },
        { "map-64k", "x86-6.1-packed", NULL, "--page-size 64K map 00:08.0 04:00.0", 0, NULL },
        { "map-none", "x86-6.1-firmware", NULL, "map", 0, NULL },
        { "map-bus", "x86-6.1-packed", NULL, "map 03:00.*", 0, NULL },
        { "map-functions-json", "x86-6.1-packed", NULL, "map --json 04:00.0 00:09.0", 0, NULL },
        { "map-none-json", "x86-6.1-firmware", NULL, "map --json=short", 0, NULL },
        { NULL, "x86-6.1-packed", NULL, "map 77", 1, "no function is on bus 0000:77" },
        { NULL, "x86-6.1-packed", NULL, "map 03:00.7", 1, "0000:03:00.7: no such function" },
        { NULL, "x86-6.1-packed", NULL, "map bus", 2, "\"bus\" is no address of a function" },
        { NULL, "x86-6.1-packed", spoil_resource, "map", 1, "0000:00:08.0/resource" },

        { NULL, "x86-6.1-packed", NULL, "plan", 2, "\"plan\" takes" },
        { NULL, "x86-6.1-packed", NULL, "plan 03:00.9", 2, "\"03:00.9\" is no address" },
        { NULL, "x86-6.1-packed", NULL, "plan -o FUNCTION 03:00.0", 2, "\"plan\" takes no --output" },
        { NULL, "x86-6.1-packed", NULL, "plan 7*", 1, "\"7*\" matches no function" },
        { "plan-bus", "x86-6.1-packed", NULL, "plan 03:00.*", 3, NULL },
        { NULL, "x86-6.1-packed", spoil_resource, "plan 03:00.0", 1, "0000:00:08.0/resource" },

        { "policy-builtin", "x86-6.1-packed", NULL, "policy", 0, NULL },
        { "policy-layers", "x86-6.1-packed", spoil_policy_layers, "policy", 0, NULL },
        { "policy-function", "x86-6.1-packed", spoil_policy_layers, "policy 03:00.1 04:00.0", 0, NULL },
        { "policy-function-json", "x86-6.1-packed", spoil_policy_layers, "policy --json 03:00.1", 0, NULL },
        { "policy-columns", "x86-6.1-packed", spoil_policy_layers,
          "policy --no-legend -o source,function,key 03:00.2", 0, NULL },
        { "policy-short", "x86-6.1-packed", spoil_policy, "policy --json=short -o KEY,VALUE", 0, NULL },
        { NULL, "x86-6.1-packed", spoil_policy_garbage, "policy", 1, "vfio-realign.conf:2: " },
        { NULL, "x86-6.1-packed", NULL, "policy ff:00.0", 1, "0000:ff:00.0: no such function" },
        { NULL, "x86-6.1-packed", NULL, "policy -o VERDICT", 2, "\"VERDICT\" is no column" },

        { "probe-unknown", "x86-6.1-packed", NULL, "probe --json ff:00.0", 1,
          "no such function is on this machine" },
        { "probe-host", "x86-6.1-packed", NULL, "probe --json 00:1f.2", 4,
          "0000:00:1f.2: the function is not on a VFIO driver; it was not opened. What to do: bind it" },
        { "probe-in-use", "x86-6.1-packed", spoil_open_group, "probe --json 03:00.1", 4,
          "the function is in use (open in qemu-system-x86 (pid 812)); it was not opened" },
        { NULL, "x86-6.1-packed", spoil_open_group, "probe 03:00.1", 4,
          "0000:03:00.1 is opened through VFIO now" },
        { NULL, "x86-6.1-packed", spoil_policy, "probe 03:00.1", 1, "its VFIO group gives no status" },
        { NULL, "x86-6.1-packed", spoil_no_group, "probe 03:00.1", 1,
          "it has neither a group file nor a character device that can be opened" },
        { NULL, "x86-6.1-packed", spoil_group_for_device, "probe 03:00.1", 1, "iommufd does not take it" },
        { NULL, "x86-6.1-packed", NULL, "probe 03:00.*", 2, "\"03:00.*\" is no address" },
        { NULL, "x86-6.1-packed", NULL, "probe 03:00.0 03:00.1", 2, "\"probe\" takes FUNCTION" },

        { NULL, "x86-6.1-packed", NULL, "realign 03:00.0", 2, "--sysroot is not for it" },
        { NULL, "x86-6.1-packed", NULL, "status -H host", 2, "--host and --sysroot are of two machines" },
        { NULL, "x86-6.1-packed", NULL, "map -H host", 2, "\"map\" takes no --host" },
        { NULL, "x86-6.1-packed", NULL, "settle --timeout 3x 03:00.0", 2,
          "--timeout is \"3x\", expected TIME" },
        { NULL, "x86-6.1-packed", NULL, "settle --timeout 99999999999999999999min 03:00.0", 2,
          "expected TIME" },
        { NULL, "x86-6.1-packed", NULL, "settle --force 03:00.0", 2, "\"settle\" takes no --force" },

        { "cmdline-none", "x86-6.1-packed", spoil_booted_without, "cmdline", 0,
          "0000:04:00.0 is not realigned" },
        { "cmdline-none-json", "x86-6.1-firmware", spoil_booted_without, "cmdline --json=short", 0, NULL },
        { "cmdline-without", "x86-6.1-realigned", spoil_booted_without, "cmdline", 0, NULL },
        { "cmdline-unseen", "x86-6.1-realigned", NULL, "cmdline --json", 0, "/proc/cmdline cannot be read" },
        { "cmdline-with", "x86-6.1-realigned", spoil_booted_with, "cmdline", 0, NULL },
        { "cmdline-alone", "x86-6.1-realigned", spoil_booted_with, "cmdline --no-legend", 0, NULL },
        { "cmdline-another", "x86-6.1-realigned", spoil_booted_with_another, "cmdline", 0,
          "cannot take it: junk;00:1f.0" },
        { "cmdline-another-json", "x86-6.1-realigned", spoil_booted_with_another, "cmdline --json", 0,
          "cannot take it: junk;00:1f.0" },
        { "cmdline-cleared", "x86-6.1-realigned", spoil_booted_but_cleared, "cmdline", 0, NULL },
        { NULL, "x86-6.1-realigned", NULL, "cmdline 03:00.0", 2, "\"cmdline\" takes no argument" },
        { NULL, "x86-6.1-realigned", NULL, "cmdline -o ENTRY", 2, "\"cmdline\" takes no --output" },
};

/* Compares standard output with the file of the expected one, or writes that. */
static void expect_output(const char *name, const char *found)
{
        _cleanup_free_ char *path = data_path("expected", name, ".out");
        if (getenv("REALIGN_TEST_UPDATE")) {
                FILE *file = fopen(path, "w");
                ck_assert_ptr_nonnull(file);
                fputs(found, file);
                fclose(file);
        }
        _cleanup_free_ char *expected = read_whole(path);
        /* Check has no room for two texts of this length. */
        size_t same = 0;
        while (found[same] != '\0' && found[same] == expected[same])
                same++;
        ck_assert_msg(strcmp(found, expected) == 0,
                      "%s differs from byte %zu on: \"%.60s\" instead of \"%.60s\"", name, same,
                      found + same, expected + same);
}

/* The vendor's name for a function, which `explain` begins with, is what the installed list of names says. */
static const char *without_name(char *text, const char *words)
{
        if (!strstr(words, "explain"))
                return text;
        for (char *model = text; (model = strstr(model, "\"model\":"));) {
                model += strlen("\"model\":");
                memmove(model, strchr(model, ','), strlen(strchr(model, ',')) + 1);
        }
        const char *rest = text[0] != '{' ? strstr(text, "\n\n") : NULL;
        return rest ? rest + 2 : text;
}

START_TEST(test_cases)
{
        const Case *one = &cases[_i];
        use_tree(one->tree, one->spoil != NULL);
        if (one->spoil)
                one->spoil();

        int status = run_client("./vfio-realign-worker", one->words);
        _cleanup_free_ char *out = read_result("out");
        _cleanup_free_ char *err = read_result("err");
        ck_assert_msg(one->said ? strstr(err, one->said) != NULL : err[0] == '\0', "\"%s\" said \"%s\"",
                      one->words, err);
        ck_assert_msg(status == one->status, "\"%s\" ended with %d instead of %d", one->words, status,
                      one->status);

        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *problem = NULL;
        if (one->name && strstr(one->words, "--json") && !strstr(one->words, "--json=off"))
                ck_assert_msg(json_document_parse(out, &document, &problem) == 0, "%s", problem);
        if (one->name)
                expect_output(one->name, without_name(out, one->words));
        else
                ck_assert_str_eq(out, "");
}
END_TEST

/* The values of the document have the types of what they are. */
START_TEST(test_json_types)
{
        _cleanup_json_ JsonObject *document = NULL;
        _cleanup_free_ char *problem = NULL;
        use_tree("x86-6.1-packed", false);
        ck_assert_int_eq(run_client("./vfio-realign-worker", "status --json 04:00.0"), 3);
        _cleanup_free_ char *out = read_result("out");
        ck_assert_int_eq(json_document_parse(out, &document, &problem), 0);

        JsonObject *functions, *bars;
        PciAddress address;
        uint64_t page, group, size;
        bool seen, small;
        ck_assert_int_eq(json_field_u64(document, "page", UINT64_MAX, &page, &problem), 0);
        ck_assert_uint_eq(page, (uint64_t) sysconf(_SC_PAGESIZE));
        ck_assert_int_eq(json_field_bool(document, "iomem-seen", &seen, &problem), 0);
        ck_assert(seen);
        ck_assert_int_eq(json_field_array(document, "functions", 1, &functions, &problem), 0);
        JsonObject *function = json_object_array_get_idx(functions, 0);
        ck_assert_int_eq(json_field_address(function, "function", &address, &problem), 0);
        ck_assert(pci_address_equal(address, (PciAddress){ .bus = 4 }));
        ck_assert_int_eq(json_field_u64(function, "group", 99, &group, &problem), 0);
        ck_assert_uint_eq(group, 10);
        ck_assert_int_eq(json_field_array(function, "bars", 6, &bars, &problem), 0);
        ck_assert_uint_eq(json_object_array_length(bars), 5);
        JsonObject *bar = json_object_array_get_idx(bars, 0);
        ck_assert_int_eq(json_field_u64(bar, "size", UINT64_MAX, &size, &problem), 0);
        ck_assert_uint_eq(size, 128);
        ck_assert_int_eq(json_field_bool(bar, "small", &small, &problem), 0);
        ck_assert(small);
}
END_TEST

/* `plan --json` passes the worker's document on. */
START_TEST(test_plan_json)
{
        _cleanup_json_ JsonObject *document = NULL, *original = NULL;
        _cleanup_free_ char *problem = NULL;
        use_tree("x86-6.1-packed", false);
        ck_assert_int_eq(run_client("./vfio-realign-worker", "plan --json 00:08.0 00:1f.2"), 4);
        _cleanup_free_ char *out = read_result("out");
        ck_assert_int_eq(json_document_parse(out, &document, &problem), 0);

        char *const arguments[] = { (char *) "./vfio-realign-worker",
                                    (char *) "--sysroot",
                                    root,
                                    (char *) "--by-request",
                                    (char *) "--plan",
                                    (char *) "0000:00:08.0",
                                    (char *) "0000:00:1f.2",
                                    NULL };
        ck_assert_int_eq(run(arguments), 0);
        _cleanup_free_ char *worker_out = read_result("out");
        ck_assert_int_eq(json_document_parse(worker_out, &original, &problem), 0);
        ck_assert(json_object_equal(document, original));
}
END_TEST

/* A megabyte, in arguments of half the length that Linux lets one of them have. */
START_TEST(test_long_arguments)
{
        static const size_t one = LINE_OF_A_MEGABYTE / 16;
        _cleanup_free_ char *words = malloc(LINE_OF_A_MEGABYTE);
        ck_assert_ptr_nonnull(words);
        use_tree("x86-6.1-realigned", false);
        memset(words, 'x', LINE_OF_A_MEGABYTE);
        for (size_t i = one; i < LINE_OF_A_MEGABYTE; i += one)
                words[i] = ' ';
        words[LINE_OF_A_MEGABYTE - 1] = '\0';
        memcpy(words, "status ", 7);
        ck_assert_int_eq(run_client("./vfio-realign-worker", words), 2);
        _cleanup_free_ char *err = read_result("err");
        /* a line for each of them */
        ck_assert_uint_lt(strlen(err), 16 * 200);
        ck_assert_ptr_nonnull(strstr(err, "is no address of a function"));
}
END_TEST

/* A worker that is not the one that was expected. */
START_TEST(test_strange_workers)
{
        static const struct {
                const char *script; /* NULL: there is no file */
                const char *said;
        } workers[] = {
                { NULL, "cannot be run: No such file or directory" },
                { "exit 7", "made no plan (exit status 7)" },
                { "exit 0", "cannot be read: " },
                { "echo '{\"plans\": ['", "cannot be read: " },
                { "echo '{}'", "cannot be read: " },
                { "echo '{\"plans\": [{}], \"refusals\": []}'", "cannot be read: " },
                { "printf 'a\\0b'", "wrote what is no text" },
                { "kill -9 $$", "was ended by a signal" },
                { "cat /dev/zero", "wrote more than" },
        };
        char worker[80];
        use_tree("x86-6.1-packed", false);
        snprintf(worker, sizeof(worker), "%s/worker", folder);
        for (size_t i = 0; i < ELEMENTSOF(workers); i++) {
                if (workers[i].script) {
                        _cleanup_free_ char *script = text_format("#!/bin/sh\n%s\n", workers[i].script);
                        suite_write(folder, "worker", script);
                        ck_assert_int_eq(chmod(worker, 0755), 0);
                }
                ck_assert_int_eq(run_client(worker, "plan 03:00.0"), 1);
                _cleanup_free_ char *err = read_result("err");
                _cleanup_free_ char *out = read_result("out");
                ck_assert_msg(strstr(err, workers[i].said), "\"%s\" made it say \"%s\"", workers[i].script,
                              err);
                ck_assert_str_eq(out, "");
        }
}
END_TEST

/* What the worker gets to hear. */
START_TEST(test_worker_arguments)
{
        char worker[80];
        use_tree("x86-6.1-packed", false);
        snprintf(worker, sizeof(worker), "%s/worker", folder);
        suite_write(folder, "worker",
                    "#!/bin/sh\necho \"$@\" | sed 's|--sysroot [^ ]*|--sysroot DIR|' >&2\nexit 1\n");
        ck_assert_int_eq(chmod(worker, 0755), 0);
        suite_write(folder, "policy", "");
        _cleanup_free_ char *words =
                        text_format("--page-size 64K --config %s/policy plan 3:00.0 03:00.0", folder);
        ck_assert_int_eq(run_client(worker, words), 2); /* an address has two digits each */
        free(words);
        words = text_format("--page-size 64K --config %s/policy plan 03:00.1 0000:03:00.0", folder);
        ck_assert_int_eq(run_client(worker, words), 1);

        _cleanup_free_ char *err = read_result("err");
        _cleanup_free_ char *expected =
                        text_format("--sysroot DIR --page-size 64K --config %s/policy --by-request "
                                    "--plan 0000:03:00.1 0000:03:00.0\n",
                                    folder);
        ck_assert_msg(text_starts_with(err, expected), "%s", err);
}
END_TEST

/* Runs "vfio-realign OPTION VERB 04:00.0" on a terminal and returns what that shows. */
static char *run_on_terminal(const char *no_color, const char *pager, const char *option, const char *verb)
{
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        ck_assert_int_ge(master, 0);
        ck_assert(grantpt(master) == 0 && unlockpt(master) == 0);
        int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
        ck_assert_int_ge(terminal, 0);

        pid_t pid = suite_fork();
        if (pid == 0) {
                dup2(terminal, STDOUT_FILENO);
                setenv("TERM", "xterm", 1);
                setenv("LC_ALL", "C", 1);
                setenv("NO_COLOR", no_color, 1);
                setenv("PAGER", "false", 1);
                setenv("VFIO_REALIGN_PAGER", pager, 1);
                execl("./vfio-realign", "vfio-realign", "--sysroot", root, option, verb, "04:00.0", NULL);
                _exit(126);
        }
        close(terminal);
        char *text = calloc(1, TERMINAL_MAX + 1);
        ck_assert_ptr_nonnull(text);
        size_t size = 0;
        ssize_t n;
        while (size < TERMINAL_MAX && (n = read(master, text + size, TERMINAL_MAX - size)) > 0)
                size += (size_t) n;
        close(master);
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == (text_equal(verb, "map") ? 0 : 3));
        return text;
}

/* Colours are for terminals, unless NO_COLOR is set to something; boxes of lines are for locales that have them. */
START_TEST(test_terminal)
{
        use_tree("x86-6.1-packed", false);
        _cleanup_free_ char *colored = run_on_terminal("", "", "--json=off", "map");
        ck_assert_ptr_nonnull(strstr(colored, "\033[31mshared\033[0m"));
        ck_assert_ptr_nonnull(strstr(colored, "+----------------+---+-+-"));
        _cleanup_free_ char *plain = run_on_terminal("1", "cat", "--json=off", "map");
        ck_assert_ptr_null(strchr(plain, '\033'));
        ck_assert_ptr_nonnull(strstr(plain, "|       A        | B |C| "));
}
END_TEST

/* What stands on a terminal goes through a pager, in colour; the exit status stays the verb's. */
START_TEST(test_pager)
{
        use_tree("x86-6.1-packed", false);
        _cleanup_free_ char *paged = run_on_terminal("", "sed 's/^/<pager>/'", "--json=off", "status");
        ck_assert_ptr_nonnull(strstr(paged, "<pager>FUNCTION"));
        ck_assert_ptr_nonnull(strstr(paged, "\033[31mneeds-realign\033[0m"));
        _cleanup_free_ char *without = run_on_terminal("1", "sed 's/^/<pager>/'", "--no-pager", "status");
        ck_assert_ptr_null(strstr(without, "<pager>"));
        ck_assert_ptr_null(strchr(without, '\033'));
        /* a pager that quits at once, and one that cannot be started */
        _cleanup_free_ char *quit = run_on_terminal("", "true", "--json=off", "map");
        ck_assert_str_eq(quit, "");
        _cleanup_free_ char *broken = run_on_terminal("", "exec /nowhere/less 2>&-", "--json=off", "map");
        ck_assert_str_eq(broken, "");
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("verbs");
        TCase *tcase = tcase_create("all");
        tcase_add_unchecked_fixture(tcase, setup_trees, teardown_trees);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, test_cases, 0, (int) ELEMENTSOF(cases));
        tcase_add_test(tcase, test_json_types);
        tcase_add_test(tcase, test_plan_json);
        tcase_add_test(tcase, test_terminal);
        tcase_add_test(tcase, test_pager);
        tcase_add_test(tcase, test_long_arguments);
        tcase_add_test(tcase, test_strange_workers);
        tcase_add_test(tcase, test_worker_arguments);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
