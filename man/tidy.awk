# SPDX-License-Identifier: GPL-2.0-or-later
# What scdoc writes without the paragraph breaks that mandoc skips: behind a heading, and in front of another break.
function is_break(line) { return line ~ /^\.(PP|P)$/ }
function flush_break() { if (waiting) print ".PP"; waiting = 0 }
is_break($0) { waiting = !headed; next }
/^\.(SH|SS|RS|RE|TS|TP|IP|nf|fi)/ || /^$/ {
    # a break stays where text follows it, and in front of what is set off
    if (/^\.(RS|nf|TS)/) flush_break()
    waiting = /^\.RE/ ? waiting : 0
    print
    headed = /^\.(SH|SS)/
    next
}
{ flush_break(); headed = 0; print }
