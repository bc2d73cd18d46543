/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a policy file may say, key by key and line by line, and that random files are read right or not at all. */

#include "model/policy-reader.h"

#include "base/page.h"
#include "base/text.h"
#include "suite.h"

#include <ctype.h>

#define FILE_NAME "x.conf"

static PolicySections sections;
static PolicyProblems problems;

static void clear(void)
{
        policy_sections_clear(&sections);
        free(problems.text);
        problems = (PolicyProblems){ 0 };
}

static void read_sized(const char *text, size_t size)
{
        clear();
        /* exactly as many bytes as there are, so that the sanitizer sees a read beyond */
        _cleanup_free_ char *copy = malloc(size ? size : 1);
        memcpy(copy, text, size);
        policy_read_text(FILE_NAME, copy, size, &sections, &problems);
}

static void check_fine(const char *text)
{
        read_sized(text, strlen(text));
        ck_assert_msg(!problems.text, "%s", problems.text);
        ck_assert_int_eq(problems.error, 0);
}

/* The one problem of TEXT begins like this; EXPECTED stands in it. */
static void check_problem(const char *text, const char *begin, const char *expected)
{
        read_sized(text, strlen(text));
        ck_assert_int_eq(problems.error, -EBADMSG);
        ck_assert_ptr_nonnull(problems.text);
        ck_assert_msg(text_starts_with(problems.text, begin), "%s", problems.text);
        ck_assert_msg(strstr(problems.text, expected) != NULL, "%s", problems.text);
        ck_assert_msg(strchr(problems.text, '\n') == NULL, "more than one: %s", problems.text);
}

typedef struct ValueCase {
        const char *key;
        const char *values[6]; /* up to NULL */
        uint64_t numbers[6];
        const char *wrong[8]; /* up to NULL */
} ValueCase;

#define MEBIBYTE (UINT64_C(1) << 20)

static const ValueCase value_cases[] = {
        { "realign",
          { "auto", "report", "never" },
          { POLICY_REALIGN_AUTO, POLICY_REALIGN_REPORT, POLICY_REALIGN_NEVER },
          { "", "Auto", "yes", "auto x" } },
        { "scope",
          { "bus", "function", "smallest" },
          { POLICY_SCOPE_BUS, POLICY_SCOPE_FUNCTION, POLICY_SCOPE_SMALLEST },
          { "", "buss", "slot" } },
        { "alignment",
          { "page", "64K", "1M", "65536", "1G" },
          { 0, UINT64_C(1) << 16, MEBIBYTE, UINT64_C(1) << 16, UINT64_C(1) << 30 },
          { "", "0", "3K", "1", "512", "96K", "2G", "64 K" } },
        { "max-move",
          { "0", "256M", "1G", "17" },
          { 0, 256 * MEBIBYTE, 1024 * MEBIBYTE, 17 },
          { "", "-1", "256MB", "lots", "1.5G", "99999999999999999999" } },
        { "settle-delay",
          { "0", "3s", "500ms", "1min", "7" },
          { 0, 3000000, 500000, 60000000, 7000000 },
          { "", "-3s", "3 s", "3h", "61min", "s" } },
        { "step-timeout",
          { "100ms", "10s", "60min" },
          { 100000, 10000000, UINT64_C(3600000000) },
          { "", "0", "99ms", "61min", "never" } },
        { "attempts",
          { "1", "3", "100" },
          { 1, 3, 100 },
          { "", "0", "101", "-1", "1s", "0x2", "4294967297" } },
        { "keep-entry", { "yes", "no" }, { true, false }, { "", "true", "1", "No" } },
        { "msix-table-bar", { "realign", "skip" }, { POLICY_MSIX_REALIGN, POLICY_MSIX_SKIP }, { "", "no" } },
        { "on-failure",
          { "start", "refuse" },
          { POLICY_ON_FAILURE_START, POLICY_ON_FAILURE_REFUSE },
          { "", "stop" } },
        { "after-reattach",
          { "keep", "restore" },
          { POLICY_AFTER_REATTACH_KEEP, POLICY_AFTER_REATTACH_RESTORE },
          { "", "yes" } },
};

