/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One policy file, from its text to its sections. inih takes the lines apart; each line is looked at before inih gets
 * it, because inih passes no line numbers, keeps quiet about sections without keys, cuts long lines and names, and
 * takes an indented key for the rest of the line before.
 */

#include "model/policy-problems.h"
#include "model/policy-section.h"

typedef struct PolicySections {
        PolicySection **items; /* in the order of reading */
        size_t n;
} PolicySections;

/*
 * Adds the sections of TEXT (SIZE bytes, which may be any) to SECTIONS, and all that is wrong in it to PROBLEMS, where
 * FILE is its name.
 */
void policy_read_text(const char *file, const char *text, size_t size, PolicySections *sections,
                      PolicyProblems *problems) _nonnull_(1, 2, 4, 5);

void policy_sections_clear(PolicySections *sections);
