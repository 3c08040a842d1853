// Package prune is mode prune: it deletes the artifacts that nothing may need any more, and nothing else.
//
// It is one pass: read what every tag names (read.go), decide what must stay (plan.go, pure), look for what is attached to
// what goes (attached.go), and delete, each after a last look (apply.go). Without Apply it only tells.
package prune

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oci-promote/oci-promote/internal/pipeline"
)

// Prune is one retention run.
//
// It deletes whole digests with all their tags, by digest, and never a tag of what stays. Whatever it cannot tell is kept;
// a question that got no answer ends the run before anything is deleted. A run that was killed anywhere is completed by the
// next one.
type Prune struct {
	Repo        Repository
	Deleter     Deleter
	Name        string // of the repository, for messages
	Clusters    pipeline.Clusters
	History     pipeline.History         // nil where nobody can be asked for the order of commits; what hangs on it is kept then
	NoHistory   string                   // what is missing for that
	Running     map[digest.Digest]string // what clusters run, and which of them
	KeepStables int                      // how many stables, from the highest down, are kept whatever their age
	KeepFor     time.Duration            // what is younger is kept
	MaxDeletes  int                      // artifacts that one run deletes, each with what is attached to it
	Apply       bool
	Now         time.Time
	Progress    func(what string, done, of int) // may be nil

	// Picks are, of some tags, those that clusters are told to take, and which of them are; may be nil.
	Picks func(tags []string) map[string]string
}

// Repository is where artifacts live, and what refers to them.
type Repository interface {
	pipeline.Repository

	// Referrers are the manifests that name d as their subject, as the registry's referrers API tells. ok is false where
	// it has no such API, so that only tags tell.
	Referrers(ctx context.Context, d digest.Digest) (all []ocispec.Descriptor, ok bool, err error)
}

// Deleter deletes manifests. Where the registry's own API cannot, another service does (docs/facts.md 16).
type Deleter interface {
	// Written tells when each manifest, or its newest tag, was written; nil where the registry does not tell.
	Written(ctx context.Context) (map[digest.Digest]time.Time, error)

	// Delete deletes a manifest with all its tags. It is an ErrChanged where those are not tags, as far as it can tell;
	// gone is whether it was not there any more.
	Delete(ctx context.Context, d digest.Digest, tags []string) (gone bool, err error)
}

// ErrChanged is what a Deleter says of a manifest that is not as the plan knew it.
var ErrChanged = errors.New("it has other tags by now")

// Run plans, and deletes with Apply. Where deleting fails, what was deleted before that is in the report's notices.
func (p Prune) Run(ctx context.Context) (pipeline.Report, error) {
	r := &run{Prune: p, report: &pipeline.Report{Mode: "prune", Repository: p.Name, Tags: []string{}}, looked: map[digest.Digest]*attachment{}}
	r.store = &pipeline.Store{Repo: p.Repo, Name: p.Name, History: p.History, Warn: r.report.Warn}
	f, err := r.read(ctx)
	if err != nil {
		return *r.report, err
	}
	plan, err := r.plan(ctx, f)
	if err != nil {
		return *r.report, err
	}
	r.tell(f, plan)
	if !p.Apply || len(plan.goes) == 0 {
		return *r.report, nil
	}
	err = r.apply(ctx, f, plan)
	r.told()
	if n := r.report.Retention.Deleted; err != nil && n > 0 {
		r.report.Notice("%s deleted before that; the next run goes on", artifacts(n))
	}
	return *r.report, err
}

// run is one run under way.
type run struct {
	Prune
	store    *pipeline.Store
	report   *pipeline.Report
	looked   map[digest.Digest]*attachment // what is attached to what may go
	compared int                           // comparisons of commits that were asked for
	tried    []*item                       // to delete, whatever became of it; no rule is asked of them again
}

func (r *run) progress(what string, done, of int) {
	if r.Progress != nil {
		r.Progress(what, done, of)
	}
}
