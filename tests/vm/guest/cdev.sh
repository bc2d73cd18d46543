# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read after lib.sh and product.sh
#
# cdev: the words of scenarios in which VFIO has character devices.

# device_of FUNCTION: its character device.
device_of()
{
    echo "/dev/vfio/devices/$(basename "$pci/devices/$1"/vfio-dev/*)"
}

# group_of FUNCTION: its group file, whether it is there or not.
group_of()
{
    echo "/dev/vfio/$(basename "$(readlink "$pci/devices/$1/iommu_group")")"
}

# taken COMMAND...: the command, $holder, says that it holds what it was told to.
taken()
{
    : >$out/holding
    "$@" >$out/holding &
    holder=$!
    check "a process has it: $*" await 20 1 $out/holding '^holding'
}

# left: it has gone.
left()
{
    kill $holder
    wait $holder 2>/dev/null
}

# judged FUNCTION [OPTION]: the judge's "BAR SIZE MAPPED" lines, into /tmp/judge.
judged()
{
    vfio-probe $2 $1 | while read -r _f _bar _size _map; do
        echo "$_bar $((_size)) $_map"
    done >/tmp/judge
    [ -s /tmp/judge ]
}

# probe_by WAY WHEN FUNCTION: probe goes by that way, and says what is in /tmp/judge.
probe_by()
{
    vfio-realign probe --json=short $3 >$out/probe-$1-$2 2>>$out/said
    same "$2: probe goes by the $1" "$1" "$(jq -r .way $out/probe-$1-$2)"
    same "$2: and says what the judge says" "$(cat /tmp/judge)" \
        "$(jq -r '.bars[] | "\(.bar) \(.size) \(if .mapped then 1 else 0 end)"' $out/probe-$1-$2)"
    check "$2: it has measured what a trapped read costs" [ "$(jq '[.bars[]."trapped-nsec" > 0] | all' $out/probe-$1-$2)" = true ]
    same "$2: nothing stays open" 0 "$(cat $pci/devices/$3/enable)"
}

# probed WHEN FUNCTION: by both ways. That of the character device is gone when there is no group file.
probed()
{
    _group=$(group_of $2)
    check "$1: the judge has an answer by the group" judged $2
    cp /tmp/judge /tmp/by-group
    probe_by group $1 $2
    check "$1: it has one by the character device" judged $2 --cdev
    check "$1: which is the same" cmp /tmp/by-group /tmp/judge
    mv $_group /dev/vfio-group-kept
    probe_by iommufd $1 $2
    mv /dev/vfio-group-kept $_group
}

# by_device COMMAND...: the command, with a judge that goes by character devices.
by_device()
{
    judge_way=--cdev
    "$@"
    _by_device=$?
    judge_way=
    return $_by_device
}
