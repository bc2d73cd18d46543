/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/print.h"

ClientExit client_print_json(const ClientContext *context, JsonObject *document)
{
        int style = JSON_C_TO_STRING_NOSLASHESCAPE;
        if (context->json == CLIENT_JSON_PRETTY)
                style |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

        const char *text = document ? json_object_to_json_string_ext(document, style) : NULL;
        if (!text)
                return client_error("out of memory");
        puts(text);
        return CLIENT_EXIT_FINE;
}
