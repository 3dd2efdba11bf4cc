
# A batch: its command is completed as that command completes its own words; options of
# parsim stand before it.

# The words of the command, one a line. Status 1: there is none yet; 2: the next word is the
# value of an option.
function __parsim_command
    set -l words (commandline -opc)
    set -l subcommand $words[2]
    set -e words[1..2]
    while set -q words[1]
        set -l length 1
        switch "$subcommand:$words[1]"
            # hyperfine's letters, where what follows is no value of GNU parallel's.
            case compare:-L
                set length 2
                string match -qr '[^0-9]' -- "$words[2]"; and set length 3
            case compare:-P
                set length 2
                string match -qr '^[^0-9+-]' -- "$words[2]"
                and string match -qr '^-?[.0-9]+$' -- "$words[3]"
                and set length 4
            case compare:-u
                string match -qr '^(s|ms|us|second|millisecond|microsecond)$' -- "$words[2]"
                and set length 2
            @LENGTHS@            case '*:-*'
            case '*'
                string join \n -- $words
                return 0
        end
        test (count $words) -lt $length; and return 2
        set -e words[1..$length]
    end
    return 1
end

function __parsim_in_command
    __parsim_command >/dev/null
end

function __parsim_complete_command
    set -l words (__parsim_command)
    switch $status
        case 0
            complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
        case 1
            complete -C (commandline -ct)
    end
end

complete -c parsim -n "__fish_parsim_using_subcommand serial parallel compare" -x -a "(__parsim_complete_command)"
