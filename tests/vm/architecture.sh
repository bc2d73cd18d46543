# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # read by those who source this, who have $arch and $here
#
# architecture: what is different where a build or a guest is of another architecture ($arch, Debian's name) than this
# machine: the folder that its packages are unpacked in (empty: this machine itself), the compiler, what runs its
# programs here, what tells the libraries of one, and the module of VFIO that programs its IOMMU.

foreign=
emulator=()
libraries=(ldd)
read -ra compiler <<<"${CC:-cc}"
iommu_module=vfio_iommu_type1
if [[ $arch != "$(dpkg --print-architecture)" ]]; then
    case $arch in
    arm64) triplet=aarch64-linux-gnu emulator=(qemu-aarch64) loader=/lib/ld-linux-aarch64.so.1 ;;
    ppc64el)
        triplet=powerpc64le-linux-gnu emulator=(qemu-ppc64le) loader=/lib64/ld64.so.2
        iommu_module=vfio_iommu_spapr_tce
        ;;
    *) echo "${0##*/}: nothing is known of the architecture $arch" >&2; exit 2 ;;
    esac
    foreign=$("$here/foreign" --arch "$arch") || exit 1
    emulator+=(-L "$foreign")
    libraries=("${emulator[@]}" "$foreign$loader" --list)
    compiler=("$triplet-gcc" "--sysroot=$foreign")
fi
