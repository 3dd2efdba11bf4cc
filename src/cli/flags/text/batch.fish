
# A batch: its command is completed as that command completes its own words; options of
# parsim stand before it.
function __parsim_in_command
    set -l words (commandline -opc)
    set words $words[3..-1]
    while set -q words[1]
        switch $words[1]
            case @VALUED@
                set words $words[3..-1]
            case '-*'
                set words $words[2..-1]
            case '*'
                return 0
        end
    end
    return 1
end
complete -c parsim -n "__fish_parsim_using_subcommand serial parallel compare" -x -a "(__fish_complete_subcommand --fcs-skip=2 @VALUED@)"
