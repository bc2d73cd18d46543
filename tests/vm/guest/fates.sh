# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2154 # scripts in quotes; read after lib.sh and product.sh
#
# fates: a daemon that is started again when it dies, and its worker stopped in front of the N-th replacing of a file in
# /run, which is what it does before each step: there the daemon is killed alone, or both are. Each time on a
# machine packed anew, and ending with the first run that nothing happened in.

foreign='pci:8086:1234;what is this'
radius="0000:00:05.0 $multi_function"

# The daemon's worker. The first execution after /tmp/step was written is stopped there; /tmp/fate tells when that is over.
# The leak detector cannot work under a tracer.
fated_worker()
{
    cat >/tmp/fated-worker <<END
#!/bin/sh
[ "\$1" = --execute ] && mv /tmp/step /tmp/this-step 2>/dev/null || exec $worker "\$@"
export ASAN_OPTIONS=\$ASAN_OPTIONS:detect_leaks=0
$1
END
    chmod +x /tmp/fated-worker
}

# Both: the worker is shot, and nobody has told the daemon yet when it is shot, too.
both_die='tripwire $(cat /tmp/this-step) rename . '$worker' "$@"
status=$?
[ $status != 137 ] || kill -KILL $PPID
echo "status $status" >/tmp/fate
exit $status'

# The daemon alone: the worker goes on when that has happened.
daemon_dies='( grep -q reached /tmp/fate.reached && kill -KILL $PPID && echo "status 137" >/tmp/fate && echo go >/tmp/fate.go) &
tripwire --hold /tmp/fate $(cat /tmp/this-step) rename . '$worker' "$@"
status=$?
wait $! || echo "status $status" >/tmp/fate
exit $status'

# one_fate N: $fate is "status 137" when the daemon was killed at the N-th step, and else how the worker ended.
one_fate()
{
    pack_device 0000:00:05.0 $multi_function
    rm -rf $run /tmp/fate
    echo "$foreign" >$pci/resource_alignment
    bind $multi_function
    wanted=$(state $radius)
    echo $1 >/tmp/step
    _ready=$(ready)
    daemon_supervise --worker /tmp/fated-worker
    # It is ready when nothing is left to do.
    check "step $1: a daemon becomes ready" await 60 $((_ready + 1)) "$out/notify" '^READY=1'
    fate=$(cat /tmp/fate)
    kill -TERM "$(daemon_pid)"
    wait $supervisor
    echo "step $1: $fate, $(outcomes)"
}

# what_holds N: in the end.
what_holds()
{
    same "step $1: drivers, overrides and attributes are as before" "$wanted" "$(state $radius)"
    _text=$(cat $pci/resource_alignment)
    check "step $1: the foreign text is intact" [ "${_text%"$foreign"}$foreign" = "$_text" ]
    check "step $1: no journal is left" [ ! -e $run/transaction.json ]
    vfio-probe $multi_function >/tmp/verdicts
    case $(outcomes) in
    *verified) check "step $1: it ended verified, and VFIO maps all" [ "$(grep -c ' 1$' /tmp/verdicts)" -ge 3 ] ;;
    *rolled-back) check "step $1: it ended rolled back, and VFIO refuses as before" grep -q ' 0$' /tmp/verdicts ;;
    *) not_ok "step $1: ended $(outcomes)" ;;
    esac
}

# all_fates WHAT-HAPPENS
all_fates()
{
    steps=0
    fate="status 137"
    settle_delay=100ms
    policy
    fated_worker "$1"
    mkfifo /tmp/fate.reached /tmp/fate.go
    while [ "$fate" = "status 137" ] && [ $steps -lt 60 ]; do
        steps=$((steps + 1))
        one_fate $steps
        what_holds $steps
    done
    rm /tmp/fate.*
    same "nothing happened in the last run, which ended verified" "status 0, verified" "$fate, $(outcomes)"
    note "killed at $((steps - 1)) steps"
}
