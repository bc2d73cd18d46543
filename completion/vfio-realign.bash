# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of vfio-realign(1) for bash. Verbs, options and columns are what "vfio-realign help" says.

# The verbs, one a line.
_vfio_realign_verbs()
{
    vfio-realign help 2>/dev/null | sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The options of the verb $1 (all when it is empty) as "--name" or "--name=".
_vfio_realign_options()
{
    # shellcheck disable=SC2086 # no verb, no word
    vfio-realign help $1 2>/dev/null | sed -n '/^Options:/,/^$/s/^  \(-.,\|   \) --\([a-z-]*\)\(\[\{0,1\}=\{0,1\}\).*/--\2\3/p' | tr -d '['
}

# The functions of this machine; with "vfio": those on VFIO drivers.
_vfio_realign_functions()
{
    local path
    for path in /sys/bus/pci/devices/*; do
        [[ -e $path && (${1-} != vfio || -d $path/vfio-dev) ]] && echo "${path##*/}"
    done
}

# Colons are among the characters that end a word: what bash has already is taken off the answers.
_vfio_realign_answer()
{
    local colons=${2%"${2##*:}"} i
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
    [[ $COMP_WORDBREAKS == *:* ]] || return 0
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]#"$colons"}
    done
}

_vfio_realign()
{
    local line=${COMP_LINE:0:COMP_POINT} word words verb='' previous='' i
    # the words as the shell will see them: colons and "=" divide none
    read -ra words <<<"$line"
    word=
    [[ $line == *[[:blank:]] ]] || { word=${words[-1]}; unset 'words[-1]'; }
    for ((i = 1; i < ${#words[@]}; i++)); do
        case ${words[i]} in
        --sysroot | --config | --page-size | --worker | --output | -o | --host | -H | --timeout) ((i++)) ;;
        -*) ;;
        *) [[ $verb ]] || verb=${words[i]} ;;
        esac
    done
    previous=${words[-1]}
    COMPREPLY=()
    case $previous in
    -o | --output)
        _vfio_realign_answer "$(vfio-realign help "$verb" 2>/dev/null | sed -n '/^Columns/,$s/^  \([A-Z-]*\) .*/\1/p')" "$word"
        return
        ;;
    --sysroot | --config | --worker)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --page-size | --host | -H | --timeout) return ;;
    esac
    case $word in
    --json=*) _vfio_realign_answer "pretty short off" "${word#--json=}" ;;
    -*) _vfio_realign_answer "$(_vfio_realign_options "$verb")" "$word" ;;
    *)
        case $verb in
        '' | help) _vfio_realign_answer "$(_vfio_realign_verbs)" "$word" ;;
        check-config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        cmdline | monitor | reload) ;;
        explain | map | policy | status | detach) _vfio_realign_answer "$(_vfio_realign_functions)" "$word" ;;
        *) _vfio_realign_answer "$(_vfio_realign_functions vfio)" "$word" ;;
        esac
        ;;
    esac
}

complete -F _vfio_realign vfio-realign
