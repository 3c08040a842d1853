package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/cluster"
)

// Verify tells whether the gate works, and how far one commit has come: built, numbered,
// selected by integration, validated, promoted, selected by live. It writes nothing.
//
// A question that got no answer is a finding or an error, never a "no".
type Verify struct {
	Repo      Repository
	Name      string // of the repository, for messages and the reference
	Commit    string // whose path to tell, 7 to 40 hex digits; empty for the newest candidate's
	SHALength int    // digits of the commit in its tags
	Path      string // directory in the git repository that the artifact is built from; "." for any
	MaxAge    time.Duration
	Clusters  Clusters
	Host      Host             // nil where nobody can be asked
	NoHost    string           // what is missing for that
	States    []*cluster.State // what clusters said of themselves; may be empty
	Gate      cluster.Gate     // whose health counts
	Strict    bool             // a warning makes it unhealthy too
	Now       time.Time
}

// Host is what verify asks of the git repository's host. An error with a method Refused that
// reports true is a token that may not ask.
type Host interface {
	// Word is the newest word of integration on an artifact of commit; its state is empty
	// where there is none.
	Word(ctx context.Context, commit string, d digest.Digest) (Word, error)
	// Head is the newest commit of the default branch that touches path; empty where none does.
	Head(ctx context.Context, path string) (commit string, at time.Time, err error)
	// Full is the commit of which short are the first digits; empty where none or more than one is.
	Full(ctx context.Context, short string) (string, error)
	// Contains reports whether commit is newer or an ancestor of it.
	Contains(ctx context.Context, newer, commit string) (bool, error)
	// Builds are the workflow runs on commit that may have built it.
	Builds(ctx context.Context, commit string) ([]Run, error)
	// Promotions are the workflow runs that a report of integration started since a time, the
	// newest first.
	Promotions(ctx context.Context, since time.Time) ([]Run, error)
	// FailedStep names the job and the step at which a run failed; may be empty.
	FailedStep(ctx context.Context, run Run) (string, error)
}

// Word is what integration said of an artifact by a commit status. Text comes from outside.
type Word struct {
	State       string // success, failure, error, pending; empty for no word
	Context     string
	Description string
	At          time.Time
}

func (w Word) String() string {
	if w.State == "" {
		return ""
	}
	s := w.Context + ": " + w.State
	if w.Description != "" {
		s += ", " + w.Description
	}
	return s
}

// bad reports whether the word is that the artifact is not healthy.
func (w Word) bad() bool { return w.State == "failure" || w.State == "error" }

// Run is a run of a workflow. Text comes from outside.
type Run struct {
	ID      int64
	Name    string
	State   string // success, failure, …; of one that is not done queued, in_progress, …
	Done    bool
	Builds  bool // its workflow calls itself a build
	Own     bool // it is this run
	URL     string
	Started time.Time
}

// failed reports whether the run ended without doing its work.
func (r Run) failed() bool {
	return r.Done && r.State != "success" && r.State != "skipped" && r.State != "neutral"
}

// Run reads, and reports what it found. A repository that cannot be read is an error.
func (v Verify) Run(ctx context.Context) (Report, error) {
	r := &verifyRun{Verify: v, store: store{v.Repo, v.Name}}
	if err := r.readRegistry(ctx); err != nil {
		return Report{}, err
	}
	if err := r.askHost(ctx); err != nil {
		return Report{}, err
	}
	return r.tell(ctx)
}

// stopped is a path of which a step that waits has stopped where a cluster has the reason.
func stopped(path []Step, findings []Finding) []Step {
	for i, step := range path {
		if step.State == Waiting && slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error && f.Stage == step.Stage }) {
			path[i].State = Stopped
		}
	}
	return path
}

// tell makes the report of what was read.
func (r *verifyRun) tell(ctx context.Context) (Report, error) {
	if err := r.lookAgain(ctx); err != nil {
		return Report{}, err
	}
	path, stop := r.walk()
	d := Diagnosis{At: r.Now, Commit: r.subject.commit, Findings: r.findings(path, stop), Versions: r.versions()}
	d.Path = stopped(path, d.Findings)
	report := Report{
		Mode: "verify", Outcome: Healthy, Repository: r.name, Tags: r.tagsOf(r.subject.artifact),
		Candidate: r.subject.candidate, Version: cmp.Or(r.subject.stable, r.subject.candidate),
		Selected: r.selected, Diagnosis: &d,
	}
	if a := r.subject.artifact; a != nil {
		report.Digest, report.Reference = a.desc.Digest, r.name+"@"+a.desc.Digest.String()
	}
	if full(r.subject.commit) {
		report.SHA = r.subject.commit
	}
	report.Highest = r.stable.tag
	if worst := d.Worst(); worst == Error || worst == Warning && r.Strict {
		report.Outcome = Unhealthy
	}
	report.Reason = r.reason(d)
	return report, nil
}
