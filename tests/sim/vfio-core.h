/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* IOMMU groups, VFIO's files, and the simulated processes that have them open (KF §4, §5). */

#include "machine.h"

/* The function enters or leaves its IOMMU group, when it appears or is removed. */
void group_join(Machine *machine, Function *function);
void group_leave(Machine *machine, Function *function);
/* The group's file /dev/vfio/N is there. */
bool group_has_file(const Machine *machine, int group);

/* A VFIO driver was bound to the function, or leaves it. */
void vfio_begin(Machine *machine, Function *function);
void vfio_end(Machine *machine, Function *function);

/* A host driver has it: neither VFIO's nor a port's. */
bool function_on_host(const Function *function);

/* The user that makes unbinding or removing the function wait; NULL: none. */
const User *function_blocker(const Machine *machine, const Function *function);
/* The user because of whom the function counts as in use (design §4 rule 1); NULL: none. */
const User *function_user(const Machine *machine, const Function *function);

/* Begins the use if that is possible now. */
void user_try(Machine *machine, User *user);
void user_end(Machine *machine, User *user);
Function *user_function(Machine *machine, const User *user);
