/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A function opened as its users open it, through VFIO, to ask which BARs VFIO maps and what a register read costs.
 * Opening resets the function, and so does closing it: only one that nobody uses may be opened.
 */

#include "act/finding.h"
#include "base/root.h"
#include "model/topology.h"

typedef enum VfioWay {
        VFIO_WAY_GROUP,   /* the group file and a container */
        VFIO_WAY_IOMMUFD, /* the character device and iommufd: kernels without group files */
} VfioWay;

typedef struct VfioDevice {
        VfioWay way;
        int container, group; /* of the one way */
        int iommufd;          /* of the other */
        int device;
} VfioDevice;

typedef struct VfioBar {
        unsigned line;
        uint64_t size;       /* bytes; 0: there is no memory BAR */
        bool mappable;       /* VFIO offers to map it */
        uint64_t offset;     /* of the region in the device's file */
        double trapped_nsec; /* what one read took; 0: not measured */
        double mapped_nsec;
} VfioBar;

/*
 * Opens FUNCTION, which is on a VFIO driver. A FindingAnswer: FINDING_MADE with REASON_IN_USE when the group is open
 * elsewhere or another member of it is on a host driver; else negative errno with *RET_PROBLEM saying what failed (the
 * caller frees it; NULL: no memory).
 */
int vfio_device_open(const Root *root, const PciFunction *function, VfioDevice *ret, Finding *finding,
                     char **ret_problem) _warn_unused_result_ _nonnull_(1, 2, 3, 4, 5);
void vfio_device_close(VfioDevice *device) _nonnull_(1);

/* What VFIO says of the BAR in line LINE (0 to 5). Negative errno. */
int vfio_device_ask(const VfioDevice *device, unsigned line, VfioBar *ret) _warn_unused_result_
                _nonnull_(1, 3);

/* Lets the function decode memory, then reads the first register of BAR many times, trapped and, if it can be, mapped. */
int vfio_device_measure(const VfioDevice *device, uint64_t page, VfioBar *bar) _warn_unused_result_
                _nonnull_(1, 3);

const char *vfio_way_name(VfioWay way); /* "group", "iommufd" */
