/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "judge/proc-users.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD, which systemd tells them by as well */

/* A pass under way. */
typedef struct Pass {
        const Root *root;
        ProcUsers *users;
        size_t room;
        char **ret_problem;
        const char *const *nodes; /* only these are looked for; NULL: VFIO files and resources */
        size_t n_nodes;

        int pid;          /* the process that is looked into, */
        char *process;    /* its comm (read when the first use is found), */
        size_t first_use; /* and where its uses begin */
} Pass;

/* Moves *PATH behind a decimal number. */
static bool take_number(const char **path, unsigned *ret)
{
        char *end;

        if (!isdigit((unsigned char) **path))
                return false;
        errno = 0;
        unsigned long number = strtoul(*path, &end, 10);
        if (errno != 0 || number > INT_MAX)
                return false;
        *path = end;
        *ret = (unsigned) number;
        return true;
}

/* Nothing follows, or that the node was removed: what is open stays open. */
static bool at_end(const char *rest)
{
        return *rest == '\0' || strcmp(rest, " (deleted)") == 0;
}

static bool parse_vfio_node(const char *path, const char *name, ProcUse *ret)
{
        unsigned number;

        if (name - path >= 6 && strncmp(name - 6, "/vfio/", 6) == 0) {
                if (text_starts_with(name, "noiommu-"))
                        name += strlen("noiommu-");
                if (!take_number(&name, &number) || !at_end(name))
                        return false;
                *ret = (ProcUse){ .kind = PROC_USE_GROUP, .number = number };
                return true;
        }
        if (name - path >= 14 && strncmp(name - 14, "/vfio/devices/", 14) == 0 &&
            text_starts_with(name, "vfio")) {
                name += strlen("vfio");
                if (!take_number(&name, &number) || !at_end(name))
                        return false;
                *ret = (ProcUse){ .kind = PROC_USE_CDEV, .number = number };
                return true;
        }
        return false;
}

/* ".../0000:01:00.0/resource2_wc". One that was deleted went with its function: nothing can be reached through it. */
static bool parse_resource(const char *path, const char *name, ProcUse *ret)
{
        char address[PCI_ADDRESS_TEXT_MAX];
        unsigned number;

        if (!text_starts_with(name, "resource"))
                return false;
        const char *rest = name + strlen("resource");
        if (!take_number(&rest, &number) || (*rest != '\0' && strcmp(rest, "_wc") != 0))
                return false;

        const char *end = name - 1, *start = end;
        while (start > path && start[-1] != '/')
                start--;
        if ((size_t) (end - start) >= sizeof(address))
                return false;
        memcpy(address, start, (size_t) (end - start));
        address[end - start] = '\0';

        PciAddress parsed;
        if (pci_address_parse(address, &parsed) < 0)
                return false;
        *ret = (ProcUse){ .kind = PROC_USE_RESOURCE, .number = number, .address = parsed };
        return true;
}

bool proc_use_parse(const char *path, ProcUse *ret)
{
        if (strcmp(path, "anon_inode:[vfio-device]") == 0) {
                *ret = (ProcUse){ .kind = PROC_USE_DEVICE };
                return true;
        }
        const char *slash = strrchr(path, '/');
        if (path[0] != '/' || !slash)
                return false;
        return parse_vfio_node(path, slash + 1, ret) || parse_resource(path, slash + 1, ret);
}

static int read_name(Pass *pass)
{
        _cleanup_free_ char *path = text_format("proc/%d/comm", pass->pid);
        if (!path)
                return -ENOMEM;
        char *name;
        int r = root_read_attribute(pass->root, path, &name);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                name = strdup("?");
        if (!name)
                return -ENOMEM;
        text_make_printable(name);
        pass->process = name;
        return 0;
}

static bool is_known(const Pass *pass, const char *object)
{
        for (size_t i = pass->first_use; i < pass->users->n_uses; i++)
                if (strcmp(pass->users->uses[i].object, object) == 0)
                        return true;
        return false;
}

static int add_use(Pass *pass, const ProcUse *use, const char *path)
{
        ProcUsers *users = pass->users;

        _cleanup_free_ char *object = strdup(path);
        if (!object)
                return -ENOMEM;
        text_make_printable(object);
        if (is_known(pass, object))
                return 0;
        if (!pass->process) {
                int r = read_name(pass);
                if (r < 0)
                        return r;
        }
        _cleanup_free_ char *process = strdup(pass->process);
        if (!process)
                return -ENOMEM;

        if (users->n_uses == pass->room) {
                size_t room = pass->room ? pass->room * 2 : 16;
                ProcUse *more = reallocarray(users->uses, room, sizeof(*more));
                if (!more)
                        return -ENOMEM;
                users->uses = more;
                pass->room = room;
        }
        ProcUse *fresh = &users->uses[users->n_uses++];
        *fresh = *use;
        fresh->pid = pass->pid;
        fresh->process = TAKE_PTR(process);
        fresh->object = TAKE_PTR(object);
        return 0;
}

