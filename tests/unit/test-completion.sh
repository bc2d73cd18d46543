#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What bash and zsh complete, with the real program: verbs, options, columns, and the functions of this machine.
# Runs in the build folder.
set -u
LC_ALL=C.UTF-8
export LC_ALL
top=$(cd "${srcdir:-.}" && pwd)
PATH=$PWD:$PATH
n_failed=0

# answers LINE: what bash would offer at its end, sorted, on one line
answers()
{
    bash -c '
        . "$1" || exit 1
        COMP_LINE=$2 COMP_POINT=${#2}
        _vfio_realign
        printf "%s\n" "${COMPREPLY[@]}" | sort | paste -sd " "' bash "$top/completion/vfio-realign.bash" "$1"
}

# check LINE PATTERN
check()
{
    local got
    got=$(answers "$1" 2>&1)
    # shellcheck disable=SC2053 # it is a pattern
    [[ $got == $2 ]] && return
    n_failed=$((n_failed + 1))
    printf 'after "%s" bash offers "%s", expected "%s"\n' "$1" "$got" "$2"
}

verbs=$(vfio-realign help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | sort | paste -sd ' ')
check 'vfio-realign ' "$verbs"
check 'vfio-realign help ' "$verbs"
check 'vfio-realign st' 'status'
check 'vfio-realign --json st' 'status'
check 'vfio-realign --config plan st' 'status'
check 'vfio-realign xyz' ''
check 'vfio-realign --js' '--json=*'
check 'vfio-realign status --json=' 'off pretty short'
check 'vfio-realign status --json=s' 'short'
check 'vfio-realign --' '*--json=*--no-pager*--output=*'
check 'vfio-realign check-config --' '--config= --help --page-size= --sysroot= --version --worker='
check 'vfio-realign status -o ' 'BARS BRIDGE CLASS *VERDICT'
check 'vfio-realign status -o VER' 'VERDICT'
check 'vfio-realign policy --output ' 'FUNCTION KEY SECTION SOURCE VALUE'
check 'vfio-realign cmdline ' ''
check "vfio-realign check-config $top/COPY" "$top/COPYING"

# shellcheck disable=SC2012 # addresses only
first=$(ls /sys/bus/pci/devices 2>/dev/null | head -n 1)
if [[ $first ]]; then
    # shellcheck disable=SC2012
    check 'vfio-realign explain ' "$(ls /sys/bus/pci/devices | sort | paste -sd ' ')"
    # what is in front of the last colon is on the line already
    check "vfio-realign status ${first%??}" "*${first##*:}*"
fi

if command -v zsh >/dev/null; then
    zsh -n "$top/completion/_vfio-realign" || { echo "zsh finds mistakes in its completion"; n_failed=$((n_failed + 1)); }
    # the helper that makes the list of verbs, with what _describe would be given
    got=$(zsh -f -c '
        _describe() { print -l -- "${(@P)2}" }
        _wanted() { print -l -- "${(@P)${@[-1]}}" }
        words=(vfio-realign ""); CURRENT=2
        . "$1" | cut -d: -f1 | sort | paste -sd " "' zsh "$top/completion/_vfio-realign")
    [[ $got == "$verbs" ]] || { echo "zsh offers the verbs \"$got\", expected \"$verbs\""; n_failed=$((n_failed + 1)); }
    got=$(zsh -f -c '
        _describe() { print -l -- "${(@P)2}" }
        words=(vfio-realign policy --n); CURRENT=3
        . "$1"' zsh "$top/completion/_vfio-realign")
    [[ $got == *--no-legend:?*--no-pager:?* ]] || { echo "zsh offers the options \"$got\""; n_failed=$((n_failed + 1)); }
    got=$(zsh -f -c '
        _wanted() { print -l -- "${(@P)${@[-1]}}" }
        words=(vfio-realign explain ""); CURRENT=3
        . "$1"' zsh "$top/completion/_vfio-realign" | sort | paste -sd ' ')
    # shellcheck disable=SC2012
    [[ -z $first || $got == "$(ls /sys/bus/pci/devices | sort | paste -sd ' ')" ]] ||
        { echo "zsh offers the functions \"$got\""; n_failed=$((n_failed + 1)); }
fi
echo "$n_failed failed"
exit $((n_failed > 0))
