complete -c parsim -n "__fish_parsim_using_subcommand serial parallel compare" -x -a "(__fish_complete_subcommand --fcs-skip=2 @VALUED@)"
