# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # $name and $out are the scenario's, the lists machine.sh's
#
# lib: the words in which scenarios are written. Everything about a function goes through sysfs by hand;
# nothing here asks vfio-realign what is true. A scenario is read into a shell that has this file, $name (its
# own name), $out (a folder that the host gets) and the addresses of machine.sh.

# The comparison with the simulator (tests/compare) reads it for another tree than this machine's.
. "${machine:-/vm/machine.sh}"

pci=${root-}/sys/bus/pci
events=$out/uevents
page=$(getconf PAGESIZE)

# --- results: one line each on the host's side, details on the console

ok()
{
    echo "ok $name: $*" >"/dev/$results"
    echo "ok $name: $*"
}

not_ok()
{
    echo "not ok $name: $*" >"/dev/$results"
    echo "not ok $name: $*"
}

note()
{
    echo "# $name: $*" >"/dev/$results"
    echo "# $name: $*"
}

# check TEXT COMMAND...: the command's exit status is the result; its output goes to the console.
check()
{
    _text=$1
    shift
    if "$@"; then
        ok "$_text"
    else
        not_ok "$_text"
        echo "failed: $*"
    fi
}

# same TEXT WANTED FOUND
same()
{
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1"
        printf 'wanted:\n%s\nfound:\n%s\n' "$2" "$3"
    fi
}

# --- functions

driver_of()
{
    if [ -e "$pci/devices/$1/driver" ]; then
        _link=$(readlink "$pci/devices/$1/driver")
        echo "${_link##*/}"
    else
        echo -
    fi
}

unbind()
{
    for _f; do
        if [ -e "$pci/devices/$_f/driver" ]; then
            echo "$_f" >"$pci/devices/$_f/driver/unbind"
        fi
    done
}

# bind FUNCTION...: to vfio-pci, as driverctl and libvirt do it.
bind()
{
    for _f; do
        echo vfio-pci >"$pci/devices/$_f/driver_override"
        unbind "$_f"
        echo "$_f" >"$pci/drivers_probe"
    done
}

# release FUNCTION...: off its driver, without override, bound to nothing.
release()
{
    for _f; do
        unbind "$_f"
        echo >"$pci/devices/$_f/driver_override"
    done
}

# The form in which the alignment attribute names a function: from the root bus down.
path_of()
{
    readlink -f "$pci/devices/$1" | sed -e 's|.*/pci[0-9a-f:]*/||' -e 's|/[0-9a-f]*:[0-9a-f]*:|/|g'
}

# entries_of FUNCTION...: the attribute's text for these.
entries_of()
{
    _entries=
    for _f; do
        _entries="$_entries${_entries:+;}$(path_of "$_f")"
    done
    echo "$_entries"
}

# What is shown here is a terminal to nobody.
export VFIO_REALIGN_PAGER=cat

# --- the two states of the machine

rescan()
{
    echo 1 >"${root-}/sys/class/pci_bus/$root_bus/rescan"
}

take_out()
{
    for _f; do
        [ ! -e "$pci/devices/$_f" ] || echo 1 >"$pci/devices/$_f/remove"
    done
}

# pack: firmware gives each BAR a page of its own, the kernel packs small ones. So the kernel is made to place
# everything anew: no driver, no override, no alignment entry, all functions gone and found again.
# shellcheck disable=SC2086 # lists of functions are meant to split
pack()
{
    for _f in $functions; do
        [ ! -e "$pci/devices/$_f" ] || release "$_f"
    done
    echo >"$pci/resource_alignment"
    take_out $root_ports $on_root_bus
    rescan
}

# pack_device PORT FUNCTION...: the same for what is below one port, in less time.
pack_device()
{
    echo >"$pci/resource_alignment"
    _port=$1
    shift
    release "$@"
    take_out "$_port"
    rescan
}

# realign_by_hand FUNCTION...: what an administrator would have to do, the whole radius being idle.
# shellcheck disable=SC2086
realign_by_hand()
{
    entries_of "$@" >"$pci/resource_alignment"
    unbind "$@"
    take_out $root_ports $on_root_bus
    rescan
    bind "$@"
}

# --- VFIO's verdict, as the judge has it: by the group, or with $judge_way by something else.

judge_way=

# refused FUNCTION...: every BAR below a page is refused by VFIO, and there is one.
refused()
{
    vfio-probe ${judge_way:+"$judge_way"} "$@" >/tmp/verdicts || return 1
    cat /tmp/verdicts
    awk -v page="$page" -v want="$#" '
        { size = 0; for (i = 3; i <= length($3); i++) size = size * 16 + index("0123456789abcdef", substr($3, i, 1)) - 1 }
        size < page { small[$1] = 1; if ($4 != 0) wrong = 1 }
        END { for (f in small) n++; exit wrong || n != want }' /tmp/verdicts
}

# mapped FUNCTION...: every memory BAR may be mapped, and there is one.
mapped()
{
    vfio-probe ${judge_way:+"$judge_way"} "$@" >/tmp/verdicts || return 1
    cat /tmp/verdicts
    awk -v want="$#" '{ seen[$1] = 1; if ($4 != 1) wrong = 1 }
        END { for (f in seen) n++; exit wrong || n != want }' /tmp/verdicts
}

# verdict_note TEXT: the verdicts just read, as a line for the host: 0 and 1 per BAR.
verdict_note()
{
    note "$1: $(awk '{ printf "%s%s BAR%s=%s", (NR > 1 ? ", " : ""), substr($1, 6), $2, $4 }' /tmp/verdicts)"
}

# before FUNCTION...: the verdict while packed. Leaves the functions unbound.
before()
{
    bind "$@"
    check "VFIO refuses the small BARs before: 0" refused "$@"
    verdict_note before
    release "$@"
}

after()
{
    check "VFIO maps every BAR after: 1" mapped "$@"
    verdict_note after
}

# --- what the kernel said

# mark: all uevents up to now are in $events when it returns.
mark()
{
    _uuid=$(cat /proc/sys/kernel/random/uuid)
    echo "change $_uuid" >/sys/class/mem/null/uevent
    await 20 1 "$events" "mark $_uuid"
}

# marked: how many lines $events has now, for $since: what came before is not counted then.
since=0
marked()
{
    mark
    wc -l <"$events"
}

# events_of ACTION FUNCTION [DRIVER]: how often since $since. FUNCTION and DRIVER are regular expressions.
events_of()
{
    mark
    tail -n +$((since + 1)) "$events" | grep -cE "^[0-9]+ $1 $2 ${3:-.*}\$"
}

# untouched FUNCTION...: not one remove.
untouched()
{
    for _f; do
        [ "$(events_of remove "$_f")" = 0 ] || { echo "$_f was removed"; return 1; }
    done
}

# state FUNCTION...: driver, override and attributes of each, as far as they do not depend on addresses.
state()
{
    for _f; do
        if [ -e "$pci/devices/$_f" ]; then
            read -r _override <"$pci/devices/$_f/driver_override"
            read -r _power <"$pci/devices/$_f/power/control"
            # Not every architecture has it.
            _d3cold=-
            [ ! -e "$pci/devices/$_f/d3cold_allowed" ] || read -r _d3cold <"$pci/devices/$_f/d3cold_allowed"
            echo "$_f driver $(driver_of "$_f") override $_override power $_power d3cold $_d3cold"
        else
            echo "$_f missing"
        fi
    done
}

milliseconds()
{
    awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}
