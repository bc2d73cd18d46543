/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tells which pages functions of several IOMMU groups share (judge/shared-page.h), each once, whatever the policy says. */

#include "daemon/survey.h"

/*
 * Logs the pages of SURVEY that *TOLD does not have, one a line, and when the last one is gone; *TOLD becomes what SURVEY
 * has (the caller frees it; NULL at first). -ENOMEM.
 */
int shared_page_log(const Survey *survey, char **told) _warn_unused_result_ _nonnull_(1, 2);
