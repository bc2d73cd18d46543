# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100,SC2154 # read by the host's `boot` and by the comparison's words
#
# compare: the machine that is compared with the simulator (tests/compare): bridges behind bridges, a switch, a device
# of several functions, one function of several small BARs, ROMs that fill a window, 64-bit and prefetchable BARs, small
# functions on the root bus.

arch_of_machine=amd64
qemu=qemu-system-x86_64
qemu_package=qemu-system-x86
console=ttyS0
results=ttyS1
artefacts=ttyS2
kernel_options="intel_iommu=on iommu=pt no_timer_check"

# Nine functions whose ROMs fill 2 MiB less one page; their small BARs are packed in that page.
full_window_options()
{
    _device=1
    for _size in 1024 512 256 128 64 32 16 8 4; do
        echo "-device pci-ohci,bus=full,addr=0$_device.0,romfile=$work/rom,romsize=$((_size << 10))"
        _device=$((_device + 1))
    done
}

machine_options()
{
    # shellcheck disable=SC2154 # the folder of `boot`
    head -c 4096 /dev/zero >"$work/rom"
    cat <<-END
	-M q35,kernel-irqchip=split -accel tcg -cpu max -m 768
	-device intel-iommu,intremap=on,caching-mode=on

	-device pcie-root-port,id=rp1,chassis=1,addr=04.0
	-device pcie-pci-bridge,id=outer,bus=rp1
	-device rtl8139,bus=outer,addr=01.0
	-device rtl8139,bus=outer,addr=02.0
	-device pci-ohci,bus=outer,addr=03.0
	-device sdhci-pci,bus=outer,addr=04.0
	-device pci-bridge,id=inner,bus=outer,addr=05.0,chassis_nr=20
	-device rtl8139,bus=inner,addr=01.0
	-device pci-ohci,bus=inner,addr=02.0

	-device pcie-root-port,id=rp2,chassis=2,addr=05.0
	-device rtl8139,bus=rp2,addr=00.0,multifunction=on
	-device rtl8139,bus=rp2,addr=00.1,multifunction=on
	-device sdhci-pci,bus=rp2,addr=00.2,multifunction=on

	-device pcie-root-port,id=rp3,chassis=3,addr=06.0
	-device tpci200,bus=rp3,addr=00.0

	-device pcie-root-port,id=rp4,chassis=4,addr=07.0,hotplug=off
	-device pcie-pci-bridge,id=full,bus=rp4
	$(full_window_options)

	-device pcie-root-port,id=rp5,chassis=5,addr=0a.0
	-device rtl8139,bus=rp5,addr=00.0,multifunction=on
	-device sdhci-pci,bus=rp5,addr=00.1

	-device pcie-root-port,id=rp6,chassis=6,addr=0b.0
	-device x3130-upstream,id=up,bus=rp6
	-device xio3130-downstream,id=down1,bus=up,chassis=61,addr=00.0
	-device xio3130-downstream,id=down2,bus=up,chassis=62,addr=01.0
	-device rtl8139,bus=down1,addr=00.0,multifunction=on
	-device virtio-rng-pci,bus=down1,addr=00.1
	-device pci-ohci,bus=down2,addr=00.0,multifunction=on
	-device nvme,serial=none,bus=down2,addr=00.1
	-device pci-testdev,membar=64K,bus=down2,addr=00.2

	-device rtl8139,addr=08.0
	-device pci-ohci,addr=09.0
	-device pci-testdev,membar=16K,addr=0c.0
	END
}

behind_bridge="0000:02:01.0 0000:02:02.0 0000:02:03.0 0000:02:04.0"
# Behind the bridge behind that bridge.
inner="0000:03:01.0 0000:03:02.0"
inner_bridge=0000:02:05.0
multi_function="0000:04:00.0 0000:04:00.1 0000:04:00.2"
three_bars="0000:05:00.0"
full_window="0000:07:01.0 0000:07:02.0 0000:07:03.0 0000:07:04.0 0000:07:05.0 0000:07:06.0 0000:07:07.0 0000:07:08.0 0000:07:09.0"
full_port=0000:00:07.0
# Only the first of the two has the multi-function bit.
sibling="0000:08:00.0"
apart="0000:08:00.1"
behind_switch="0000:0b:00.0 0000:0b:00.1 0000:0c:00.0 0000:0c:00.1 0000:0c:00.2"
on_root_bus="0000:00:08.0 0000:00:09.0 0000:00:0c.0"

functions="$behind_bridge $inner $multi_function $three_bars $full_window $sibling $apart $behind_switch $on_root_bus"
root_bus=0000:00
root_ports="0000:00:04.0 0000:00:05.0 0000:00:06.0 0000:00:07.0 0000:00:0a.0 0000:00:0b.0"
