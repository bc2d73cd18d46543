/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How standard output may look: coloured on a terminal (unless NO_COLOR is set), boxes of lines where the locale has them. */

#include "base/util.h"

typedef enum StyleColor {
        STYLE_PLAIN,
        STYLE_GOOD,
        STYLE_BAD,
        STYLE_DIM,
        STYLE_BOLD,
        STYLE_COUNT_,
} StyleColor;

typedef struct Style {
        bool terminal;
        bool colors;
        bool boxes; /* the locale's characters are UTF-8 */
} Style;

/* Of standard output, from the environment. */
Style style_of_output(void);

/* The terminal's sequence that begins COLOR (STYLE_PLAIN: ends it); empty when there are no colours. */
const char *style_color(Style style, StyleColor color);
