
# A batch: its command is completed as that command completes its own words, and
# what follows ::: as files.
_parsim_batch() {
    # --option=value is three words, the last of which may not have been begun.
    if [[ $2 == '=' || ${COMP_WORDS[COMP_CWORD]} == '=' ]]; then
        _parsim "$1" "" "${COMP_WORDS[COMP_CWORD - 1]}"
        return
    elif [[ $3 == '=' ]]; then
        _parsim "$1" "$2" "${COMP_WORDS[COMP_CWORD - 2]}"
        return
    fi
    case ${COMP_WORDS[1]} in
        serial | parallel | compare) ;;
        *) _parsim "$@"; return ;;
    esac
    local at=2 length
    while ((at < COMP_CWORD)); do
        if [[ ${COMP_WORDS[at + 1]} == '=' ]]; then
            ((at += 3))
            continue
        fi
        length=1
        case ${COMP_WORDS[1]}:${COMP_WORDS[at]} in
            # hyperfine's letters, where what follows is no value of GNU parallel's.
            compare:-L)
                length=2
                [[ ${COMP_WORDS[at + 1]} == *[!0-9]* ]] && length=3
                ;;
            compare:-P)
                length=2
                [[ ${COMP_WORDS[at + 1]} == [!0-9+-]* && ${COMP_WORDS[at + 2]} =~ ^-?[.0-9]+$ ]] && length=4
                ;;
            compare:-u)
                [[ ${COMP_WORDS[at + 1]} =~ ^(s|ms|us|second|millisecond|microsecond)$ ]] && length=2
                ;;
            @LENGTHS@            *:-*) ;;
            *) break ;;
        esac
        ((at += length))
    done
    if ((at > COMP_CWORD)) || [[ $2 == -* && $at -eq COMP_CWORD ]]; then
        _parsim "$@"
    elif ((at == COMP_CWORD)); then
        local IFS=$'\n'
        COMPREPLY=($(compgen -c -- "$2"))
    elif [[ " ${COMP_WORDS[*]:at:COMP_CWORD-at} " != *\ :::* ]]; then
        if declare -F _comp_command_offset >/dev/null; then
            _comp_command_offset "$at"
        elif declare -F _command_offset >/dev/null; then
            _command_offset "$at"
        fi
    fi
}

complete -F _parsim_batch -o bashdefault -o default parsim
