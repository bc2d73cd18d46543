/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is told of transactions on D-Bus: that one starts, each of its steps, and how it ended. */

#include "daemon/dbus-service.h"

/* A worker is at a step; of a transaction that was not told of yet: it has started. */
void dbus_transaction_step(DBusService *service, const WorkerProgress *progress) _nonnull_(1, 2);

/* A transaction has ended with RESULT. BUS is the key of its bus; NULL: not known. */
void dbus_transaction_end(DBusService *service, const char *bus, const WorkerResult *result) _nonnull_(1, 3);

/* No worker is there any more: a transaction that has not ended never will. */
void dbus_transaction_lose(DBusService *service) _nonnull_(1);

void dbus_transaction_clear(DBusService *service) _nonnull_(1);
