/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "faults.h"

#include "act/outcome.h"
#include "vfio-core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
        const char *name;
        int error;
} kinds[FAULTS] = {
        [FAULT_NONE] = { "none", 0 },
        [FAULT_EIO] = { "EIO", EIO },
        [FAULT_ENODEV] = { "ENODEV", ENODEV },
        [FAULT_EINVAL] = { "EINVAL", EINVAL },
        [FAULT_EBUSY] = { "EBUSY", EBUSY },
        [FAULT_SHORT] = { "short", 0 },
        [FAULT_HANG] = { "hang", 0 },
        [FAULT_USER] = { "user", 0 },
        [FAULT_STOP] = { "stop", 0 },
        [FAULT_KILL] = { "kill", 0 },
        [FAULT_KILL_AFTER] = { "kill-after", 0 },
        [FAULT_KILL_DAEMON] = { "kill-daemon", 0 },
        [FAULT_KILL_BOTH] = { "kill-both", 0 },
};

const char *fault_name(FaultKind kind)
{
        return kinds[kind].name;
}

bool fault_kills(FaultKind kind)
{
        return kind == FAULT_KILL || kind == FAULT_KILL_AFTER || fault_needs_daemon(kind);
}

bool fault_needs_daemon(FaultKind kind)
{
        return kind == FAULT_KILL_DAEMON || kind == FAULT_KILL_BOTH;
}

bool fault_parse(const char *name, FaultKind *ret)
{
        for (FaultKind kind = FAULT_NONE; kind < FAULTS; kind++)
                if (strcmp(kinds[kind].name, name) == 0) {
                        *ret = kind;
                        return true;
                }
        return false;
}

static void move_users(Machine *machine, unsigned long n)
{
        for (size_t i = 0; i < machine->n_users; i++) {
                User *user = &machine->users[i];
                /* One that could not begin tries again; who was there once does not come back. */
                if (user->from > 0 && n >= user->from && !user->was_active)
                        user_try(machine, user);
                if (user->until > 0 && n >= user->until)
                        user_end(machine, user);
        }
}

static void kill_worker(Machine *machine)
{
        if (machine->faults->worker > 0)
                kill(machine->faults->worker, SIGKILL);
        machine->listeners_dead = true;
        machine_changed(machine);
}

/* Who has asked for an operation that belongs to no transaction. */
static void kill_bystander(Machine *machine, pid_t group)
{
        Faults *faults = machine->faults;
        if (group == faults->daemon)
                faults->daemon_killed = kill(group, SIGKILL) == 0;
        else
                kill(group, SIGKILL);
        machine_changed(machine);
}

/* The daemon goes first, so that it cannot hear of the worker's end. */
static void kill_daemon(Faults *faults)
{
        if (faults->daemon > 0)
                faults->daemon_killed = kill(faults->daemon, SIGKILL) == 0;
}

/* One of the functions that were on VFIO at boot: which one depends on the operation. */
static void add_user(Machine *machine, unsigned long n)
{
        const Function *candidates[FUNCTIONS_MAX];
        size_t n_candidates = 0;

        for (size_t i = 0; i < machine->n_functions; i++)
                if (strcmp(machine->functions[i]->boot_driver, "vfio-pci") == 0)
                        candidates[n_candidates++] = machine->functions[i];
        if (n_candidates == 0 || machine->n_users == USERS_MAX)
                return;
        machine->users[machine->n_users++] = (User){
                .name = "late-user",
                .pid = 4711,
                .kind = USER_GROUP,
                .function = candidates[n % n_candidates]->address,
                .from = n,
                .group = NONE,
                .vfio = NONE,
        };
}

static void hang(Machine *machine)
{
        struct timespec from, now;
        long long spent;

        clock_gettime(CLOCK_MONOTONIC, &from);
        do {
                machine_wait_usec(machine, machine->faults->hang_usec / 8 + 1);
                clock_gettime(CLOCK_MONOTONIC, &now);
                spent = (now.tv_sec - from.tv_sec) * 1000000LL + (now.tv_nsec - from.tv_nsec) / 1000;
        } while (!machine->faults->released && spent < (long long) machine->faults->hang_usec);
}

void faults_begin_recovery(Faults *faults, FaultKind kind)
{
        faults->n = 0;
        faults->at = faults->second_at;
        faults->kind = kind;
        faults->hit = false;
        faults->second_at = 0;
}

/* What the process was told to do. */
static bool command_has(pid_t process, const char *word)
{
        char path[64], line[4096];

        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int) process);
        _cleanup_fclose_ FILE *file = fopen(path, "re");
        size_t size = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
        line[size] = '\0';
        for (const char *at = line; at < line + size; at += strlen(at) + 1)
                if (strcmp(at, word) == 0)
                        return true;
        return false;
}

