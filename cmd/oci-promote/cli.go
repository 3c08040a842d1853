package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

const usage = `oci-promote carries an OCI artifact of Kubernetes manifests from merge to live.

usage:
  oci-promote build  --repository HOST/PATH --path DIR [flags]   pack, number and push a candidate
  oci-promote tag    --repository HOST/PATH [flags]              promote what integration validated
  oci-promote verify --repository HOST/PATH [flags]              tell whether the gate works
  oci-promote prune  --repository HOST/PATH [flags]              delete what nothing needs any more, with --apply
  oci-promote demo                                               the pipeline against a temporary OCI layout
  oci-promote version

Each command has --help. In GitHub Actions the same program is an action: the inputs
have the names of the flags.
`

// runCLI is the program as people start it. The report goes to stdout, all else to
// stderr.
func (c *command) runCLI(ctx context.Context, args []string) int {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch {
	case slices.Contains(action.Modes, name):
		return c.runMode(ctx, name, args)
	case name == "demo":
		return c.fail(c.demo(ctx, args))
	case name == "version" || name == "--version":
		c.println(c.stdout, "oci-promote "+version)
		return exitOK
	case name == "help" && len(args) == 1 && slices.Contains(action.Modes, args[0]):
		c.help(args[0])
		return exitOK
	case name == "help" || name == "--help" || name == "-h":
		_, _ = io.WriteString(c.stdout, usage)
		return exitOK
	}
	return c.fail(&hinted{fmt.Errorf("%q is no command; expected %s, demo or version", name, strings.Join(action.Modes, ", ")), "oci-promote --help lists them"})
}

func (c *command) runMode(ctx context.Context, mode string, args []string) int {
	values, asJSON, err := c.flags(mode, args)
	if errors.Is(err, flag.ErrHelp) {
		c.help(mode)
		return exitOK
	}
	if err != nil {
		return c.fail(&hinted{err, fmt.Sprintf("oci-promote %s --help lists the flags", mode)})
	}
	bar := &progress{out: c.stderr, on: c.terminal}
	report, err := c.mode(ctx, mode, values, session{
		byHand: true,
		log:    func(line string) { bar.clear(); c.println(c.stderr, line) },
		packing: func(files int, bytes int64) {
			bar.show(func() string { return fmt.Sprintf("packing: %d files, %s", files, size(bytes)) })
		},
		uploading: func(sent, total int64) {
			bar.show(func() string { return fmt.Sprintf("uploading: %s of %s", size(sent), size(total)) })
		},
		counting: func(what string, done, of int) {
			bar.show(func() string { return counted(what, done, of) })
		},
	})
	bar.clear()
	for _, text := range report.Notices {
		c.println(c.stderr, "notice: "+text)
	}
	for _, text := range report.Warnings {
		c.println(c.stderr, "warning: "+text)
	}
	if err != nil {
		return c.fail(err)
	}
	if code := c.fail(c.print(report, asJSON)); code != exitOK || !failed(report, values) {
		return code
	}
	return exitFailed
}

func (c *command) print(report pipeline.Report, asJSON bool) error {
	if asJSON {
		blob, err := action.JSON(report)
		if err == nil {
			_, err = fmt.Fprintln(c.stdout, c.secrets.Hide(blob))
		}
		return err
	}
	for _, line := range reportLines(report) {
		c.println(c.stdout, line)
	}
	return nil
}

// flags reads a mode's flags, which are the action's inputs. Secrets may come from the
// environment, so that they need not stand in a process list.
func (c *command) flags(mode string, args []string) (v action.Values, asJSON bool, err error) {
	v = action.Values{"token": orElse(c.getenv("GITHUB_TOKEN"), c.getenv("GH_TOKEN"))}
	fs := flag.NewFlagSet(mode, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {} // flag calls it for every error too
	fs.BoolVar(&asJSON, "json", false, "")
	for _, i := range action.InputsOf(mode) {
		set := func(value string) error { v[i.Name] = value; return nil }
		if i.IsBool {
			fs.BoolFunc(i.Name, i.Help, set)
		} else {
			fs.Func(i.Name, i.Help, set)
		}
	}
	err = fs.Parse(args)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("%q is not a flag; expected --name value", fs.Arg(0))
	}
	if err != nil { // flag's own words, with the dashes that the help shows
		if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
			err = fmt.Errorf("--%s is no flag of %s", name, mode)
		}
	}
	if v["username"] != "" && v["password"] == "" {
		v["password"] = c.getenv("OCI_PROMOTE_PASSWORD")
	}
	return v, asJSON, err
}

func (c *command) help(mode string) {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: oci-promote %s [flags]\n\n", mode)
	for _, i := range append(action.InputsOf(mode), action.Input{Name: "json", IsBool: true, Help: "print the whole report as one line of JSON"}) {
		name := "--" + i.Name
		if !i.IsBool {
			name += " " + strings.ToUpper(i.Name[strings.LastIndex(i.Name, "-")+1:])
		}
		help := i.Help
		if i.Default != "" && !i.IsBool {
			help += fmt.Sprintf(" (default %q)", i.Default)
		}
		fmt.Fprintf(&b, "  %-30s %s\n", name, help)
	}
	b.WriteString("\nenvironment: GITHUB_TOKEN or GH_TOKEN for --token, GITHUB_REPOSITORY=OWNER/NAME to ask GitHub, OCI_PROMOTE_PASSWORD for --password,\nDOCKER_CONFIG for other registries, SOURCE_DATE_EPOCH for the time of the commit\n")
	_, _ = io.WriteString(c.stdout, b.String())
}

// fail tells err and what to do about it, if there is one.
func (c *command) fail(err error) int {
	if err == nil {
		return exitOK
	}
	for _, line := range parts(err) {
		c.println(c.stderr, "oci-promote: "+line)
	}
	if hint := hintOf(err); hint != "" {
		c.println(c.stderr, "             "+hint)
	}
	return exitFailed
}

func (c *command) println(w io.Writer, line string) {
	_, _ = fmt.Fprintln(w, c.secrets.Clean(line)) // a terminal that is gone cannot be told
}
