#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The real vfio-realign: options, verbs, exit statuses and messages, and check-config on files that are right and wrong.
# Runs in the build folder.
set -u
LC_ALL=C
export LC_ALL

program=$PWD/vfio-realign
worker=$PWD/vfio-realign-worker
conf=$(cd "${srcdir:-.}" && pwd)/conf/vfio-realign.conf
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
n_failed=0

# check STATUS OUT ERR ARGUMENT...: runs the program; OUT and ERR are patterns (bash) for what it prints
check()
{
    local status=$1 out=$2 err=$3
    shift 3
    "$program" "$@" >out 2>err
    local got=$?
    # shellcheck disable=SC2053 # they are patterns
    [[ $got == "$status" && $(<out) == $out && $(<err) == $err ]] && return
    n_failed=$((n_failed + 1))
    printf 'vfio-realign %s\n  exit status %s, expected %s\n  out: %s\n  err: %s\n' "$*" "$got" "$status" \
        "$(<out)" "$(<err)"
}

# what is wrong on the command line: 2, nothing on stdout, and where to read more
check 2 '' '*a verb is missing*--help*'
check 2 '' '*there is no verb "statsu"; did you mean "status"?*' statsu
check 2 '' '*did you mean "check-config"?*' check-confg
check 2 '' '*there is no verb "xyzzy"'$'\n''*' xyzzy
check 2 '' '*there is no verb ""*' ''
check 2 '' '*there is no verb*' "$(printf 'x%.0s' {1..3000})"
check 2 '' '*did you mean "plan"?*' help plam
check 2 '' '*takes one verb at most*' help plan status
check 2 '' '*"plan" takes FUNCTION*' plan
check 2 '' '*--bogus*' --bogus status
check 2 '' '*--sysroot*' --sysroot
check 2 '' '*--json is "xml", expected pretty|short|off*' --json=xml status
check 2 '' '*"check-config" takes no --json*' --json check-config
check 2 '' '*"check-config" takes no --no-legend*' --no-legend check-config
check 2 '' '*"check-config" takes no --output*' -o X check-config
check 2 '' '*"check-config" takes no --no-pager*' --no-pager check-config
check 2 '' '*did you mean "cmdline"?*' cmdilne
check 2 '' '*did you mean "policy"?*' poilcy
check 2 '' '*did you mean "map"?*' amp
check 2 '' '*--page-size is only for --sysroot*' --page-size 4K status
check 2 '' '*--page-size is "5000"*' --sysroot . --page-size 5000 status
check 2 '' '*--page-size is "big"*' --sysroot . --page-size big status
check 1 '' '*nowhere: cannot be opened as the root directory: No such file or directory' --sysroot nowhere status
check 1 '' '*err: cannot be opened as the root directory: Not a directory' --sysroot err status

# help and version
check 0 'Usage: vfio-realign *Verbs:*status*plan*check-config*--sysroot=DIR*--json\[=*Exit status*' '' --help
check 0 'Usage: vfio-realign *' '' -h
check 0 'Usage: vfio-realign *' '' help
check 0 '*check-config \[FILE*' '' help check-config
check 0 '*check-config \[FILE*' '' check-config --help
check 0 'vfio-realign [0-9]*' '' --version
while IFS= read -r line; do
    ((${#line} <= 100)) || { echo "a line of the help is too long: $line"; n_failed=$((n_failed + 1)); }
done < <(LC_ALL=C.UTF-8 "$program" --help)
for verb in $("$program" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
    [[ $verb == help ]] || check 0 "Usage: vfio-realign *$verb*" '' help "$verb"
done
if [[ -w /dev/full ]]; then
    "$program" --help >/dev/full 2>err
    [[ $? == 1 && $(<err) == *'cannot write to standard output: No space left'* ]] ||
        { echo "a full disk was not noticed: $(<err)"; n_failed=$((n_failed + 1)); }
fi

# check-config
printf '[default]\nscope = bus\n' >right
printf '[id 10ec:8139]\nrealign = report' >right2
printf '[default]\nscope = round\n[nope]\n x = y\n' >wrong
printf '[default]\nsco\0pe = bus\n' >nul
mkdir directory
: >empty
check 0 'right: fine' '' check-config right
check 0 'right: fine'$'\n''right2: fine' '' check-config right right2
check 0 'empty: fine' '' check-config empty
check 0 "$conf: fine" '' check-config "$conf"
check 0 '/dev/stdin: fine' '' check-config /dev/stdin <right
check 1 '' 'wrong:2: scope = "round", expected *wrong:3: section \[nope\], expected *wrong:4: the line is indented*' \
    check-config wrong
check 1 '' 'wrong:2: *nul:2: *NUL byte*' check-config wrong right nul
check 1 '' 'directory: cannot be read: Is a directory*' check-config directory
check 1 '' 'nowhere: cannot be read: No such file*' check-config nowhere
check 1 '' '/dev/zero: cannot be read: File too large*' check-config /dev/zero
check 1 '' 'wrong:2: *' --config wrong check-config
check 0 'right: fine' '' check-config --config right

# the policy of a root directory
mkdir -p tree/etc/vfio-realign/conf.d tree/usr/lib/vfio-realign
check 0 'no policy file: the built-in defaults hold' '' --sysroot tree check-config
cp "$conf" tree/usr/lib/vfio-realign/vfio-realign.conf
check 0 '/usr/lib/vfio-realign/vfio-realign.conf: fine' '' --sysroot tree check-config
cp right tree/etc/vfio-realign/vfio-realign.conf
cp right2 tree/etc/vfio-realign/conf.d/a.conf
check 0 '/etc/vfio-realign/vfio-realign.conf: fine'$'\n''/etc/vfio-realign/conf.d/a.conf: fine' '' \
    --sysroot tree check-config
cp wrong tree/etc/vfio-realign/conf.d/b.conf
check 1 '' '/etc/vfio-realign/conf.d/b.conf:2: *' --sysroot tree check-config
ln -sf "$folder/right" tree/etc/vfio-realign/conf.d/b.conf
check 1 '' '/etc/vfio-realign/conf.d/b.conf: cannot be read: No such file*' --sysroot tree check-config

# a policy with errors stops a plan
mkdir -p tree/sys/bus/pci/devices
check 1 '' '*wrong:2: *' --sysroot tree --worker "$worker" --config wrong plan 0000:03:00.0

echo "$n_failed failed"
exit $((n_failed > 0))
