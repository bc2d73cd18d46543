/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which file and section decides a key for a function, and what becomes of files that cannot be read. */

#include "model/policy.h"

#include "base/text.h"
#include "model/policy-key.h"
#include "suite.h"

static const char *folder;
static Root *root;
static Policy *policy;
static char *problems;

static void setup(void)
{
        folder = suite_folder();
        ck_assert_int_eq(root_open(folder, &root), 0);
}

static void forget(void)
{
        policy = policy_free(policy);
        problems = (free(problems), NULL);
}

static void teardown(void)
{
        forget();
        root = root_free(root);
        suite_folder_remove(folder);
}

static void load(void)
{
        forget();
        int r = policy_load(root, NULL, &policy, &problems);
        ck_assert_msg(r == 0, "%s", problems ? problems : strerror(-r));
        ck_assert_ptr_null(problems);
}

static void load_wrong(int error, const char *text)
{
        forget();
        ck_assert_int_eq(policy_load(root, NULL, &policy, &problems), error);
        ck_assert_ptr_null(policy);
        ck_assert_ptr_nonnull(problems);
        ck_assert_msg(strstr(problems, text) != NULL, "%s", problems);
}

static const PciFunction network = {
        .address = { 0, 3, 0, 1 },
        .class = 0x020000,
        .vendor = 0x10ec,
        .device = 0x8139,
        .subvendor = 0x1af4,
        .subdevice = 0x1100,
};
static const PciFunction usb = {
        .address = { 0x10000, 3, 0, 0 },
        .class = 0x0c0310,
        .vendor = 0x106b,
        .device = 0x003f,
};

static unsigned attempts(const PciFunction *function)
{
        PolicySettings settings;
        policy_settings(policy, function, &settings);
        return settings.attempts;
}

static void check_source(const PciFunction *function, const char *key, const char *source)
{
        ck_assert_str_eq(policy_source(policy, function, key), source);
}

static void check_builtin(const PolicySettings *s)
{
        ck_assert_int_eq(s->realign, POLICY_REALIGN_AUTO);
        ck_assert_int_eq(s->scope, POLICY_SCOPE_BUS);
        ck_assert_uint_eq(s->alignment, 0);
        ck_assert_uint_eq(s->max_move, UINT64_C(256) << 20);
        ck_assert_uint_eq(s->settle_delay_usec, 3000000);
        ck_assert_uint_eq(s->step_timeout_usec, 10000000);
        ck_assert_uint_eq(s->attempts, 1);
        ck_assert(s->keep_entry);
        ck_assert_int_eq(s->msix_table_bar, POLICY_MSIX_REALIGN);
        ck_assert_int_eq(s->on_failure, POLICY_ON_FAILURE_START);
        ck_assert_int_eq(s->after_reattach, POLICY_AFTER_REATTACH_KEEP);
}

START_TEST(test_defaults)
{
        PolicySettings settings;
        ck_assert_int_eq(policy_new_default(&policy), 0);
        policy_settings(policy, &network, &settings);
        check_builtin(&settings);

        load();
        ck_assert_ptr_null(policy_files(policy)[0]);
        policy_settings(policy, &network, &settings);
        check_builtin(&settings);
        check_source(&network, "scope", "built in");
        ck_assert_ptr_null(policy_source(policy, &network, "no-such-key"));
        ck_assert_str_eq(policy_realign_name(POLICY_REALIGN_REPORT), "report");
        ck_assert_str_eq(policy_scope_name(POLICY_SCOPE_SMALLEST), "smallest");
}
END_TEST

/* Whatever the order in the file: function over id over class over default. */
START_TEST(test_most_specific_wins)
{
        static const char *const lines[] = {
                "[default]\nattempts = 2\nscope = function\n",
                "[class 0200]\nattempts = 3\n",
                "[id 10ec:8139]\nattempts = 4\n",
                "[function 0000:03:00.*]\nattempts = 5\n",
        };
        for (unsigned order = 0; order < 24; order++) {
                _cleanup_free_ char *text = strdup("");
                size_t left[] = { 0, 1, 2, 3 };
                unsigned code = order;
                for (unsigned n = 4; n > 0; n--) {
                        size_t pick = code % n;
                        code /= n;
                        _cleanup_free_ char *before = TAKE_PTR(text);
                        text = text_format("%s%s", before, lines[left[pick]]);
                        memmove(left + pick, left + pick + 1, (n - pick - 1) * sizeof(*left));
                }
                suite_write(folder, "etc/vfio-realign/vfio-realign.conf", text);
                load();
                ck_assert_uint_eq(attempts(&network), 5);
                ck_assert_uint_eq(attempts(&usb), 2);
                PolicySettings settings;
                policy_settings(policy, &network, &settings);
                ck_assert_int_eq(settings.scope, POLICY_SCOPE_FUNCTION);
        }
}
END_TEST

