package verify

import (
	"context"
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// The bounds of what verify reads, so that a repository of 10,000 tags costs its list and at
// most 60 other requests, of which two are the registry's login; one more where the media type of a
// layer is not Flux's; and maxHistory more where live reports, for the median.
const (
	maxNewest  = 20 // candidates, from the highest down
	maxOldest  = 2  // open candidates, from the lowest up
	maxStables = 4  // stables, from the highest down
	maxAsked   = 15 // what the rules of the ladder need beside those
	maxBases   = 2  // stables that an artifact gets as a rule
	maxCut     = 1  // builds that were cut short, beside those of candidates
	maxHalf    = 1  // promotions that ended halfway, beside the subject's
)

// reading is what one verify read and was told.
type reading struct {
	Verify
	store     *pipeline.Store
	snap      pipeline.Snapshot
	selected  *pipeline.Selected
	artifacts map[string]*pipeline.Artifact // by tag, as read; nil for one that is listed and not there
	named     map[digest.Digest][]string    // tags that were read, by what they name
	commits   map[string]digest.Digest      // what commit tags name
	missing   map[digest.Digest]string      // a blob that is not there, by the artifact
	gzip      map[digest.Digest]bool        // whether the first layer is, by the artifact; of those that were looked at
	unchecked error                         // why the registry does not tell of a blob whether it is there; nil where it told of all
	subject   subject
	stable    stableSeen
	head      *pipeline.Artifact // of the newest commit, where no candidate that was read names it
	passed    map[digest.Digest]passing
	wentBack  map[string]bool // stables that arrived lately, by whether live went back with them
	due       due
	history   []arrival // the last promotions, from the lowest version up
	left      int       // of maxAsked
	heard     heard
}

// subject is the artifact whose path is told.
type subject struct {
	commit    string             // as much of it as is known
	artifact  *pipeline.Artifact // nil where it is not built
	candidate string             // the highest that names it; "" for none
	stable    string             // the highest that names it; "" for none, or none among those looked at
}

// stableSeen is the highest stable and what is known of it.
type stableSeen struct {
	tag      string // "" where there is none
	artifact *pipeline.Artifact
	ranked   bool // a candidate names it, or that would cost too much to tell
	rollback bool // live went back with it; false where that would cost too much to tell
}

// readRegistry reads the tags once, and of the manifests those that matter.
func (r *reading) readRegistry(ctx context.Context) (err error) {
	if r.snap, err = r.store.List(ctx); err != nil {
		return err
	}
	r.selected = r.Clusters.Selected(r.snap.Tags)
	for _, step := range []func(context.Context) error{r.readTags, r.findSubject, r.readStable, r.judgeAll, r.readDetails} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) readTags(ctx context.Context) error { return r.inspectAll(ctx, r.worthReading()) }

// worthReading are the highest candidates, the lowest open ones, the highest stables and the
// build that seems cut short.
func (r *reading) worthReading() []string {
	l := r.snap.Ladder
	all, stables := pipeline.Descending(l.Candidates), r.stables()
	open := pipeline.Descending(r.open())
	if len(stables) > 0 {
		r.stable.tag = stables[0]
	}
	cut := r.unfinished()
	tags := slices.Concat(all[:min(maxNewest, len(all))], open[max(0, len(open)-maxOldest):], stables, cut[:min(maxCut, len(cut))])
	slices.Sort(tags)
	return slices.Compact(tags)
}

// stables are the stables that are read, the highest first.
func (r *reading) stables() []string {
	all := pipeline.Descending(r.snap.Ladder.Stables)
	return all[:min(maxStables, len(all))]
}

// open are the candidates that integration can select, ascending.
func (r *reading) open() []version.Candidate {
	all := r.snap.Ladder.Candidates
	if i := slices.IndexFunc(all, r.snap.Ladder.Open); i >= 0 {
		return all[i:]
	}
	return nil
}

// top is the highest open candidate; empty for none.
func (r *reading) top() string {
	if c, ok := r.snap.Ladder.Top(); ok {
		return c.String()
	}
	return ""
}

// unfinished are the sha- tags without their integration-. Where most have none, sha- tags
// are somebody else's.
func (r *reading) unfinished() []string {
	all := slices.DeleteFunc(slices.Clone(r.snap.Tags), func(tag string) bool { return !pipeline.IsCommitTag(pipeline.SHAPrefix, tag) })
	tags := slices.DeleteFunc(slices.Clone(all), func(tag string) bool { return r.snap.Has(pipeline.IntegrationOf(tag)) })
	if len(tags) > 2 && 2*len(tags) > len(all) {
		return nil
	}
	slices.Sort(tags)
	return tags
}

// inspectAll reads what tags name, each once, and tells the ladder.
func (r *reading) inspectAll(ctx context.Context, tags []string) error {
	tags = slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { _, known := r.artifacts[tag]; return known })
	found, err := pipeline.AskAll(ctx, tags, r.inspect)
	if err != nil {
		return err
	}
	for i, tag := range tags {
		a := found[i]
		if r.artifacts[tag] = a; a == nil {
			r.name(tag, "")
			continue
		}
		r.name(tag, a.Desc.Digest)
		r.snap.Ladder.Learn(tag, a.Known())
	}
	return nil
}

// inspect reads a manifest that may be anything.
func (r *reading) inspect(ctx context.Context, tag string) (*pipeline.Artifact, error) {
	a, err := r.store.Read(ctx, tag)
	if !errors.Is(err, bundle.ErrNoManifest) {
		return a, err
	}
	desc, err := r.Repo.Resolve(ctx, tag)
	return &pipeline.Artifact{Desc: desc, ReadBy: tag}, err
}

// resolveAll tells the ladder which digests some versions name.
func (r *reading) resolveAll(ctx context.Context, tags []string) error {
	named, err := pipeline.AskAll(ctx, tags, r.store.Resolve)
	if err != nil {
		return err
	}
	for i, tag := range tags {
		r.name(tag, named[i])
	}
	return nil
}

// name keeps what a tag names; "" for one that is gone.
func (r *reading) name(tag string, d digest.Digest) {
	r.snap.Ladder.Name(tag, d)
	if d != "" && !slices.Contains(r.named[d], tag) {
		r.named[d] = append(r.named[d], tag)
	}
}
