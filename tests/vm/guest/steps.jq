# SPDX-License-Identifier: GPL-2.0-or-later
# A transaction as the benchmarks want it: "usec step usec kernel-usec step ...", the steps of a kind added up.
def total(f): map(f) | add;
[.usec, (.steps | group_by(.step)[] | .[0].step, total(.usec), total(."kernel-usec"))] | map(tostring) | join(" ")
