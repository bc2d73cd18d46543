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
for harmful in ProtectKernelTunables PrivateDevices PrivateNetwork ProcSubset PrivateUsers DynamicUser User \
    RestrictSUIDSGID; do
    grep -q "^$harmful=" "$unit" && fail "$harmful= would keep the programs from their work"
done

# A protected clock limits devices as well.
grep -q '^DeviceAllow=char-vfio rw$' "$unit" || fail "the group files of VFIO cannot be opened"
grep -q '^After=.*modprobe@vfio.service' "$unit" || fail "char-vfio means nothing before the module is loaded"

command -v systemd-analyze >/dev/null || { ((status)) && exit 1; echo "no systemd-analyze"; exit 77; }
# The daemon need not be installed for that; whatever can be run takes its place.
sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit" >"$folder/vfio-realign.service"
words=$(systemd-analyze verify --man=no --recursive-errors=no "$folder/vfio-realign.service" 2>&1) ||
    fail "systemd-analyze verify failed"
# What is above: root, four capabilities, the host's network and /sys, each for a reason that the unit gives.
exposure=$(systemd-analyze security --offline=true "$unit" 2>/dev/null |
    sed -n 's/.*exposure level for [^ ]*: \([0-9.]*\) .*/\1/p')
awk -v exposure="${exposure:-10}" 'BEGIN { exit !(exposure <= 2.5) }' ||
    fail "systemd-analyze security says ${exposure:-nothing}, which is above 2.5"
[[ -z $words ]] || fail "systemd-analyze verify says: $words"
exit $status
