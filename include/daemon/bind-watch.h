/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Which binds of a transaction udev has still to report. A function counts as bound only then: udev's rules give the
 * files that users open their owner and mode. Pure.
 */

#include "base/pci-address.h"

typedef struct BindWatch BindWatch;

int bind_watch_new(BindWatch **ret) _warn_unused_result_ _nonnull_(1);
BindWatch *bind_watch_free(BindWatch *watch);
DEFINE_CLEANUP(BindWatch *, bind_watch_free);

/* A transaction begins: what was reported before does not count for it. */
void bind_watch_begin(BindWatch *watch) _nonnull_(1);

/* udev reports ACTION ("bind", "unbind", "remove"; others are nothing) of the function at ADDRESS. -ENOMEM. */
int bind_watch_hear(BindWatch *watch, const char *action, PciAddress address) _warn_unused_result_
                _nonnull_(1, 2);

/* The transaction has bound the function at ADDRESS. -ENOMEM. */
int bind_watch_expect(BindWatch *watch, PciAddress address) _warn_unused_result_ _nonnull_(1);

/* True when the bind of the function at ADDRESS is still to be reported. */
bool bind_watch_awaits(const BindWatch *watch, PciAddress address) _nonnull_(1);
