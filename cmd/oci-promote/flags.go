package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
)

// parse reads what a command was given. A list that is given again goes on; anything else that is given twice is
// refused, since one of the two would not count. The error is flag.ErrHelp where help is asked for.
func (c *command) parse(s subcommand, args []string) (given arguments, err error) {
	given.values = action.Values{}
	fs := flag.NewFlagSet(s.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {} // flag calls it for every error too
	var twice error
	for _, i := range s.flags {
		set := func(value string) error {
			before, again := given.values[i.Name]
			if again && !i.IsList {
				twice = fmt.Errorf("--%s is given twice; expected it once", i.Name)
				return twice
			}
			if again {
				value = before + "\n" + value
			}
			given.values[i.Name] = value
			return nil
		}
		if i.IsBool {
			fs.BoolFunc(i.Name, i.Help, set)
		} else {
			fs.Func(i.Name, i.Help, set)
		}
	}
	err = fs.Parse(args)
	problem := takeJSON(&given) // an error is told in JSON too
	switch {
	case twice != nil:
		return given, twice
	case err != nil:
		return given, inDashes(s, err)
	case problem != nil:
		return given, problem
	}
	given.word, err = word(s, fs.Args())
	return given, err
}

// takeJSON takes the flag that is no input out of the values.
func takeJSON(given *arguments) (err error) {
	if value, ok := given.values[jsonFlag.Name]; ok {
		delete(given.values, jsonFlag.Name)
		if given.json, err = action.ParseBool(value); err != nil {
			return fmt.Errorf("--%s: %w", jsonFlag.Name, err)
		}
	}
	return nil
}

// word is the argument without dashes, of a command that takes one.
func word(s subcommand, args []string) (string, error) {
	switch {
	case len(args) == 0:
		return "", nil
	case s.word.Name != "" && len(args) == 1:
		return args[0], nil
	case s.word.Name != "":
		return "", fmt.Errorf("%q is one argument too many; expected one %s", args[1], s.word.Name)
	case len(s.flags) == 0:
		return "", fmt.Errorf("%q is one argument too many; %s takes none", args[0], s.name)
	}
	return "", fmt.Errorf("%q is not a flag; expected --name value", args[0])
}

// inDashes is an error of package flag in its own words, with the dashes and the values that the help shows.
func inDashes(s subcommand, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return fmt.Errorf("--%s is no flag of %s", name, s.name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		i := slices.IndexFunc(s.flags, func(i action.Input) bool { return i.Name == name })
		return fmt.Errorf("--%s needs a value: %s", name, s.flags[i].Value)
	}
	return err
}

// fromEnvironment adds what a person's environment gives. Secrets may come from there, so that they need not stand in a
// process list. A password without a user would be sent as nobody's, and is left where it is.
func (c *command) fromEnvironment(v action.Values) {
	if _, given := v["token"]; !given {
		v["token"] = orElse(c.getenv("GITHUB_TOKEN"), c.getenv("GH_TOKEN"))
	}
	if v["username"] != "" && v["password"] == "" {
		v["password"] = c.getenv(passwordVariable)
	}
}

// passwordVariable is where a password may stand by hand.
const passwordVariable = "OCI_PROMOTE_PASSWORD"
