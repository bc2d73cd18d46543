# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read after lib.sh and product.sh
#
# shots: kills the worker by SIGKILL in front of its first, second, third, ... call of a kind, each time on a
# machine packed anew, has --recover clean up, and looks at what must hold then. Ends with the first
# run that no shot reached.

foreign='pci:8086:1234;what is this'
shots=0
radius="0000:00:05.0 $multi_function"

# take_shot N KIND REGEX: plans and executes; the worker's exit status is in $status.
take_shot()
{
    $worker --plan $multi_function >$out/plan-$1.json || return 1
    jq '.plans[0]' $out/plan-$1.json >/tmp/plan.json
    # The leak detector cannot work under a tracer.
    ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 tripwire "$@" $worker --execute /tmp/plan.json >$out/execute-$1 2>&1
    status=$?
    echo "shot $1: exit status $status, $(grep tripwire: $out/execute-$1)"
}

# what_holds N: after a shot and its recovery.
what_holds()
{
    same "shot $1: drivers, overrides and attributes are as before" "$wanted" "$(state $radius)"
    _text=$(cat $pci/resource_alignment)
    check "shot $1: the foreign text is intact" [ "${_text%"$foreign"}$foreign" = "$_text" ]
    check "shot $1: no journal is left" [ ! -e $run/transaction.json ]
}

# shoot_all KIND REGEX: as tripwire knows them.
shoot_all()
{
    status=137
    mkdir -p $run
    while [ $status = 137 ] && [ $shots -lt 80 ]; do
        shots=$((shots + 1))
        pack_device 0000:00:05.0 $multi_function
        echo "$foreign" >$pci/resource_alignment
        bind $multi_function
        wanted=$(state $radius)
        take_shot $shots "$@" || return 1
        if [ $status = 137 ]; then
            $worker --recover >$out/recover-$shots 2>&1
            recovered=$?
            # 0 finished or nothing to do, 3 undone
            check "shot $shots: recover succeeds" expr "$recovered" : '[03]$'
        fi
        what_holds $shots
        rm -rf $results_folder
    done
    same "the last run was not hit and ended verified" 0 $status
    check "VFIO maps every BAR after it: 1" mapped $multi_function
    note "$((shots - 1)) shots"
}
