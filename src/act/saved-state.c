/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "act/saved-state.h"

#include "act/hold.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define OVERRIDE "driver_override"
#define WAKEUP "power/wakeup"
#define AUTOSUSPEND "power/autosuspend_delay_ms"
#define CONTROL "power/control"
#define GROUP_TYPE "iommu_group/type"

/* In the order in which they are written back. */
static const char *const attributes[] = {
        OVERRIDE,
        AUTOSUSPEND,
        WAKEUP,
        "d3cold_allowed",
        "reset_method",
        "numa_node",
        "msi_bus",
        "broken_parity_status",
        "sriov_drivers_autoprobe",
        "link/clkpm",
        "link/l0s_aspm",
        "link/l1_aspm",
        "link/l1_1_aspm",
        "link/l1_2_aspm",
        "link/l1_1_pcipm",
        "link/l1_2_pcipm",
        GROUP_TYPE,
        CONTROL, /* last: "auto" may let the function sleep */
};

/* The document itself is the model: an object per function, a text per attribute. */
struct SavedState {
        JsonObject *functions;
};

SavedState *saved_state_free(SavedState *state)
{
        if (!state)
                return NULL;
        json_object_put(state->functions);
        free(state);
        return NULL;
}

/* A function that is read: through its directory, for each path from the root costs as much as ten reads. */
typedef struct Subject {
        const Root *root;
        PciAddress address;
        int directory; /* -1: there is none, and no attribute can be read */
} Subject;

static int subject_open(const Root *root, PciAddress address, Subject *ret)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s", PCI_ADDRESS_TEXT(address));
        *ret = (Subject){ .root = root, .address = address, .directory = -1 };
        return path ? root_open_file(root, path, O_PATH | O_DIRECTORY, 0, &ret->directory) : -ENOMEM;
}

static void subject_close(Subject *subject)
{
        closep(&subject->directory);
}

/* Of the group, which the function only has a link to. */
static int group_type_read(const Subject *subject, char **ret)
{
        _cleanup_free_ char *path = text_format("sys/bus/pci/devices/%s/" GROUP_TYPE,
                                                PCI_ADDRESS_TEXT(subject->address));
        return path ? root_read_attribute(subject->root, path, ret) : -ENOMEM;
}

static int attribute_read(const Subject *subject, const char *name, char **ret)
{
        return strcmp(name, GROUP_TYPE) == 0 ? group_type_read(subject, ret)
                                             : root_read_attribute_below(subject->directory, name, ret);
}

static int attribute_write(const Root *root, PciAddress address, const char *name, const char *value)
{
        _cleanup_free_ char *path =
                        text_format("sys/bus/pci/devices/%s/%s", PCI_ADDRESS_TEXT(address), name);
        _cleanup_free_ char *line = text_format("%s\n", value);
        return path && line ? root_write_attribute(root, path, line) : -ENOMEM;
}

/*
 * An override that is not set reads as "(null)" and is cleared by an empty line (KF §4). A hold that a lost journal
 * left behind is no override of anybody's.
 */
static const char *value_to_write(const char *name, const char *value)
{
        bool is_unset = strcmp(value, "(null)") == 0 || strcmp(value, HOLD_DRIVER) == 0;
        return strcmp(name, OVERRIDE) == 0 && is_unset ? "" : value;
}

/* Not there, or (power/autosuspend_delay_ms of a driver that does not use it) there and without a value. */
static bool has_no_value(const char *name, int error)
{
        return error == -ENOENT || (error == -EIO && strcmp(name, AUTOSUSPEND) == 0);
}

/* What has a value and cannot be read could not be written back: then nothing may be touched. */
static int read_function(const Root *root, PciAddress address, JsonObject **ret)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_(subject_close) Subject subject;
        int r = subject_open(root, address, &subject);
        if (!object)
                return -ENOMEM;
        if (r < 0 && r != -ENOENT) /* what is gone is found when it is to be unbound */
                return r;
        for (size_t i = 0; r == 0 && i < ELEMENTSOF(attributes); i++) {
                _cleanup_free_ char *value = NULL;
                r = attribute_read(&subject, attributes[i], &value);
                if (r == 0)
                        r = json_add_text(object, attributes[i], value);
                else if (has_no_value(attributes[i], r))
                        r = 0;
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(object);
        return 0;
}

static SavedState *state_new(void)
{
        SavedState *state = calloc(1, sizeof(*state));
        if (state)
                state->functions = json_object_new_object();
        return state && state->functions ? state : saved_state_free(state);
}

