# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# lib.sh: what the checks share. Each check is run as "check [TOP]", prints one line for each violation, and fails when
# there was one; 77 means that it cannot check here. TOP is the top of the sources ("make check" sets $srcdir).

if [ -n "${1-}" ]; then
    top=$1
elif [ -n "${srcdir-}" ]; then
    top=$srcdir
else
    top=$(dirname "$0")/../..
fi
cd "$top" || exit 1

# sources FOLDER...: the C files below these folders
sources()
{
    for folder; do
        [ ! -d "$folder" ] || find "$folder" -path tests/out -prune -o -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -print
    done | sort
}

# verdict: passes on what the check found (on its standard input), and fails if that was anything
verdict()
{
    found=$(cat)
    [ -n "$found" ] || exit 0
    printf '%s\n' "$found"
    exit 1
}
