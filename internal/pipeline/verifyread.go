package pipeline

import (
	"context"
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/version"
)

// The bounds of what verify reads, so that a repository of 10,000 tags costs its list and at
// most 60 other requests, of which two are the registry's login.
const (
	maxNewest  = 20 // candidates, from the highest down
	maxOldest  = 2  // candidates above the stable, from the lowest up
	maxStables = 4  // stables, from the highest down
	maxBelow   = 4  // candidates below those, among which the stable's is looked for
	maxSearch  = 13 // manifests that lead to an old commit's candidate
	maxKilled  = 1  // builds that ended before their number
	maxHalf    = 1  // promotions that ended halfway, beside the subject's
)

// verifyRun is what one verify read.
type verifyRun struct {
	Verify
	store
	snap      snapshot
	selected  *Selected
	artifacts map[string]*artifact // by tag, as read; nil for one that is listed and not there
	stables   map[string]digest.Digest
	commits   map[string]digest.Digest // what commit tags name
	missing   map[digest.Digest]string // a blob that is not there, by the artifact
	aside     map[string]bool          // candidates that were read on the way to another one
	subject   subject
	stable    stableSeen
	heard     heard
}

// subject is the artifact whose path is told.
type subject struct {
	commit    string    // as much of it as is known
	artifact  *artifact // nil where it is not built
	candidate string    // the highest that names it; "" for none
	stable    string    // the highest that names it; "" for none, or none among the highest few
}

// stableSeen is the highest stable and what is known of it.
type stableSeen struct {
	tag      string // "" where there is none
	artifact *artifact
	rank     string // the highest candidate that names the same; "" where none of those read does
	lower    string // a lower stable that names the same: it is a rollback
}

// readRegistry reads the tags once, and of the manifests those that matter.
func (r *verifyRun) readRegistry(ctx context.Context) (err error) {
	if r.snap, err = r.list(ctx); err != nil {
		return err
	}
	r.selected = r.Clusters.selected(r.snap.tags)
	r.artifacts, r.aside = map[string]*artifact{}, map[string]bool{}
	if err := r.inspectAll(ctx, r.worthReading()); err != nil {
		return err
	}
	if err := r.readStables(ctx); err != nil {
		return err
	}
	if err := r.findSubject(ctx); err != nil {
		return err
	}
	return r.readDetails(ctx)
}

// worthReading are the highest candidates, the lowest that wait for their promotion, and the
// stable.
func (r *verifyRun) worthReading() []string {
	all := descending(r.snap.ladder.Candidates)
	tags := slices.Clone(all[:min(maxNewest, len(all))])
	waiting := all[:len(all)-r.snap.below()]
	oldest := waiting[max(0, len(waiting)-maxOldest):]
	if s, ok := r.snap.ladder.Stable(); ok {
		r.stable.tag = s.String()
		tags = append(tags, r.stable.tag)
	}
	tags = append(tags, oldest...)
	killed := r.unfinished()
	tags = append(tags, killed[:min(maxKilled, len(killed))]...)
	slices.Sort(tags)
	return slices.Compact(tags)
}

// unfinished are the sha- tags of builds that did not come to their end. Where most builds
// seem so, sha- tags are somebody else's.
func (r *verifyRun) unfinished() []string {
	all := slices.DeleteFunc(slices.Clone(r.snap.tags), func(tag string) bool { return !isSHATag(tag) })
	tags := slices.DeleteFunc(slices.Clone(all), func(tag string) bool { return r.snap.has[integrationOf(tag)] })
	if len(tags) > 2 && 2*len(tags) > len(all) {
		return nil
	}
	slices.Sort(tags)
	return tags
}

// inspectAll reads what tags name, each once.
func (r *verifyRun) inspectAll(ctx context.Context, tags []string) error {
	return fill(ctx, r.artifacts, tags, func(tag string) bool { _, known := r.artifacts[tag]; return known }, r.inspect)
}

func (r *verifyRun) inspectAside(ctx context.Context, tags []string) error {
	for _, tag := range tags {
		if _, known := r.artifacts[tag]; !known {
			r.aside[tag] = true
		}
	}
	return r.inspectAll(ctx, tags)
}

// inspect is read for a manifest that may be anything.
func (r *verifyRun) inspect(ctx context.Context, tag string) (*artifact, error) {
	a, err := r.read(ctx, tag)
	if !errors.Is(err, bundle.ErrNoManifest) {
		return a, err
	}
	desc, err := r.repo.Resolve(ctx, tag)
	return &artifact{desc: desc, readBy: tag}, err
}

// readStables reads what the highest few stables name, and which candidate the stable's
// artifact has: one of those read, or of those right below them.
func (r *verifyRun) readStables(ctx context.Context) error {
	r.stables = map[string]digest.Digest{}
	if r.stable.tag == "" {
		return nil
	}
	stables := descending(r.snap.ladder.Stables)
	lower := stables[1:min(maxStables, len(stables))]
	named, err := r.resolveAll(ctx, lower)
	if err != nil {
		return err
	}
	r.stables = named
	r.stable.artifact = r.artifacts[r.stable.tag]
	if r.stable.artifact == nil {
		return nil
	}
	d := r.stable.artifact.desc.Digest
	r.stables[r.stable.tag] = d
	for _, tag := range lower {
		if r.stable.lower == "" && named[tag] == d {
			r.stable.lower = tag
		}
	}
	if r.stable.rank = r.highestOn(d); r.stable.rank != "" {
		return r.findOldStable(ctx, d)
	}
	all := descending(r.snap.ladder.Candidates)
	below := slices.DeleteFunc(all[len(all)-r.snap.below():], func(tag string) bool { return r.artifacts[tag] != nil })
	if err := r.inspectAside(ctx, below[:min(maxBelow, len(below))]); err != nil {
		return err
	}
	r.stable.rank = r.highestOn(d)
	return r.findOldStable(ctx, d)
}

// findOldStable finds that the stable is a rollback to an artifact whose own stable is below
// the highest few: as a rule its candidate's base.
func (r *verifyRun) findOldStable(ctx context.Context, d digest.Digest) error {
	rank, err := version.ParseCandidate(r.stable.rank)
	if err != nil {
		return nil //nolint:nilerr // it has no candidate
	}
	base := rank.Base.String()
	if _, known := r.stables[base]; known || r.stable.lower != "" || !r.snap.has[base] {
		return nil
	}
	if r.stables[base], err = r.resolve(ctx, base); err == nil && r.stables[base] == d {
		r.stable.lower = base
	}
	return err
}

// highestOn is the highest candidate, of those read, that names d.
func (r *verifyRun) highestOn(d digest.Digest) string {
	for _, tag := range descending(r.snap.ladder.Candidates) {
		if a := r.artifacts[tag]; a != nil && a.desc.Digest == d {
			return tag
		}
	}
	return ""
}
