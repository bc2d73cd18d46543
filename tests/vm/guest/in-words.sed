# SPDX-License-Identifier: GPL-2.0-or-later
#
# in-words.sed: words for what differs from machine to machine and from run to run in what vfio-realign says.
#
#   sed -E -f in-words.sed
s/0x[0-9a-f]{6,}/ADDRESS/g
s/\b[0-9a-f]{32}\b/TRANSACTION/g
s/(pid )[0-9]+/\1PID/g
s/ +[0-9]+(\.[0-9]+)? (s|ms|µs)$/  TIME/
s/\b[0-9]+(\.[0-9]+)? (s|ms|µs)\b/TIME/g
s/group +[0-9]+  +/group N  /g
s/group +[0-9]+/group N/g
s/(vfio-pci|pcieport|8139cp) +[0-9]+ /\1 N /
s/^vfio-realign [0-9.]+$/vfio-realign VERSION/
s/ +$//
