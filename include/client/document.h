/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Parts that the JSON documents of several verbs have in common. Addresses in memory are texts ("0xfebf1000"). */

#include "base/json-document.h"
#include "client/client.h"
#include "client/machine.h"
#include "judge/page-view.h"

/* "0x…" */
int document_add_address(JsonObject *object, const char *key, uint64_t address) _warn_unused_result_
                _nonnull_(1, 2);

/* The number of the IOMMU group, or null. */
int document_add_group(JsonObject *object, const char *key, const PciFunction *function) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* TEXT, or null for NULL. */
int document_add_text_or_null(JsonObject *object, const char *key, const char *text) _warn_unused_result_
                _nonnull_(1, 2);

/*
 * The memory BARs of FUNCTION: [{"bar", "start", "size", "own-size", "verdict", "small",
 * "neighbours": ["0000:03:00.1 BAR 1", …]}]; BEFORE is machine_sizes_before(). NULL: no memory.
 */
JsonObject *document_bars(const Machine *machine, const PciFunction *function,
                          const OwnSizes *before) _warn_unused_result_ _nonnull_(1, 2, 3);

/* {"start", "several-groups", "owners": [{"start", "size", "name", "function", "driver", "group", "verdict"}]} */
JsonObject *document_page(const Verdicts *verdicts, const PageView *view) _warn_unused_result_
                _nonnull_(1, 2);