START_TEST(test_matching)
{
        static const struct {
                const char *header;
                bool network, usb;
        } cases[] = {
                { "[function 0000:03:00.1]", true, false },
                { "[function 0000:03:00.0]", false, false },
                { "[function *:03:00.?]", true, true },
                { "[function 10000:*]", false, true },
                { "[id 10ec:8139:1af4:1100]", true, false },
                { "[id 10ec:8139:1af4:1101]", false, false },
                { "[id *:*]", true, true },
                { "[id 106B:*]", false, true },
                { "[class 0c03]", false, true },
                { "[class 0c0310]", false, true },
                { "[class 0c0330]", false, false },
                { "[class 0200]", true, false },
        };
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = text_format("%s\nattempts = 9\n", cases[i].header);
                suite_write(folder, "etc/vfio-realign/vfio-realign.conf", text);
                load();
                ck_assert_msg((attempts(&network) == 9) == cases[i].network, "%s", cases[i].header);
                ck_assert_msg((attempts(&usb) == 9) == cases[i].usb, "%s", cases[i].header);
        }
}
END_TEST

START_TEST(test_later_wins)
{
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf",
                    "[id 10ec:*]\nattempts = 2\n[id *:8139]\nattempts = 3\n[default]\nscope = function\n");
        load();
        ck_assert_uint_eq(attempts(&network), 3);
        check_source(&network, "attempts", "/etc/vfio-realign/vfio-realign.conf:4");
        check_source(&network, "scope", "/etc/vfio-realign/vfio-realign.conf:6");
        check_source(&usb, "attempts", "built in");

        suite_write(folder, "etc/vfio-realign/conf.d/20-b.conf", "[id 10ec:8139]\nattempts = 5\n");
        suite_write(folder, "usr/lib/vfio-realign/conf.d/10-a.conf", "\n[id 10ec:8139]\n\nattempts = 4\n");
        suite_write(folder, "run/vfio-realign/conf.d/15-d.conf", "[default]\nattempts = 7\n");
        suite_write(folder, "etc/vfio-realign/conf.d/30-c.txt", "not a policy\n");
        suite_write(folder, "etc/vfio-realign/conf.d/.hidden.conf", "not a policy\n");
        load();
        ck_assert_uint_eq(attempts(&network), 5);
        ck_assert_uint_eq(attempts(&usb), 7);
        check_source(&network, "attempts", "/etc/vfio-realign/conf.d/20-b.conf:2");
        static const char *const files[] = {
                "/etc/vfio-realign/vfio-realign.conf",
                "/usr/lib/vfio-realign/conf.d/10-a.conf",
                "/run/vfio-realign/conf.d/15-d.conf",
                "/etc/vfio-realign/conf.d/20-b.conf",
        };
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                ck_assert_str_eq(policy_files(policy)[i], files[i]);
        ck_assert_ptr_null(policy_files(policy)[ELEMENTSOF(files)]);
}
END_TEST

START_TEST(test_masking)
{
        suite_write(folder, "usr/lib/vfio-realign/vfio-realign.conf", "[default]\nattempts = 2\n");
        load();
        ck_assert_uint_eq(attempts(&network), 2);
        suite_write(folder, "run/vfio-realign/vfio-realign.conf", "[default]\nattempts = 3\n");
        load();
        ck_assert_uint_eq(attempts(&network), 3);
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", "[default]\nscope = function\n");
        load();
        ck_assert_uint_eq(attempts(&network), 1);

        suite_write(folder, "usr/lib/vfio-realign/conf.d/x.conf", "[default]\nattempts = 4\n");
        load();
        ck_assert_uint_eq(attempts(&network), 4);
        suite_write(folder, "run/vfio-realign/conf.d/x.conf", "[default]\nattempts = 5\n");
        load();
        ck_assert_uint_eq(attempts(&network), 5);
        suite_link(folder, "etc/vfio-realign/conf.d/x.conf", "/dev/null");
        load();
        ck_assert_uint_eq(attempts(&network), 1);
}
END_TEST

