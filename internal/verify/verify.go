// Package verify is mode verify: it reads a repository, what GitHub knows of its commits and
// what clusters said of themselves, and tells whether the gate works and how far one commit
// has come. It writes nothing.
//
// It is one pass: read the registry (reading.go), put the rules of the ladder to it (rules.go),
// ask the host (heard.go), walk the path (path.go) and look for what is wrong (findings.go). What
// it knows beside that is for others to show: what the clusters run and what arrived on live
// (arrived.go), and how long it took (times.go).
package verify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// Verify tells whether the gate works, and how far one commit has come: built, numbered,
// selected by integration, validated, promoted, selected by live, running on live. It writes nothing.
//
// A question that got no answer is a finding or an error, never a "no".
type Verify struct {
	Repo      pipeline.Repository
	Name      string // of the repository, for messages and the reference
	Commit    string // whose path to tell, 7 to 40 hex digits; empty for the newest candidate's
	SHALength int    // digits of the commit in its tags
	Path      string // directory in the git repository that the artifact is built from; "." for any
	MaxAge    time.Duration
	Clusters  pipeline.Clusters
	Host      Host             // nil where nobody can be asked
	NoHost    string           // what is missing for that
	States    []*cluster.State // what clusters said of themselves; may be empty
	Gate      cluster.Gate     // whose health counts
	Strict    bool             // a warning makes it unhealthy too
	Now       time.Time

	LiveContext string        // with which live's commit statuses begin; empty where it reports none
	Soak        time.Duration // how long integration must have been healthy before a promotion
}

// Run reads, and reports what it found. A repository that cannot be read is an error.
func (v Verify) Run(ctx context.Context) (pipeline.Report, error) {
	r := &reading{
		Verify: v, store: &pipeline.Store{Repo: v.Repo, Name: v.Name}, left: maxAsked,
		artifacts: map[string]*pipeline.Artifact{}, named: map[digest.Digest][]string{}, commits: map[string]digest.Digest{},
		missing: map[digest.Digest]string{}, gzip: map[digest.Digest]bool{}, passed: map[digest.Digest]passing{}, wentBack: map[string]bool{},
		heard: heard{words: map[digest.Digest]Words{}, live: map[string][]Word{}, runs: map[string]runs{}, steps: map[int64]string{}, contained: map[string]bool{}},
	}
	for _, step := range []func(context.Context) error{r.readRegistry, r.askHost, r.readRollbacks, r.readHistory, r.lookAgain} {
		if err := step(ctx); err != nil {
			return pipeline.Report{}, err
		}
	}
	return r.report(), nil
}

// report tells what was read.
func (r *reading) report() pipeline.Report {
	path, stop := r.walk()
	d := pipeline.Diagnosis{At: r.Now, Commit: r.subject.commit, Findings: r.findings(path, stop), Versions: r.versions()}
	d.Path = stopped(path, d.Findings)
	d.NotKnown = r.notKnown(d.Path)
	d.Running, d.Arrivals = r.clustersRun(), r.arrivals()
	d.Lead, d.MedianLead = r.lead(), medianOf(r.history)
	report := pipeline.Report{
		Mode: "verify", Outcome: pipeline.Healthy, Repository: r.Name, Tags: r.tagsOf(r.subject.artifact),
		Candidate: r.subject.candidate, Version: cmp.Or(r.subject.stable, r.subject.candidate),
		Selected: r.selected, Highest: r.stable.tag, Diagnosis: &d, Reason: r.reason(d),
	}
	if a := r.subject.artifact; a != nil {
		report.Digest, report.Reference = a.Desc.Digest, r.Name+"@"+a.Desc.Digest.String()
	}
	if full(r.subject.commit) {
		report.SHA = r.subject.commit
	}
	if r.unchecked != nil {
		report.Notice("blobs could not be checked, so that a missing one is not found: %s", r.unchecked)
	}
	if worst := d.Worst(); worst == pipeline.Error || worst == pipeline.Warning && r.Strict {
		report.Outcome = pipeline.Unhealthy
	}
	return report
}

// stopped is a path of which a step that waits has stopped where a cluster has the reason.
func stopped(path []pipeline.Step, findings []pipeline.Finding) []pipeline.Step {
	for i, step := range path {
		if step.State == pipeline.Waiting && slices.ContainsFunc(findings, func(f pipeline.Finding) bool { return f.Severity == pipeline.Error && f.Stage == step.Stage }) {
			path[i].State = pipeline.Stopped
		}
	}
	return path
}
