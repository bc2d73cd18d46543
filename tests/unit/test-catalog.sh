#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reasons and events against what else speaks of them: the journal's catalog has one entry for each (as systemd itself
# reads it), the daemon and the worker use each, and no scenario expects one that there is not.
# Runs in the build folder.
set -u
LC_ALL=C
export LC_ALL
top=$(cd "${srcdir:-.}" && pwd)
catalog=$PWD/catalog/vfio-realign.catalog
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
n_failed=0
fail()
{
    n_failed=$((n_failed + 1))
    echo "$*"
}

# "REASON NAME ID WORD" and "EVENT NAME ID"
sed -n 's/^REASON(\([A-Z_]*\), "\([a-z-]*\)", "\([^"]*\)",$/REASON \1 \3 \2/p' "$top/include/base/reason.def" >"$folder/table"
sed -n 's/^EVENT(\([A-Z_]*\), "\([^"]*\)".*/EVENT \1 \2/p' "$top/include/base/event.def" >>"$folder/table"
n=$(grep -cE '^(REASON|EVENT)\(' "$top/include/base/reason.def" "$top/include/base/event.def" | awk -F: '{ n += $2 } END { print n }')
[[ $n -gt 50 && $(wc -l <"$folder/table") == "$n" ]] || fail "the tables were not understood: $n rows"

# ids are 128 random bits, none twice
while read -r kind name id _; do
    [[ $id =~ ^[0-9a-f]{32}$ ]] || fail "$kind $name: \"$id\" is no message id"
done <"$folder/table"
twice=$(cut -d' ' -f3 "$folder/table" | sort | uniq -d)
[[ -z $twice ]] || fail "an id stands twice: $twice"

# the catalog as systemd compiles it
mkdir -p "$folder/root/usr/lib/systemd/catalog" "$folder/root/var/lib/systemd/catalog"
cp "$catalog" "$folder/root/usr/lib/systemd/catalog/" || exit 1
if command -v journalctl >/dev/null; then
    words=$(journalctl --root "$folder/root" --update-catalog 2>&1) || fail "journalctl refuses the catalog: $words"
    [[ -z $words ]] || fail "journalctl says of the catalog: $words"
    [[ $(journalctl --root "$folder/root" --list-catalog | wc -l) == "$n" ]] || fail "the catalog has not $n entries"
    while read -r kind name id word; do
        entry=$(journalctl --root "$folder/root" --dump-catalog "$id" 2>&1)
        [[ $entry == *Subject:\ [A-Z]*What\ to\ do:\ ?*. ]] || fail "$kind $name: its entry is \"$entry\""
        [[ $kind == EVENT || $entry == *"Reason: $word"* ]] || fail "$kind $name: its entry lacks \"$word\""
        [[ $entry != *\\* && $entry != *'""'* ]] || fail "$kind $name: its entry has what is C's alone"
    done <"$folder/table"
fi
long=$(awk 'length > 80 && !/^Subject:/' "$catalog")
[[ -z $long ]] || fail "a line of the catalog is too long: $long"
# the fields that entries refer to are some that the daemon sends
for field in $(grep -o '@[A-Z_]*@' "$catalog" | sort -u | tr -d @); do
    grep -q "\"$field\"" "$top/src/daemon/log.c" || fail "the daemon sends no $field="
done

# each is used; that each reason is given is for test-reasons.sh
while read -r kind name _; do
    grep -rqE "\\b${kind}_$name\\b" "$top/src" || fail "nothing uses $kind $name"
done <"$folder/table"

# and the reverse: "expect OUTCOME REASON"
while read -r file word; do
    grep -qx "REASON [A-Z_]* [0-9a-f]* $word" "$folder/table" || fail "$file expects the reason \"$word\", which there is not"
done < <(awk '/^expect (refused|rolled-back|failed|stale|verified) [a-z-]+$|^check warning / { print FILENAME, $3 }' \
    "$top"/tests/sim/scenarios/*.scenario)
echo "$n_failed failed"
exit $((n_failed > 0))
