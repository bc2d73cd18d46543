# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2035,SC2086,SC2154 # $root and the like are the caller's, the lists the machine's
#
# words: in which the compared scenarios are written, beside those of the guests' library (tests/vm/guest/lib.sh). The
# same shell reads them in the guest, on the kernel's own /sys, and on the simulator's tree. The caller has set
#
#   root        where the tree is: empty in the guest
#   side        guest or simulator
#   kernel      whose behaviour: 6.1 or 7.3
#   worker, client   the programs
#   records     a folder, with a file for each scenario: what both sides must agree on

sysroot=${root:+--sysroot $root}
said=$records/said
steps=0

# --- what happens

# policy LINE...: for what follows; lines before the first section belong to [default].
policy()
{
    {
        echo "[default]"
        for _line; do
            echo "$_line"
        done
    } >"$records/config"
}

# align TEXT: the alignment attribute, whatever was in it.
align()
{
    printf '%s\n' "$1" >"$pci/resource_alignment"
}

# override FUNCTION NAME: without binding anything.
override()
{
    echo "$2" >"$pci/devices/$1/driver_override"
}

# probe FUNCTION...: by whatever driver matches.
probe()
{
    for _f; do
        echo "$_f" >"$pci/drivers_probe"
    done
}

# rescan_all: through the door that scans every root bus.
rescan_all()
{
    echo 1 >"$pci/rescan"
}

# occupy FUNCTION: a process opens its VFIO group, until `vacate`.
occupy()
{
    if [ "$side" = simulator ]; then
        echo "user holder function=$1 kind=group" >"$root/control"
        return
    fi
    _group=$(basename "$(readlink "$pci/devices/$1/iommu_group")")
    command hold open "/dev/vfio/$_group" >"$records/holding" &
    holder=$!
    await 20 1 "$records/holding" '^holding'
}

vacate()
{
    if [ "$side" = simulator ]; then
        echo "gone holder" >"$root/control"
        return
    fi
    kill "$holder"
    wait "$holder" 2>/dev/null
    rm "$records/holding"
}

# native DRIVER ID: a host driver is loaded, and takes every function of its that is free; no_native: unloaded.
native()
{
    if [ "$side" = simulator ]; then
        echo "driver $1 id=$2" >"$root/control"
        return
    fi
    modprobe "$1"
    udevadm settle
}

no_native()
{
    if [ "$side" = simulator ]; then
        echo "unload $1" >"$root/control"
        return
    fi
    rmmod "$1"
}

# each COMMAND FUNCTION...
each()
{
    _command=$1
    shift
    for _each; do
        $_command "$_each"
    done
}

# What the programs print goes into the notes as it is, behind a word that says what it is; `canonical` makes of it,
# outside of the slow guest, what the two sides must agree on.

# plan [OPTION...] FUNCTION...: what the worker would do, or why not.
plan()
{
    $worker $sysroot --config "$records/config" --plan "$@" >"$records/plans.json" || echo "plan failed with $?"
    echo "plans $(cat "$records/plans.json")"
    jq -c '.plans[]' "$records/plans.json" >"$records/plans"
}

# execute FILE: one plan.
execute()
{
    $worker $sysroot --config "$records/config" --execute "$1" >"$records/progress" 2>>"${complaints:-$records/complaints}"
    echo "exit status $?"
    echo "result $(tail -n 1 "$records/progress")"
}

# interfere EXPECTED COMMAND FUNCTION...: plans the functions and does COMMAND when the worker is about to rescan.
interfere()
{
    echo "expected $1"
    _interference=$2
    shift 2
    plan "$@"
    head -n 1 "$records/plans" >"$records/plan.json"
    mkfifo "$records/rescan.reached" "$records/rescan.go"
    _worker=$worker
    # The leak detector cannot work under a tracer.
    worker="env ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 tripwire --hold $records/rescan 1 write /rescan\$ $_worker"
    # tripwire says where it holds.
    complaints=/dev/null execute "$records/plan.json" >"$records/interfered" &
    _executing=$!
    worker=$_worker
    timeout 60 grep -q reached "$records/rescan.reached"
    $_interference
    echo go >"$records/rescan.go"
    wait $_executing
    cat "$records/interfered"
    rm "$records/rescan.reached" "$records/rescan.go" "$records/interfered"
}

# realign EXPECTED [OPTION...] FUNCTION...: plans and executes what was planned. EXPECTED is an outcome, `refused`,
# or `nothing` where all is fine already.
realign()
{
    echo "expected $1"
    shift
    plan "$@"
    while read -r _plan; do
        printf '%s\n' "$_plan" >"$records/plan.json"
        execute "$records/plan.json"
    done <"$records/plans"
}

# --- what is compared

# state: driver, override and `resource` of every function, IOMMU groups, the alignment attribute, and what `status` says.
state()
{
    (
        cd "$pci/devices" || exit
        grep -H '' */resource */driver_override
        ls -l */driver 2>/dev/null # there may be none
        cd "$root/sys/kernel/iommu_groups" || exit
        ls -d */devices/*
    )
    _alignment=
    read -r _alignment <"$pci/resource_alignment"
    echo "alignment $_alignment"
    echo "status $($client $sysroot --json=short status 2>/dev/null)"
}

# step TEXT COMMAND...: does it and records what came of it.
step()
{
    _text=$1
    shift
    "$@" >"$said"
    steps=$((steps + 1))
    {
        echo "== $steps $_text"
        cat "$said"
        state
    } >>"$records/$name"
}

# packed BRIDGE-OR-FUNCTION...: how a scenario begins: the kernel places anew what is below these, and packs it.
packed()
{
    step "packed" again "$@"
}

again()
{
    take_out "$@"
    rescan
}

# perform SCENARIO-FILE: nothing is bound, nothing has an override, there is no alignment entry, the policy is the default
# one. Addresses and windows are those that the scenarios before have left, on both sides.
perform()
{
    name=$(basename "$1")
    steps=0
    policy
    for _f in $functions; do
        [ ! -e "$pci/devices/$_f" ] || release "$_f"
    done
    align ""
    # shellcheck source=/dev/null
    . "$1"
}
