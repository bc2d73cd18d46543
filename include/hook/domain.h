/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What libvirt's XML of a domain says of PCI functions of the host that the guest gets. */

#include "base/pci-address.h"

#define DOMAIN_SIZE_MAX (16u << 20) /* bytes; libvirt's own limit for what comes from a client is 4 MiB */

typedef struct DomainFunction {
        PciAddress address;
        bool managed; /* libvirt takes it from the host, and gives it back */
} DomainFunction;

typedef struct Domain {
        DomainFunction *functions;
        size_t n_functions;
} Domain;

/*
 * Reads FD to its end, which must come before DEADLINE (usec of CLOCK_MONOTONIC). -EBADMSG, -ETIMEDOUT or another negative
 * errno with what is wrong in *RET_PROBLEM (the caller frees it; NULL without memory): nothing is known of the domain then.
 */
int domain_read(int fd, uint64_t deadline, Domain *ret, char **ret_problem) _warn_unused_result_
                _nonnull_(3, 4);
void domain_clear(Domain *domain) _nonnull_(1);
