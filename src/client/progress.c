/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/progress.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define USEC_PER_MSEC 1000u
#define ERASE_LINE "\r\033[K"

void progress_clear(Progress *progress)
{
        free(progress->followed);
        *progress = (Progress){ 0 };
}

static bool is_ours(const Progress *progress, const char *function)
{
        for (size_t i = 0; i < progress->n_functions; i++)
                if (strcmp(progress->functions[i], function) == 0)
                        return true;
        return !progress->functions;
}

static void erase(Progress *progress)
{
        if (progress->pending)
                fputs(ERASE_LINE, stdout);
        progress->pending = false;
}

/* (id, bus, functions) */
static void on_started(Progress *progress, sd_bus_message *signal)
{
        _cleanup_free_ char *names = strdup("");
        const char *id, *bus, *function;
        bool ours = !progress->functions;
        if (sd_bus_message_read(signal, "ss", &id, &bus) < 0 ||
            sd_bus_message_enter_container(signal, 'a', "s") < 0)
                return;
        while (names && sd_bus_message_read(signal, "s", &function) > 0) {
                ours = ours || is_ours(progress, function);
                text_replace(&names, "%s%s%s", names, *names ? ", " : "", function);
        }
        if (!ours || !names || !text_replace(&progress->followed, "%s", id))
                return;
        printf("Transaction %s begins: %s\n", id, names);
        fflush(stdout);
}

/* Without a terminal a step is a line once it is done. */
static void on_step(Progress *progress, sd_bus_message *signal)
{
        const char *id, *step, *function, *state, *detail;
        uint64_t index, of, usec;
        if (sd_bus_message_read(signal, "ssssttst", &id, &step, &function, &state, &index, &of, &detail,
                                &usec) < 0 ||
            !text_equal(progress->followed, id))
                return;
        bool begins = strcmp(state, "begin") == 0;
        if (begins && !progress->context->style.terminal)
                return;
        erase(progress);
        printf("  %2" PRIu64 " of %" PRIu64 "  %s%s%s", index + 1, of, step, *function ? " " : "", function);
        if (begins)
                fputs(" …", stdout);
        else if (strcmp(state, "done") == 0)
                printf("  %" PRIu64 " ms\n", usec / USEC_PER_MSEC);
        else
                printf("  %s%s%s\n",
                       strcmp(state, "late") == 0 ? "is late: the kernel has not finished it" : state,
                       *detail ? ": " : "", detail);
        progress->pending = begins;
        fflush(stdout);
}

static void on_ended(Progress *progress, sd_bus_message *signal)
{
        const char *id, *bus, *outcome, *reason, *culprit, *detail;
        uint64_t usec;
        if (sd_bus_message_read(signal, "ss", &id, &bus) < 0 || sd_bus_message_skip(signal, "as") < 0 ||
            sd_bus_message_read(signal, "sssst", &outcome, &reason, &culprit, &detail, &usec) < 0 ||
            !text_equal(progress->followed, id))
                return;
        erase(progress);
        printf("Transaction %s: %s after %" PRIu64 " ms\n", id, outcome, usec / USEC_PER_MSEC);
        fflush(stdout);
}

static int on_signal(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        Progress *progress = userdata;
        if (sd_bus_message_is_signal(signal, BUS_MANAGER, "TransactionStarted"))
                on_started(progress, signal);
        else if (sd_bus_message_is_signal(signal, BUS_MANAGER, "TransactionStep"))
                on_step(progress, signal);
        else if (sd_bus_message_is_signal(signal, BUS_MANAGER, "TransactionEnded"))
                on_ended(progress, signal);
        return 0;
}

int progress_follow(Progress *progress, sd_bus *bus)
{
        return sd_bus_match_signal(bus, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER, NULL, on_signal, progress);
}