/* "/dev/dri/card0", also below the root of a container, also when the node was removed meanwhile. */
static bool parse_node(const Pass *pass, const char *path, ProcUse *ret)
{
        static const char folder[] = "/dev/", deleted[] = " (deleted)";
        const char *name = NULL;

        for (const char *next = path; (next = strstr(next, folder)); name = next)
                next += strlen(folder);
        if (!name || path[0] != '/')
                return false;
        size_t size = strlen(name);
        if (size > strlen(deleted) && strcmp(name + size - strlen(deleted), deleted) == 0)
                size -= strlen(deleted);

        size_t first = 0, end = pass->n_nodes;
        while (first < end) {
                size_t middle = first + (end - first) / 2;
                int order = strncmp(pass->nodes[middle], name, size);
                if (order == 0 && pass->nodes[middle][size] == '\0') {
                        *ret = (ProcUse){ .kind = PROC_USE_NODE, .number = (unsigned) middle };
                        return true;
                }
                if (order < 0)
                        first = middle + 1;
                else
                        end = middle;
        }
        return false;
}

static int look_at(Pass *pass, const char *path)
{
        ProcUse use;
        bool is_use = pass->nodes ? parse_node(pass, path, &use) : proc_use_parse(path, &use);
        return is_use ? add_use(pass, &use, path) : 0;
}

/* 0: go on with the next process. Otherwise an error that ends the pass. */
static int cannot_read(Pass *pass, const char *path, int error)
{
        switch (-error) {
        case ENOENT:
        case ESRCH: /* it has ended */
                return 0;
        case EACCES:
        case EPERM:
                pass->users->complete = false;
                return 0;
        case ENOMEM:
                return error;
        default:
                *pass->ret_problem = text_format("%s cannot be read: %s", path, strerror(-error));
                return error;
        }
}

/* The descriptors in the folder PATH; *RET_N is how many there were. */
static int look_at_descriptors(Pass *pass, const char *path, size_t *ret_n)
{
        _cleanup_closedir_ DIR *folder = NULL;
        size_t n = 0;
        int r = root_open_directory(pass->root, path, &folder);
        if (r < 0)
                return cannot_read(pass, path, r);

        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(folder);
                if (!entry && errno != 0)
                        return cannot_read(pass, path, -errno);
                if (!entry)
                        break;
                if (!isdigit((unsigned char) entry->d_name[0]))
                        continue;
                n++;

                char target[PATH_MAX];
                ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
                if (size < 0 && errno == ENOENT) /* closed meanwhile */
                        continue;
                if (size < 0)
                        return cannot_read(pass, path, -errno);
                target[size] = '\0';
                r = look_at(pass, target);
                if (r < 0)
                        return r;
        }
        *ret_n = n;
        return 0;
}

/* The mappings in the file PATH: "7f0c…-7f0c… rw-s 00000000 00:16 4711     /sys/devices/…/resource0". */
static int look_at_mappings(Pass *pass, const char *path)
{
        _cleanup_close_ int fd = -1;
        int r = root_open_file(pass->root, path, O_RDONLY, 0, &fd);
        if (r < 0)
                return cannot_read(pass, path, r);
        _cleanup_fclose_ FILE *file = fdopen(fd, "r");
        if (!file)
                return -errno;
        (void) TAKE_FD(fd);

        _cleanup_free_ char *line = NULL;
        size_t room = 0;
        ssize_t size;
        errno = 0;
        while ((size = getline(&line, &room, file)) > 0) {
                if (line[size - 1] == '\n')
                        line[size - 1] = '\0';
                const char *object = strchr(line, '/');
                r = object ? look_at(pass, object) : 0;
                if (r < 0)
                        return r;
                errno = 0;
        }
        return errno != 0 ? cannot_read(pass, path, -errno) : 0;
}

static int look_at_task(Pass *pass, const char *folder, size_t *ret_n)
{
        _cleanup_free_ char *descriptors = text_format("%s/fd", folder);
        _cleanup_free_ char *mappings = text_format("%s/maps", folder);
        if (!descriptors || !mappings)
                return -ENOMEM;
        int r = look_at_descriptors(pass, descriptors, ret_n);
        if (r < 0)
                return r;
        return look_at_mappings(pass, mappings);
}

