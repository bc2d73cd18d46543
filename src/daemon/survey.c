/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/survey.h"

#include "base/page.h"

#include <errno.h>

int survey_read(const Root *root, Survey **ret, char **ret_problem)
{
        _cleanup_(survey_freep) Survey *survey = calloc(1, sizeof(*survey));
        _cleanup_free_ char *problem = NULL;
        if (!survey)
                return -ENOMEM;
        int r = topology_read(root, &survey->topology, ret_problem);
        if (r < 0)
                return r;
        /* Without it neighbours that are no PCI functions are not seen: the verdict is then VFIO's in nearly all
         * cases, and the worker looks for itself. */
        r = iomem_read(root, &survey->iomem);
        if (r == -ENOMEM)
                return r;
        r = verdict_compute(survey->topology, survey->iomem, page_size(), &survey->verdicts);
        if (r < 0)
                return r;
        /* One that cannot be used tells nothing: the worker says what is wrong with it. */
        r = grown_load(root, &survey->grown, &problem);
        if (r < 0)
                r = grown_new(&survey->grown);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(survey);
        return 0;
}

Survey *survey_free(Survey *survey)
{
        if (!survey)
                return NULL;
        verdict_free(survey->verdicts);
        grown_free(survey->grown);
        iomem_free(survey->iomem);
        topology_free(survey->topology);
        free(survey);
        return NULL;
}