static uint64_t number_of(PolicyKeyId key, const PolicySettings *s)
{
        switch (key) {
        case POLICY_KEY_REALIGN:
                return s->realign;
        case POLICY_KEY_SCOPE:
                return s->scope;
        case POLICY_KEY_ALIGNMENT:
                return s->alignment;
        case POLICY_KEY_MAX_MOVE:
                return s->max_move;
        case POLICY_KEY_SETTLE_DELAY:
                return s->settle_delay_usec;
        case POLICY_KEY_STEP_TIMEOUT:
                return s->step_timeout_usec;
        case POLICY_KEY_ATTEMPTS:
                return s->attempts;
        case POLICY_KEY_KEEP_ENTRY:
                return s->keep_entry;
        case POLICY_KEY_MSIX_TABLE_BAR:
                return s->msix_table_bar;
        case POLICY_KEY_ON_FAILURE:
                return s->on_failure;
        case POLICY_KEY_AFTER_REATTACH:
                return s->after_reattach;
        case POLICY_KEY_COUNT_:
        default:
                ck_abort_msg("no such key");
        }
}

START_TEST(test_values)
{
        ck_assert_uint_eq(ELEMENTSOF(value_cases), POLICY_KEY_COUNT_);
        for (size_t i = 0; i < ELEMENTSOF(value_cases); i++) {
                const ValueCase *c = &value_cases[i];
                PolicyKeyId key;
                ck_assert_int_eq(policy_key_find(c->key, &key), 0);
                for (size_t v = 0; v < ELEMENTSOF(c->values) && c->values[v]; v++) {
                        _cleanup_free_ char *text =
                                        text_format("[default]\n%s = %s\n", c->key, c->values[v]);
                        check_fine(text);
                        ck_assert_uint_eq(sections.n, 1);
                        ck_assert_str_eq(sections.items[0]->sources[key], FILE_NAME ":2");
                        ck_assert_uint_eq(number_of(key, &sections.items[0]->settings), c->numbers[v]);
                }
                for (size_t v = 0; v < ELEMENTSOF(c->wrong) && c->wrong[v]; v++) {
                        _cleanup_free_ char *text = text_format("[default]\n%s = %s\n", c->key, c->wrong[v]);
                        _cleanup_free_ char *begin = text_format(FILE_NAME ":2: %s = \"%s\", expected ",
                                                                 c->key, c->wrong[v]);
                        check_problem(text, begin, policy_key_expected(key));
                }
        }
        clear();
}
END_TEST

START_TEST(test_alignment_from_page)
{
        char size[TEXT_BYTES_MAX];
        PolicySettings settings;
        ck_assert_int_eq(policy_key_parse(POLICY_KEY_ALIGNMENT, text_from_bytes(page_size(), size),
                                          &settings),
                         0);
        ck_assert_uint_eq(settings.alignment, page_size());
        ck_assert_int_eq(policy_key_parse(POLICY_KEY_ALIGNMENT, text_from_bytes(page_size() / 2, size),
                                          &settings),
                         -EINVAL);
}
END_TEST

