#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The pictures of the README are what the guest's run of "verbs" has recorded, but for what differs from run to run: the
# map before, and the status after.
set -u
LC_ALL=C.UTF-8
export LC_ALL
top=$(cd "${srcdir:-.}" && pwd)
n_failed=0

shown=$(sed -n 's/^    //p; s/^$//p' "$top/README.md" | sed -E -f "$top/tests/vm/guest/in-words.sed")
for name in map-before status-after; do
    recorded=$(<"$top/tests/vm/guest/expected/$name")
    [[ $(wc -l <<<"$recorded") -gt 2 && $shown == *"$recorded"* ]] && continue
    n_failed=$((n_failed + 1))
    printf 'README.md does not show what tests/vm/guest/expected/%s has:\n%s\n' "$name" "$recorded"
done
echo "$n_failed failed"
exit $((n_failed > 0))
