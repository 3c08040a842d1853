package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
)

// shells are those for which there is a completion.
var shells = []string{"bash", "zsh", "fish"}

// completion prints the script of a shell. It is made of the table of commands, and asks nobody when it completes.
func (c *command) completion(_ context.Context, given arguments) int {
	scripts := map[string]func([]subcommand) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	script, ok := scripts[given.word]
	if given.word == "" {
		return c.fail(&hinted{fmt.Errorf("completion needs a shell: %s", strings.Join(shells, ", ")), "oci-promote completion --help shows how to load it"})
	}
	if !ok {
		return c.fail(&hinted{fmt.Errorf("%q is no shell that it knows; expected %s", given.word, strings.Join(shells, ", ")), "oci-promote completion --help shows how to load it"})
	}
	_, err := fmt.Fprint(c.stdout, script(subcommands()))
	return c.fail(err)
}

// wordsOf are what may stand for a command's argument.
func wordsOf(s subcommand, all []subcommand) []string {
	if s.name == "help" {
		return namesOf(all)
	}
	return s.word.Values
}

// What a shell completes a value with, where that is no closed set.
const (
	ofFile      = "FILE"
	ofDirectory = "DIR"
)

// inQuotes is text as one word of a shell that knows '…'.
func inQuotes(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func withHelpFlag(flags []action.Input) []action.Input {
	return append(slices.Clone(flags), action.Input{Name: "help", IsBool: true, Help: "print the help of the command"})
}

func dashed(flags []action.Input) (names []string) {
	for _, i := range withHelpFlag(flags) {
		names = append(names, "--"+i.Name)
	}
	return names
}
