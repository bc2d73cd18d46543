#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The unit file as it is built: systemd takes it without a word, its daemon is where it is installed, and nothing is in
# it that would keep the programs from their work (kernel-facts: sandboxing). Runs in the build folder.
set -u
unit=systemd/vfio-realign.service
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
fail()
{
    echo "$*"
    status=1
}

grep -q '@[a-z]*@' "$unit" && fail "something was not substituted"
grep -Eq '^ExecStart=/.*/vfio-realignd$' "$unit" || fail "ExecStart= is not an absolute path"
for setting in Type=notify KillMode=process RuntimeDirectory=vfio-realign RuntimeDirectoryPreserve=yes \
    Restart=on-failure WatchdogSec=; do
    grep -q "^$setting" "$unit" || fail "$setting is missing"
done
for harmful in ProtectKernelTunables PrivateDevices DeviceAllow DevicePolicy ProtectClock PrivateNetwork \
    ProtectProc ProcSubset PrivateUsers DynamicUser User RestrictSUIDSGID; do
    grep -q "^$harmful=" "$unit" && fail "$harmful= would keep the programs from their work"
done

command -v systemd-analyze >/dev/null || { ((status)) && exit 1; echo "no systemd-analyze"; exit 77; }
# The daemon need not be installed for that; whatever can be run takes its place.
sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit" >"$folder/vfio-realign.service"
words=$(systemd-analyze verify --man=no --recursive-errors=no "$folder/vfio-realign.service" 2>&1) ||
    fail "systemd-analyze verify failed"
[[ -z $words ]] || fail "systemd-analyze verify says: $words"
exit $status
