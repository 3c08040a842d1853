package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/oci-promote/oci-promote/internal/action"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// runAction is the program as GitHub starts it: inputs from INPUT_ variables; the
// result goes to the log, the outputs, the summary and the annotations.
func (c *command) runAction(ctx context.Context) int {
	run := action.New(c.getenv, c.stdout)
	run.Secrets = c.secrets
	values := run.Values()
	mode := values["mode"]
	report, err := c.mode(ctx, mode, values, session{
		workspace: c.getenv("GITHUB_WORKSPACE"),
		log:       run.Println,
	})
	if err == nil {
		err = c.publish(run, report)
	}
	for _, text := range report.Notices {
		run.Notice(text)
	}
	for _, text := range report.Warnings {
		run.Warning(text)
	}
	if err == nil {
		err = afterSignal(ctx, report, nil)
	}
	if err == nil && failed(report, values) {
		return exitFailed
	}
	if err == nil {
		return exitOK
	}
	run.Error(append(parts(err), hintOf(err))...)
	if err := run.AddSummary(c.failure(orElse(mode, "oci-promote"), orElse(report.Repository, values["repository"]), err) + callouts(report)); err != nil {
		run.Error(err.Error())
	}
	return statusOf(err)
}

// publish tells the result. A run whose outputs cannot be set has failed: the job
// would go on with empty values.
func (c *command) publish(run *action.Run, r pipeline.Report) error {
	lines := reportLines(r)
	if r.Diagnosis != nil {
		lines = verifyLines(r, true)
		run.Println(lines[0])
		annotate(run, r)
		lines = lines[1:]
	}
	for _, line := range lines {
		run.Println(line)
	}
	outputs, err := outputsOf(r)
	if err != nil {
		return err
	}
	for _, o := range action.Outputs {
		if err := run.SetOutput(o.Name, outputs[o.Name]); err != nil {
			return err // the others would fail alike
		}
	}
	err = run.AddSummary(summary(r, c.pages(r)))
	if isThisRuns(r) {
		err = errors.Join(err, run.AddArtifact(r.Reference))
	}
	return err
}

// annotate shows what verify found where people look first. An info stays in the report.
func annotate(run *action.Run, r pipeline.Report) {
	for _, f := range r.Findings {
		switch text := fmt.Sprintf("%s: %s", f.Code, f.Message); f.Severity {
		case pipeline.Error:
			run.Error(text, f.Hint+"; see "+guide(f.Code))
		case pipeline.Warning:
			run.Warning(text + "; " + f.Hint + "; see " + guide(f.Code))
		}
	}
}

// isThisRuns reports whether the artifact was built from the commit of this run, so
// that an attestation of this run is true of it.
func isThisRuns(r pipeline.Report) bool {
	return r.Mode == action.Build && pushed(r) && len(r.Tags) > 1
}

func outputsOf(r pipeline.Report) (map[string]string, error) {
	tags, err := action.JSON(r.Tags)
	if err != nil {
		return nil, err
	}
	whole, err := action.JSON(r)
	if err != nil {
		return nil, err
	}
	deleted, kept := "", ""
	if t := r.Retention; t != nil {
		deleted, kept = strconv.Itoa(t.Deleted), strconv.Itoa(t.Kept)
	}
	return map[string]string{
		"outcome": string(r.Outcome), "version": r.Version, "candidate": r.Candidate, "digest": string(r.Digest),
		"reference": r.Reference, "sha": r.SHA, "tags": tags, "reason": action.Text(r.Reason),
		"deleted": deleted, "kept": kept, "report": whole,
	}, nil
}
