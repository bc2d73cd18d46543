/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The plan: the ordered steps that realign the targets of one bus, or that give functions to other drivers, or why not,
 * as data. Made from snapshot, verdicts, usage and policy without opening a file (design §5, §6); printable; carried
 * between programs as a JSON document (judge/plan-document.h).
 */

#include "base/reason.h"
#include "judge/usage.h"
#include "judge/verdict.h"
#include "model/grown.h"
#include "model/policy.h"
#include "model/topology.h"

/* The driver that functions are given to when they are detached from the host's. */
#define VFIO_DRIVER "vfio-pci"

typedef enum PlanGoal {
        PLAN_GOAL_REALIGN,
        PLAN_GOAL_RESTORE,  /* the targets' BARs get their own sizes back */
        PLAN_GOAL_DETACH,   /* the targets come from the host's drivers, or none, to VFIO_DRIVER */
        PLAN_GOAL_REATTACH, /* they come from VFIO drivers, or none, to the host's */
        /* As to realign, but functions on the host's drivers that are about to go to a guest take part, and go back to them. */
        PLAN_GOAL_PREPARE,
        PLAN_GOAL_COUNT_,
} PlanGoal;

typedef enum PlanScope {
        PLAN_SCOPE_FUNCTION, /* each target is removed alone */
        PLAN_SCOPE_BUS,      /* a bridge above is removed, with all that is below it */
        PLAN_SCOPE_NONE,     /* nothing is removed: only drivers change */
        PLAN_SCOPE_COUNT_,
} PlanScope;

typedef enum PlanStepKind {
        PLAN_STEP_ENTRIES, /* write the alignment entries */
        PLAN_STEP_UNBIND,
        PLAN_STEP_REMOVE,
        PLAN_STEP_RESCAN, /* with the hold in place */
        PLAN_STEP_VERIFY, /* with nothing bound */
        PLAN_STEP_BIND,
        PLAN_STEP_RESTORE,      /* driver_override and the other attributes of before */
        PLAN_STEP_DROP_ENTRIES, /* keep-entry = no */
        PLAN_STEP_COUNT_,
} PlanStepKind;

/* One function of the blast radius, as it was when the plan was made. */
typedef struct PlanFunction {
        PciAddress address;
        char *path; /* topology_path() */
        uint32_t class;
        uint16_t vendor, device, subvendor, subdevice;
        char *driver; /* NULL: unbound */
        bool on_vfio;
        bool is_bridge;
        bool is_target;
        int iommu_group;
        uint64_t alignment; /* bytes of its entry; 0: no entry is written for it */
        ResourceTable resources;
        unsigned n_refused; /* how many of its BARs VFIO refuses */
        OwnSizes own;       /* what the BARs and the ROM have when nothing has grown them */
} PlanFunction;

typedef struct PlanStep {
        PlanStepKind kind;
        size_t function; /* index into plan->functions, where plan_step_has_function() */
} PlanStep;

typedef struct Plan {
        PlanGoal goal;
        PlanScope scope;
        unsigned rung; /* of the ladder: 0 function, 1 the bridge above, 2 the one above that, … */
        Reason narrowed; /* why scope is `function` although the policy says `bus`; REASON_NONE: it is not so */
        PciAddress narrowed_by; /* the function that REASON is about */
        char *narrowed_detail; /* who holds it, or what it carries (obstacle_text()); NULL: nothing is known */
        uint64_t page;         /* bytes */
        PciAddress root_bus;   /* domain and bus */
        bool keep_entry;
        uint64_t step_timeout_usec;
        /* The blast radius, bridges first: each after the bridge above it. Scope none: the targets. */
        PlanFunction *functions;
        size_t n_functions;
        PlanStep *steps;
        size_t n_steps;
} Plan;

