/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy-section.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#define BLANKS " \t"

/* What may stand in each place of an address: h a hexadecimal digit, d one of a device's first, f one of a function. */
static const char *const address_shapes[] = {
        "hhhh:hh:dh.f", "hhhhh:hh:dh.f", "hhhhhh:hh:dh.f", "hhhhhhh:hh:dh.f", "hhhhhhhh:hh:dh.f",
};
#define SHAPE_MOST 16

static bool shape_has(char place, char c)
{
        switch (place) {
        case 'h':
                return isdigit((unsigned char) c) || (c >= 'a' && c <= 'f');
        case 'd':
                return c == '0' || c == '1';
        case 'f':
                return c >= '0' && c <= '7';
        default:
                return c == place;
        }
}

/* Whether there is an address of this shape that GLOB matches. Walks all ways of matching at the same time. */
static bool glob_can_match(const char *glob, const char *shape)
{
        bool at[SHAPE_MOST + 1] = { true }; /* at[i]: the glob up to here can match the first i places */
        size_t length = strlen(shape);

        for (; *glob != '\0'; glob++) {
                bool next[SHAPE_MOST + 1] = { false };
                for (size_t i = 0; i <= length; i++) {
                        if (*glob == '*')
                                next[i] = at[i] || (i > 0 && next[i - 1]);
                        else if (i > 0)
                                next[i] = at[i - 1] && (*glob == '?' || shape_has(shape[i - 1], *glob));
                }
                memcpy(at, next, sizeof(at));
        }
        return at[length];
}

static int parse_glob(PolicySection *section, const char *argument)
{
        bool possible = false;
        for (size_t i = 0; i < ELEMENTSOF(address_shapes); i++)
                possible = possible || glob_can_match(argument, address_shapes[i]);
        if (!possible)
                return -EINVAL;
        section->glob = strdup(argument);
        return section->glob ? 0 : -ENOMEM;
}

/* "10ec" or "*" at *AT, which is moved behind it. */
static int parse_id(const char **at, int32_t *ret)
{
        if (**at == '*') {
                *ret = POLICY_ID_ANY;
                *at += 1;
                return 0;
        }
        char digits[5] = { 0 };
        uint64_t id;
        strncpy(digits, *at, sizeof(digits) - 1);
        if (strspn(digits, "0123456789abcdefABCDEF") != sizeof(digits) - 1 ||
            text_to_u64(digits, 16, UINT16_MAX, &id) < 0)
                return -EINVAL;
        *ret = (int32_t) id;
        *at += strlen(digits);
        return 0;
}

static int parse_ids(PolicySection *section, const char *argument)
{
        size_t n = 0;
        for (; n < ELEMENTSOF(section->ids); n++) {
                int r = parse_id(&argument, &section->ids[n]);
                if (r < 0)
                        return r;
                if (*argument == '\0')
                        break;
                if (*argument++ != ':')
                        return -EINVAL;
        }
        if (n == 1) {
                section->ids[2] = section->ids[3] = POLICY_ID_ANY;
                return 0;
        }
        return n == 3 ? 0 : -EINVAL;
}

static int parse_class(PolicySection *section, const char *argument)
{
        uint64_t class;
        size_t digits = strlen(argument);
        if ((digits != 4 && digits != 6) || strspn(argument, "0123456789abcdefABCDEF") != digits)
                return -EINVAL;
        int r = text_to_u64(argument, 16, UINT32_MAX, &class);
        if (r < 0)
                return r;
        section->class = (uint32_t) class;
        section->ignored = digits == 4 ? 8 : 0;
        return 0;
}

static int parse_nothing(PolicySection *section, const char *argument)
{
        return *argument == '\0' ? 0 : -EINVAL;
}

static const struct {
        const char *word;
        int (*parse)(PolicySection *section, const char *argument);
        const char *expected;
} kinds[] = {
        [POLICY_SECTION_DEFAULT] = { "default", parse_nothing, "[default] without anything else" },
        [POLICY_SECTION_CLASS] = { "class", parse_class,
                                   "four or six hexadecimal digits of the class, such as [class 0c03]" },
        [POLICY_SECTION_ID] = { "id", parse_ids,
                                "VENDOR:DEVICE or VENDOR:DEVICE:SUBVENDOR:SUBDEVICE, each of four hexadecimal "
                                "digits or *, such as [id 10ec:8139]" },
        [POLICY_SECTION_FUNCTION] = { "function", parse_glob,
                                      "a pattern that can match an address DDDD:BB:DD.F (lower-case digits, * and "
                                      "?), such as [function 0000:03:00.*]" },
};

int policy_section_new(const char *header, PolicySection **ret, const char **ret_expected)
{
        size_t word = strcspn(header, BLANKS);
        const char *argument = header + word + strspn(header + word, BLANKS);
        _cleanup_(policy_section_freep) PolicySection *section = calloc(1, sizeof(*section));
        if (!section)
                return -ENOMEM;
        section->header = text_format("[%s]", header);
        if (!section->header)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (strlen(kinds[i].word) != word || memcmp(kinds[i].word, header, word) != 0)
                        continue;
                section->kind = (PolicySectionKind) i;
                int r = kinds[i].parse(section, argument);
                if (r < 0) {
                        *ret_expected = kinds[i].expected;
                        return r == -ENOMEM ? r : -EINVAL;
                }
                *ret = TAKE_PTR(section);
                return 0;
        }
        *ret_expected = POLICY_SECTION_EXPECTED;
        return -EINVAL;
}

PolicySection *policy_section_free(PolicySection *section)
{
        if (!section)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(section->sources); i++)
                free(section->sources[i]);
        free(section->header);
        free(section->glob);
        free(section);
        return NULL;
}

static bool ids_match(const PolicySection *section, const PciFunction *function)
{
        const uint16_t ids[] = { function->vendor, function->device, function->subvendor,
                                 function->subdevice };
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                if (section->ids[i] != POLICY_ID_ANY && section->ids[i] != ids[i])
                        return false;
        return true;
}

bool policy_section_matches(const PolicySection *section, const PciFunction *function)
{
        if (!function)
                return section->kind == POLICY_SECTION_DEFAULT;
        switch (section->kind) {
        case POLICY_SECTION_CLASS:
                return function->class >> section->ignored == section->class;
        case POLICY_SECTION_ID:
                return ids_match(section, function);
        case POLICY_SECTION_FUNCTION:
                return fnmatch(section->glob, PCI_ADDRESS_TEXT(function->address), 0) == 0;
        case POLICY_SECTION_DEFAULT:
        default:
                return true;
        }
}
