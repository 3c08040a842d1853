package hostile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The runner, as far as a step's text can reach it: a model of actions/runner, written from its source and not from
// ours (docs/facts.md 21; ProcessInvoker.cs, ActionCommand.cs, ActionCommandManager.cs, FileCommandManager.cs).

// workflowCommand is a line that the runner obeys.
type workflowCommand struct {
	name       string
	properties string
	data       string
}

// registered are the commands that the runner knows.
var registered = []string{
	"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path",
	"notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}

// logLines are the lines of a stream as .NET's StreamReader.ReadLine ends them: at \r, \n and both.
func logLines(stream string) []string {
	return regexp.MustCompile(`\r\n|\r|\n`).Split(stream, -1)
}

// obeys is the command that the runner reads from a line, first in the form of today, then in the old one.
func obeys(line string) (c workflowCommand, ok bool) {
	if after, found := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::"); found {
		if info, data, found := strings.Cut(after, "::"); found {
			name, properties, _ := strings.Cut(info, " ")
			if slices.Contains(registered, strings.ToLower(name)) {
				return workflowCommand{strings.ToLower(name), properties, unescapeData(data)}, true
			}
		}
	}
	if _, after, found := strings.Cut(line, "##["); found {
		if info, data, found := strings.Cut(after, "]"); found {
			name, properties, _ := strings.Cut(info, " ")
			if slices.Contains(registered, strings.ToLower(name)) {
				return workflowCommand{strings.ToLower(name), properties, unescapeData(data)}, true
			}
		}
	}
	return c, false
}

func unescapeData(s string) string {
	for _, pair := range [][2]string{{"%0D", "\r"}, {"%0A", "\n"}, {"%25", "%"}} { // one after the other, as it does
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return s
}

// keyValues reads a file of outputs, of variables or of state: NAME=VALUE, or NAME<<END, lines, END. On Linux only \n
// ends a line. What the runner refuses is an error.
func keyValues(text string) (names []string, values map[string]string, err error) {
	values = map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case line == "":
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			names = append(names, line[:equals])
			values[line[:equals]] = line[equals+1:]
		case heredoc > 0 && line[heredoc+2:] != "":
			name, end := line[:heredoc], line[heredoc+2:]
			var value []string
			for i++; ; i++ {
				if i == len(lines) {
					return nil, nil, fmt.Errorf("%s has no end %q", name, end)
				}
				if lines[i] == end {
					break
				}
				value = append(value, lines[i])
			}
			names = append(names, name)
			values[name] = strings.Join(value, "\n")
		default:
			return nil, nil, fmt.Errorf("the runner refuses the line %.100q", line)
		}
	}
	return names, values, nil
}
