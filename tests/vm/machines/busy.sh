# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# busy: an x86-64 machine whose host has work for some functions of the buses: a disk, network interfaces; and a bus
# whose bridge windows are full.

arch_of_machine=amd64
qemu=qemu-system-x86_64
qemu_package=qemu-system-x86
console=ttyS0
results=ttyS1
artefacts=ttyS2
# Under emulation on a busy host the timer check fails at times, and the kernel panics.
kernel_options="intel_iommu=on iommu=pt no_timer_check"

# machine_options FOLDER: the disk and the ROMs are files there.
machine_options()
{
    truncate -s 256M "$1/disk"
    truncate -s 4K "$1/rom"
    cat <<-END
	-M q35,kernel-irqchip=split -accel tcg -cpu max -m 768
	-device intel-iommu,intremap=on,caching-mode=on

	-device pcie-root-port,id=rp1,chassis=1,addr=04.0
	-drive file=$1/disk,if=none,id=disk,format=raw
	-device nvme,bus=rp1,addr=00.0,multifunction=on,drive=disk,serial=busy
	-netdev hubport,id=near,hubid=0
	-netdev hubport,id=far,hubid=0
	-device sdhci-pci,bus=rp1,addr=00.1
	-device rtl8139,bus=rp1,addr=00.2,netdev=near

	-device pcie-root-port,id=rp2,chassis=2,addr=05.0
	-device rtl8139,bus=rp2,addr=00.0,netdev=far

	-device pcie-root-port,id=rp3,chassis=3,addr=06.0,hotplug=off
	-device pcie-pci-bridge,id=pb1,bus=rp3
	END
    slot=1
    for kib in 1024 512 256 128 64 32 16 8 4; do
        echo "-device pci-ohci,bus=pb1,addr=0$slot.0,romfile=$1/rom,romsize=$((kib * 1024))"
        slot=$((slot + 1))
    done
}

# Three functions of one bus, in IOMMU groups of their own once the kernel has found them anew (only the first has the
# multi-function bit): a disk, a function to be handed out, and a network interface whose small BAR shares its page.
nvme="0000:01:00.0"
wanted_by_guest="0000:01:00.1"
near="0000:01:00.2"
# The other end of that interface's cable.
far="0000:02:00.0"
# Nine functions whose ROMs fill the windows of both bridges above them up to the last page, in which their BARs lie.
crowded="0000:04:01.0 0000:04:02.0 0000:04:03.0 0000:04:04.0 0000:04:05.0 0000:04:06.0 0000:04:07.0 0000:04:08.0"
crowded="$crowded 0000:04:09.0"
crowded_bridge="0000:03:00.0"
crowded_port="0000:00:06.0"
on_root_bus=""

functions="$nvme $wanted_by_guest $near $far $crowded"
root_bus=0000:00
root_ports="0000:00:04.0 0000:00:05.0 $crowded_port"
bridges="$root_ports $crowded_bridge"
native_drivers="8139cp 8139too ohci-pci sdhci-pci nvme"
