# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # read after lib.sh and product.sh
#
# libvirt: the words of scenarios in which libvirt has domains. Two functions of one device, whose BARs share a page, are on
# the host's driver at first. The third, of the same IOMMU group, has none: on a driver it would keep the others from VFIO.

first=0000:03:00.0
second=0000:03:00.1
pair="$first $second"
third=0000:03:00.2

# node FUNCTION: libvirt's name for it.
node()
{
    echo "pci_$1" | tr ':.' '__'
}

# alone: nobody has the third function.
alone()
{
    echo none >"$pci/devices/$third/driver_override"
    unbind $third
}

# host FUNCTION...: they are the host's.
host()
{
    alone
    modprobe 8139cp
    for _f; do
        echo "$_f" >"$pci/drivers_probe"
    done
    udevadm settle
}

# works FUNCTION...: the host's driver has it, and its interface comes up.
works()
{
    for _f; do
        udevadm settle
        [ "$(driver_of "$_f")" = 8139cp ] || { echo "$_f is on $(driver_of "$_f")"; return 1; }
        _interface=$(ls "$pci/devices/$_f/net")
        ip link set "$_interface" up || return 1
        _flags=$(cat "$pci/devices/$_f/net/$_interface/flags")
        ip link set "$_interface" down
        case $_flags in
        *1003) ;;
        *) echo "$_interface has the flags $_flags"; return 1 ;;
        esac
    done
}

# grown FUNCTION...: BAR 1 has a page. small FUNCTION...: it has the 256 bytes that it has by itself.
bar_is()
{
    _size=$1
    shift
    for _f; do
        # shellcheck disable=SC2046 # start, end and flags
        set -- $(sed -n 2p "$pci/devices/$_f/resource")
        [ $(($2 - $1 + 1)) = "$_size" ] || { echo "BAR 1 of $_f is from $1 to $2"; return 1; }
    done
}

grown()
{
    for _each; do
        bar_is "$page" "$_each" || return 1
    done
}

small()
{
    for _each; do
        bar_is 256 "$_each" || return 1
    done
}

# define NAME MANAGED FUNCTION...: a domain that gets them. It runs its firmware, and nothing else.
define()
{
    _domain=$1
    _managed=$2
    shift 2
    {
        echo "<domain type='qemu'><name>$_domain</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        echo "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
        echo "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
        echo "<controller type='usb' model='none'/><memballoon model='none'/>"
        for _f; do
            echo "$_f" | sed "s|\(....\):\(..\):\(..\)\.\(.\)|<hostdev mode='subsystem' type='pci' managed='$_managed'><source><address domain='0x\1' bus='0x\2' slot='0x\3' function='0x\4'/></source></hostdev>|"
        done
        echo "</devices></domain>"
    } >"$out/$_domain.xml"
    virsh define "$out/$_domain.xml"
}

# placed_in NAME FUNCTION: the guest's firmware has given BAR 1 an address, which it does some time after the start; only then
# QEMU shows it. Nothing tells of it, so QEMU is asked again and again.
placed_in()
{
    _tries=0
    while [ $_tries -lt 120 ]; do
        virsh qemu-monitor-command --hmp "$1" "info mtree" >"$out/mtree-$1" || return 1
        grep -q "$2 BAR 1" "$out/mtree-$1" && return 0
        _tries=$((_tries + 1))
        sleep 1
    done
    return 1
}

# mapped_in NAME FUNCTION...: QEMU maps BAR 1 of each; trapped_in: it does not.
mapped_in()
{
    _domain=$1
    shift
    for _f; do
        placed_in "$_domain" "$_f" || { echo "$_f: BAR 1 has no address in $_domain"; return 1; }
        grep -q "$_f BAR 1 mmaps\[0\]" "$out/mtree-$_domain" || { grep "$_f BAR" "$out/mtree-$_domain"; return 1; }
    done
}

trapped_in()
{
    _domain=$1
    shift
    for _f; do
        placed_in "$_domain" "$_f" || { echo "$_f: BAR 1 has no address in $_domain"; return 1; }
        ! grep "$_f BAR 1 mmaps\[0\]" "$out/mtree-$_domain" || return 1
    done
}

running()
{
    [ "$(virsh domstate "$1" | head -n 1)" = running ]
}

# libvirt_stop: no domain is left.
libvirt_stop()
{
    for _d in $(virsh list --name); do
        virsh destroy "$_d"
    done
    for _d in $(virsh list --all --name); do
        virsh undefine "$_d"
    done
} >/dev/null 2>&1
