/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

/* A bus has at most 256 functions; of more, below several bridges, the message alone tells. */
#define FIELDS_MAX (9 + 256)

static bool to_journal;

/* JOURNAL_STREAM names device and inode of the stream that systemd connected to the journal (systemd.exec(5)). */
void log_open(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;
        to_journal = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
                     fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

typedef struct Fields {
        struct iovec items[FIELDS_MAX];
        int n_items;
} Fields;

static void fields_free(Fields *fields)
{
        for (int i = 0; i < fields->n_items; i++)
                free(fields->items[i].iov_base);
}

/* A field for which there is no memory is left out: the message is worth more than its fields. */
static void fields_add(Fields *fields, const char *name, const char *value)
{
        if (!value || !*value || fields->n_items == FIELDS_MAX)
                return;
        char *text = text_format("%s=%s", name, value);
        if (text)
                fields->items[fields->n_items++] =
                                (struct iovec){ .iov_base = text, .iov_len = strlen(text) };
}

/* One field for each, so that the journal finds each: "0000:03:00.0, 0000:03:00.1" is nobody's name. */
static void fields_add_list(Fields *fields, const char *name, const char *list)
{
        _cleanup_free_ char *copy = list ? strdup(list) : NULL;
        char *rest = copy, *item;
        while ((item = strsep(&rest, ", ")))
                fields_add(fields, name, item);
}

static void send_to_journal(int priority, const LogContext *about, const char *message)
{
        _cleanup_(fields_free) Fields fields = { 0 };
        char number[TEXT_BYTES_MAX];

        snprintf(number, sizeof(number), "%d", priority);
        fields_add(&fields, "MESSAGE", message);
        fields_add(&fields, "PRIORITY", number);
        fields_add(&fields, "PCI_BUS", about->bus);
        fields_add(&fields, "TRANSACTION", about->transaction);
        fields_add(&fields, "STEP", about->step);
        if (about->reason != REASON_NONE)
                fields_add(&fields, "REASON", reason_name(about->reason));
        fields_add(&fields, "MESSAGE_ID",
                   about->event != EVENT_NONE ? event_message_id(about->event)
                                              : reason_message_id(about->reason));
        if (about->duration_usec > 0) {
                snprintf(number, sizeof(number), "%llu", (unsigned long long) about->duration_usec);
                fields_add(&fields, "DURATION_USEC", number);
        }
        fields_add_list(&fields, "PCI_FUNCTION", about->function);
        if (sd_journal_sendv(fields.items, fields.n_items) < 0)
                fprintf(stderr, "%s\n", message);
}

void log_say(int priority, const LogContext *about, const char *format, ...)
{
        static const LogContext nothing = { 0 };
        char message[2048];
        va_list args;

        if (priority == LOG_DEBUG && !to_journal)
                return;
        va_start(args, format);
        vsnprintf(message, sizeof(message), format, args);
        va_end(args);
        if (to_journal)
                send_to_journal(priority, about ? about : &nothing, message);
        else
                fprintf(stderr, "%s\n", message);
}