int saved_state_read(const Root *root, const Plan *plan, SavedState **ret)
{
        _cleanup_(saved_state_freep) SavedState *state = state_new();
        if (!state)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n_functions; i++) {
                const PlanFunction *function = &plan->functions[i];
                JsonObject *object;
                int r = read_function(root, function->address, &object);
                if (r == 0)
                        r = json_add(state->functions, function->path, object);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(state);
        return 0;
}

static const char *value_of(const SavedState *state, const char *path, const char *name)
{
        JsonObject *function, *value;
        if (!json_object_object_get_ex(state->functions, path, &function) ||
            !json_object_object_get_ex(function, name, &value))
                return NULL;
        return json_object_get_string(value);
}

const char *saved_state_override(const SavedState *state, const char *path)
{
        const char *value = value_of(state, path, OVERRIDE);
        return value && value_to_write(OVERRIDE, value)[0] != '\0' ? value : NULL;
}

/* 0 also when the attribute is as before without our doing. */
static int restore_attribute(const Subject *subject, const char *name, const char *before)
{
        _cleanup_free_ char *now = NULL;
        int r = attribute_read(subject, name, &now);
        if (r == 0 && strcmp(now, before) == 0)
                return 0;
        if (r == -ENOMEM)
                return r;
        /* A function that could not wake the machine up lost nothing with the switch (6.1 drops it in a rescan). */
        if (r == -ENOENT && strcmp(name, WAKEUP) == 0 && strcmp(before, "disabled") == 0)
                return 0;
        return attribute_write(subject->root, subject->address, name, value_to_write(name, before));
}

/* Drivers set these as they need them: vfio-pci lets its function sleep, e1000e its own way (KF §4). */
static bool is_of_driver(const char *name)
{
        return strcmp(name, OVERRIDE) == 0 || strcmp(name, CONTROL) == 0 || strcmp(name, AUTOSUSPEND) == 0;
}

static bool is_part(SavedStatePart part, const char *name)
{
        switch (part) {
        case SAVED_STATE_ALL:
                break;
        case SAVED_STATE_OF_GROUP:
                return strcmp(name, GROUP_TYPE) == 0;
        case SAVED_STATE_OF_FUNCTION:
                return !is_of_driver(name);
        }
        return true;
}

int saved_state_restore(const SavedState *state, const Root *root, const char *path, PciAddress address,
                        SavedStatePart part, Finding *finding)
{
        char failed[FINDING_DETAIL_MAX] = "";
        _cleanup_(subject_close) Subject subject;
        size_t size = 0;

        /* Of one that is gone no attribute can be read or written: that is told of each. */
        if (subject_open(root, address, &subject) == -ENOMEM)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                const char *before =
                                is_part(part, attributes[i]) ? value_of(state, path, attributes[i]) : NULL;
                int r = before ? restore_attribute(&subject, attributes[i], before) : 0;
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && size < sizeof(failed))
                        size += (size_t) snprintf(failed + size, sizeof(failed) - size,
                                                  "%s%s was \"%s\" (%s)", size ? ", " : "", attributes[i],
                                                  before, strerror(-r));
        }
        if (size == 0)
                return FINDING_NONE;
        return finding_make(finding, REASON_STATE_NOT_RESTORED, address, "%s", failed);
}

JsonObject *saved_state_to_json(const SavedState *state)
{
        return json_object_get(state->functions);
}

static bool is_known(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++)
                if (strcmp(attributes[i], name) == 0)
                        return true;
        return false;
}

static bool is_text(JsonObject *value)
{
        return json_object_is_type(value, json_type_string) &&
               strlen(json_object_get_string(value)) == (size_t) json_object_get_string_len(value);
}

int saved_state_from_json(JsonObject *document, SavedState **ret, char **ret_problem)
{
        if (!json_object_is_type(document, json_type_object)) {
                *ret_problem = text_format("the saved state is not an object");
                return -EBADMSG;
        }
        json_object_object_foreach (document, path, function) {
                if (!json_object_is_type(function, json_type_object)) {
                        *ret_problem = text_format("the saved state of %s is not an object", path);
                        return -EBADMSG;
                }
                json_object_object_foreach (function, name, value) {
                        if (!is_text(value) || !is_known(name)) {
                                *ret_problem = text_format("the saved state of %s has an odd \"%s\"", path,
                                                           name);
                                return -EBADMSG;
                        }
                }
        }
        SavedState *state = calloc(1, sizeof(*state));
        if (!state)
                return -ENOMEM;
        state->functions = json_object_get(document);
        *ret = state;
        return 0;
}
