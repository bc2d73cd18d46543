# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# arm64: QEMU's virt with UEFI, which describes it by ACPI, and an SMMUv3; pages are what the kernel is built for. The
# functions are those of q35, at the same addresses; behind the PCIe-to-PCI bridge is none.

arch_of_machine=arm64
qemu=qemu-system-aarch64
qemu_package=qemu-system-arm
console=ttyAMA0
results=ttyS0
artefacts=ttyS1
channels="-serial chardev:console -device pci-serial-2x,addr=1d.0,chardev1=results,chardev2=artefacts"
kernel_options="iommu.passthrough=1"
firmware="-bios /usr/share/qemu-efi-aarch64/QEMU_EFI.fd"

# machine_options FOLDER: no file of its own is needed here.
machine_options()
{
    cat <<-END
	-M virt,iommu=smmuv3,gic-version=3 -accel tcg -cpu cortex-a76 -m 768 $firmware

	-device pcie-root-port,id=rp1,chassis=1,addr=04.0
	-device pcie-pci-bridge,id=pb1,bus=rp1

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

behind_bridge=""
multi_function="0000:03:00.0 0000:03:00.1 0000:03:00.2"
three_bars="0000:04:00.0"
fine="0000:05:00.0"
# Two functions of one slot, of which only the first has the multi-function bit.
sibling="0000:06:00.0"
apart="0000:06:00.1"
on_root_bus="0000:00:08.0 0000:00:09.0"

functions="$multi_function $three_bars $fine $sibling $apart $on_root_bus"
root_bus=0000:00
root_ports="0000:00:04.0 0000:00:05.0 0000:00:06.0 0000:00:07.0 0000:00:0a.0"
bridges="$root_ports 0000:01:00.0"
native_drivers="8139cp 8139too ohci-pci sdhci-pci"

# cannot SCENARIO: why it is of no use here.
cannot()
{
    case $1 in
    behind-bridge) echo "behind a PCIe-to-PCI bridge only the first function has an IOMMU group, with the bridge, which has a driver" ;;
    by-hand | sibling-on-host) echo "functions of one slot are in one IOMMU group: none can stay with the host" ;;
    esac
}
