/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A section of the policy: which functions it is for, and the keys that it sets. */

#include "model/policy-key.h"

/* From the least specific to the most. */
typedef enum PolicySectionKind {
        POLICY_SECTION_DEFAULT,
        POLICY_SECTION_CLASS,
        POLICY_SECTION_ID,
        POLICY_SECTION_FUNCTION,
} PolicySectionKind;

#define POLICY_SECTION_EXPECTED                                                                             \
        "[default], [function GLOB], [id VENDOR:DEVICE], [id VENDOR:DEVICE:SUBVENDOR:SUBDEVICE] or [class CCSS]"

#define POLICY_ID_ANY (-1)

typedef struct PolicySection {
        PolicySectionKind kind;
        char *header;     /* as it stands in the file, with its brackets */
        char *glob;       /* of POLICY_SECTION_FUNCTION */
        int32_t ids[4];   /* of POLICY_SECTION_ID: vendor, device, subvendor, subdevice, or POLICY_ID_ANY */
        uint32_t class;   /* of POLICY_SECTION_CLASS */
        unsigned ignored; /* how many low bits of a function's class it does not look at */
        PolicySettings settings;
        char *sources[POLICY_KEY_COUNT_];  /* "FILE:LINE" for a key that it sets, else NULL */
        unsigned lines[POLICY_KEY_COUNT_]; /* the LINE of it */
} PolicySection;

/*
 * A section without keys from the text between '[' and ']'. -EINVAL: it is none; *RET_EXPECTED then says what was
 * expected (static). -ENOMEM.
 */
int policy_section_new(const char *header, PolicySection **ret,
                       const char **ret_expected) _warn_unused_result_ _nonnull_(1, 2, 3);
PolicySection *policy_section_free(PolicySection *section);
DEFINE_CLEANUP(PolicySection *, policy_section_free);

/* FUNCTION may be NULL: only [default] is for that. */
bool policy_section_matches(const PolicySection *section, const PciFunction *function) _nonnull_(1);
