/* SPDX-License-Identifier: GPL-2.0-or-later */

/* --probe: opens one function through VFIO, asks, measures, and closes it; refuses one that somebody uses. */

#include "act/lock.h"
#include "act/outcome.h"
#include "act/vfio-device.h"
#include "base/json-document.h"
#include "base/text.h"
#include "judge/usage.h"
#include "worker/worker.h"

#include <errno.h>
#include <string.h>

/* Opening resets the function, which can take some seconds; past this the kernel is stuck. */
#define PROBE_DEADLINE_SEC 30

/* Anybody who uses the function, or has its enable count above 0. A FindingAnswer or negative errno. */
static int check_use(const Root *root, const Topology *topology, const PciFunction *function,
                     Finding *finding, char **ret_problem)
{
        _cleanup_(usage_freep) Usage *usage = NULL;
        size_t n;

        int r = usage_read(root, topology, &usage, ret_problem);
        if (r < 0)
                return r;
        const Holder *holder = usage_find(usage, function->address, &n);
        if (n == 0)
                return usage->complete ? FINDING_NONE
                                       : finding_make(finding, REASON_USERS_UNSEEN, function->address, "%s",
                                                      "");
        _cleanup_free_ char *text = usage_text(usage, holder);
        if (!text)
                return -ENOMEM;
        return finding_make(finding, holder->kind == HOLDER_ENABLE ? REASON_ENABLE_COUNT : REASON_IN_USE,
                            function->address, "%s", text);
}

static int add_nsec(JsonObject *object, const char *name, double nsec)
{
        return nsec > 0 ? json_add_u64(object, name, (uint64_t) (nsec + 0.5))
                        : json_object_object_add(object, name, NULL);
}

static JsonObject *bar_document(const VfioBar *bar)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_u64(object, "bar", bar->line) < 0 ||
            json_add_u64(object, "size", bar->size) < 0 ||
            json_add_bool(object, "mapped", bar->mappable) < 0 ||
            add_nsec(object, "trapped-nsec", bar->trapped_nsec) < 0 ||
            add_nsec(object, "mapped-nsec", bar->mapped_nsec) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static int ask_bars(const WorkerContext *context, const VfioDevice *device, JsonObject *bars)
{
        for (unsigned line = 0; line < RESOURCE_BARS; line++) {
                VfioBar bar;
                int r = vfio_device_ask(device, line, &bar);
                if (r < 0)
                        return r;
                if (bar.size == 0)
                        continue;
                r = vfio_device_measure(device, context->page, &bar);
                if (r == 0)
                        r = json_append(bars, bar_document(&bar));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A FindingAnswer or negative errno; with FINDING_NONE the answers are in DOCUMENT. */
static int probe(const WorkerContext *context, const Topology *topology, const PciFunction *function,
                 JsonObject *document, Finding *finding, char **ret_problem)
{
        _cleanup_(vfio_device_close)
                        VfioDevice device = { .device = -1, .iommufd = -1, .group = -1, .container = -1 };
        _cleanup_json_ JsonObject *bars = json_object_new_array();
        _cleanup_close_ int lock = -1;

        if (!function->on_vfio)
                return finding_make(finding, REASON_NOT_VFIO, function->address, "%s", "");
        /* first: it is what tells somebody who is not root so */
        int r = check_use(context->root, topology, function, finding, ret_problem);
        if (r != FINDING_NONE)
                return r;
        r = lock_take(context->root, &lock);
        if (r == LOCK_HELD)
                return finding_make(finding, REASON_LOCK_HELD, function->address, "%s", "");
        if (r == LOCK_TAKEN)
                r = vfio_device_open(context->root, function, &device, finding, ret_problem);
        if (r != FINDING_NONE)
                return r;
        r = bars ? ask_bars(context, &device, bars) : -ENOMEM;
        if (r == 0)
                r = json_add_text(document, "way", vfio_way_name(device.way));
        return r == 0 ? json_add(document, "bars", TAKE_PTR(bars)) : r;
}

static int add_refusal(JsonObject *document, const Finding *finding)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        if (!object || json_add_text(object, "reason", reason_name(finding->reason)) < 0 ||
            json_add_text(object, "text", reason_text(finding->reason)) < 0 ||
            json_add_text(object, "remedy", reason_remedy(finding->reason)) < 0 ||
            json_add_text(object, "detail", finding->detail) < 0)
                return -ENOMEM;
        return json_add(document, "refusal", TAKE_PTR(object));
}

static int probe_and_print(const WorkerContext *context, PciAddress address, char **ret_problem)
{
        _cleanup_(topology_freep) Topology *topology = NULL;
        _cleanup_json_ JsonObject *document = json_object_new_object();
        Finding finding = { 0 };

        int r = document ? json_add_address(document, "function", address) : -ENOMEM;
        if (r == 0)
                r = topology_read(context->root, &topology, ret_problem);
        if (r < 0)
                return r;
        const PciFunction *function = topology_find(topology, address);
        r = function ? probe(context, topology, function, document, &finding, ret_problem)
                     : finding_make(&finding, REASON_NOT_FOUND, address, "%s", "");
        if (r == FINDING_MADE)
                r = add_refusal(document, &finding);
        if (r < 0)
                return r;
        return puts(json_object_to_json_string(document)) == EOF || fflush(stdout) == EOF ? -errno : 0;
}

int worker_probe(const WorkerContext *context, size_t n, char *const *functions)
{
        _cleanup_free_ char *problem = NULL;
        PciAddress address;

        if (n != 1 || pci_address_parse_loose(functions[0], &address) < 0) {
                worker_complain("--probe needs one function, such as 0000:03:00.0");
                return WORKER_EXIT_USAGE;
        }
        alarm(PROBE_DEADLINE_SEC);
        int r = probe_and_print(context, address, &problem);
        if (r < 0)
                worker_complain("cannot probe: %s", problem ? problem : strerror(-r));
        return r < 0 ? WORKER_EXIT_ERROR : 0;
}
