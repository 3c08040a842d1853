package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// verifyLines is the short human report of mode verify: one line for a path that leads to
// its end, else a line for each step, finding and version. What becomes an annotation, which
// stands in the log too, is left out where annotated.
func verifyLines(r pipeline.Report, annotated bool) []string {
	d := r.Diagnosis
	lines := []string{verifyHeadline(r)}
	for _, f := range d.Findings {
		if f.Severity != pipeline.Info && !annotated {
			lines = append(lines, findingLines(f)...)
		}
	}
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, fmt.Sprintf("  %-12s %s", name, value))
		}
	}
	if r.Outcome == pipeline.Healthy { // else the findings say it
		add("because", r.Reason)
	}
	add("artifact", orElse(r.Reference, r.Repository))
	add("commit", d.Commit)
	add("tags", strings.Join(r.Tags, "  "))
	if r.Selected != nil {
		add("integration", selects(r.Selected.Integration))
		add("live", selects(r.Selected.Live))
	}
	add("lead time", leadText(d.Lead))
	add("median", medianText(d.MedianLead))
	add("issue", r.Issue)
	if r.Deployed != nil {
		add("deployments", r.Deployed.Page)
		for _, d := range r.Deployed.Deployments {
			lines = append(lines, "    "+deployedLine(d))
		}
	}
	for _, c := range r.Commented {
		add("comments", commentsText(c))
	}
	if arrived(d.Path) && r.Outcome == pipeline.Healthy {
		add("path", shortPath(d.Path))
	} else {
		lines = append(lines, "  path")
		for _, step := range d.Path {
			lines = append(lines, strings.TrimRight(fmt.Sprintf("    %s %-24s %-11s %s", mark(step.State), step.Stage, inWords(step.State), stepText(step)), " "))
		}
	}
	if r.Outcome == pipeline.Unhealthy {
		lines = append(lines, versionLines(d.Versions, d.At)...)
	}
	for _, f := range d.Findings {
		if f.Severity == pipeline.Info {
			lines = append(lines, findingLines(f)...)
		}
	}
	return lines
}

func findingLines(f pipeline.Finding) []string {
	return []string{fmt.Sprintf("  %s %s%s: %s", f.Severity, f.Code, sinceText(f.Since), f.Message), "      " + f.Hint, "      " + guide(f.Code)}
}

// arrived reports whether a path leads to its end, as far as that is known: not every live cluster
// reports.
func arrived(path []pipeline.Step) bool {
	return !slices.ContainsFunc(path, func(s pipeline.Step) bool {
		return s.State != pipeline.Reached && (s.Stage != pipeline.RunningOnLive || s.State != pipeline.Unknown)
	})
}

func verifyHeadline(r pipeline.Report) string {
	live := "live " + selects(r.Selected.Live)
	has := func(run pipeline.Running) bool {
		return run.Cluster == string(cluster.Live) && run.Version == r.Selected.Live && run.State != pipeline.Applying
	}
	if slices.ContainsFunc(r.Running, has) {
		live = "live has " + r.Selected.Live
	}
	outcome := string(r.Outcome)
	if r.Outcome == pipeline.Healthy && r.Diagnosis != nil && r.NotKnown { // the outcome is what it is promised to be
		outcome = "not known, GitHub could not be asked"
	}
	return fmt.Sprintf("%s: %s, %s", r.Mode, outcome, live)
}

// shortPath is a path on one line.
func shortPath(path []pipeline.Step) string {
	parts := make([]string, len(path))
	for i, step := range path {
		parts[i] = fmt.Sprintf("%s %s", mark(step.State), step.Stage)
		if step.State == pipeline.Unknown {
			parts[i] += ": " + inWords(step.State)
		}
	}
	return strings.Join(parts, "  ")
}

// mark is a state as one sign.
func mark(s pipeline.State) string {
	switch s {
	case pipeline.Reached:
		return "✓"
	case pipeline.Stopped:
		return "✗"
	case pipeline.Waiting:
		return "…"
	case pipeline.Followed:
		return "↷"
	case pipeline.Unknown:
		return "?"
	}
	return "·"
}

// inWords is a state as people read it.
func inWords(s pipeline.State) string {
	if s == pipeline.Unknown {
		return "not known"
	}
	return string(s)
}

// stepText is the time and the evidence of a step.
func stepText(step pipeline.Step) string {
	var parts []string
	if !step.At.IsZero() {
		parts = append(parts, moment(step.At))
	}
	for _, e := range []string{step.Evidence.Tag, step.Evidence.Status, step.Evidence.Run} {
		if e != "" {
			parts = append(parts, e)
		}
	}
	return strings.Join(parts, "  ")
}

// versionLines is the table of versions.
func versionLines(versions []pipeline.Version, now time.Time) []string {
	if len(versions) == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("  %-14s %-8s %-5s %-17s %s", "version", "commit", "age", "selected by", "tags")}
	for _, v := range versions {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-14s %-8.7s %-5s %-17s %s",
			v.Version, v.Commit, age(v.Created, now), strings.Join(v.SelectedBy, ", "), strings.Join(v.Tags, "  ")), " "))
	}
	return lines
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " (since " + moment(t) + ")"
}

// age is how old something is, in its largest unit; empty for unknown.
func age(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return ""
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
