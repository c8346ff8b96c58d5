# SPDX-License-Identifier: BSD-2-Clause
# Completion of fromguard(8) for bash. Goes into
# /usr/share/bash-completion/completions as fromguard.

# The options of a command, long ones and those that have no long form.
_fromguard_options() {
	case $1 in
	serve) echo "-c -o" ;;
	explain | who | what) echo "-c -o --json" ;;
	lint) echo "-c -o --json --postfix" ;;
	rehearse) echo "-c -o --all --since --json" ;;
	ask) echo "-c -o -s --socket --timeout --health --json" ;;
	compile) echo "-c -o --output --set --from" ;;
	config) echo "-c -o -n --json" ;;
	esac
	echo "-h --help"
}

# What comes behind an option that takes a value; false where it takes none.
_fromguard_value() {
	local command=$1 option=$2 word=$3

	case $command:$option in
	compile:-o | compile:--output | *:-c | ask:-s | ask:--socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames 2>/dev/null
		;;
	compile:--set | *:-o)
		# The program itself knows its settings best.
		mapfile -t COMPREPLY < <(compgen -S = -W \
			"$(fromguard config 2>/dev/null | sed 's/ =.*//')" -- "$word")
		compopt -o nospace 2>/dev/null
		;;
	compile:--from) mapfile -t COMPREPLY < <(compgen -W - -- "$word") ;;
	rehearse:--since)
		mapfile -t COMPREPLY < <(compgen -W "1d 7d 30d" -- "$word")
		;;
	ask:--timeout) mapfile -t COMPREPLY < <(compgen -W "1s 5s" -- "$word") ;;
	*) return 1 ;;
	esac
	return 0
}

_fromguard() {
	local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "serve explain who what lint
			rehearse ask compile config version --help --version" -- "$word")
		return
	fi
	if _fromguard_value "$command" "${COMP_WORDS[COMP_CWORD - 1]}" "$word"; then
		return
	fi
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_fromguard_options "$command")" \
			-- "$word")
		return
	fi
	case $command in
	rehearse | lint | compile)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames 2>/dev/null
		;;
	esac
}

complete -F _fromguard fromguard
