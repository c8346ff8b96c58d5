# SPDX-License-Identifier: BSD-2-Clause
# Completion of fromguard(8) for fish. Goes into
# /usr/share/fish/vendor_completions.d as fromguard.fish.

# The program itself knows its settings best.
function __fromguard_settings
    fromguard config 2>/dev/null | string replace -r ' =.*' '='
end

function __fromguard_in
    __fish_seen_subcommand_from $argv
end

complete -c fromguard -f
complete -c fromguard -s h -l help -d 'help, with an example'
complete -c fromguard -n __fish_use_subcommand -l version -d 'which version this is'

complete -c fromguard -n __fish_use_subcommand -a serve -d 'answer Postfix, in the foreground'
complete -c fromguard -n __fish_use_subcommand -a explain -d 'may LOGIN use SENDER, and why'
complete -c fromguard -n __fish_use_subcommand -a who -d 'every login that may use SENDER'
complete -c fromguard -n __fish_use_subcommand -a what -d 'every sender that LOGIN may use'
complete -c fromguard -n __fish_use_subcommand -a lint -d 'what is wrong with configuration, maps and Postfix'
complete -c fromguard -n __fish_use_subcommand -a rehearse -d 'who would have been refused, by the mail log'
complete -c fromguard -n __fish_use_subcommand -a ask -d 'ask a running server, as Postfix would'
complete -c fromguard -n __fish_use_subcommand -a compile -d 'make one compiled map of many maps'
complete -c fromguard -n __fish_use_subcommand -a config -d 'the settings in force'
complete -c fromguard -n __fish_use_subcommand -a version -d 'which version this is'

set -l configured serve explain who what lint rehearse ask config
set -l json explain who what lint rehearse ask config
complete -c fromguard -n "__fromguard_in $configured compile" -s c -r -F -d 'read this configuration'
complete -c fromguard -n "__fromguard_in $configured" -s o -x -a '(__fromguard_settings)' -d 'a setting'
complete -c fromguard -n "__fromguard_in $json" -l json -d 'print one JSON object'

complete -c fromguard -n '__fromguard_in lint' -l postfix -d 'look at Postfix, too'
complete -c fromguard -n '__fromguard_in rehearse' -l all -d 'show the pairs that are allowed, too'
complete -c fromguard -n '__fromguard_in rehearse' -l since -x -a '1d 7d 30d' -d 'a date, a time stamp or an age'
complete -c fromguard -n '__fromguard_in ask' -s s -l socket -r -F -d 'ask there'
complete -c fromguard -n '__fromguard_in ask' -l timeout -x -a '1s 5s' -d 'wait so long'
complete -c fromguard -n '__fromguard_in ask' -l health -d 'does it decide?'
complete -c fromguard -n '__fromguard_in compile' -s o -l output -r -F -d 'the file to write'
complete -c fromguard -n '__fromguard_in compile' -l set -x -a '(__fromguard_settings)' -d 'a setting'
complete -c fromguard -n '__fromguard_in compile' -l from -x -a - -d 'read standard input'
complete -c fromguard -n '__fromguard_in config' -s n -d 'only what is not the default'
complete -c fromguard -n '__fromguard_in rehearse lint compile' -F
