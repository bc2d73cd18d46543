#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make.sh EVENT.DEF REASON.DEF: the journal's catalog. The compiler's preprocessor reads the tables ($CC, else cc).
set -e
echo "# SPDX-License-Identifier: GPL-2.0-or-later"
echo "# What \"journalctl -x\" says to messages of vfio-realign."
{
    echo '#define EVENT(a, b, c, d, e) @entry@ b @subject@ c @text@ d @remedy@ e @end@'
    cat "$1"
    # A reason's text begins where a message names the function, so with a small letter.
    echo '#define REASON(a, b, c, d, e) @reason@ c @subject@ d @text@ b @remedy@ e @end@'
    cat "$2"
} | ${CC:-cc} -E -P -x c - | tr '\n' ' ' | sed -e 's/@end@/&\n/g' |
    sed -n -e 's/\\"/@quote@/g' -e 's/" *"//g' \
        -e 's/^ *@\(entry\|reason\)@ "\(.*\)" @subject@ "\(.*\)" @text@ "\(.*\)" @remedy@ "\(.*\)" *@end@$/\1\t\2\t\3\t\4\t\5/' \
        -e 's/@quote@/"/g' -e '/\t/p' |
    while IFS="$(printf '\t')" read -r kind id subject text remedy; do
        printf '\n-- %s\nSubject: %s%s\nDefined-By: vfio-realign\nDocumentation: man:vfio-realign(1) man:vfio-realignd(8)\n\n' \
            "$id" "$(printf %.1s "$subject" | tr '[:lower:]' '[:upper:]')" "${subject#?}"
        if [ "$kind" = reason ]; then
            printf 'Function: @PCI_FUNCTION@\nReason: %s\n\n' "$text"
        else
            printf '%s\n\n' "$text" | fold -s -w 78 | sed 's/ *$//'
        fi
        printf 'What to do: %s.\n' "$remedy" | fold -s -w 78 | sed 's/ *$//'
    done
