package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// runCLI is the program as people start it. The report goes to stdout, all else to
// stderr.
func (c *command) runCLI(ctx context.Context, args []string) int {
	if len(args) == 0 {
		_, _ = io.WriteString(c.stderr, usage())
		return exitUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "--help", "-help", "-h":
		name = "help"
	case "--version", "-version":
		name = "version"
	}
	sub, err := subcommandOf(name)
	if err != nil {
		return c.fail(err)
	}
	given, err := c.parse(sub, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.fail(c.help(name))
	case err != nil:
		return c.failed(&hinted{err, fmt.Sprintf("oci-promote %s --help lists what it takes", name)}, given.json)
	}
	return sub.run(c, ctx, given)
}

func (c *command) runMode(ctx context.Context, mode string, given arguments) int {
	values := given.values
	c.fromEnvironment(values)
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
		return c.failed(err, given.json)
	}
	if err := c.print(report, given.json); err != nil {
		return c.fail(err)
	}
	if err := afterSignal(ctx, report, nil); err != nil {
		return c.fail(err) // the report is on stdout
	}
	if failed(report, values) {
		return exitFailed
	}
	return exitOK
}

// errorTold is an error as JSON.
type errorTold struct {
	Error struct {
		Text string `json:"message"`
		Hint string `json:"hint"` // may be empty
	} `json:"error"`
}

// failed is fail for a command that speaks JSON: an error is one line of it, in the place of the report.
func (c *command) failed(err error, asJSON bool) int {
	if asJSON {
		var told errorTold
		told.Error.Text, told.Error.Hint = c.secrets.Clean(strings.Join(parts(err), "; ")), c.secrets.Clean(hintOf(err))
		blob, problem := action.JSON(told)
		if problem == nil {
			_, problem = fmt.Fprintln(c.stdout, c.secrets.Hide(blob))
		}
		err = errors.Join(err, problem)
	}
	return c.fail(err)
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
	return statusOf(err)
}

func (c *command) println(w io.Writer, line string) {
	_, _ = fmt.Fprintln(w, c.secrets.Clean(line)) // a terminal that is gone cannot be told
}
