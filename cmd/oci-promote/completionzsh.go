package main

import (
	"fmt"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
)

// zshScript completes in zsh, as a file _oci-promote of fpath or sourced.
func zshScript(all []subcommand) string {
	var commands, cases strings.Builder
	for _, s := range all {
		fmt.Fprintf(&commands, "    %s\n", inQuotes(s.name+":"+s.does))
		fmt.Fprintf(&cases, "  %s)\n    _arguments", s.name)
		for _, i := range withHelpFlag(s.flags) {
			fmt.Fprintf(&cases, " \\\n      %s", inQuotes(zshFlag(i)))
		}
		if words := wordsOf(s, all); len(words) > 0 {
			fmt.Fprintf(&cases, " \\\n      %s", inQuotes("1:"+s.word.Name+":("+strings.Join(words, " ")+")"))
		}
		cases.WriteString("\n    ;;\n")
	}
	return fmt.Sprintf(zshForm, commands.String(), cases.String())
}

var zshEscapes = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)

// zshFlag is a flag as _arguments reads it: --dry-run or --dry-run=true, --path DIR or --path=DIR.
func zshFlag(i action.Input) string {
	spec := "--" + i.Name
	if i.IsList {
		spec = "*" + spec
	}
	help := "[" + zshEscapes.Replace(i.Help) + "]"
	if i.IsBool && i.Default == "" { // help takes no value at all
		return spec + help
	}
	if i.IsBool {
		return spec + "=-" + help + "::BOOL:(" + strings.Join(i.Choices(), " ") + ")"
	}
	return spec + "=" + help + ":" + zshEscapes.Replace(i.Value) + ":" + zshValue(i)
}

func zshValue(i action.Input) string {
	switch {
	case i.Values != nil:
		return "(" + strings.Join(i.Values, " ") + ")"
	case i.Value == ofDirectory:
		return "_files -/"
	case i.Value == ofFile:
		return "_oci-promote-state"
	}
	return " "
}

const zshForm = `#compdef oci-promote
# Completion of oci-promote for zsh, made by: oci-promote completion zsh
_oci-promote-state() {
  compset -P '(live|integration)='
  _files
}

_oci-promote() {
  local -a commands
  commands=(
%s  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
%s  esac
}

if [ "$funcstack[1]" = _oci-promote ]; then # a file of fpath
  _oci-promote "$@"
else
  compdef _oci-promote oci-promote
fi
`
