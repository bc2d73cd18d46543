/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One run of our unmodified worker on the mounted tree. */

#include "machine.h"

#include <json-c/json.h>

/* Where things are. */
typedef struct WorkerPlace {
        const char *worker;    /* the programs */
        const char *daemon;    /* NULL: is not run */
        const char *mount;     /* where the tree is mounted */
        const char *directory; /* for files of the runs */
} WorkerPlace;

typedef struct WorkerRun {
        int status;    /* exit status; NONE: it was killed */
        int signal;    /* by which signal */
        bool is_stuck; /* it did not end by itself, although nothing holds it any more */
        char *output;
        char *complaint;            /* stderr */
        struct json_object *result; /* the last line, if that is one with an outcome; else NULL */
} WorkerRun;

/* Runs the worker with ARGUMENTS (NULL-terminated, behind --sysroot, --page-size and --config). -errno. */
int worker_run(Machine *machine, const WorkerPlace *place, const char *const *arguments, WorkerRun *ret);
void worker_run_clear(WorkerRun *run);

/* Writes TEXT to the file NAME of the place's directory, and its path to PATH. */
bool place_write(const WorkerPlace *place, const char *name, const char *text, char path[static 256]);

/* A text field of the result, "" when it is not there. */
const char *run_outcome(const WorkerRun *run);
const char *run_reason(const WorkerRun *run);
const char *result_text(struct json_object *result, const char *name);
/* Whether its LIST ("warnings", "state") has a finding with REASON about ADDRESS ("" for any). */
bool result_lists(struct json_object *result, const char *list, const char *reason, const char *address);
/* The same for its warnings. */
bool result_has_warning(struct json_object *result, const char *reason, const char *address);
/* What it says of ADDRESS: borrowed; NULL when that is not in its radius. */
struct json_object *result_function(struct json_object *result, const char *address);
