package main

import (
	"fmt"
	"strings"
)

// bashScript completes in bash 3.2 and later. That breaks words at "=" too, so that --bump=x is three of them, and the
// state of a cluster is a file after "live", "=".
func bashScript(all []subcommand) string {
	var words, flags, values strings.Builder
	for _, s := range all {
		if w := wordsOf(s, all); len(w) > 0 {
			fmt.Fprintf(&words, "    %s) words=%s ;;\n", s.name, inQuotes(strings.Join(w, " ")))
		}
		fmt.Fprintf(&flags, "    %s) words=%s ;;\n", s.name, inQuotes(strings.Join(dashed(s.flags), " ")))
		for _, i := range s.flags {
			value := bashValue(i.Value, i.Choices())
			pattern := s.name + " --" + i.Name
			if i.IsBool {
				pattern += " =" // the next word is no value of it
			} else {
				pattern += "*"
			}
			fmt.Fprintf(&values, "    %s) %s ;;\n", quotedPattern(pattern), value)
		}
	}
	return fmt.Sprintf(bashForm, strings.Join(namesOf(all), " "), values.String(), flags.String(), words.String())
}

// quotedPattern is a pattern of case, of which only a "*" at its end stands for anything.
func quotedPattern(pattern string) string {
	if text, ok := strings.CutSuffix(pattern, "*"); ok {
		return inQuotes(text) + `|` + inQuotes(text+" =")
	}
	return inQuotes(pattern)
}

func bashValue(value string, choices []string) string {
	switch {
	case len(choices) > 0:
		return "words=" + inQuotes(strings.Join(choices, " "))
	case value == ofDirectory:
		return "kind=-d"
	case value == ofFile:
		return "kind=-f"
	}
	return "return" // nothing that could be known
}

const bashForm = `# Completion of oci-promote for bash, made by: oci-promote completion bash
_oci_promote() {
  local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} before=$((COMP_CWORD - 1)) flag words='' kind=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '%s' -- "$cur"))
    return
  fi
  if [ "$cur" = = ]; then # a value that begins after it
    cur='' before=$COMP_CWORD
  fi
  flag=${COMP_WORDS[before]}
  if [ "$flag" = = ]; then
    flag="${COMP_WORDS[before - 1]} ="
    case $flag in
    'live =' | 'integration =') # of a cluster's state, whose flag may have a = of its own
      flag=${COMP_WORDS[before - 2]}
      [ "$flag" = = ] && flag=${COMP_WORDS[before - 3]}
      ;;
    esac
  fi
  case "$command $flag" in
%s    *)
      case $cur in
      -*)
        case $command in
%s        esac
        ;;
      *)
        [ "$COMP_CWORD" -eq 2 ] && case $command in
%s        esac
        ;;
      esac
      ;;
  esac
  if [ -n "$kind" ]; then
    compopt -o filenames 2>/dev/null # bash 4 and later
    local IFS=$'\n'
    COMPREPLY=($(compgen "$kind" -- "$cur"))
  elif [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _oci_promote oci-promote
`
