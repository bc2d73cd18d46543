/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/survey.h"

#include "base/page.h"
#include "daemon/bus-key.h"

#include <errno.h>

static int read_bus_keys(Survey *survey)
{
        const Topology *topology = survey->topology;
        survey->bus_keys = calloc(topology->n_functions + 1, sizeof(char *));
        if (!survey->bus_keys)
                return -ENOMEM;
        for (size_t i = 0; i < topology->n_functions; i++) {
                const PciFunction *function = &topology->functions[i];
                if (i > 0 && topology_same_bus(function, function - 1))
                        survey->bus_keys[i] = survey->bus_keys[i - 1];
                else if (bus_key_from_path(function->sysfs_path, &survey->bus_keys[i]) == -ENOMEM)
                        return -ENOMEM;
        }
        return 0;
}

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
        r = read_bus_keys(survey);
        if (r < 0)
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
        for (size_t i = 0; survey->bus_keys && i < survey->topology->n_functions; i++)
                if (i == 0 || survey->bus_keys[i] != survey->bus_keys[i - 1])
                        free(survey->bus_keys[i]);
        free(survey->bus_keys);
        verdict_free(survey->verdicts);
        grown_free(survey->grown);
        iomem_free(survey->iomem);
        topology_free(survey->topology);
        free(survey);
        return NULL;
}

const char *survey_bus_key(const Survey *survey, const PciFunction *function)
{
        return survey->bus_keys[function - survey->topology->functions];
}
