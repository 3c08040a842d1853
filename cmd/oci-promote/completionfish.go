package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
)

// fishScript completes in fish 3 and later.
func fishScript(all []subcommand) string {
	var b strings.Builder
	b.WriteString(fishForm)
	for _, s := range all {
		fmt.Fprintf(&b, "complete -c oci-promote -n __oci_promote_first -a %s -d %s\n", s.name, fishQuoted(s.does))
		of := "__oci_promote_of " + s.name
		if words := wordsOf(s, all); len(words) > 0 {
			fmt.Fprintf(&b, "complete -c oci-promote -n %s -a %s\n", fishQuoted(of), fishQuoted(strings.Join(words, " ")))
		}
		for _, i := range withHelpFlag(s.flags) {
			fmt.Fprintf(&b, "complete -c oci-promote -n %s -l %s%s -d %s\n", fishQuoted(of), i.Name, fishValue(i), fishQuoted(i.Help))
		}
	}
	return b.String()
}

func fishValue(i action.Input) string {
	switch {
	case i.IsBool:
		return ""
	case i.Values != nil:
		return " -x -a " + fishQuoted(strings.Join(i.Values, " "))
	case i.Value == ofDirectory:
		return " -x -a '(__fish_complete_directories)'"
	case i.Value == ofFile:
		return " -r -F"
	}
	return " -x"
}

func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

const fishForm = `# Completion of oci-promote for fish, made by: oci-promote completion fish
function __oci_promote_first
    test (count (commandline -opc)) -eq 1
end
function __oci_promote_of
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = $argv[1]
end
complete -c oci-promote -f
`
