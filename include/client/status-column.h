/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The columns of `status`. */

#include "client/column.h"
#include "client/daemon-facts.h"
#include "client/machine.h"
#include "client/pci-names.h"

/* What one line of the table is about. */
typedef struct StatusRow {
        const Machine *machine;
        const PciFunction *function;
        const FunctionReport *report;
        OwnSizes before;                /* machine_sizes_before() */
        const PolicySettings *settings; /* NULL: the policy cannot be read */
        const PciNames *names;
        const DaemonFunction *daemon; /* NULL: the daemon is not there, or does not know the function */
} StatusRow;

extern const ColumnList status_columns;

/* The columns of `status -H`; a row is a DaemonFunction. */
extern const ColumnList remote_status_columns;
