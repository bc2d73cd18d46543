/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/outcome.h"

#include <errno.h>
#include <string.h>

static const struct {
        const char *name;
        int exit_status;
} outcomes[] = {
        [OUTCOME_VERIFIED] = { "verified", WORKER_EXIT_VERIFIED },
        [OUTCOME_ROLLED_BACK] = { "rolled-back", WORKER_EXIT_ROLLED_BACK },
        [OUTCOME_STALE] = { "stale", WORKER_EXIT_STALE },
        [OUTCOME_FAILED] = { "failed", WORKER_EXIT_FAILED },
        [OUTCOME_REFUSED] = { "refused", WORKER_EXIT_REFUSED },
};

const char *outcome_name(Outcome outcome)
{
        return outcomes[outcome].name;
}

int outcome_parse(const char *name, Outcome *ret)
{
        for (size_t i = 0; i < ELEMENTSOF(outcomes); i++)
                if (strcmp(outcomes[i].name, name) == 0) {
                        *ret = (Outcome) i;
                        return 0;
                }
        return -EINVAL;
}

int outcome_exit_status(Outcome outcome)
{
        return outcomes[outcome].exit_status;
}
