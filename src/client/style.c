/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/style.h"

#include <langinfo.h>
#include <string.h>

static bool is_set(const char *name)
{
        const char *value = getenv(name);
        return value && value[0] != '\0';
}

Style style_of_output(void)
{
        const char *terminal = getenv("TERM");
        bool is_terminal = isatty(STDOUT_FILENO);
        return (Style){
                .terminal = is_terminal,
                .colors = is_terminal && !is_set("NO_COLOR") && !(terminal && strcmp(terminal, "dumb") == 0),
                .boxes = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        };
}

const char *style_color(Style style, StyleColor color)
{
        static const char *const sequences[STYLE_COUNT_] = {
                [STYLE_PLAIN] = "\033[0m", [STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m",
                [STYLE_DIM] = "\033[2m",   [STYLE_BOLD] = "\033[1m",
        };
        return style.colors ? sequences[color] : "";
}
