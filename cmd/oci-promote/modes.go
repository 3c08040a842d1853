package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// session is how a mode speaks while it runs; the report comes after.
type session struct {
	workspace string // the directory that path may not leave; empty by hand
	byHand    bool   // started by a person, or a script of theirs, who may have a clone, and gives flags
	log       func(line string)
	packing   func(files int, bytes int64)    // may be nil
	uploading func(sent, total int64)         // may be nil
	counting  func(what string, done, of int) // may be nil
}

// mode runs one mode. All inputs are checked before anything is sent.
func (c *command) mode(ctx context.Context, name string, v action.Values, s session) (pipeline.Report, error) {
	if err := action.CheckMode(name); err != nil {
		return pipeline.Report{}, err
	}
	modes := map[string]func(context.Context, action.Values, session) (pipeline.Report, error){
		action.Build: c.build, action.Tag: c.tag, action.Verify: c.verify, action.Prune: c.prune,
	}
	c.secrets.Public = v["repository"] + " " + c.getenv("GITHUB_REPOSITORY")
	c.secrets.Add(v["password"])
	c.secrets.Add(v["token"])
	report, err := modes[name](ctx, v, s)
	if err != nil {
		err = c.wordError(afterSignal(ctx, report, err), v, s.byHand)
	}
	wordReport(&report, s.byHand)
	c.fit(&report)
	for _, input := range action.Misplaced(name, v) {
		report.Warnings = append(report.Warnings, fmt.Sprintf("input %q is set but mode %s does not use it", input, name))
	}
	return report, err
}

// hinted is an error with a line that says what to do.
type hinted struct {
	error
	hint string
}

func (h *hinted) Hint() string  { return h.hint }
func (h *hinted) Unwrap() error { return h.error }

// each is the errors that were joined into err; none for none.
func each(err error) (all []error) {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		all = append(all, each(e)...)
	}
	return all
}

// parts are the errors that were joined into err, each of which is one line for people.
func parts(err error) (all []string) {
	for _, e := range each(err) {
		all = append(all, e.Error())
	}
	return all
}

// withHint is err with what to do about it, on one line.
func withHint(err error) string {
	if hint := hintOf(err); hint != "" {
		return err.Error() + "; " + hint
	}
	return err.Error()
}

// hintOf is what to do about err, on one line; may be empty.
func hintOf(err error) string { return strings.Join(hintsOf(err), "; ") }

// hintsOf is what to do about err, or about each of the errors that were joined into it, once each.
func hintsOf(err error) (all []string) {
	if h, ok := err.(interface{ Hint() string }); ok {
		if h.Hint() == "" {
			return nil
		}
		return []string{h.Hint()}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err = errors.Unwrap(err); err == nil {
			return nil
		}
		return hintsOf(err)
	}
	for _, e := range joined.Unwrap() {
		for _, hint := range hintsOf(e) {
			if !slices.Contains(all, hint) {
				all = append(all, hint)
			}
		}
	}
	return all
}