START_TEST(test_unreadable)
{
        char path[128];

        /* both are said: the folder in the place of a file, and what is wrong in another */
        suite_write(folder, "etc/vfio-realign/conf.d/a.conf/x", "");
        suite_write(folder, "etc/vfio-realign/conf.d/b.conf", "[nope]\n");
        load_wrong(-EISDIR, "/etc/vfio-realign/conf.d/a.conf: cannot be read: Is a directory");
        ck_assert_ptr_nonnull(strstr(problems, "/etc/vfio-realign/conf.d/b.conf:1: section [nope]"));

        suite_write(folder, "usr/lib/vfio-realign", "a file where a folder should be");
        load_wrong(-ENOTDIR, "/usr/lib/vfio-realign/conf.d: cannot be read: Not a directory");
        snprintf(path, sizeof(path), "%s/usr/lib/vfio-realign", folder);
        ck_assert_int_eq(unlink(path), 0);

        suite_link(folder, "etc/vfio-realign/vfio-realign.conf", "nowhere");
        load_wrong(-ENOENT, "/etc/vfio-realign/vfio-realign.conf: cannot be read: No such file");

        /* an absolute link stays in the root directory; ".." does not lead out of it */
        suite_write(folder, "target.conf", "[default]\nattempts = 6\n");
        snprintf(path, sizeof(path), "%s/etc/vfio-realign/vfio-realign.conf", folder);
        ck_assert_int_eq(unlink(path), 0);
        suite_link(folder, "etc/vfio-realign/vfio-realign.conf", "/../../target.conf");
        load_wrong(-EISDIR, "a.conf");
        ck_assert_ptr_null(strstr(problems, "vfio-realign.conf"));

        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkfifo(path, 0600), 0);
        load_wrong(-EINVAL, "/etc/vfio-realign/vfio-realign.conf: cannot be read");
}
END_TEST

START_TEST(test_too_large)
{
        size_t size = (1u << 20) + 1;
        _cleanup_free_ char *text = malloc(size + 1);
        memset(text, '\n', size);
        text[size] = '\0';
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", text);
        load_wrong(-EFBIG, "/etc/vfio-realign/vfio-realign.conf: cannot be read");
        text[size - 1] = '\0';
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", text);
        load();
}
END_TEST

START_TEST(test_own_files)
{
        char first[128], second[128], missing[128];
        snprintf(first, sizeof(first), "%s/first", folder);
        snprintf(second, sizeof(second), "%s/second", folder);
        snprintf(missing, sizeof(missing), "%s/missing", folder);
        suite_write(folder, "first", "[default]\nattempts = 2\nscope = function\n");
        suite_write(folder, "second", "[default]\nattempts = 3\n");
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", "[default]\nattempts = 9\n");

        ck_assert_int_eq(policy_load(root, first, &policy, &problems), 0);
        ck_assert_uint_eq(attempts(&network), 2);
        forget();
        char *files[] = { first, second, NULL };
        ck_assert_int_eq(policy_load_files(files, &policy, &problems), 0);
        ck_assert_uint_eq(attempts(&network), 3);
        _cleanup_free_ char *source = text_format("%s:3", first);
        check_source(&network, "scope", source);
        forget();
        files[0] = missing;
        ck_assert_int_eq(policy_load_files(files, &policy, &problems), -ENOENT);
        ck_assert_ptr_nonnull(strstr(problems, "missing: cannot be read"));
        ck_assert_ptr_null(policy);
}
END_TEST

/* The defaults that are installed: every key is in it, commented out, and says what is built in. */
START_TEST(test_installed_defaults)
{
        static const char path[] = DEFAULTS_FILE;
        char *files[] = { (char *) path, NULL };
        ck_assert_int_eq(policy_load_files(files, &policy, &problems), 0);
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++)
                check_source(&network, policy_key_name(key), "built in");
        forget();

        _cleanup_fclose_ FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        _cleanup_free_ char *text = strdup("");
        char line[256];
        while (fgets(line, sizeof(line), file)) {
                /* "#key = value" and "#[section]" are what would be uncommented; "# words" are words */
                bool commented = line[0] == '#' && line[1] != ' ' && line[1] != '\n';
                _cleanup_free_ char *before = TAKE_PTR(text);
                text = text_format("%s%s", before, commented ? line + 1 : line);
        }
        suite_write(folder, "etc/vfio-realign/vfio-realign.conf", text);
        load();
        PolicySettings settings;
        policy_settings(policy, &network, &settings);
        check_builtin(&settings);
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++) {
                _cleanup_free_ char *value = policy_key_format(key, &settings);
                ck_assert_str_eq(value, policy_key_builtin(key));
                ck_assert_str_ne(policy_source(policy, &network, policy_key_name(key)), "built in");
                ck_assert_ptr_nonnull(policy_section(policy, &network, policy_key_name(key)));
                ck_assert_str_eq(policy_section(policy, NULL, policy_key_name(key)), "[default]");
        }
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("policy");
        TCase *tcase = tcase_create("all");
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_defaults);
        tcase_add_test(tcase, test_most_specific_wins);
        tcase_add_test(tcase, test_matching);
        tcase_add_test(tcase, test_later_wins);
        tcase_add_test(tcase, test_masking);
        tcase_add_test(tcase, test_unreadable);
        tcase_add_test(tcase, test_too_large);
        tcase_add_test(tcase, test_own_files);
        tcase_add_test(tcase, test_installed_defaults);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
