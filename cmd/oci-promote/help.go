package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oci-promote/oci-promote/internal/action"
)

// columns are how wide a line of the help may be.
const columns = 100

// usage is what the program says of itself.
func usage() string {
	var b strings.Builder
	b.WriteString("oci-promote carries an OCI artifact of Kubernetes manifests from merge to live.\n\nusage:\n  oci-promote COMMAND [flags]\n")
	var commands []row
	for _, s := range subcommands() {
		commands = append(commands, row{s.name, s.does})
	}
	section(&b, "commands", commands)
	section(&b, "exit status", []row{saysDone, saysFailed, {"2", "no command was given"}, saysInterrupted})
	b.WriteString("\n" + wrap("Each command has --help. In GitHub Actions the same program is an action: the inputs have the names of the flags.", columns, "") + "\n")
	return b.String()
}

// helpOf is the help of a command. All have the same form; a part that has nothing to say is left out.
func helpOf(s subcommand) string {
	var b strings.Builder
	fmt.Fprintf(&b, "oci-promote %s: %s\n\nusage:\n  oci-promote %s\n", s.name, s.does, strings.Join(synopsis(s), " "))
	if s.also != "" {
		b.WriteString("\n" + wrap(s.also, columns, "") + "\n")
	}
	if s.word.Name != "" {
		section(&b, "argument", []row{{s.word.Name, s.word.Help + oneOf(s.word)}})
	}
	section(&b, "flags", flagRows(s))
	section(&b, "environment", environment(s))
	section(&b, "exit status", s.exit)
	b.WriteString("\nexamples:\n")
	for _, example := range s.examples {
		b.WriteString("  " + strings.ReplaceAll(example, "\n", "\n  ") + "\n")
	}
	return b.String()
}

// synopsis is how a command is called, with what it cannot do without.
func synopsis(s subcommand) []string {
	words := []string{s.name}
	if s.word.Name != "" && s.word.Values == nil {
		return append(words, "["+s.word.Name+"]")
	}
	if s.word.Name != "" {
		return append(words, s.word.Name)
	}
	for _, i := range s.flags {
		if slices.Contains(i.Needed, s.name) {
			words = append(words, "--"+i.Name+" "+i.Value)
		}
	}
	if len(s.flags) > 0 {
		words = append(words, "[flags]")
	}
	return words
}

// row is a name with what it means.
type row struct{ name, means string }

// section writes rows below a heading, in two columns; nothing for no rows.
func section(b *strings.Builder, heading string, rows []row) {
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, r := range rows {
		width = max(width, utf8.RuneCountInString(r.name))
	}
	fmt.Fprintf(b, "\n%s:\n", heading)
	for _, r := range rows {
		indent := strings.Repeat(" ", width+4)
		fmt.Fprintf(b, "  %-*s  %s\n", width, r.name, wrap(r.means, columns-width-4, indent))
	}
}

func flagRows(s subcommand) (rows []row) {
	for _, i := range s.flags {
		name := "--" + i.Name
		if !i.IsBool {
			name += " " + i.Value
		}
		rows = append(rows, row{name, i.Help + remarks(s, i)})
	}
	return rows
}

// remarks are what the table knows of a flag beside its help.
func remarks(s subcommand, i action.Input) string {
	var all []string
	if slices.Contains(i.Needed, s.name) {
		all = append(all, "required, unless "+strings.Join(i.Env, " or ")+" is set")
	}
	if i.IsList {
		all = append(all, "may be given again")
	}
	if i.Default != "" && !i.IsBool {
		all = append(all, fmt.Sprintf("default %q", i.Default))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, "; ") + ")"
}

func oneOf(i action.Input) string {
	if i.Values == nil {
		return ""
	}
	return ": " + strings.Join(i.Values, ", ")
}

// environment is what else a command reads: the variables of its flags, and those of the run.
func environment(s subcommand) (rows []row) {
	for _, i := range s.flags {
		if len(i.Env) > 0 {
			rows = append(rows, row{strings.Join(i.Env, ", "), variableOf(i)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	rows = append(rows, row{"DOCKER_CONFIG", "the directory of Docker's config.json, for the logins of registries"})
	if s.name == action.Build {
		rows = append(rows, row{"SOURCE_DATE_EPOCH", "the time of the commit, in seconds since 1970"})
	}
	return rows
}

// variableOf is what the variables of an input mean.
func variableOf(i action.Input) string {
	switch i.Name {
	case "repository":
		return "OWNER/NAME, to ask GitHub; without --repository also ghcr.io/OWNER/NAME"
	case "revision":
		return "the commit; its branch is GITHUB_REF_NAME"
	case "password":
		return "for --password, where --username is given"
	}
	return "for --" + i.Name
}

// wrap breaks text at its spaces, so that no line is wider than width. Each line but the first begins with indent.
func wrap(text string, width int, indent string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, line), "\n"+indent)
}
