/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "model/function-read.h"

#include "base/root.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define ATTRIBUTE_MAX 8192u /* the longest, a bridge's `resource`, has less than 1000 bytes */
#define CLASS_BRIDGE_PCI 0x0604u
#define CLASS_DISPLAY 0x03u
#define CLASS_OLD_VGA 0x0001u /* of before there were classes */

/* One function that is being read. */
typedef struct Subject {
        int directory;
        PciFunction *function;
        char **ret_problem;
} Subject;

/* Notes that FILE of the function is not as expected, and returns ERROR. */
static int subject_problem(const Subject *subject, const char *file, int error, const char *what)
{
        *subject->ret_problem = text_format("/%s/%s: %s", subject->function->sysfs_path, file, what);
        return error;
}

static int subject_unreadable(const Subject *subject, const char *file, int error)
{
        if (error == -ELOOP)
                return subject_problem(subject, file, -EBADMSG, "is a symbolic link, expected a file");
        if (error == -EBADMSG || error == -EFBIG || error == -EISDIR)
                return subject_problem(subject, file, -EBADMSG, "expected a short text file");
        return subject_problem(subject, file, error, strerror(-error));
}

/* One number of `modalias`. */
typedef struct ModaliasField {
        const char *key;
        size_t digits;
        uint64_t max;
} ModaliasField;

/* The number of FIELD at *TEXT, which is moved behind it. */
static bool take_field(const ModaliasField *field, const char **text, uint64_t *ret)
{
        char number[16];
        size_t key = strlen(field->key);
        if (!text_starts_with(*text, field->key) || strlen(*text + key) < field->digits)
                return false;
        memcpy(number, *text + key, field->digits);
        number[field->digits] = '\0';
        *text += key + field->digits;
        return text_to_u64(number, 16, field->max, ret) == 0;
}

static bool parse_modalias(const char *text, PciFunction *function)
{
        static const ModaliasField fields[] = { { "pci:v", 8, UINT16_MAX }, { "d", 8, UINT16_MAX },
                                                { "sv", 8, UINT16_MAX },    { "sd", 8, UINT16_MAX },
                                                { "bc", 2, UINT8_MAX },     { "sc", 2, UINT8_MAX },
                                                { "i", 2, UINT8_MAX } };
        uint64_t numbers[ELEMENTSOF(fields)];

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (!take_field(&fields[i], &text, &numbers[i]))
                        return false;
        function->vendor = (uint16_t) numbers[0];
        function->device = (uint16_t) numbers[1];
        function->subvendor = (uint16_t) numbers[2];
        function->subdevice = (uint16_t) numbers[3];
        function->class = (uint32_t) (numbers[4] << 16 | numbers[5] << 8 | numbers[6]);
        return text_equal(text, "\n") || text_equal(text, "");
}

/*
 * Ids and class: `modalias` shows them all in one read, without a lock. (`uevent` shows them as well, but kernels with a
 * late fix of theirs (6.1.192) take the device's lock for that, which is not to be had while the function's removal waits
 * for its user.)
 */
static int read_identity(const Subject *subject)
{
        PciFunction *function = subject->function;
        char text[ATTRIBUTE_MAX];

        int r = root_read_below(subject->directory, "modalias", text, sizeof(text));
        if (presence_is_gone(r))
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, "modalias", r);
        if (!parse_modalias(text, function))
                return subject_problem(subject, "modalias", -EBADMSG,
                                       "line 1: expected pci:, ids and class");
        function->is_bridge = function->class >> 8 == CLASS_BRIDGE_PCI;
        return PRESENCE_THERE;
}

static int read_resources(const Subject *subject)
{
        char text[ATTRIBUTE_MAX];
        _cleanup_free_ char *problem = NULL;
        int r = root_read_below(subject->directory, "resource", text, sizeof(text));
        if (presence_is_gone(r))
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, "resource", r);
        r = resource_table_parse(text, &subject->function->resources, &problem);
        if (r < 0)
                return subject_problem(subject, "resource", r, problem ? problem : "");
        return PRESENCE_THERE;
}

/* An attribute that not every function has: TEXT is empty then. */
static int read_optional(const Subject *subject, const char *name, char text[static ATTRIBUTE_MAX])
{
        int r = root_read_below(subject->directory, name, text, ATTRIBUTE_MAX);
        if (r == -ENOENT) {
                text[0] = '\0';
                return PRESENCE_THERE;
        }
        if (r == -ENODEV)
                return PRESENCE_GONE;
        if (r < 0)
                return subject_unreadable(subject, name, r);
        size_t size = strlen(text);
        if (size == 0)
                return subject_problem(subject, name, -EBADMSG,
                                       "line 1: the file is empty, expected a value");
        if (text[size - 1] == '\n')
                text[size - 1] = '\0';
        return PRESENCE_THERE;
}

