# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# pseries: a POWER machine with a hypervisor, whose pages are 64 KiB where the kernel is built for them. It has bridges
# from PCI to PCI only, and one IOMMU group for all that is behind a host bridge. The functions are those of q35, at the
# same addresses.

arch_of_machine=ppc64el
qemu=qemu-system-ppc64
qemu_package=qemu-system-ppc
console=hvc0
results=hvc1
artefacts=hvc2
kernel_options=""

# machine_options FOLDER: no file of its own is needed here.
machine_options()
{
    cat <<-END
	-M pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off -accel tcg -cpu power9 -m 1024

	-device pci-bridge,id=rp1,chassis_nr=1,addr=04.0
	-device pci-bridge,id=pb1,chassis_nr=11,bus=rp1,addr=00.0
	-device rtl8139,bus=pb1,addr=01.0
	-device rtl8139,bus=pb1,addr=02.0
	-device pci-ohci,bus=pb1,addr=03.0
	-device sdhci-pci,bus=pb1,addr=04.0

	-device pci-bridge,id=rp2,chassis_nr=2,addr=05.0
	-device rtl8139,bus=rp2,addr=00.0,multifunction=on
	-device rtl8139,bus=rp2,addr=00.1,multifunction=on
	-device sdhci-pci,bus=rp2,addr=00.2,multifunction=on

	-device pci-bridge,id=rp3,chassis_nr=3,addr=06.0
	-device tpci200,bus=rp3,addr=00.0

	-device pci-bridge,id=rp4,chassis_nr=4,addr=07.0
	-device edu,bus=rp4,addr=00.0

	-device pci-bridge,id=rp5,chassis_nr=5,addr=0a.0
	-device nvme,bus=rp5,addr=00.0,serial=one
	-device nvme,bus=rp5,addr=01.0,serial=two
	-device nvme,bus=rp5,addr=02.0,serial=three
	-device qemu-xhci,bus=rp5,addr=03.0
	-device intel-hda,bus=rp5,addr=04.0
	-device e1000e,bus=rp5,addr=05.0,romfile=

	-device rtl8139,addr=08.0
	-device pci-ohci,addr=09.0
	END
}

behind_bridge="0000:02:01.0 0000:02:02.0 0000:02:03.0 0000:02:04.0"
multi_function="0000:03:00.0 0000:03:00.1 0000:03:00.2"
three_bars="0000:04:00.0"
fine="0000:05:00.0"
# Of the size that a POWER machine hands out: disks, a USB controller, sound and a network interface, each with a BAR of
# 16 KiB. That of the disks holds their MSI-X table.
disks="0000:06:00.0 0000:06:01.0 0000:06:02.0"
larger="$disks 0000:06:03.0 0000:06:04.0 0000:06:05.0"
on_root_bus="0000:00:08.0 0000:00:09.0"

functions="$behind_bridge $multi_function $three_bars $fine $larger $on_root_bus"
root_bus=0000:00
root_ports="0000:00:04.0 0000:00:05.0 0000:00:06.0 0000:00:07.0 0000:00:0a.0"
bridges="$root_ports 0000:01:00.0"
native_drivers="8139cp 8139too ohci-pci sdhci-pci"

# cannot SCENARIO: why it is of no use here.
cannot()
{
    case $1 in
    by-hand | sibling-on-host) echo "all functions of a host bridge are in one IOMMU group: none can stay with the host" ;;
    native-drivers) echo "all functions of a host bridge are in one IOMMU group, which nobody can open while one has a driver of the host" ;;
    esac
}
