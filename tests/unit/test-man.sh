#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual tells what there is: every option and verb of the command line, every key of the policy with its values and
# default, every reason, the worker's options and the fields of its documents; and what its policy shows as an example
# is one. Runs in the build folder.
set -u
LC_ALL=C
export LC_ALL
top=$(cd "${srcdir:-.}" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
n_failed=0
fail()
{
    n_failed=$((n_failed + 1))
    echo "$*"
}

# the pages as a person reads them, without backslashes and font changes
plain()
{
    sed -e 's/\\f[BIR]//g' -e 's/\\&//g' -e 's/\\//g' "$1"
}

client=$(plain man/vfio-realign.1)
while read -r option; do
    grep -qEe "^(-[a-zA-Z], )?$option" <<<"$client" || fail "vfio-realign(1) lacks $option"
done < <(./vfio-realign --help | grep -o -e '--[a-z-]*')
while read -r verb; do
    grep -q "^$verb" <<<"$client" || fail "vfio-realign(1) lacks the verb $verb"
done < <(./vfio-realign --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p')
while read -r reason; do
    grep -qx "$reason" <<<"$client" || fail "vfio-realign(1) lacks the reason $reason"
done < <(sed -n 's/^REASON([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$top/include/base/reason.def")

while read -r column; do
    grep -qE "(^|[^A-Z])$column([^A-Z]|\$)" <<<"$client" || fail "vfio-realign(1) lacks the column $column of status"
done < <(./vfio-realign help status | sed -n '/^Columns/,$s/^  \([A-Z-]*\) .*/\1/p')

# what the worker takes, and every field of the documents that it and the daemon exchange
worker=$(plain man/vfio-realign-worker.8)
while read -r option; do
    grep -qEe "^$option|, $option" <<<"$worker" || fail "vfio-realign-worker(8) lacks $option"
done < <(./vfio-realign-worker --help | grep -oE '(^  |, )--[a-z-]+' | grep -o -e '--.*')
n_fields=0
while read -r field; do
    n_fields=$((n_fields + 1))
    grep -qEe "(^|[^a-z-])$field([^a-z-]|$)" <<<"$worker" || fail "vfio-realign-worker(8) lacks the field $field"
done < <(sed -n 's/.*json_add[a-z_0-9]*([a-z]*, "\([a-z-]*\)".*/\1/p' "$top/src/judge/plan-document.c" \
    "$top/src/act/result.c" "$top/src/act/step.c" "$top/src/act/journal.c" | sort -u)
[[ $n_fields -ge 30 ]] || fail "only $n_fields fields were found in the sources"

# the interfaces as they are served, the errors, and the actions that polkit is asked for
bus=$(plain man/org.vfiorealign1.5)
n_members=0
while read -r member; do
    n_members=$((n_members + 1))
    grep -qE "(^|, )$member( \\(|\\()" <<<"$bus" || fail "org.vfiorealign1(5) lacks $member"
done < <(sed -n '/interface name="org.vfiorealign1/,/<\/interface/s/.*<\(method\|property\|signal\) name="\([^"]*\)".*/\2/p' \
    dbus/org.vfiorealign1.Manager.xml dbus/org.vfiorealign1.Function.xml)
[[ $n_members -ge 25 ]] || fail "only $n_members members were found in the introspection documents"
while read -r error; do
    grep -qx "org.vfiorealign1.Error.$error" <<<"$bus" || fail "org.vfiorealign1(5) lacks the error $error"
done < <(sed -n 's/^DBUS_ERROR([A-Z_]*, "\([A-Za-z]*\)".*/\1/p' "$top/include/daemon/dbus-error.def")
while read -r action; do
    grep -q "$action" <<<"$bus" || fail "org.vfiorealign1(5) lacks the action $action"
done < <(sed -n 's/.*<action id="\([^"]*\)".*/\1/p' "$top/dbus/org.vfiorealign1.policy")
while read -r option; do
    grep -qe "$option" <<<"$(plain man/vfio-realignd.8)" || fail "vfio-realignd(8) lacks $option"
done < <(./vfio-realignd --help | grep -oE '^  --[a-z-]+' | tr -d ' ')

# each key: a paragraph that names all its words, and its default
policy=$(plain man/vfio-realign.conf.5 | tr '\n' ' ' | sed 's/\.SH KEYS/\n/; s/\.PP/\n/g; s/\.RE/\n/g')
n_keys=0
while IFS=$'\t' read -r key default expected; do
    [[ -n $key ]] || continue
    n_keys=$((n_keys + 1))
    paragraph=$(grep -E "^ *(\.P )?$key = " <<<"$policy") || { fail "vfio-realign.conf(5) lacks the key $key"; continue; }
    [[ $paragraph == *"Default: $default."* ]] || fail "vfio-realign.conf(5): $key lacks its default $default"
    for word in ${expected//,/ }; do
        case $word in
        a | an | or | from | to | up | of | such | as | power | two | size | time | number) continue ;;
        esac
        [[ $paragraph == *"$word"* ]] || fail "vfio-realign.conf(5): $key lacks $word"
    done
done < <(tr '\n' ' ' <"$top/include/model/policy-key.def" | sed 's/POLICY_KEY(\([A-Z_]*\), "/\nKEY \1 "/g' |
    sed -n 's/^KEY [A-Z_]* "\([^"]*\)".*, "\([^"]*\)", *"\([^"]*\)").*/\1\t\2\t\3/p'
        echo)
[[ $n_keys -ge 11 ]] || fail "only $n_keys keys were found in the table"

# shellcheck disable=SC2016 # three backquotes are how scdoc marks it
sed -n '/^# EXAMPLE/,$p' "$top/man/vfio-realign.conf.5.scd" | sed -n '/^```/,/^```/p' | sed '/^```/d' >"$folder/example.conf"
[[ -s $folder/example.conf ]] || fail "vfio-realign.conf(5) has no example"
./vfio-realign check-config "$folder/example.conf" || fail "the example of vfio-realign.conf(5) is wrong"

# nothing that man(1) would complain about
if command -v man >/dev/null; then
    for page in man/*.[1-8]; do
        words=$(MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$page" 2>&1 >"$folder/text")
        [[ -z $words && -s $folder/text ]] || fail "$page: $words"
    done
fi
if command -v mandoc >/dev/null; then
    for page in man/*.[1-8]; do
        words=$(mandoc -T lint -W warning "$page" 2>&1) || fail "mandoc says of $page: $words"
    done
fi
echo "$n_failed failed"
exit $((n_failed > 0))
