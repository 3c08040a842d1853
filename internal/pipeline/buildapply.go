package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// planned reports what apply would do.
func (r *buildRun) planned(p buildPlan, f buildFacts) Report {
	r.report.Plan = p.writes(f)
	tags := r.before.tags
	if p.number {
		p.known = p.next.String()
		tags = append(slices.Clip(tags), p.known)
	}
	r.describe(p, f)
	r.report.Outcome = Planned
	r.report.Reason = fmt.Sprintf("without dry-run the outcome would be %s: %s", p.outcome, p.reason)
	r.report.Tags = []string{}
	r.selection(tags)
	return r.report
}

// apply does what the plan says, in the order of promise 5, and reports it.
func (r *buildRun) apply(ctx context.Context, p buildPlan, f buildFacts) (Report, error) {
	if p.push {
		if err := r.upload(ctx, namedBy(f.newest)); err != nil {
			return Report{}, err
		}
	}
	if p.restore {
		if err := r.upload(ctx, r.asked); err != nil {
			return Report{}, err
		}
	}
	if p.announce {
		if err := r.announce(ctx, p, f); err != nil {
			return Report{}, err
		}
	}
	after := r.before
	switch {
	case p.number || p.hold:
		var err error
		if p, after, err = r.number(ctx, p, f); err != nil {
			return Report{}, err
		}
	case p.integrate:
		var err error
		if p, after, err = r.integratePassed(ctx, p, f); err != nil {
			return Report{}, err
		}
	}
	r.describe(p, f)
	r.selection(after.tags)
	return r.report, nil
}

// integratePassed says that a build is done whose number, if it has one, a promotion has passed. It lifts what is newer before
// that: no rescue is for what is below the artifact of a stable. Nobody guards a number that is passed: a build that chose it
// before may have overwritten it meanwhile, and then it is not reported.
func (r *buildRun) integratePassed(ctx context.Context, p buildPlan, f buildFacts) (buildPlan, snapshot, error) {
	after := r.before
	if ours, err := version.ParseCandidate(f.number); err == nil {
		n := r.numbering(p, f)
		if _, err := n.lift(ctx, r.before, nil, ours); err != nil {
			return p, after, err
		}
		after = n.shown(after)
	}
	if err := r.tag(ctx, p.artifact, f.integrationTag); err != nil || p.known != f.number {
		return p, after, err
	}
	named, err := r.resolve(ctx, p.known)
	if named != p.artifact.desc.Digest {
		p.known = ""
	}
	return p, after, err
}

// numbering is what gives the artifact of p its number.
func (r *buildRun) numbering(p buildPlan, f buildFacts) *numbering {
	return &numbering{
		store: r.store, mine: p.artifact, announced: f.shaTag, before: r.before, history: r.History, log: r.log, warn: r.warn,
		next:       func(l version.Ladder) (version.Candidate, error) { return l.Next(r.Bump, r.Initial) },
		neighbours: map[string]*artifact{}, foreign: map[string]digest.Digest{}, spared: map[string]bool{},
		resumed: p.artifact == f.existing, beside: f.follows && !r.before.finished(f.newest),
	}
}

// number takes a number, says with integration- that the build is done, and looks once
// more. Where a look shows that another run's artifact is the commit's, integration-
// follows it.
func (r *buildRun) number(ctx context.Context, p buildPlan, f buildFacts) (buildPlan, snapshot, error) {
	n := r.numbering(p, f)
	got, err := n.take(ctx, p.next)
	for err == nil {
		if p.integrate || p.artifact != n.mine {
			p = p.adopted(n.mine)
			p.integrate = false
			if err = r.tag(ctx, p.artifact, f.integrationTag); err != nil {
				break
			}
		}
		if got, err = n.confirm(ctx, got); p.artifact == n.mine {
			break
		}
	}
	return p.ended(got), got.now, err
}

// adopted is the plan with the artifact that was numbered: this run's, or that of
// another run of the same commit that was faster.
func (p buildPlan) adopted(a *artifact) buildPlan {
	if a != p.artifact {
		p.artifact, p.outcome, p.reason = a, Unchanged, "another run built this commit at the same time, with the same content"
	}
	return p
}

// ended is the plan when its number was taken, or turned out not to be needed. A number that it tried may still name its
// artifact then. It is not reported: nobody guards it, and a build that chose it before may still write it.
func (p buildPlan) ended(got numbered) buildPlan {
	if got.late == "" {
		p.known = got.candidate.String()
		return p
	}
	p.outcome, p.known, p.reason = Superseded, "", got.late+"; this one gets no number"
	return p
}

