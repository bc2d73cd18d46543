/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "faults.h"

#include "vfio-core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static const struct {
        const char *name;
        int error;
} kinds[FAULTS] = {
        [FAULT_NONE] = { "none", 0 },          [FAULT_EIO] = { "EIO", EIO },
        [FAULT_ENODEV] = { "ENODEV", ENODEV }, [FAULT_EINVAL] = { "EINVAL", EINVAL },
        [FAULT_EBUSY] = { "EBUSY", EBUSY },    [FAULT_SHORT] = { "short", 0 },
        [FAULT_HANG] = { "hang", 0 },          [FAULT_USER] = { "user", 0 },
        [FAULT_KILL] = { "kill", 0 },          [FAULT_KILL_AFTER] = { "kill-after", 0 },
};

const char *fault_name(FaultKind kind)
{
        return kinds[kind].name;
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

int faults_strike(Machine *machine, const char *name, const char *path, FaultEffect *ret)
{
        Faults *faults = machine->faults;

        *ret = (FaultEffect){ 0 };
        faults->n++;
        if (faults->trace)
                fprintf(stderr, "# %lu %s %s\n", faults->n, name, path ? path : "?");
        if (!faults->armed)
                return 0;
        move_users(machine, faults->n);
        if (faults->kind == FAULT_NONE || faults->hit || faults->n != faults->at)
                return 0;
        faults->hit = true;
        snprintf(faults->what, sizeof(faults->what), "%s at operation %lu, %s %s", fault_name(faults->kind),
                 faults->n, name, path ? path : "?");
        if (faults->kind == FAULT_HANG)
                hang(machine);
        if (faults->kind == FAULT_USER) {
                add_user(machine, faults->n);
                move_users(machine, faults->n);
        }
        ret->is_short = faults->kind == FAULT_SHORT;
        ret->kills_after = faults->kind == FAULT_KILL_AFTER;
        if (faults->kind == FAULT_KILL) {
                kill_worker(machine);
                return -EINTR;
        }
        return -kinds[faults->kind].error;
}

void faults_after(Machine *machine, const FaultEffect *effect)
{
        if (effect->kills_after)
                kill_worker(machine);
}
