/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/plan-text.h"

#include "base/text.h"

#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

/* True when line LINE of FUNCTION becomes larger by its entry. */
static bool grows(const PlanFunction *function, unsigned line)
{
        const PciResource *resource = &function->resources.lines[line];
        return resource_is_assigned_memory(resource) && resource_size(resource) < function->alignment;
}

static unsigned count_growing(const PlanFunction *function)
{
        unsigned n = 0;
        for (unsigned line = 0; line <= RESOURCE_ROM; line++)
                n += grows(function, line);
        return n;
}

/* "grows to 4K: BAR 1 (256), BAR 2 (128)": NULL when there is no memory. */
static char *growth_text(const PlanFunction *function)
{
        char size[TEXT_BYTES_MAX];
        const char *separator = "";
        _cleanup_free_ char *all = text_format("grows to %s: ", text_from_bytes(function->alignment, size));

        for (unsigned line = 0; line <= RESOURCE_ROM && all; line++) {
                if (!grows(function, line))
                        continue;
                text_from_bytes(resource_size(&function->resources.lines[line]), size);
                char *more = text_format("%s%s%s (%s)", all, separator,
                                         resource_line_name(function->resources.n_lines, line), size);
                free(all);
                all = more;
                separator = ", ";
        }
        return TAKE_PTR(all);
}

/* "gets its own size back: BAR 1 (256)": NULL when there is no memory. */
static char *own_size_text(const PlanFunction *function)
{
        char size[TEXT_BYTES_MAX];
        const char *separator = "";
        char *all = strdup("gets its own size back: ");

        for (unsigned line = 0; line <= RESOURCE_ROM && all; line++) {
                const PciResource *resource = &function->resources.lines[line];
                uint64_t own = function->own.lines[line];
                if (own == 0 || !resource_is_assigned_memory(resource) || resource_size(resource) <= own)
                        continue;
                text_replace(&all, "%s%s%s (%s)", all, separator,
                             resource_line_name(function->resources.n_lines, line),
                             text_from_bytes(own, size));
                separator = ", ";
        }
        return all;
}

/* Where a function whose driver changes goes. */
static const char *new_driver(const Plan *plan)
{
        return plan->goal == PLAN_GOAL_DETACH ? "goes to " VFIO_DRIVER : "goes to the host's driver";
}

static char *changed_text(const Plan *plan, const PlanFunction *function)
{
        const char *after = plan_changes_driver(plan, function) ? new_driver(plan)
                            : function->driver                  ? ""
                                                                : "stays unbound";
        if (!plan_gives_back(plan, function))
                return strdup(after);
        _cleanup_free_ char *sizes = own_size_text(function);
        return sizes ? text_format("%s%s%s", sizes, *after ? "; " : "", after) : NULL;
}

static char *fate_text(const Plan *plan, const PlanFunction *function)
{
        if (plan_changes_driver(plan, function) || plan_gives_back(plan, function))
                return changed_text(plan, function);
        if (function->is_bridge)
                return strdup(function == plan->functions ? "removed, with all below; found again"
                                                          : "goes and comes with the bridge above");
        const char *binding = function->driver ? "" : "stays unbound";
        if (count_growing(function) == 0)
                return strdup(function->driver ? "moves" : binding);
        _cleanup_free_ char *growth = growth_text(function);
        return growth ? text_format("%s%s%s", growth, *binding ? "; " : "", binding) : NULL;
}

static const char *role(const PlanFunction *function)
{
        if (function->is_target)
                return "target";
        return function->is_bridge ? "bridge" : "beside";
}

