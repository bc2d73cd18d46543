/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A pager between this program and the terminal, as systemd's tools have it: what $VFIO_REALIGN_PAGER or $PAGER says, else
 * less, else more. An empty word or "cat" means none.
 */

#include "base/util.h"

typedef struct Pager {
        pid_t pid;         /* 0: there is none */
        int output, error; /* where standard output and error went before; -1: not redirected */
} Pager;

/* Starts it and leads standard output to it (and standard error, if that is a terminal). Without one nothing changes. */
void pager_open(Pager *pager) _nonnull_(1);

/* Gives both back and waits until the reader has left. */
void pager_close(Pager *pager) _nonnull_(1);