/* Why a function that was asked for is in no plan. */
typedef struct PlanRefusal {
        PciAddress address; /* the function that was asked for */
        Reason reason;
        PciAddress culprit; /* the function that the reason is about: often the same */
        char *detail; /* who holds it ("open in qemu-system-x86 (pid 812)"), or what it carries; may be NULL */
} PlanRefusal;

/* All that came of one request: at most one plan a bus, and a refusal for each function that is in none. */
typedef struct PlanSet {
        Plan **plans;
        size_t n_plans;
        PlanRefusal *refusals; /* not for functions whose verdict is ok: they need nothing */
        size_t n_refusals;
} PlanSet;

typedef struct PlanInput {
        const Topology *topology;
        const Verdicts *verdicts; /* of TOPOLOGY */
        const Usage *usage;
        const Policy *policy;
        const Grown *grown; /* NULL: nothing is known to be grown */
        PlanGoal goal;      /* of plan_make(): to realign, restore or prepare */
        /* Parallel to topology->functions: the BAR that holds the MSI-X table, or -1. NULL: not known of any. */
        const int8_t *msix_bars;
        bool by_request; /* an administrator asks: realign = report does not refuse */
        unsigned lowest_rung; /* narrower plans have failed: do not make one again (design §4 rule 6); 0: none has */
        bool has_vfio_driver; /* VFIO_DRIVER is loaded */
        bool keep_sizes; /* reattach: do not restore although the policy says after-reattach = restore */
} PlanInput;

/*
 * Plans for the functions at ADDRESSES. To realign: every bus that one of them is on is looked at as a whole, all its
 * targets go into its one plan. To restore: the functions themselves, those of one bus in one plan. To prepare: as to
 * realign, and the functions themselves count as if they were on VFIO: one that is on a host driver is taken off it when
 * nobody uses it in any way (input->usage has to have what it carries: judge/host-use.h), and is bound to it again. -ENOMEM.
 */
int plan_make(const PlanInput *input, const PciAddress *addresses, size_t n_addresses,
              PlanSet **ret) _warn_unused_result_ _nonnull_(1, 4);
PlanSet *plan_set_free(PlanSet *set);
DEFINE_CLEANUP(PlanSet *, plan_set_free);

Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);

/* The steps that follow from functions, scope and keep_entry; sets plan->steps. -ENOMEM. */
int plan_derive_steps(Plan *plan) _warn_unused_result_ _nonnull_(1);

/* True for steps that are about one function. */
bool plan_step_has_function(PlanStepKind kind);
const char *plan_step_name(PlanStepKind kind); /* "entries", "unbind", "remove", … */
const char *plan_scope_name(PlanScope scope);  /* "function", "bus", "none" */
int plan_scope_parse(const char *name, PlanScope *ret) _warn_unused_result_ _nonnull_(1, 2);
const char *plan_goal_name(PlanGoal goal); /* "realign", "restore", "detach", "reattach", "prepare" */
int plan_goal_parse(const char *name, PlanGoal *ret) _warn_unused_result_ _nonnull_(1, 2);

/* True when the BARs of FUNCTION, one of PLAN, are grown and get their own sizes back: its entry is taken out. */
bool plan_gives_back(const Plan *plan, const PlanFunction *function) _nonnull_(1, 2);

/* True when FUNCTION, one of PLAN, is on VFIO or counts as if it were, because a guest is about to get it. */
bool plan_is_for_vfio(const Plan *plan, const PlanFunction *function) _nonnull_(1, 2);

/* True when a wider scope may help after a plan has failed for REASON: there is more room in it (design §4 rule 6). */
bool plan_climbs(Reason reason);

/* True when FUNCTION, one of PLAN, is on a driver of another kind when the plan has been executed. */
bool plan_changes_driver(const Plan *plan, const PlanFunction *function) _nonnull_(1, 2);

/* The entry that is written for FUNCTION (alignment_entry_format()); NULL when there is no memory. */
char *plan_entry(const Plan *plan, const PlanFunction *function) _warn_unused_result_ _nonnull_(1, 2);
