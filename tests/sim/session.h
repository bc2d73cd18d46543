/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One scenario, loaded and booted, and the runs of the worker on it. */

#include "campaign.h"
#include "invariants.h"

#define PROBLEMS_MAX 8

typedef struct Session {
        Campaign *campaign;
        Machine *machine;
        Scenario scenario;
        Before before;
        char foreign[TEXT_MAX];    /* the attribute's text that is not ours */
        struct json_object *plans; /* what --plan said */
        WorkerRun last;
        struct json_object *results; /* of the transactions of all plans, an array */
        Faults faults;
        bool is_hung; /* a hang is injected: what was before is done with the usual deadlines */
        char problems[PROBLEMS_MAX][256];
        size_t n_problems;
} Session;

/* What is known before the machine is booted. */
typedef struct SessionSetup {
        const char *name, *text; /* of the scenario */
        FaultKind fault;
        bool has_daemon;  /* on a machine with the pages of this one */
        bool binds_later; /* what is to be on VFIO waits for scenario_begin() */
} SessionSetup;

/* Never NULL; session->n_problems tells. */
Session *session_new(Campaign *campaign, const SessionSetup *setup);
void session_free(Session *session);

/* Remembers what is wrong; false. */
bool session_problem(Session *session, const char *format, ...) _printf_(2, 3);

/* Asks for the plans that the scenario is about. False: that is a problem. */
bool session_plan(Session *session);
/* Asks for what the daemon does without being asked: realign whatever is on VFIO. */
bool session_plan_vfio(Session *session);
struct json_object *session_plan_at(const Session *session, size_t index); /* NULL behind the last */
size_t session_count_plans(const Session *session);

/* Executes PLAN and recovers as long as there is something to recover. False: a problem. */
bool session_execute(Session *session, struct json_object *plan);

/* What must hold now. */
void session_check(Session *session, FaultKind fault);
/* Nothing but one error happened: then all can be put back. */
void session_check_one_error(Session *session, FaultKind kind, const char *outcome);

/* Says how it went, once; WHAT is added to its name (NULL: only failures are told). */
bool session_report(Session *session, const char *what);
void session_count_outcome(Session *session, const char *outcome);

/* The policy's text, with LINES behind it. */
void session_add_config(Session *session, const char *lines);
