# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # read by product.sh, after lib.sh
#
# service: how scenarios run the daemon in a guest with systemd: as the unit that `make install` left, and what it says
# in the journal. What a scenario adds to the unit is gone after it.

unit=vfio-realign.service
drop_ins=/run/systemd/system/$unit.d
log=$out/journal

# product_fresh: the beginning of a scenario: no daemon, and vfio-pci takes nothing by itself, as it did at boot.
product_fresh()
{
    systemctl stop $unit
    # What was begun at boot is ended by its worker alone, and is not of this scenario.
    [ ! -e "$run/lock" ] || flock "$run/lock" true
    tr ' ' '\n' </proc/cmdline | sed -n 's/^vfio-pci.ids=//p' | tr ',:' '\n ' | while read -r _id; do
        echo "$_id" >"$pci/drivers/vfio-pci/remove_id"
    done 2>/dev/null
    product_clean
    pack
    udevadm settle
}

# product_clean: what vfio-realign remembers of before is gone.
product_clean()
{
    rm -rf "${run:?}"/* /etc/vfio-realign
    systemctl reset-failed $unit 2>/dev/null
}

# product_stop: the end of a scenario, whatever state it left.
product_stop()
{
    systemctl kill --kill-whom=all --signal=KILL $unit 2>/dev/null
    systemctl stop $unit
    for _p in $(pidof vfio-probe hold tripwire journalctl qemu-system-x86_64); do
        kill -KILL "$_p" 2>/dev/null
    done
    rm -rf "$drop_ins" /run/vm
    systemctl daemon-reload
    product_clean
}

# listen: everything that is said in the unit's name from now on is in $log, a line of JSON each.
listen()
{
    _cursor=$(journalctl --quiet --lines=1 --output=json | jq -r .__CURSOR)
    journalctl --quiet --follow --no-tail --after-cursor="$_cursor" --unit=$unit --output=json >"$log" &
}

# said SECONDS COUNT REGEX: so many messages match.
said()
{
    await "$1" "$2" "$log" "\"MESSAGE\":\".*$3"
}

# entries FILTER: of what was said, the messages for which jq's FILTER is true.
entries()
{
    jq -c "select($1)" "$log"
}

# daemon_start: returns when the daemon said READY=1.
daemon_start()
{
    [ -e "$log" ] || listen
    systemctl start $unit
}

daemon_stop()
{
    systemctl stop $unit
}

# of_unit PROPERTY
of_unit()
{
    systemctl show --property="$1" --value $unit
}

# add_to_unit NAME LINE...: to its [Service] section, in place of what NAME said before.
add_to_unit()
{
    mkdir -p "$drop_ins"
    _file=$drop_ins/$1.conf
    shift
    printf '%s\n' "[Service]" "$@" >"$_file"
    systemctl daemon-reload
}

# hold_worker KIND REGEX: the worker that executes will be held in front of the call whose number is in /run/vm/shot, as
# long as that file exists. For that alone the unit must allow ptrace().
hold_worker()
{
    mkdir -p /run/vm
    rm -f /run/vm/hold.*
    mkfifo /run/vm/hold.reached /run/vm/hold.go
    cat >/run/vm/worker <<-END
	#!/bin/sh
	[ "\$1" = --execute ] && [ -e /run/vm/shot ] || exec $worker "\$@"
	exec tripwire --hold /run/vm/hold "\$(cat /run/vm/shot)" $1 '$2' $worker "\$@"
	END
    chmod +x /run/vm/worker
    add_to_unit hold ExecStart= "$(sed -n 's/^ExecStart=.*/& --worker \/run\/vm\/worker/p' "$(of_unit FragmentPath)")" \
        SystemCallFilter=ptrace
}

# held: "reached" when the worker is where it was to be held, "missed" when it ended without having been there. The next
# one will not be held.
held()
{
    timeout 120 cat /run/vm/hold.reached
    rm /run/vm/shot
}

let_go()
{
    echo go >/run/vm/hold.go
}
