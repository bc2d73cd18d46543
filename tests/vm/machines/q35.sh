# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# q35: an x86-64 machine with an IOMMU, and on it everything that the scenarios need. The host takes its QEMU
# options from here, the guest the addresses that come of them.

arch_of_machine=amd64
qemu=qemu-system-x86_64
qemu_package=qemu-system-x86
console=ttyS0
results=ttyS1
artefacts=ttyS2
# Under emulation on a busy host the timer check fails at times, and the kernel panics.
kernel_options="intel_iommu=on iommu=pt no_timer_check"
firmware=

# machine_options FOLDER: no file of its own is needed here.
machine_options()
{
    cat <<-END
	-M q35,kernel-irqchip=split -accel tcg -cpu max -m 768 $firmware
	-device intel-iommu,intremap=on,caching-mode=on

	-device pcie-root-port,id=rp1,chassis=1,addr=04.0
	-device pcie-pci-bridge,id=pb1,bus=rp1
	-device rtl8139,bus=pb1,addr=01.0
	-device rtl8139,bus=pb1,addr=02.0
	-device pci-ohci,bus=pb1,addr=03.0
	-device sdhci-pci,bus=pb1,addr=04.0

	-device pcie-root-port,id=rp2,chassis=2,addr=05.0
	-device rtl8139,bus=rp2,addr=00.0,multifunction=on
	-device rtl8139,bus=rp2,addr=00.1,multifunction=on
	-device sdhci-pci,bus=rp2,addr=00.2,multifunction=on

	-device pcie-root-port,id=rp3,chassis=3,addr=06.0
	-device tpci200,bus=rp3,addr=00.0

	-device pcie-root-port,id=rp4,chassis=4,addr=07.0
	-device edu,bus=rp4,addr=00.0

	-device pcie-root-port,id=rp5,chassis=5,addr=0a.0
	-device rtl8139,bus=rp5,addr=00.0,multifunction=on
	-device sdhci-pci,bus=rp5,addr=00.1

	-device rtl8139,addr=08.0
	-device pci-ohci,addr=09.0
	END
}

# Four functions behind a PCIe-to-PCI bridge.
behind_bridge="0000:02:01.0 0000:02:02.0 0000:02:03.0 0000:02:04.0"
# A multi-function device under a root port.
multi_function="0000:03:00.0 0000:03:00.1 0000:03:00.2"
# One function with three small BARs.
three_bars="0000:04:00.0"
# A function whose one BAR is larger than a page.
fine="0000:05:00.0"
# Two functions of one slot that the kernel, after a rescan, puts in different IOMMU groups, because only the
# first has the multi-function bit: one may be on a host driver while the other is handed out.
sibling="0000:06:00.0"
apart="0000:06:00.1"
# Functions on the root bus: no bridge to take out.
on_root_bus="0000:00:08.0 0000:00:09.0"

functions="$behind_bridge $multi_function $three_bars $fine $sibling $apart $on_root_bus"
root_bus=0000:00
root_ports="0000:00:04.0 0000:00:05.0 0000:00:06.0 0000:00:07.0 0000:00:0a.0"
bridges="$root_ports 0000:01:00.0"
# Drivers that the kernel has for these functions (Debian builds none for the tpci200).
native_drivers="8139cp 8139too ohci-pci sdhci-pci"
