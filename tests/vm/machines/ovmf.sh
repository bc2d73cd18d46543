# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034 # read by the host's `boot` and by the guest's library
#
# ovmf: the machine q35 with UEFI in place of a BIOS.

# shellcheck source=q35.sh
. "${machines:-/vm/machines}/q35.sh"
firmware="-bios /usr/share/ovmf/OVMF.fd"
