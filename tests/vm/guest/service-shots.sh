# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read after lib.sh and product.sh
#
# service-shots: SIGKILL of the daemon, of the worker, or of both, in front of the first, second, third, ... time that
# the worker replaces one of its files, which it does before each step (journal, progress) and at the end (result); each
# time on a machine packed anew. systemd restarts the daemon. Ends with the first transaction that had no such place.
# Where several victims are named they take turns: each place is shot at once.

foreign='pci:8086:1234;what is this'
radius="0000:00:05.0 $multi_function"
shots=0
ends=

# heard REGEX: how many messages match so far.
heard()
{
    grep -cE "\"MESSAGE\":\".*$1" "$log"
}

kill_daemon()
{
    _heard=$(heard 'holds the lock')
    systemctl kill --kill-whom=main --signal=KILL $unit
    check "shot $shots: systemd starts the daemon again, which follows the worker" said 60 $((_heard + 1)) 'holds the lock'
    let_go
}

kill_worker()
{
    _heard=$(heard 'was ended by signal 9')
    kill -KILL "$(pidof vfio-realign-worker)"
    check "shot $shots: the daemon hears of it" said 60 $((_heard + 1)) 'was ended by signal 9'
}

kill_both()
{
    _heard=$(heard 'Scheduled restart job')
    systemctl kill --kill-whom=all --signal=KILL $unit
    check "shot $shots: systemd starts the daemon again" said 60 $((_heard + 1)) 'Scheduled restart job'
}

# settled: nothing is going on any more: that is when a daemon which is starting says READY=1. One that goes on is
# restarted for that, once it knows how the transaction ended.
settled()
{
    if [ "$victim" = worker ]; then
        [ ! -e $run/transaction.json ] || finished 1 && systemctl restart $unit
    else
        systemctl start $unit
    fi
}

what_holds()
{
    check "shot $shots: it comes to an end" settled
    _ends=$(outcomes)
    echo "shot $shots ended: $_ends"
    ends="$ends${ends:+, }$victim ${_ends:-nothing}"
    same "shot $shots: drivers, overrides and attributes are as before" "$wanted" "$(state $radius)"
    _text=$(cat $pci/resource_alignment)
    check "shot $shots: the foreign text is intact" [ "${_text%"$foreign"}$foreign" = "$_text" ]
    check "shot $shots: no journal is left" [ ! -e $run/transaction.json ]
    case $_ends in
    *verified) check "shot $shots: it ended verified, and VFIO maps every BAR: 1" mapped $multi_function ;;
    rolled-back) check "shot $shots: it was rolled back, and VFIO refuses the BARs as before: 0" refused $multi_function ;;
    *) not_ok "shot $shots: it ended ${_ends:-without a result}" ;;
    esac
}

# shoot VICTIM...: "daemon", "worker" or "both".
shoot()
{
    settle_delay=200ms
    policy
    hold_worker rename .
    add_to_unit restart RestartSec=100ms
    listen
    since=$(marked)
    while [ $shots -lt 40 ]; do
        shots=$((shots + 1))
        victim=$1
        shift
        set -- "$@" $victim
        pack_device 0000:00:05.0 $multi_function
        udevadm settle
        echo "$foreign" >$pci/resource_alignment
        bind $multi_function
        wanted=$(state $radius)
        echo $shots >/run/vm/shot
        systemctl start --no-block $unit
        _held=$(held)
        [ "$_held" = reached ] || break
        kill_$victim
        what_holds
        systemctl stop $unit
        rm -rf "${run:?}"/*
        systemctl reset-failed $unit
    done
    same "the last transaction had no such place" missed "$_held"
    check "there were several places to be shot at" [ $shots -ge 8 ]
    note "$((shots - 1)) shots; they ended: $ends"
}
