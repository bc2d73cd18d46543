# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2100 # read by the host's `boot` and by the guest's library
#
# eight: an x86-64 machine with eight functions on one bus, all with a small BAR.

arch_of_machine=amd64
qemu=qemu-system-x86_64
qemu_package=qemu-system-x86
console=ttyS0
results=ttyS1
artefacts=ttyS2
# Under emulation on a busy host the timer check fails at times, and the kernel panics.
kernel_options="intel_iommu=on iommu=pt no_timer_check"

# machine_options FOLDER: no file of its own is needed here.
machine_options()
{
    cat <<-END
	-M q35,kernel-irqchip=split -accel tcg -cpu max -m 768
	-device intel-iommu,intremap=on,caching-mode=on
	-device pcie-root-port,id=rp1,chassis=1,addr=04.0
	END
    for number in 0 1 2 3 4 5 6 7; do
        echo "-device rtl8139,bus=rp1,addr=00.$number,multifunction=on"
    done
}

eight="0000:01:00.0 0000:01:00.1 0000:01:00.2 0000:01:00.3 0000:01:00.4 0000:01:00.5 0000:01:00.6 0000:01:00.7"
port="0000:00:04.0"
on_root_bus=""

functions="$eight"
root_bus=0000:00
root_ports="$port"
bridges="$root_ports"
native_drivers="8139cp 8139too"
