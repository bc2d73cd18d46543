/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One page drawn as a box, to scale, with a field for each owner of bytes in it. When the smallest owner would be too
 * small to be seen, the page is drawn on several lines; lines that say the same as the one above are left out.
 */

#include "client/style.h"
#include "judge/page-view.h"

#define PICTURE_WIDTH 64u /* fields of a line, without the box's sides */

/* The letter that stands for owner I of a page. */
char page_picture_letter(size_t i);

/*
 * Draws the page of PAGE bytes at VIEW's start to OUT. COLORS (NULL: none) has the colour of each owner of the view.
 * -ENOMEM.
 */
int page_picture_draw(FILE *out, const PageView *view, uint64_t page, Style style,
                      const StyleColor *colors) _warn_unused_result_ _nonnull_(1, 2);