/* The daemon gives each worker a process group of its own. */
static bool counts(Machine *machine, Faults *faults, pid_t group)
{
        if (group == faults->group)
                return faults->counts;
        bool recovers = command_has(group, "--recover");
        faults->group = group;
        faults->counts = recovers || command_has(group, "--execute");
        if (!faults->counts || faults->worker == group)
                return faults->counts;
        faults->worker = group;
        machine->listeners_dead = false;
        if (recovers && faults->hit && faults->second_at > 0)
                faults_begin_recovery(faults, fault_needs_daemon(faults->kind) ? faults->kind : FAULT_KILL);
        return true;
}

/*
 * Who does no transaction writes nothing to sysfs; and the daemon reads nothing that takes the device lock or resumes the
 * function (KF §4): it could be blocked by it.
 */
static void judge_bystander(Machine *machine, bool is_daemon, const char *name, const char *path)
{
        static const char *const blocking[] = { "driver_override", "sriov_numvfs", "config" };
        const char *base = path ? strrchr(path, '/') : NULL;

        if (!base || strncmp(path, "/sys/", 5) != 0)
                return;
        if (strcmp(name, "write") == 0)
                machine_violation(machine, "%s wrote to %s", is_daemon ? "the daemon" : "a planning worker",
                                  path);
        for (size_t i = 0; is_daemon && strcmp(name, "read") == 0 && i < ELEMENTSOF(blocking); i++)
                if (strcmp(base + 1, blocking[i]) == 0)
                        machine_violation(machine, "the daemon read %s, which can block", path);
}

/* Whether the operation is one of those that have a number. */
static bool is_numbered(Machine *machine, pid_t caller, const char *name, const char *path)
{
        Faults *faults = machine->faults;
        if (!faults->has_daemon)
                return true;
        pid_t group = getpgid(caller);
        if (counts(machine, faults, group)) {
                if (faults->of_planning && faults->armed)
                        move_users(machine, ++faults->n_passed);
                return !faults->of_planning;
        }
        judge_bystander(machine, group == faults->daemon, name, path);
        return faults->of_planning && faults->armed;
}

static void kill_struck(Machine *machine, const FaultEffect *effect)
{
        if (effect->bystander > 0)
                kill_bystander(machine, effect->bystander);
        else
                kill_worker(machine);
}

static bool is_struck(const Faults *faults, const char *name, const char *path)
{
        if (!faults->write)
                return faults->n == faults->at;
        size_t size = path ? strlen(path) : 0, end = strlen(faults->write);
        return strcmp(name, "write") == 0 && size >= end && strcmp(path + size - end, faults->write) == 0;
}

int faults_strike(Machine *machine, pid_t caller, const char *name, const char *path, FaultEffect *ret)
{
        Faults *faults = machine->faults;

        *ret = (FaultEffect){ 0 };
        if (!is_numbered(machine, caller, name, path))
                return 0;
        faults->n++;
        if (faults->trace)
                fprintf(stderr, "# %lu %s %s\n", faults->n, name, path ? path : "?");
        if (!faults->armed)
                return 0;
        if (!faults->of_planning)
                move_users(machine, faults->n);
        if (faults->kind == FAULT_NONE || faults->hit || !is_struck(faults, name, path))
                return 0;
        faults->hit = true;
        faults->n_hits++;
        snprintf(faults->what, sizeof(faults->what), "%s at operation %lu, %s %s", fault_name(faults->kind),
                 faults->n, name, path ? path : "?");
        if (faults->kind == FAULT_HANG)
                hang(machine);
        if (faults->kind == FAULT_STOP && faults->worker > 0)
                kill(faults->worker, WORKER_STOP_SIGNAL);
        if (faults->kind == FAULT_USER) {
                add_user(machine, faults->n);
                move_users(machine, faults->n);
        }
        ret->is_short = faults->kind == FAULT_SHORT;
        ret->kills_after = faults->kind == FAULT_KILL_AFTER;
        ret->bystander = faults->of_planning ? getpgid(caller) : 0;
        if (fault_needs_daemon(faults->kind))
                kill_daemon(faults);
        /* Its worker goes on, and may see the next daemon die as well. */
        if (faults->kind == FAULT_KILL_DAEMON && faults->second_at > faults->n) {
                faults->at = faults->second_at;
                faults->second_at = 0;
                faults->hit = false;
        }
        if (faults->kind == FAULT_KILL || faults->kind == FAULT_KILL_BOTH) {
                kill_struck(machine, ret);
                return -EINTR;
        }
        return -kinds[faults->kind].error;
}

void faults_after(Machine *machine, const FaultEffect *effect)
{
        if (effect->kills_after)
                kill_struck(machine, effect);
}