/*
 * When the first thread of a process has exited while others run, the process's own fd and maps are empty: its threads
 * tell then.
 */
static int look_at_threads(Pass *pass)
{
        _cleanup_free_ char *path = text_format("proc/%d/task", pass->pid);
        if (!path)
                return -ENOMEM;
        _cleanup_closedir_ DIR *folder = NULL;
        int r = root_open_directory(pass->root, path, &folder);
        if (r < 0)
                return cannot_read(pass, path, r);

        const struct dirent *entry;
        while ((entry = readdir(folder))) {
                const char *name = entry->d_name;
                unsigned thread;
                size_t n;
                if (!take_number(&name, &thread) || *name != '\0' || (int) thread == pass->pid)
                        continue;
                _cleanup_free_ char *task = text_format("%s/%u", path, thread);
                if (!task)
                        return -ENOMEM;
                r = look_at_task(pass, task, &n);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * A thread of the kernel itself has no mappings and no descriptors of its own (get_task_mm() gives none for it), and most
 * of what proc lists is one. What does not say so is looked into.
 */
static bool is_kernel_thread(const Pass *pass, const char *folder)
{
        _cleanup_free_ char *path = text_format("%s/stat", folder), *text = NULL;
        unsigned flags;

        if (!path || root_read_attribute(pass->root, path, &text) < 0)
                return false;
        /* "2 (kthreadd) S 0 0 0 0 -1 2129984 ...": a name can have anything in it, behind it there is no parenthesis. */
        const char *rest = strrchr(text, ')');
        return rest && sscanf(rest, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & KERNEL_THREAD;
}

static int look_at_process(Pass *pass, int pid)
{
        size_t n_descriptors = 0;

        pass->pid = pid;
        pass->first_use = pass->users->n_uses;
        _cleanup_free_ char *folder = text_format("proc/%d", pid);
        if (!folder)
                return -ENOMEM;
        if (is_kernel_thread(pass, folder))
                return 0;
        int r = look_at_task(pass, folder, &n_descriptors);
        if (r == 0 && n_descriptors == 0)
                r = look_at_threads(pass);
        free(TAKE_PTR(pass->process));
        return r;
}

/*
 * Whether all processes are there to be looked into: with hidepid= those of others are not even listed, and in a PID
 * namespace of its own a process sees only that namespace (its number is the kernel's PROC_PID_INIT_INO otherwise).
 */
static bool sees_all_processes(const Root *root)
{
        _cleanup_free_ char *namespace = NULL;

        if (!root_is_host(root))
                return true;
        if (geteuid() != 0)
                return false;
        if (root_read_link(root, "proc/self/ns/pid", &namespace) < 0)
                return false;
        return strcmp(namespace, "pid:[4026531836]") == 0;
}

static int look_at_all(Pass *pass)
{
        const int own = root_is_host(pass->root) ? getpid() : 0;
        _cleanup_closedir_ DIR *proc = NULL;
        int r = root_open_directory(pass->root, "proc", &proc);
        if (r == -ENOENT && !root_is_host(pass->root))
                return 0;
        if (r < 0) {
                *pass->ret_problem = text_format("proc cannot be read: %s", strerror(-r));
                return r;
        }
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(proc);
                if (!entry)
                        return -errno;
                const char *name = entry->d_name;
                unsigned pid;
                if (!take_number(&name, &pid) || *name != '\0' || (int) pid == own)
                        continue;
                r = look_at_process(pass, (int) pid);
                if (r < 0)
                        return r;
        }
}

static int make_pass(Pass *pass, ProcUsers **ret)
{
        _cleanup_(proc_users_freep) ProcUsers *users = calloc(1, sizeof(*users));
        if (!users)
                return -ENOMEM;
        users->complete = sees_all_processes(pass->root);
        pass->users = users;
        int r = look_at_all(pass);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(users);
        return 0;
}

int proc_users_read(const Root *root, ProcUsers **ret, char **ret_problem)
{
        return make_pass(&(Pass){ .root = root, .ret_problem = ret_problem }, ret);
}

int proc_users_of_nodes(const Root *root, const char *const *names, size_t n, ProcUsers **ret,
                        char **ret_problem)
{
        return make_pass(&(Pass){ .root = root, .ret_problem = ret_problem, .nodes = names, .n_nodes = n },
                         ret);
}

ProcUsers *proc_users_free(ProcUsers *users)
{
        if (!users)
                return NULL;
        for (size_t i = 0; i < users->n_uses; i++) {
                free(users->uses[i].process);
                free(users->uses[i].object);
        }
        free(users->uses);
        free(users);
        return NULL;
}