static int read_number(const Subject *subject, const char *name, uint64_t max, unsigned *ret)
{
        char text[ATTRIBUTE_MAX];
        uint64_t value = 0;
        int r = read_optional(subject, name, text);
        if (r != PRESENCE_THERE)
                return r;
        if (*text && text_to_u64(text, 10, max, &value) < 0)
                return subject_problem(subject, name, -EBADMSG, "line 1: expected a decimal number");
        *ret = (unsigned) value;
        return PRESENCE_THERE;
}

static int read_display(const Subject *subject)
{
        unsigned value, class = subject->function->class;
        if (class >> 16 != CLASS_DISPLAY && class >> 8 != CLASS_OLD_VGA)
                return PRESENCE_THERE;
        int r = read_number(subject, "boot_vga", 1, &value);
        if (r == PRESENCE_THERE)
                subject->function->boot_display = value == 1;
        return r;
}

static int read_removable(const Subject *subject)
{
        static const char *const words[] = { "", "removable", "fixed", "unknown" };
        char text[ATTRIBUTE_MAX];
        int r = read_optional(subject, "removable", text);
        if (r != PRESENCE_THERE)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (text_equal(text, words[i])) {
                        subject->function->removable = text_equal(text, "removable");
                        return PRESENCE_THERE;
                }
        return subject_problem(subject, "removable", -EBADMSG,
                               "line 1: expected removable, fixed or unknown");
}

/* --- links and directories --- */

/*
 * The last component of the link NAME, which must be relative and end in FOLDER and that component; empty at BUFFER when
 * there is no such link.
 */
static int read_link_name(const Subject *subject, const char *name, const char *folder, char *buffer,
                          size_t size)
{
        char target[PATH_MAX], what[128];
        ssize_t n = readlinkat(subject->directory, name, target, sizeof(target) - 1);
        if (n < 0 && errno == ENOENT) {
                buffer[0] = '\0';
                return PRESENCE_THERE;
        }
        if (n < 0 && errno == ENODEV)
                return PRESENCE_GONE;
        if (n < 0 && errno != EINVAL)
                return subject_unreadable(subject, name, -errno);
        target[n < 0 ? 0 : n] = '\0';

        char *slash = strrchr(target, '/');
        size_t length = strlen(folder), above = slash ? (size_t) (slash - target) : 0;
        if (above < length || !text_starts_with(target, "../") ||
            memcmp(target + above - length, folder, length) != 0 || slash[1] == '\0' || slash[1] == '.' ||
            strlen(slash + 1) >= size) {
                snprintf(what, sizeof(what), "expected a symbolic link to a name below %s", folder);
                return subject_problem(subject, name, -EBADMSG, what);
        }
        memcpy(buffer, slash + 1, strlen(slash + 1) + 1);
        return PRESENCE_THERE;
}

static int read_driver(const Subject *subject)
{
        char name[NAME_MAX + 1] = "";
        int r = read_link_name(subject, "driver", "/bus/pci/drivers", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        subject->function->driver = strdup(name);
        return subject->function->driver ? PRESENCE_THERE : -ENOMEM;
}

static int read_group(const Subject *subject)
{
        char name[NAME_MAX + 1] = "";
        uint64_t group;
        int r = read_link_name(subject, "iommu_group", "/kernel/iommu_groups", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        if (text_to_u64(name, 10, INT_MAX, &group) < 0)
                return subject_problem(subject, "iommu_group", -EBADMSG,
                                       "expected a link to a group's number");
        subject->function->iommu_group = (int) group;
        return PRESENCE_THERE;
}

static int read_physfn(const Subject *subject)
{
        char name[NAME_MAX + 1] = "";
        int r = read_link_name(subject, "physfn", "..", name, sizeof(name));
        if (r != PRESENCE_THERE || !*name)
                return r;
        if (pci_address_parse(name, &subject->function->physfn) < 0)
                return subject_problem(subject, "physfn", -EBADMSG, "expected a link to a function");
        subject->function->is_virtual = true;
        return PRESENCE_THERE;
}

static bool has_entry(int directory, const char *name, mode_t type)
{
        struct stat st;
        return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == type;
}

static int read_entries(const Subject *subject)
{
        PciFunction *function = subject->function;
        function->on_vfio = function->driver && has_entry(subject->directory, "vfio-dev", S_IFDIR);
        /* s390 shows no bridges: all its functions are on root buses. */
        function->zpci = function->address.bus == function->root_bus.bus &&
                         has_entry(subject->directory, "function_id", S_IFREG);
        return PRESENCE_THERE;
}

static int read_enable(const Subject *subject)
{
        return read_number(subject, "enable", UINT_MAX, &subject->function->enable);
}

int function_read(int directory, PciFunction *function, char **ret_problem)
{
        const Subject subject = { .directory = directory, .function = function, .ret_problem = ret_problem };
        static int (*const readers[])(const Subject *) = { read_identity, read_resources, read_enable,
                                                           read_driver,   read_group,     read_physfn,
                                                           read_entries,  read_display,   read_removable };
        for (size_t i = 0; i < ELEMENTSOF(readers); i++) {
                int r = readers[i](&subject);
                if (r != PRESENCE_THERE)
                        return r;
        }
        return PRESENCE_THERE;
}
