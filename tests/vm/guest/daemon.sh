# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read by product.sh, after lib.sh
#
# daemon: how scenarios run the daemon in a guest without systemd: from the unit's own command line, with a stand-in
# for systemd's notify socket.

daemon=

# product_fresh: the beginning of a scenario.
product_fresh()
{
    pack
}

# daemon_run [OPTION...]: the unit's own command line, or $daemon_program, in place of this shell.
daemon_program=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/vfio-realign.service)
daemon_run()
{
    export NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=20000000
    # shellcheck disable=SC2093 # in a subshell
    exec $daemon_program "$@" >>"$out/daemon.log" 2>&1
}

# ready: how often a daemon has become ready so far.
ready()
{
    grep -c '^READY=1' "$out/notify" 2>/dev/null
}

daemon_prepare()
{
    mkdir -p "$run"
    [ -S /run/notify ] || notify-log /run/notify "$out/notify"
}

# daemon_start [OPTION...]: returns when the daemon said READY=1.
daemon_start()
{
    daemon_prepare
    _ready=$(ready)
    daemon_run "$@" &
    daemon=$!
    await 60 $((_ready + 1)) "$out/notify" '^READY=1'
}

# daemon_supervise [OPTION...]: the same without waiting; a daemon that is killed is started again, as systemd would.
daemon_supervise()
{
    daemon_prepare
    while :; do
        (daemon_run "$@")
        [ $? -gt 128 ] || break
    done &
    supervisor=$!
}

# daemon_pid: of the supervised daemon.
daemon_pid()
{
    pidof vfio-realignd
}

# daemon_stop: as systemd does it. The daemon's own exit status is the result.
daemon_stop()
{
    kill -TERM "$daemon"
    wait "$daemon"
    _status=$?
    daemon=
    return $_status
}

daemon_kill()
{
    kill -KILL "$daemon"
    wait "$daemon" 2>/dev/null
    daemon=
}

# product_stop: the end of a scenario, whatever state it left.
product_stop()
{
    for _p in $(pidof vfio-realignd vfio-realign-worker notify-log vfio-probe hold); do
        kill -KILL "$_p" 2>/dev/null
    done
    rm -rf /run/notify "$run" /etc/vfio-realign
    for _f in $native_drivers; do
        rmmod "$_f" 2>/dev/null
    done
}
