/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The mounted file system: libfuse's operations on the tree of files, with faults struck where they are due. */

#include "machine.h"

/* Mounts at DIRECTORY and serves in threads of its own. -errno. */
int serve_start(Machine *machine, const char *directory);
/* Unmounts. */
void serve_stop(void);
/* Waits until somebody unmounts. */
void serve_wait(void);
