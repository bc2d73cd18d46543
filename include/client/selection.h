/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Some functions of a machine, as a user names them: by address ("0000:03:00.0", "03:00.0", "pci_0000_03_00_0"), by a
 * pattern ("0000:03:00.*"), for some verbs also by bus ("0000:03", "03").
 */

#include "client/client.h"
#include "model/topology.h"

typedef struct Selection {
        const PciFunction **functions;
        size_t n_functions;
} Selection;

void selection_clear(Selection *selection);

/* Each function once. CLIENT_EXIT_FINE or CLIENT_EXIT_ERROR. */
ClientExit selection_add(Selection *selection, const PciFunction *function) _warn_unused_result_
                _nonnull_(1, 2);

/*
 * The functions that NAMES name, in their order. Says on standard error which name is no address (CLIENT_EXIT_USAGE), or
 * no function of the machine, or a pattern without one (CLIENT_EXIT_ERROR); the others are selected all the same.
 */
ClientExit selection_add_named(Selection *selection, const Topology *topology, size_t n,
                               char *const *names) _warn_unused_result_ _nonnull_(1, 2);

/* As selection_add_named(), but a name may also be that of a bus: all functions on it. */
ClientExit selection_add_named_with_buses(Selection *selection, const Topology *topology, size_t n,
                                          char *const *names) _warn_unused_result_ _nonnull_(1, 2);

/* All functions on VFIO drivers. */
ClientExit selection_add_on_vfio(Selection *selection, const Topology *topology) _warn_unused_result_
                _nonnull_(1, 2);

/* Says on standard error that NAME is no address: CLIENT_EXIT_USAGE. */
ClientExit selection_parse_address(const char *name, PciAddress *ret) _warn_unused_result_ _nonnull_(1, 2);

bool selection_is_pattern(const char *name) _nonnull_(1);

/* A pattern may leave out domain 0, as an address may. */
bool selection_pattern_matches(const char *pattern, PciAddress address) _nonnull_(1);

/*
 * The addresses that NAMES name, which need not be those of functions; only for patterns is the machine looked at (with
 * --host: its daemon asked, which knows those on VFIO drivers). Says
 * itself what is wrong: then nothing is returned.
 */
ClientExit selection_parse_addresses(const ClientContext *context, size_t n, char *const *names,
                                     PciAddress **ret, size_t *ret_n) _warn_unused_result_
                _nonnull_(1, 4, 5);
