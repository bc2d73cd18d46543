/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The verb `cmdline`: the kernel's boot option that says what the alignment attribute says now, so that the present state
 * holds from boot, and whether the running kernel was given it.
 */

#include "act/entries.h"
#include "base/text.h"
#include "client/document.h"
#include "client/machine.h"
#include "client/print.h"
#include "client/selection.h"
#include "client/verb.h"
#include "model/alignment-param.h"
#include "model/boot-option.h"

#include <errno.h>
#include <string.h>

/* All that one run shows. */
typedef struct BootState {
        const ClientContext *context;
        const Machine *machine;
        char **entries;  /* of the option */
        char *option;    /* NULL: there is nothing to keep */
        char *left_out;  /* NULL: nothing */
        char *running;   /* what the running kernel was given; NULL: nothing */
        bool seen;       /* its command line could be read */
        char **ours;     /* entries that we have written */
        bool ours_known; /* the file with them could be read */
} BootState;

static void boot_state_clear(BootState *state)
{
        text_list_free(state->entries);
        free(state->option);
        free(state->left_out);
        free(state->running);
        text_list_free(state->ours);
}

static ClientExit read_state(BootState *state)
{
        const Root *root = state->context->root;
        _cleanup_free_ char *attribute = NULL, *line = NULL;

        int r = root_read_attribute(root, ALIGNMENT_PARAM_PATH, &attribute);
        if (r < 0)
                return client_error("/" ALIGNMENT_PARAM_PATH " cannot be read: %s", strerror(-r));
        r = boot_option_entries(attribute, &state->entries, &state->left_out);
        if (r >= 0 && state->entries[0]) {
                state->option = boot_option_format(state->entries);
                r = state->option ? 0 : -ENOMEM;
        }
        if (r < 0)
                return client_error("out of memory");
        r = root_read_file(root, BOOT_OPTION_PATH, &line, NULL);
        state->seen = r >= 0;
        if (r < 0)
                (void) client_error("/" BOOT_OPTION_PATH " cannot be read: %s", strerror(-r));
        else if (boot_option_find(line, &state->running) < 0)
                return client_error("out of memory");
        state->ours_known = entries_ours(root, &state->ours) >= 0;
        return CLIENT_EXIT_FINE;
}

static bool is_ours(const BootState *state, const char *entry)
{
        for (size_t i = 0; state->ours && state->ours[i]; i++)
                if (strcmp(state->ours[i], entry) == 0)
                        return true;
        return false;
}

/* The function in the place that ENTRY names; NULL: it names none, or ids. */
static const PciFunction *function_of(const BootState *state, const char *entry)
{
        const char *at = strchr(entry, '@');
        return topology_find_path(state->machine->topology, at ? at + 1 : entry);
}

static bool running_has_it(const BootState *state)
{
        const char *wanted = state->option ? state->option + strlen(BOOT_OPTION_PREFIX) : "";
        return strcmp(wanted, state->running ? state->running : "") == 0;
}

static JsonObject *entry_document(const BootState *state, const char *entry)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        const PciFunction *function = function_of(state, entry);

        if (!object || json_add_text(object, "entry", entry) < 0 ||
            document_add_text_or_null(object, "function",
                                      function ? PCI_ADDRESS_TEXT(function->address) : NULL) < 0)
                return NULL;
        int r = state->ours_known ? json_add_bool(object, "ours", is_ours(state, entry))
                                  : json_object_object_add(object, "ours", NULL);
        return r < 0 ? NULL : TAKE_PTR(object);
}

static JsonObject *to_json(const BootState *state)
{
        _cleanup_json_ JsonObject *object = json_object_new_object();
        _cleanup_json_ JsonObject *entries = json_object_new_array();

        if (!object || !entries)
                return NULL;
        for (char *const *entry = state->entries; *entry; entry++)
                if (json_append(entries, entry_document(state, *entry)) < 0)
                        return NULL;
        if (document_add_text_or_null(object, "option", state->option) < 0 ||
            document_add_text_or_null(object, "running", state->running) < 0 ||
            (state->seen ? json_add_bool(object, "running-has-it", running_has_it(state))
                         : json_object_object_add(object, "running-has-it", NULL)) < 0 ||
            document_add_text_or_null(object, "left-out", state->left_out) < 0 ||
            json_add(object, "entries", TAKE_PTR(entries)) < 0)
                return NULL;
        return TAKE_PTR(object);
}

static void print_entries(const BootState *state)
{
        puts("\nEntries:");
        for (char *const *entry = state->entries; *entry; entry++) {
                const PciFunction *function = function_of(state, *entry);
                const char *whose = !state->ours_known       ? ""
                                    : is_ours(state, *entry) ? ", written by vfio-realign"
                                                             : ", written by somebody else";
                printf("  %s: %s%s\n", *entry,
                       function                 ? PCI_ADDRESS_TEXT(function->address)
                       : strstr(*entry, "pci:") ? "all functions with these ids"
                                                : "no function is in this place now",
                       whose);
        }
}

static ClientExit print_advice(const BootState *state)
{
        if (!state->seen)
                return CLIENT_EXIT_FINE;
        if (running_has_it(state))
                return client_print_wrapped(0, "The running kernel was booted with it.");
        if (state->running)
                return client_print_wrapped(0, "The running kernel was booted with another one: %s%s",
                                            BOOT_OPTION_PREFIX, state->running);
        return client_print_wrapped(
                        0, "The running kernel was booted without it. Add it to the kernel's command "
                           "line in the boot loader's configuration. For GRUB each ';' is "
                           "written as '\\;'.");
}

static ClientExit print_state(const BootState *state)
{
        if (!state->option) {
                puts("The kernel's resource_alignment has no entries: there is nothing to keep.");
                return state->running ? client_print_wrapped(0, "The running kernel was booted with %s%s",
                                                             BOOT_OPTION_PREFIX, state->running)
                                      : CLIENT_EXIT_FINE;
        }
        puts(state->option);
        if (state->context->no_legend)
                return CLIENT_EXIT_FINE;
        print_entries(state);
        putchar('\n');
        return print_advice(state);
}

/* What the option does not bring. */
static ClientExit say_what_is_missing(const BootState *state)
{
        _cleanup_(selection_clear) Selection selection = { 0 };
        ClientExit status = selection_add_on_vfio(&selection, state->machine->topology);

        fflush(stdout);
        if (state->left_out) {
                text_make_printable(state->left_out);
                fprintf(stderr,
                        "vfio-realign: left out, because the kernel or its command line cannot take it: %s\n",
                        state->left_out);
        }
        for (size_t i = 0; i < selection.n_functions; i++)
                if (verdict_is_target(state->machine->verdicts, selection.functions[i]))
                        fprintf(stderr, "vfio-realign: %s is not realigned yet: the option is not for it.\n",
                                PCI_ADDRESS_TEXT(selection.functions[i]->address));
        return status;
}

ClientExit verb_cmdline(const ClientContext *context, size_t n, char *const *arguments)
{
        _cleanup_(boot_state_clear) BootState state = { .context = context };
        _cleanup_(machine_freep) Machine *machine = NULL;

        ClientExit status = machine_read(context, &machine);
        state.machine = machine;
        if (status == CLIENT_EXIT_FINE)
                status = read_state(&state);
        if (status != CLIENT_EXIT_FINE)
                return status;
        if (context->json != CLIENT_JSON_OFF) {
                _cleanup_json_ JsonObject *document = to_json(&state);
                status = client_print_json(context, document);
        } else
                status = print_state(&state);
        return client_exit_worse(status, say_what_is_missing(&state));
}
