/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The lines of a function's `resource` file (KF §6): BARs, ROM, the BARs of its virtual functions, and a bridge's
 * own windows, as start, end and the kernel's IORESOURCE flags.
 */

#include "base/util.h"

/* include/linux/ioport.h, the same in all kernels (KF §6) */
#define RESOURCE_TYPE_MASK UINT64_C(0x00001f00)
#define RESOURCE_IO UINT64_C(0x00000100)
#define RESOURCE_MEMORY UINT64_C(0x00000200)
#define RESOURCE_PREFETCH UINT64_C(0x00002000)
#define RESOURCE_MEM_64 UINT64_C(0x00100000)
#define RESOURCE_WINDOW UINT64_C(0x00200000)
#define RESOURCE_DISABLED UINT64_C(0x10000000)
#define RESOURCE_UNSET UINT64_C(0x20000000)
#define RESOURCE_ROM_SHADOW UINT64_C(0x00000002) /* of the ROM line */
#define RESOURCE_PCI_FIXED UINT64_C(0x00000010)
#define RESOURCE_PCI_EA UINT64_C(0x00000020)

#define RESOURCE_BARS 6u   /* lines 0 to 5 */
#define RESOURCE_ROM 6u    /* line 6 */
#define RESOURCE_LINES 17u /* a bridge's, on a kernel with CONFIG_PCI_IOV */

typedef enum ResourceKind {
        RESOURCE_KIND_BAR,
        RESOURCE_KIND_ROM,
        RESOURCE_KIND_VF_BAR,
        RESOURCE_KIND_WINDOW,
} ResourceKind;

typedef struct PciResource {
        uint64_t start; /* CPU physical address */
        uint64_t end;   /* inclusive */
        uint64_t flags;
} PciResource;

/* The lines of one file: 13 or 7 for a function, 17 or 11 for a bridge with a bus below (KF §6). */
typedef struct ResourceTable {
        unsigned n_lines;
        PciResource lines[RESOURCE_LINES];
} ResourceTable;

/*
 * Parses a whole `resource` file. -EBADMSG when a line is not three hexadecimal numbers or the number of lines is
 * none of 7, 11, 13, 17; *RET_PROBLEM then says which line and what was expected (the caller frees it).
 */
int resource_table_parse(const char *text, ResourceTable *ret, char **ret_problem) _warn_unused_result_
                _nonnull_(1, 2, 3);

/* What line LINE of a table with N_LINES lines is. */
ResourceKind resource_kind(unsigned n_lines, unsigned line);

/* "BAR 1", "ROM", "VF BAR 0", "I/O window", "memory window", "prefetchable window" */
const char *resource_line_name(unsigned n_lines, unsigned line);

/* Memory space with an address: what can have neighbours. Neither UNSET nor DISABLED, not empty. */
bool resource_is_assigned_memory(const PciResource *resource) _pure_ _nonnull_(1);

/* I/O or memory with an address. */
bool resource_is_assigned(const PciResource *resource) _pure_ _nonnull_(1);

/* The line names a memory or I/O resource that has no address (UNSET). All zero means: none, or lost. */
bool resource_is_unset(const PciResource *resource) _pure_ _nonnull_(1);

/* Bytes; 0 for an empty line. */
uint64_t resource_size(const PciResource *resource) _pure_ _nonnull_(1);
