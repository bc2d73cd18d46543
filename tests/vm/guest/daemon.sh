# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # read by product.sh, after lib.sh
#
# daemon: how scenarios run the daemon in a guest without systemd: from the unit's own command line, with a stand-in
# for systemd's notify socket.

daemon=

# product_fresh: the beginning of a scenario.
product_fresh()
{
    pack
}

# daemon_start [OPTION...]: returns when the daemon said READY=1.
daemon_start()
{
    _command=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/vfio-realign.service)
    _ready=$(grep -c '^READY=1' "$out/notify" 2>/dev/null)
    mkdir -p "$run"
    if [ ! -S /run/notify ]; then
        notify-log /run/notify "$out/notify"
    fi
    NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=20000000 $_command "$@" >>"$out/daemon.log" 2>&1 &
    daemon=$!
    await 60 $((_ready + 1)) "$out/notify" '^READY=1'
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
    for _p in $(pidof vfio-realignd vfio-realign-worker notify-log vfio-probe); do
        kill -KILL "$_p" 2>/dev/null
    done
    rm -rf /run/notify "$run" /etc/vfio-realign
    for _f in $native_drivers; do
        rmmod "$_f" 2>/dev/null
    done
}
