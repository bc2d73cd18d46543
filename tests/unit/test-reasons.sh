#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each reason is given: by the product itself, in a unit test that has just run ("# gave:" in its log, reason-given.h), or
# in a scenario of the simulator (tests/sim/reasons, which tests/sim/run holds to what the programs really gave).
# Runs in the build folder, when the unit tests have ended.
set -u
LC_ALL=C
export LC_ALL
top=$(cd "${srcdir:-.}" && pwd)
n_failed=0
fail()
{
    n_failed=$((n_failed + 1))
    echo "$*"
}

words()
{
    sed -n 's/^REASON([A-Z_]*, "\([a-z-]*\)", .*/\1/p' "$top/include/base/reason.def" | sort
}
given()
{
    sed -n 's/^# gave: //p' test-*.log | grep -vx none | sort -u
}
simulated()
{
    grep -v '^#' "$top/tests/sim/reasons" | sort
}

[[ $(words | wc -l) == "$(grep -c '^REASON(' "$top/include/base/reason.def")" ]] || fail "the table was not understood"
for word in $(comm -23 <(words) <(sort -u <(given) <(simulated))); do
    fail "no test made the product give the reason $word"
done
for word in $(comm -13 <(words) <(simulated)); do
    fail "tests/sim/reasons has $word, which is no reason"
done
echo "$(words | wc -l) reasons, $(given | wc -l) given in unit tests, $(simulated | wc -l) in scenarios; $n_failed failed"
exit $((n_failed > 0))
