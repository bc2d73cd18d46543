/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/growth.h"

#include "act/outcome.h"

#include <errno.h>

int growth_record(const Root *root, const Plan *plan)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        _cleanup_free_ char *problem = NULL;

        int r = root_make_directory(root, RUN_DIRECTORY, 0755);
        if (r == 0)
                r = grown_load(root, &grown, &problem);
        for (size_t i = 0; i < plan->n_functions && r == 0; i++) {
                const PlanFunction *function = &plan->functions[i];
                GrownKey key = { function->path, function->vendor, function->device, function->subvendor,
                                 function->subdevice };
                if (function->alignment != 0)
                        r = grown_note(grown, key, &function->own);
        }
        return r == 0 ? grown_save(grown, root) : r;
}

int growth_tidy(const Root *root, const Topology *topology)
{
        _cleanup_(grown_freep) Grown *grown = NULL;
        _cleanup_free_ char *problem = NULL;

        int r = grown_load(root, &grown, &problem);
        if (r < 0 || !grown_prune(grown, topology))
                return r;
        return grown_save(grown, root);
}
