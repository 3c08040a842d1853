package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// subcommand is one row of the table from which the command line, its help and its completion are made.
type subcommand struct {
	name     string
	does     string         // one line, without a full stop
	word     action.Input   // the one argument without dashes; the zero Input for none
	flags    []action.Input // in the order of the help
	also     string         // what the flags do not say; may be empty
	examples []string       // each within the columns of the help, or broken as a shell takes it
	exit     []row          // what the exit status says
	run      func(c *command, ctx context.Context, given arguments) int
}

// arguments are what a subcommand was given.
type arguments struct {
	values action.Values
	word   string
	json   bool
}

// What an exit status says.
var (
	saysDone        = row{"0", "done; in a dry run: planned"}
	saysPrinted     = row{"0", "printed"}
	saysFailed      = row{"1", "refused, or failed: the message says why, and what to do"}
	saysInterrupted = row{"130", "interrupted (SIGINT); 143 for SIGTERM: the message says what was left"}
)

var jsonFlag = action.Input{Name: "json", IsBool: true, Default: "false", Help: "print the whole report, or the error, as one line of JSON"}

// goesOn breaks an example as a shell takes it.
const goesOn = " \\\n    "

// subcommands is the table, in the order of the usage.
func subcommands() []subcommand {
	modes := []subcommand{buildCommand(), tagCommand(), verifyCommand(), pruneCommand()}
	for i := range modes {
		mode := modes[i].name
		modes[i].flags = append(action.InputsOf(mode), jsonFlag)
		if modes[i].exit == nil {
			modes[i].exit = []row{saysDone, saysFailed, saysInterrupted}
		}
		modes[i].run = func(c *command, ctx context.Context, given arguments) int { return c.runMode(ctx, mode, given) }
	}
	return append(modes, demoCommand(), completionCommand(), versionCommand(), helpCommand())
}

func buildCommand() subcommand {
	return subcommand{
		name: action.Build, does: "pack a directory, number it and push it as a candidate",
		also: "In a full clone git tells the height and the time of the commit. Elsewhere give --height, and SOURCE_DATE_EPOCH.",
		examples: []string{
			"oci-promote build --repository ghcr.io/acme/fleet --path platform" + goesOn + `--revision "$(git branch --show-current)@sha1:$(git rev-parse HEAD)"`,
			"oci-promote build --repository oci-layout:out --path platform --dry-run" + goesOn + `--revision "main@sha1:$(git rev-parse HEAD)" --height 1`,
		},
	}
}

func tagCommand() subcommand {
	return subcommand{
		name: action.Tag, does: "promote what integration validated",
		also: "Give --artifact-sha or --digest to promote by hand, or --kustomization to catch up with what integration reported.",
		examples: []string{
			"oci-promote tag --repository ghcr.io/acme/fleet --kustomization platform",
			"oci-promote tag --repository ghcr.io/acme/fleet --artifact-sha 1a2b3c4",
			"oci-promote tag --repository ghcr.io/acme/fleet --version next --digest sha256:…",
		},
	}
}

func verifyCommand() subcommand {
	return subcommand{
		name: action.Verify, does: "tell whether the gate works, and where a change is",
		also: "Reports of clusters are read from GitHub, with --token and GITHUB_REPOSITORY.",
		examples: []string{
			"oci-promote verify --repository ghcr.io/acme/fleet --kustomization platform",
			"oci-promote verify --repository ghcr.io/acme/fleet --artifact-sha 1a2b3c4 --json",
			"oci-promote verify --repository ghcr.io/acme/fleet" + goesOn + "--cluster-state integration=a.json --cluster-state live=b.json",
		},
		exit: []row{{"0", "healthy, or unhealthy with --fail-on never"}, {"1", "unhealthy by --fail-on, refused, or failed: the message says why"}, saysInterrupted},
	}
}

func pruneCommand() subcommand {
	return subcommand{
		name: action.Prune, does: "delete what nothing needs any more, with --apply",
		examples: []string{
			"oci-promote prune --repository ghcr.io/acme/fleet --keep-stables 20",
			"oci-promote prune --repository ghcr.io/acme/fleet --keep-for 2160h --apply",
		},
	}
}

func demoCommand() subcommand {
	return subcommand{
		name: "demo", does: "show the pipeline on an OCI layout in a temporary directory",
		flags:    []action.Input{{Name: "path", Value: "DIR", Default: "testdata/platform", Help: "directory of manifests to build"}},
		examples: []string{"oci-promote demo --path platform"},
		exit:     []row{{"0", "told to its end"}, saysFailed, saysInterrupted},
		run: func(c *command, ctx context.Context, given arguments) int {
			return c.fail(afterSignal(ctx, pipeline.Report{}, c.demo(ctx, given.values["path"])))
		},
	}
}

func completionCommand() subcommand {
	return subcommand{
		name: "completion", does: "print a script by which a shell completes commands, flags and values",
		word:     action.Input{Name: "SHELL", Values: shells, Help: "the shell"},
		examples: []string{"source <(oci-promote completion bash)", "source <(oci-promote completion zsh)", "oci-promote completion fish | source"},
		exit:     []row{saysPrinted, saysFailed},
		run:      (*command).completion,
	}
}

func versionCommand() subcommand {
	return subcommand{
		name: "version", does: "print the version", examples: []string{"oci-promote version"}, exit: []row{saysPrinted, saysFailed},
		run: func(c *command, _ context.Context, _ arguments) int {
			c.println(c.stdout, "oci-promote "+version)
			return exitOK
		},
	}
}

func helpCommand() subcommand {
	return subcommand{
		name: "help", does: "print the usage, or the help of a command", word: action.Input{Name: "COMMAND", Help: "the command"},
		examples: []string{"oci-promote help build"}, exit: []row{saysPrinted, saysFailed},
		run: func(c *command, _ context.Context, given arguments) int { return c.fail(c.help(given.word)) },
	}
}

// help prints the usage, or the help of a command where one is named.
func (c *command) help(name string) error {
	text := usage()
	if name != "" {
		sub, err := subcommandOf(name)
		if err != nil {
			return err
		}
		text = helpOf(sub)
	}
	_, err := fmt.Fprint(c.stdout, text)
	return err
}

func subcommandOf(name string) (subcommand, error) {
	all := subcommands()
	i := slices.IndexFunc(all, func(s subcommand) bool { return s.name == name })
	if i < 0 {
		return subcommand{}, &hinted{fmt.Errorf("%q is no command; expected %s", name, strings.Join(namesOf(all), ", ")), "oci-promote --help lists them"}
	}
	return all[i], nil
}

func namesOf(all []subcommand) (names []string) {
	for _, s := range all {
		names = append(names, s.name)
	}
	return names
}