static int add_radius_line(struct libscols_table *table, const Plan *plan, const PlanFunction *function)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);
        _cleanup_free_ char *fate = fate_text(plan, function);
        char group[16] = "-";

        if (function->iommu_group != IOMMU_GROUP_NONE)
                snprintf(group, sizeof(group), "%d", function->iommu_group);
        if (!line || !fate)
                return -ENOMEM;
        const char *const cells[] = { PCI_ADDRESS_TEXT(function->address),
                                      function->driver ? function->driver : "-", group, role(function),
                                      fate };
        for (size_t i = 0; i < ELEMENTSOF(cells); i++) {
                int r = scols_line_set_data(line, i, cells[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int print_radius(FILE *out, const Plan *plan)
{
        static const char *const names[] = { "FUNCTION", "DRIVER", "GROUP", "ROLE", "WHAT HAPPENS" };
        struct libscols_table *table = scols_new_table();
        int r = table ? 0 : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(names) && r >= 0; i++)
                r = scols_table_new_column(table, names[i], 0, i == 2 ? SCOLS_FL_RIGHT : 0) ? 0 : -ENOMEM;
        for (size_t i = 0; i < plan->n_functions && r >= 0; i++)
                r = add_radius_line(table, plan, &plan->functions[i]);
        if (r >= 0)
                r = scols_table_set_stream(table, out);
        if (r >= 0)
                r = scols_print_table(table);
        scols_unref_table(table);
        return r;
}

static void print_goal(FILE *out, const Plan *plan)
{
        static const char *const words[PLAN_GOAL_COUNT_][2] = {
                [PLAN_GOAL_REALIGN] = { "realign", "" },
                [PLAN_GOAL_RESTORE] = { "restore the own BAR sizes of", "" },
                [PLAN_GOAL_DETACH] = { "detach", " from the host" },
                [PLAN_GOAL_REATTACH] = { "reattach", " to the host" },
                [PLAN_GOAL_PREPARE] = { "prepare", " for a guest" },
        };
        size_t n_targets = 0;
        for (size_t i = 0; i < plan->n_functions; i++)
                n_targets += plan->functions[i].is_target;

        fprintf(out, "Plan to %s %zu function%s%s", words[plan->goal][0], n_targets,
                n_targets == 1 ? "" : "s", words[plan->goal][1]);
        if (plan->scope == PLAN_SCOPE_NONE)
                fputs(": only drivers would change, nothing would disappear.\n", out);
        else
                fprintf(out, ", scope %s: %zu function%s would disappear for a while.\n",
                        plan_scope_name(plan->scope), plan->n_functions, plan->n_functions == 1 ? "" : "s");
}

static void print_scope(FILE *out, const Plan *plan)
{
        print_goal(out, plan);
        if (plan->narrowed != REASON_NONE)
                fprintf(out, "%s because of %s (%s):\n  %s.\n",
                        plan->scope == PLAN_SCOPE_NONE ? "The BARs do not get their own sizes back"
                                                       : "The scope was narrowed from bus to function",
                        PCI_ADDRESS_TEXT(plan->narrowed_by), reason_name(plan->narrowed),
                        reason_text(plan->narrowed));
        if (plan->narrowed_detail)
                fprintf(out, "  %s is %s.\n", PCI_ADDRESS_TEXT(plan->narrowed_by), plan->narrowed_detail);
}

/* The entries of those functions that get them, or that GIVE them BACK, below TITLE; nothing when there are none. */
static int print_entry_list(FILE *out, const Plan *plan, bool give_back, const char *title)
{
        for (size_t i = 0; i < plan->n_functions; i++) {
                if (plan->functions[i].alignment == 0 ||
                    plan_gives_back(plan, &plan->functions[i]) != give_back)
                        continue;
                _cleanup_free_ char *entry = plan_entry(plan, &plan->functions[i]);
                if (!entry)
                        return -ENOMEM;
                fprintf(out, "%s  %s\n", title, entry);
                title = "";
        }
        return 0;
}

static int print_entries(FILE *out, const Plan *plan)
{
        int r = print_entry_list(
                        out, plan, true,
                        "\nEntries that are taken out of the kernel's resource_alignment (in the form they have there):\n");
        return r < 0 ? r
                     : print_entry_list(
                                       out, plan, false,
                                       "\nEntries for the kernel's resource_alignment, in front of what others wrote there:\n");
}

static bool gives_back(const Plan *plan)
{
        for (size_t i = 0; i < plan->n_functions; i++)
                if (plan_gives_back(plan, &plan->functions[i]))
                        return true;
        return false;
}

/* The driver comes of the plan's goal, or is the one of before. */
static void print_bind(FILE *out, const Plan *plan, const PlanFunction *function)
{
        const char *address = PCI_ADDRESS_TEXT(function->address);

        if (!plan_changes_driver(plan, function))
                fprintf(out, "bind %s to %s\n", address, function->driver ? function->driver : "its driver");
        else if (plan->goal == PLAN_GOAL_DETACH)
                fprintf(out, "bind %s to " VFIO_DRIVER "\n", address);
        else
                fprintf(out, "have the kernel find the host's driver of %s\n", address);
}

static void print_step(FILE *out, const Plan *plan, const PlanStep *step)
{
        const PlanFunction *function =
                        plan_step_has_function(step->kind) ? &plan->functions[step->function] : NULL;
        const char *address = function ? PCI_ADDRESS_TEXT(function->address) : "";
        const char *driver = function && function->driver ? function->driver : "its driver";

        switch (step->kind) {
        case PLAN_STEP_ENTRIES:
                fputs(gives_back(plan)
                                      ? "take these functions' alignment entries out, and write those of the others\n"
                                      : "write the alignment entries\n",
                      out);
                break;
        case PLAN_STEP_UNBIND:
                fprintf(out, "unbind %s from %s\n", address, driver);
                break;
        case PLAN_STEP_REMOVE:
                fprintf(out, "remove %s%s\n", address,
                        function && function->is_bridge ? ", with all below it" : "");
                break;
        case PLAN_STEP_RESCAN: {
                char bus[PCI_ADDRESS_TEXT_MAX];
                fprintf(out, "rescan from root bus %s, keeping drivers off what comes back\n",
                        pci_address_format_bus(plan->root_bus, bus));
                break;
        }
        case PLAN_STEP_VERIFY:
                fputs(gives_back(plan)
                                      ? "verify: every BAR is back, and has its own size where it is to have it\n"
                                      : "verify: every BAR is back, and no page is shared\n",
                      out);
                break;
        case PLAN_STEP_BIND:
                print_bind(out, plan, &plan->functions[step->function]);
                break;
        case PLAN_STEP_RESTORE:
                fprintf(out, "restore the attributes of %s\n", address);
                break;
        case PLAN_STEP_DROP_ENTRIES:
                fputs("take the alignment entries out again\n", out);
                break;
        case PLAN_STEP_COUNT_:
                break;
        }
}

/* What users have to hear before it is done (design §9). */
static void print_notes(FILE *out, const Plan *plan)
{
        bool growing = false;
        for (size_t i = 0; i < plan->n_functions; i++)
                growing = growing || (count_growing(&plan->functions[i]) > 0 &&
                                      !plan_gives_back(plan, &plan->functions[i]));

        if (growing)
                fputs("\nThe kernel realigns a BAR by growing it: sysfs, VFIO and guests then see the larger size.\n"
                      "A driver that insists on the exact size (Windows' ivshmem) breaks: for such a function set\n"
                      "realign = never in the policy.\n",
                      out);
        fputs("\nNothing was changed.\n", out);
}

int plan_text_print(FILE *out, const Plan *plan)
{
        print_scope(out, plan);
        fputc('\n', out);
        int r = print_radius(out, plan);
        if (r >= 0)
                r = print_entries(out, plan);
        if (r < 0)
                return r;
        fputs("\nSteps:\n", out);
        for (size_t i = 0; i < plan->n_steps; i++) {
                fprintf(out, "  %2zu. ", i + 1);
                print_step(out, plan, &plan->steps[i]);
        }
        print_notes(out, plan);
        return 0;
}

void plan_text_print_refusal(FILE *out, PlanGoal goal, const PlanRefusal *refusal)
{
        static const char *const words[PLAN_GOAL_COUNT_] = {
                [PLAN_GOAL_REALIGN] = "is not realigned",
                [PLAN_GOAL_RESTORE] = "does not get its own BAR sizes back",
                [PLAN_GOAL_DETACH] = "is not detached",
                [PLAN_GOAL_REATTACH] = "is not reattached",
                [PLAN_GOAL_PREPARE] = "is not prepared for a guest",
        };
        fprintf(out, "%s %s (%s):\n  %s.\n", PCI_ADDRESS_TEXT(refusal->address), words[goal],
                reason_name(refusal->reason), reason_text(refusal->reason));
        if (refusal->detail)
                fprintf(out, "  %s is %s.\n", PCI_ADDRESS_TEXT(refusal->culprit), refusal->detail);
        else if (!pci_address_equal(refusal->culprit, refusal->address))
                fprintf(out, "  It is about %s.\n", PCI_ADDRESS_TEXT(refusal->culprit));
        fprintf(out, "  What to do: %s.\n", reason_remedy(refusal->reason));
}
