/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/client.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

ClientExit client_exit_worse(ClientExit a, ClientExit b)
{
        static const unsigned badness[] = {
                [CLIENT_EXIT_FINE] = 0,  [CLIENT_EXIT_NEEDS_REALIGN] = 1, [CLIENT_EXIT_CANNOT] = 2,
                [CLIENT_EXIT_USAGE] = 3, [CLIENT_EXIT_ERROR] = 4,
        };
        return badness[a] >= badness[b] ? a : b;
}

ClientExit client_error(const char *format, ...)
{
        va_list args;

        fflush(stdout);
        fputs("vfio-realign: ", stderr);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
        return CLIENT_EXIT_ERROR;
}

ClientExit client_load_policy(const ClientContext *context, Policy **ret)
{
        _cleanup_free_ char *problems = NULL;
        int r = policy_load(context->root, context->config, ret, &problems);
        if (r >= 0)
                return CLIENT_EXIT_FINE;
        if (!problems)
                return client_error("the policy cannot be read: %s", strerror(-r));
        return client_error("the policy has errors:\n%s", problems);
}

ClientExit client_read_topology(const ClientContext *context, Topology **ret)
{
        _cleanup_free_ char *problem = NULL;
        int r = topology_read(context->root, ret, &problem);
        if (r >= 0)
                return CLIENT_EXIT_FINE;
        if (problem)
                return client_error("%s", problem);
        return client_error("the PCI functions cannot be read: %s", strerror(-r));
}
