/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One look at the whole machine: the snapshot, what owns addresses beside PCI, and the verdicts that follow. */

#include "judge/verdict.h"
#include "model/grown.h"

typedef struct Survey {
        Topology *topology;
        char **bus_keys; /* parallel to the functions; those of a bus have one in common */
        Iomem *iomem;    /* NULL: it could not be read */
        Verdicts *verdicts;
        Grown *grown; /* what workers have let grow */
} Survey;

/*
 * Reads only what cannot block. Negative errno as topology_read(), with *RET_PROBLEM naming what could not be read (the
 * caller frees it; NULL when there is no memory for it).
 */
int survey_read(const Root *root, Survey **ret, char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3);
Survey *survey_free(Survey *survey);

/* The key of the bus of FUNCTION, one of the topology's, or NULL. */
const char *survey_bus_key(const Survey *survey, const PciFunction *function) _nonnull_(1, 2);
DEFINE_CLEANUP(Survey *, survey_free);