// upload sends the blobs, but for those that has says the registry has.
func (r *buildRun) upload(ctx context.Context, has func(context.Context, ocispec.Descriptor) (bool, error)) error {
	g, ctx := errgroup.WithContext(ctx)
	send := func(desc ocispec.Descriptor, open func() io.Reader) {
		g.Go(func() error {
			if ok, err := has(ctx, desc); err != nil || ok {
				return err
			}
			return r.push(ctx, desc, open())
		})
	}
	send(r.packed.Layer, func() io.Reader { return upload{r.packed.Open(), r.Upload, r.packed.Layer.Size} })
	config, blob := bundle.Config()
	send(config, func() io.Reader { return bytes.NewReader(blob) })
	return g.Wait()
}

// namedBy takes the newest candidate's manifest for a proof that the registry has the blobs
// it names, which saves asking: mostly the config, and the layer too when the content did
// not change.
func namedBy(newest *artifact) func(context.Context, ocispec.Descriptor) (bool, error) {
	return func(_ context.Context, desc ocispec.Descriptor) (bool, error) {
		return newest != nil && (desc.Digest == newest.Layer || desc.Digest == newest.Config), nil
	}
}

// asked asks for each blob: one may be lost, whatever names it.
func (r *buildRun) asked(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	ok, err := r.exists(ctx, desc)
	if err == nil && !ok {
		r.log("uploading %s again, which the registry has lost", desc.Digest)
	}
	return ok, err
}

func (r *buildRun) push(ctx context.Context, desc ocispec.Descriptor, content io.Reader) error {
	err := r.repo.Push(ctx, desc, content)
	if err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		return fmt.Errorf("uploading %s to %s: %w", desc.Digest, r.name, err)
	}
	return nil
}

// upload tells how far a layer has been read. It can seek, so that it can be sent again.
type upload struct {
	io.ReadSeekCloser
	tell  func(sent, total int64)
	total int64
}

func (u upload) Read(b []byte) (int, error) {
	n, err := u.ReadSeekCloser.Read(b)
	if at, seekErr := u.Seek(0, io.SeekCurrent); u.tell != nil && seekErr == nil {
		u.tell(at, u.total)
	}
	return n, err
}

// announce writes sha-, which tells other builds that this one is under way. Where
// the registry misses a blob that its own manifests name, all are sent once more.
func (r *buildRun) announce(ctx context.Context, p buildPlan, f buildFacts) error {
	err := r.tag(ctx, p.artifact, f.shaTag)
	var missing interface{ BlobUnknown() bool }
	if p.push && errors.As(err, &missing) && missing.BlobUnknown() {
		if err := r.upload(ctx, namedBy(nil)); err != nil {
			return err
		}
		err = r.tag(ctx, p.artifact, f.shaTag)
	}
	return err
}

// describe fills in the artifact that the report is about.
func (r *buildRun) describe(p buildPlan, f buildFacts) {
	r.report.Outcome, r.report.Reason = p.outcome, p.reason
	r.report.Version = p.known
	if _, err := version.ParseCandidate(p.known); err == nil {
		r.report.Candidate = p.known
	}
	if p.outcome == Superseded && !p.tagged {
		return // nothing was pushed: there is no artifact to name
	}
	r.report.Digest = p.artifact.desc.Digest
	r.report.Reference = r.name + "@" + p.artifact.desc.Digest.String()
	if commit := p.artifact.Revision.Commit; commit != "" {
		r.report.SHA = commit
	}
	switch {
	case p.tagged && p.known == "":
		r.report.Tags = []string{f.shaTag, f.integrationTag}
	case p.tagged:
		r.report.Tags = []string{f.shaTag, p.known, f.integrationTag}
	case p.known != "":
		r.report.Tags = []string{p.known}
	}
}

// selection tells what each cluster picks from tags, and warns where integration
// would never see the new candidate.
func (r *buildRun) selection(tags []string) {
	r.report.Selected = r.Clusters.selected(tags)
	picked := r.report.Selected.Integration
	candidate := r.report.Candidate
	if candidate == "" || picked == candidate {
		return
	}
	if picked == "" {
		r.warn("integration selects nothing: its constraint %q matches no tag, not even %s; a constraint needs \"-0\" to see candidates, such as \">= 0.0.0-0\"",
			r.Clusters.Integration, candidate)
		return
	}
	alone := r.Clusters.Integration.Select([]string{candidate}) == candidate
	switch ladder := version.Read([]string{picked}); {
	case !alone:
		r.warn("integration selects %q and can never select %s: its constraint %q excludes it", picked, candidate, r.Clusters.Integration)
	case len(ladder.Stables)+len(ladder.Candidates) == 0:
		r.warn("integration selects %q, not %s: for the constraint %q that tag, which is none of this pipeline's, is the higher version; delete it,"+
			" or narrow the constraint on the cluster and in integration-semver", picked, candidate, r.Clusters.Integration)
	}
	// Else a higher version of this pipeline is there already, as it should be.
}
