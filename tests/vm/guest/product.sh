# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read after lib.sh; lists of functions split
#
# product: how scenarios run vfio-realign: its policy, the daemon (with systemd or without), its worker, and the results
# that both leave.

run=/run/vfio-realign
results_folder=$run/results
worker=/usr/libexec/vfio-realign/vfio-realign-worker
wanted=
if [ -d /run/systemd/system ]; then
    . /vm/service.sh
else
    . /vm/daemon.sh
fi

# policy LINE...: the administrator's policy; lines before the first section belong to [default].
settle_delay=1s
policy()
{
    mkdir -p /etc/vfio-realign
    {
        echo "[default]"
        echo "settle-delay = $settle_delay"
        for _line; do
            echo "$_line"
        done
    } >/etc/vfio-realign/vfio-realign.conf
}

# finished N: N transactions have ended.
finished()
{
    await 90 "$1" "$results_folder" '\.json$'
}

# only N: no further transaction comes. Nothing can be waited for that does not happen, so this takes time:
# several times the settle delay.
only()
{
    ! await 4 $(($1 + 1)) "$results_folder" '\.json$' &&
        [ "$(find "$results_folder" -name '*.json' 2>/dev/null | wc -l)" = "$1" ]
}

# outcomes: of all transactions so far, oldest first, on one line.
outcomes()
{
    # shellcheck disable=SC2012 # names of ours, by time
    ls -tr "$results_folder"/*.json 2>/dev/null | while read -r _r; do
        jq -r .outcome "$_r"
    done | tr '\n' ' ' | sed 's/ $//'
}

# times: a line for the host with what each transaction took.
report_times()
{
    for _r in "$results_folder"/*.json; do
        [ -e "$_r" ] || continue
        cp "$_r" "$out/"
        jq -r -f /vm/times.jq "$_r" | while read -r _line; do
            note "$_line"
        done
    done
}

# bound_state FUNCTION...: what `state` will have to say again afterwards, into $wanted. Leaves them unbound.
bound_state()
{
    bind "$@"
    wanted=$(state $everything)
    release "$@"
}

everything="$functions $bridges"

# realigned FUNCTION...: everything that must be true after one transaction of these.
realigned()
{
    check "one transaction ends" finished 1
    check "and no further one follows" only 1
    same "it ended verified" verified "$(outcomes)"
    report_times
    after "$@"
    same "drivers, overrides and attributes are as before" "$wanted" "$(state $everything)"
}

# realign_on_bind FUNCTION...: the main job.
realign_on_bind()
{
    policy
    before "$@"
    bound_state "$@"
    check "the daemon starts" daemon_start
    since=$(marked)
    bind "$@"
    realigned "$@"
    check "vfio-realign status says that all is fine" vfio-realign status "$@"
    check "the daemon stops" daemon_stop
}