START_TEST(test_headers)
{
        static const char *const right[] = {
                "[default]",
                "[default]  ; comment",
                "[default] # comment",
                "[default]\r",
                "[function 0000:03:00.0]",
                "[function 0000:03:00.*]",
                "[function *]",
                "[function *:??:0?.[7]" /* up to the first ']': a wrong one, see below */,
                "[function 10000:01:00.0]",
                "[function\t  *.7]",
                "[id 10ec:8139]",
                "[id 10EC:*]",
                "[id *:*:1af4:1100]",
                "[class 0c03]",
                "[class 0C0330]",
        };
        static const struct {
                const char *line, *what, *expected;
        } wrong[] = {
                { "[defaults]", "section [defaults]", "expected [default]" },
                { "[]", "section []", "expected [default]" },
                { "[ default]", "section [ default]", "expected [default]" },
                { "[default x]", "section [default x]", "without anything else" },
                { "[default]x", "\"x\" behind", "end of the line" },
                { "[default];x", "\";x\" behind", "end of the line" },
                { "[default] x", "\"x\" behind", "end of the line" },
                { "[default", "the section's name has no end", "\"]\"" },
                { "[function]", "section [function]", "DDDD:BB:DD.F" },
                { "[function 03:00.*]", "section [function 03:00.*]", "DDDD:BB:DD.F" },
                { "[function 0000:03:00.8]", "section", "DDDD:BB:DD.F" },
                { "[function 0000:03:20.0]", "section", "DDDD:BB:DD.F" },
                { "[function 0000:0A:00.0]", "section", "lower-case" },
                { "[function 0000:03:00.0 ]", "section", "DDDD:BB:DD.F" },
                { "[function 000000000:03:00.0]", "section", "DDDD:BB:DD.F" },
                { "[function [0-9]*]", "\"*]\" behind", "end of the line" },
                { "[id 10ec]", "section [id 10ec]", "VENDOR:DEVICE" },
                { "[id 10ec:813]", "section", "VENDOR:DEVICE" },
                { "[id 10ec:81399]", "section", "VENDOR:DEVICE" },
                { "[id 10ec:8139:1af4]", "section", "VENDOR:DEVICE" },
                { "[id 10ec:8139:]", "section", "VENDOR:DEVICE" },
                { "[id 10ec:8139:1:2]", "section", "VENDOR:DEVICE" },
                { "[id 10ec:8139:1af4:1100:0]", "section", "VENDOR:DEVICE" },
                { "[id 0x10:8139]", "section", "VENDOR:DEVICE" },
                { "[id ]", "section", "VENDOR:DEVICE" },
                { "[class 0c]", "section [class 0c]", "four or six" },
                { "[class 0c033]", "section", "four or six" },
                { "[class 0x0c]", "section", "four or six" },
                { "[class 0c03300]", "section", "four or six" },
                { "[class]", "section", "four or six" },
        };
        for (size_t i = 0; i < ELEMENTSOF(right); i++) {
                if (strchr(right[i] + 1, '['))
                        check_problem(right[i], FILE_NAME ":1: section", "DDDD:BB:DD.F");
                else
                        check_fine(right[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_free_ char *begin = text_format(FILE_NAME ":1: %s", wrong[i].what);
                check_problem(wrong[i].line, begin, wrong[i].expected);
        }
        clear();
}
END_TEST

START_TEST(test_lines)
{
        char line[400];

        check_fine("");
        check_fine("\n\n; comment\n# comment\n  ; indented comment\n\t\n");
        check_fine("\xEF\xBB\xBF[default]\nscope = bus");
        check_fine("[default]\r\nscope = bus\r\n");
        check_fine("[default]\nscope=bus ; why\nrealign: never");
        ck_assert_int_eq(sections.items[0]->settings.realign, POLICY_REALIGN_NEVER);

        check_problem("[default]\nscope\n", FILE_NAME ":2: ", "KEY = VALUE");
        check_problem("[default]\nscope", FILE_NAME ":2: ", "KEY = VALUE");
        check_problem("[default]\nscope ; = bus", FILE_NAME ":2: ", "KEY = VALUE");
        check_problem("[default]\n= bus", FILE_NAME ":2: key \"\"", "realign, scope");
        check_problem("[default]\nScope = bus", FILE_NAME ":2: key \"Scope\"", "realign, scope");
        check_problem("[default]\nscope = bus\n auto = x", FILE_NAME ":3: the line is indented",
                      "first column");
        check_problem("[default]\n\tscope = bus", FILE_NAME ":2: the line is indented", "first column");
        check_problem(" [default]", FILE_NAME ":1: the line is indented", "first column");
        check_problem("scope = bus", FILE_NAME ":1: key \"scope\" before any section", "[default]");
        check_problem("[default]\nscope = bus\nscope = bus", FILE_NAME ":3: key \"scope\" a second time",
                      "line 2");
        check_problem("[default]\nscope = bus # no comment", FILE_NAME ":2: scope = \"bus # no comment\"",
                      "smallest");
        check_problem("[default]\nscope = \033[2Jbus", FILE_NAME ":2: scope = \"?[2Jbus\"", "smallest");

        read_sized("[default]\nsco\0pe = bus\n", strlen("[default]\nsco") + 1 + strlen("pe = bus\n"));
        ck_assert_str_eq(problems.text, FILE_NAME ":2: the line holds a NUL byte, expected text");

        /* as long as inih can take, and one more */
        memset(line, 'x', sizeof(line));
        line[0] = ';';
        line[198] = '\0';
        check_fine(line);
        memcpy(line + 198, "x", 2);
        check_problem(line, FILE_NAME ":1: the line has 199 bytes", "at most 198");

        snprintf(line, sizeof(line), "[function %s]", "****************************************");
        check_fine(line);
        ck_assert_str_eq(sections.items[0]->glob, "****************************************");
        snprintf(line, sizeof(line), "[function %s]", "*****************************************");
        check_problem(line, FILE_NAME ":1: the section's name has 50 bytes", "at most 49");
        clear();
}
END_TEST

START_TEST(test_all_at_once)
{
        static const char text[] = "scope = bus\n"
                                   "[nope]\n"
                                   "scope = round\n"
                                   "bogus = 1\n"
                                   "[default]\n"
                                   "  attempts = 2\n"
                                   "max-move\n"
                                   "attempts = 0\n"
                                   "; fine\n"
                                   "[class 12]\n";
        static const char *const begins[] = {
                FILE_NAME ":1: key \"scope\" before any section",
                FILE_NAME ":2: section [nope]",
                FILE_NAME ":3: scope = \"round\"",
                FILE_NAME ":4: key \"bogus\"",
                FILE_NAME ":6: the line is indented",
                FILE_NAME ":7: the line has no \"=\"",
                FILE_NAME ":8: attempts = \"0\"",
                FILE_NAME ":10: section [class 12]",
        };
        read_sized(text, strlen(text));
        ck_assert_ptr_nonnull(problems.text);
        const char *line = problems.text;
        for (size_t i = 0; i < ELEMENTSOF(begins); i++) {
                ck_assert_msg(text_starts_with(line, begins[i]), "not \"%s\": %s", begins[i], line);
                const char *newline = strchr(line, '\n');
                ck_assert_int_eq(newline == NULL, i + 1 == ELEMENTSOF(begins));
                line = newline ? newline + 1 : line;
        }
        clear();
}
END_TEST

/* A file of pieces that are right more often than not. */
static size_t random_file(char *buffer, size_t size)
{
        static const char *const pieces[] = {
                "[default]\n",      "[class 0c03]\n",    "[id 10ec:8139]\n",    "[function 0000:0?:00.*]\n",
                "[id *:8139]\n",    "[class 0c0330]\n",  "scope = bus\n",       "scope=function ; x\n",
                "realign:never\n",  "attempts = 3\n",    "attempts = 4\r\n",    "settle-delay = 2s\n",
                "max-move = 1G\n",  "keep-entry = no\n", "# scope = bus\n",     "\n",
                "alignment = 1M\n", "; [nope]\n",        "on-failure=refuse\n", "step-timeout =1min\n",
        };
        static const char junk[] = "[]=:;# \t\r\n\v*?0f.\\\"'%";
        size_t n = 0;
        size_t n_pieces = (size_t) rand() % 10;
        for (size_t i = 0; i < n_pieces; i++) {
                const char *piece = pieces[(size_t) rand() % ELEMENTSOF(pieces)];
                n += (size_t) snprintf(buffer + n, size - n, "%s", piece);
        }
        size_t n_changes = rand() % 2 ? 0 : (size_t) rand() % 3;
        for (size_t i = 0; i < n_changes && n > 0; i++) {
                size_t at = (size_t) rand() % n;
                if (rand() % 2)
                        buffer[at] = junk[(size_t) rand() % (sizeof(junk) - 1)];
                else if (rand() % 2)
                        buffer[at] = (char) rand();
                else if (rand() % 2)
                        memmove(buffer + at, buffer + at + 1, --n - at);
                else
                        n = at;
        }
        return n;
}

static void strip(char *text)
{
        size_t length = strlen(text);
        while (length > 0 && isspace((unsigned char) text[length - 1]))
                text[--length] = '\0';
        size_t blanks = 0;
        while (isspace((unsigned char) text[blanks]))
                blanks++;
        memmove(text, text + blanks, length - blanks + 1);
}

/* An independent reading of an accepted file: what line LINE sets. False: nothing. */
static bool line_setting(const char *text, size_t size, unsigned line, char *key, char *value)
{
        char copy[256] = { 0 };
        const char *at = text, *end = text + size;
        for (unsigned i = 1; i < line; i++)
                at = (const char *) memchr(at, '\n', (size_t) (end - at)) + 1;
        const char *newline = memchr(at, '\n', (size_t) (end - at));
        memcpy(copy, at, (size_t) ((newline ? newline : end) - at));
        for (char *c = copy; *c != '\0'; c++)
                if (*c == ';' && (c == copy || isspace((unsigned char) c[-1])))
                        *c = '\0';
        size_t separator = strcspn(copy, "=:");
        if (copy[separator] == '\0' || copy[0] == '#' || copy[0] == '[')
                return false;
        strcpy(value, copy + separator + 1);
        copy[separator] = '\0';
        strcpy(key, copy);
        strip(key);
        strip(value);
        return true;
}

static unsigned count_settings(const char *text, size_t size)
{
        unsigned n = 0, n_lines = 1;
        char key[256], value[256];
        for (size_t i = 0; i < size; i++)
                n_lines += text[i] == '\n' && i + 1 < size;
        for (unsigned line = 1; size > 0 && line <= n_lines; line++)
                n += line_setting(text, size, line, key, value);
        return n;
}

/* Whatever is accepted says what its lines say, each setting at the line that the section names, and none more. */
static void check_accepted(const char *text, size_t size)
{
        unsigned n_set = 0;
        for (size_t i = 0; i < sections.n; i++)
                for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_; key++) {
                        const PolicySection *section = sections.items[i];
                        char name[256], value[256];
                        PolicySettings settings = { 0 };
                        if (!section->sources[key])
                                continue;
                        n_set++;
                        ck_assert(line_setting(text, size, section->lines[key], name, value));
                        ck_assert_str_eq(name, policy_key_name(key));
                        ck_assert_int_eq(policy_key_parse(key, value, &settings), 0);
                        ck_assert_uint_eq(number_of(key, &settings), number_of(key, &section->settings));
                }
        ck_assert_uint_eq(n_set, count_settings(text, size));
}

START_TEST(test_random)
{
        unsigned n_accepted = 0, n_refused = 0;
        srand(2);
        for (unsigned round = 0; round < 30000; round++) {
                char text[1024];
                size_t size = random_file(text, sizeof(text));
                read_sized(text, size);
                if (problems.text) {
                        n_refused++;
                        ck_assert_int_eq(problems.error, -EBADMSG);
                        ck_assert(text_starts_with(problems.text, FILE_NAME ":"));
                        continue;
                }
                n_accepted++;
                check_accepted(text, size);
        }
        ck_assert_uint_gt(n_accepted, 2000);
        ck_assert_uint_gt(n_refused, 2000);
        clear();
}
END_TEST

START_TEST(test_noise)
{
        srand(3);
        for (unsigned round = 0; round < 20000; round++) {
                char text[512];
                size_t size = (size_t) rand() % sizeof(text);
                for (size_t i = 0; i < size; i++)
                        text[i] = (char) (rand() % 3 ? "[]=:;#\n \tdefault"[rand() % 16] : rand());
                read_sized(text, size);
        }
        clear();
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("policy-reader");
        TCase *tcase = tcase_create("all");
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, test_values);
        tcase_add_test(tcase, test_alignment_from_page);
        tcase_add_test(tcase, test_headers);
        tcase_add_test(tcase, test_lines);
        tcase_add_test(tcase, test_all_at_once);
        tcase_add_test(tcase, test_random);
        tcase_add_test(tcase, test_noise);
        suite_add_tcase(suite, tcase);
        return suite_run(suite);
}
