/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The file `control` at the top of the tree: what no kernel has a file for. One line a write: a `user` or `driver` statement
 * of a scenario, "gone NAME" (the user ends), "unload NAME" (the driver leaves all that it has).
 */

#include "tree.h"

extern const FileKind control_kind;
