/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/verb.h"

#include <string.h>

ClientExit verb_check_config(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *problems = NULL;

        int r = n > 0 ? policy_load_files(arguments, &policy, &problems)
                      : policy_load(context->root, context->config, &policy, &problems);
        if (r < 0 && problems) {
                fprintf(stderr, "%s\n", problems);
                return CLIENT_EXIT_ERROR;
        }
        if (r < 0)
                return client_error("the policy cannot be read: %s", strerror(-r));

        char *const *files = policy_files(policy);
        if (!*files)
                puts("no policy file: the built-in defaults hold");
        for (; *files; files++)
                printf("%s: fine\n", *files);
        return CLIENT_EXIT_FINE;
}
