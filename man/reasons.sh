#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reasons.sh DEF: the table of reasons as a list for scdoc. The compiler's preprocessor reads the table ($CC, else cc).
set -e
{
    echo '#define REASON(a, b, c, d, e) @word@ b @text@ d @remedy@ e @end@'
    cat "$1"
} | ${CC:-cc} -E -P -x c - |
    tr '\n' ' ' | sed -e 's/@end@/&\n/g' |
    sed -n -e 's/\\"/@quote@/g' -e 's/" *"//g' -e 's/[_*`]/\\&/g' \
        -e 's/^.*@word@ "\(.*\)" @text@ "\(.*\)" @remedy@ "\(.*\)" *@end@$/*\1*\n\t\2. What to do: \3.\n/' -e 's/@quote@/"/g' \
        -e '/^\*/p'
