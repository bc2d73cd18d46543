# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034 # read by the host's `boot` and by the guest's library
#
# arm64-dt: the machine arm64 without firmware: the kernel has it from a device tree, and numbers the buses itself.

# shellcheck source=arm64.sh
. "${machines:-/vm/machines}/arm64.sh"
firmware=
