/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What callers give to methods: functions by name, and options; whatever it is, an error of its own name or the values. */

#include "daemon/guest.h"

#include <systemd/sd-bus.h>

typedef struct FunctionList {
        PciAddress *addresses;
        size_t n;
} FunctionList;

/* Reads "as", names of functions as pci_address_parse_loose() takes them. Negative errno with ERROR set. */
int function_list_read(sd_bus_message *call, FunctionList *ret, sd_bus_error *error) _warn_unused_result_
                _nonnull_(1, 2, 3);
void function_list_clear(FunctionList *list) _nonnull_(1);

/* Reads "s" in the same way. */
int function_name_read(sd_bus_message *call, PciAddress *ret, sd_bus_error *error) _warn_unused_result_
                _nonnull_(1, 2, 3);

/*
 * Reads "a(sb)t": functions, whether each is managed, and for how long nothing else is begun with them; with HAS_TIMES
 * "a(sb)ttt": also when what is done for them is stopped, and when the answer is due.
 */
int guest_read(sd_bus_message *call, bool has_times, Guest *ret, sd_bus_error *error) _warn_unused_result_
                _nonnull_(1, 3, 4);

typedef struct RealignOptions {
        bool force;
        uint64_t timeout_usec; /* UINT64_MAX: none */
} RealignOptions;

/* Reads "a{sv}". */
int realign_options_read(sd_bus_message *call, RealignOptions *ret, sd_bus_error *error) _warn_unused_result_
                _nonnull_(1, 2, 3);
