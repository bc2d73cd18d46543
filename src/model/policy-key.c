/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/policy-key.h"

#include "base/page.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

typedef enum Kind {
        KIND_REALIGN,
        KIND_SCOPE,
        KIND_MSIX,
        KIND_ON_FAILURE,
        KIND_AFTER_REATTACH,
        KIND_YES_NO,
        KIND_WORDS_ = KIND_YES_NO, /* the kinds up to here are one of a list of words */
        KIND_NUMBER,
        KIND_BYTES,
        KIND_ALIGNMENT,
        KIND_TIME,
} Kind;

typedef struct Key {
        const char *name;
        size_t offset; /* of the field */
        size_t size;
        Kind kind;
        uint64_t least, most;
        const char *builtin;
        const char *expected;
} Key;

#define FIELD_SIZE(field) sizeof(((PolicySettings *) NULL)->field)

static const Key keys[] = {
#define POLICY_KEY(id, name, field, kind, least, most, builtin, expected)                                   \
        [POLICY_KEY_##id] = {                                                                               \
                name,    offsetof(PolicySettings, field), FIELD_SIZE(field), kind, least, most, builtin,    \
                expected                                                                                    \
        },
#include "model/policy-key.def"
#undef POLICY_KEY
};

#define WORDS_MOST 4

/* The words of each kind, in the order of its enum. */
static const char *const words[KIND_WORDS_ + 1][WORDS_MOST] = {
        [KIND_REALIGN] = { [POLICY_REALIGN_AUTO] = "auto",
                           [POLICY_REALIGN_REPORT] = "report",
                           [POLICY_REALIGN_NEVER] = "never" },
        [KIND_SCOPE] = { [POLICY_SCOPE_BUS] = "bus",
                         [POLICY_SCOPE_FUNCTION] = "function",
                         [POLICY_SCOPE_SMALLEST] = "smallest" },
        [KIND_MSIX] = { [POLICY_MSIX_REALIGN] = "realign", [POLICY_MSIX_SKIP] = "skip" },
        [KIND_ON_FAILURE] = { [POLICY_ON_FAILURE_START] = "start", [POLICY_ON_FAILURE_REFUSE] = "refuse" },
        [KIND_AFTER_REATTACH] = { [POLICY_AFTER_REATTACH_KEEP] = "keep",
                                  [POLICY_AFTER_REATTACH_RESTORE] = "restore" },
        [KIND_YES_NO] = { [false] = "no", [true] = "yes" },
};

int policy_key_find(const char *name, PolicyKeyId *ret)
{
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strcmp(keys[i].name, name) == 0) {
                        *ret = (PolicyKeyId) i;
                        return 0;
                }
        return -EINVAL;
}

const char *policy_key_name(PolicyKeyId key)
{
        return keys[key].name;
}

const char *policy_key_builtin(PolicyKeyId key)
{
        return keys[key].builtin;
}

const char *policy_key_expected(PolicyKeyId key)
{
        return keys[key].expected;
}

static int parse_word(Kind kind, const char *value, uint64_t *ret)
{
        for (size_t i = 0; i < WORDS_MOST && words[kind][i]; i++)
                if (strcmp(words[kind][i], value) == 0) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

static int parse_alignment(const char *value, uint64_t *ret)
{
        uint64_t bytes = 0; /* stands for the page */
        if (strcmp(value, "page") != 0) {
                int r = text_to_bytes(value, &bytes);
                if (r < 0)
                        return r;
                if (!page_size_valid(bytes) || bytes < page_size())
                        return -EINVAL;
        }
        *ret = bytes;
        return 0;
}

static int parse_value(Kind kind, const char *value, uint64_t *ret)
{
        switch (kind) {
        case KIND_NUMBER:
                return text_to_u64(value, 10, UINT32_MAX, ret);
        case KIND_BYTES:
                return text_to_bytes(value, ret);
        case KIND_ALIGNMENT:
                return parse_alignment(value, ret);
        case KIND_TIME:
                return text_to_usec(value, ret);
        case KIND_REALIGN:
        case KIND_SCOPE:
        case KIND_MSIX:
        case KIND_ON_FAILURE:
        case KIND_AFTER_REATTACH:
        case KIND_YES_NO:
        default:
                return parse_word(kind, value, ret);
        }
}

static void set_field(const Key *key, uint64_t value, PolicySettings *settings)
{
        void *field = (char *) settings + key->offset;
        bool flag = value != 0;
        uint32_t small = (uint32_t) value;

        _Static_assert(sizeof(PolicyRealign) == sizeof(uint32_t) && sizeof(unsigned) == sizeof(uint32_t),
                       "the words' enums and the numbers have four bytes");
        if (key->size == sizeof(flag))
                memcpy(field, &flag, sizeof(flag));
        else if (key->size == sizeof(small))
                memcpy(field, &small, sizeof(small));
        else
                memcpy(field, &value, sizeof(value));
}

int policy_key_parse(PolicyKeyId key, const char *value, PolicySettings *settings)
{
        uint64_t number;
        const Key *k = &keys[key];
        if (parse_value(k->kind, value, &number) < 0)
                return -EINVAL;
        if (k->kind > KIND_WORDS_ && (number < k->least || number > k->most))
                return -EINVAL;
        set_field(k, number, settings);
        return 0;
}

static uint64_t get_field(const Key *key, const PolicySettings *settings)
{
        const void *field = (const char *) settings + key->offset;
        uint64_t value = 0;
        bool flag;
        uint32_t small;

        if (key->size == sizeof(flag))
                value = *(const bool *) field;
        else if (key->size == sizeof(small)) {
                memcpy(&small, field, sizeof(small));
                value = small;
        } else
                memcpy(&value, field, sizeof(value));
        return value;
}

char *policy_key_format(PolicyKeyId key, const PolicySettings *settings)
{
        char buffer[TEXT_BYTES_MAX];
        uint64_t value = get_field(&keys[key], settings);

        switch (keys[key].kind) {
        case KIND_NUMBER:
                return text_format("%llu", (unsigned long long) value);
        case KIND_BYTES:
                return strdup(text_from_bytes(value, buffer));
        case KIND_ALIGNMENT:
                return strdup(value == 0 ? "page" : text_from_bytes(value, buffer));
        case KIND_TIME:
                return strdup(text_from_usec(value, buffer));
        case KIND_REALIGN:
        case KIND_SCOPE:
        case KIND_MSIX:
        case KIND_ON_FAILURE:
        case KIND_AFTER_REATTACH:
        case KIND_YES_NO:
        default:
                return strdup(words[keys[key].kind][value]);
        }
}

void policy_key_copy(PolicyKeyId key, PolicySettings *to, const PolicySettings *from)
{
        memcpy((char *) to + keys[key].offset, (const char *) from + keys[key].offset, keys[key].size);
}

const char *policy_realign_name(PolicyRealign value)
{
        return words[KIND_REALIGN][value];
}

const char *policy_scope_name(PolicyScope value)
{
        return words[KIND_SCOPE][value];
}

bool policy_settings_equal(const PolicySettings *a, const PolicySettings *b)
{
        return true
#define POLICY_KEY(id, name, field, kind, least, most, builtin, expected) &&a->field == b->field
#include "model/policy-key.def"
#undef POLICY_KEY
                        ;
}
