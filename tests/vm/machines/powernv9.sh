# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# powernv9: a POWER9 machine without a hypervisor, whose kernel gives every BAR a page of its own by itself. Each host
# bridge has one root port; below that of the first is a device of several functions, below that of the third a switch with
# disks.

arch_of_machine=ppc64el
qemu=qemu-system-ppc64
qemu_package=qemu-system-ppc
console=hvc0
results=hvc1
artefacts=hvc2
# This kernel does not survive a second port of the ISA bus.
channels="-serial chardev:console -device pnv-phb,chip-id=0,index=1,id=phb1 -device pnv-phb-root-port,id=rp2,bus=phb1 \
    -device virtio-serial-pci,bus=rp2 -device virtconsole,chardev=results -device virtconsole,chardev=artefacts"
kernel_options=""

# machine_options FOLDER: no file of its own is needed here. Without a BMC it cannot be switched off.
machine_options()
{
    cat <<-END
	-M powernv9 -accel tcg -m 1024 -device ipmi-bmc-sim,id=bmc0 -device isa-ipmi-bt,bmc=bmc0,irq=10
	-device pnv-phb,chip-id=0,index=0,id=phb0
	-device pnv-phb-root-port,id=rp1,bus=phb0
	-device rtl8139,bus=rp1,addr=00.0,multifunction=on
	-device rtl8139,bus=rp1,addr=00.1,multifunction=on
	-device sdhci-pci,bus=rp1,addr=00.2,multifunction=on

	-device pnv-phb,chip-id=0,index=2,id=phb2
	-device pnv-phb-root-port,id=rp3,bus=phb2
	-device x3130-upstream,id=up,bus=rp3
	-device xio3130-downstream,id=down1,bus=up,chassis=11,slot=1,addr=00.0
	-device xio3130-downstream,id=down2,bus=up,chassis=12,slot=2,addr=01.0
	-device xio3130-downstream,id=down3,bus=up,chassis=13,slot=3,addr=02.0
	-device nvme,bus=down1,serial=one
	-device nvme,bus=down2,serial=two
	-device nvme,bus=down3,serial=three
	END
}

multi_function="0000:01:00.0 0000:01:00.1 0000:01:00.2"
# Each with a BAR of 16 KiB, which holds its MSI-X table too.
disks="0002:03:00.0 0002:04:00.0 0002:05:00.0"
on_root_bus=""

functions="$multi_function $disks"
root_bus=0000:00
root_ports="0000:00:00.0"
bridges="$root_ports 0002:00:00.0 0002:01:00.0 0002:02:00.0 0002:02:01.0 0002:02:02.0"
native_drivers="8139cp 8139too sdhci-pci"
