package prune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"

	"github.com/oci-promote/oci-promote/internal/bundle"
	"github.com/oci-promote/oci-promote/internal/pipeline"
	"github.com/oci-promote/oci-promote/internal/version"
)

// read lists the tags once and reads one manifest an artifact. Which other tags name that, its versions and its commit tell:
// what goes is asked for each of its tags before it does.
func (r *run) read(ctx context.Context) (*facts, error) {
	listed, err := r.store.List(ctx)
	if err != nil {
		return nil, err
	}
	f := newFacts(listed.Tags)
	reader := &reader{run: r, facts: f}
	for _, unread := range []func() []string{
		reader.others, reader.stables, reader.candidates,
		reader.commitTags(pipeline.SHAPrefix), reader.commitTags(pipeline.IntegrationPrefix), reader.commitTags(pipeline.ValidatedPrefix),
	} {
		if err := reader.readAll(ctx, unread()); err != nil {
			return nil, err
		}
	}
	attached, err := reader.readAttached(ctx, slices.Concat(slices.Collect(maps.Values(f.attached))...))
	if err != nil {
		return nil, err
	}
	now, again, err := reader.readAgain(ctx, listed)
	if err != nil {
		return nil, err
	}
	if err := reader.readIndexes(ctx, append(attached, again...)); err != nil {
		return nil, err
	}
	if now, err = reader.settle(listed, now); err != nil {
		return nil, err
	}
	f.learn(now)
	written, err := r.Deleter.Written(ctx)
	if err != nil {
		return nil, err
	}
	for d, at := range written {
		if it := f.items[d]; it != nil {
			it.written = at
		}
	}
	return f, nil
}

// reader reads what is not told by what was read before.
type reader struct {
	*run
	*facts
	done  atomic.Int64
	known int      // how many manifests have to be read, as far as that is known
	lost  []string // tags that are listed, and name nothing
}

func (r *reader) stables() []string { return pipeline.Descending(r.now.Ladder.Stables) }

// candidates are those that no stable of their base tells: X.Y.Z-rc.N names what X.Y.Z does where that has the height N, and
// no other candidate has. Where one has, N may be the height of two artifacts.
func (r *reader) candidates() (unread []string) {
	named, of := map[string]*item{}, map[uint64]int{}
	for _, it := range r.items {
		for _, tag := range it.tags {
			named[tag] = it
		}
	}
	for _, c := range r.now.Ladder.Candidates {
		of[c.N]++
	}
	for _, c := range slices.Backward(r.now.Ladder.Candidates) {
		if it := named[c.Base.String()]; it != nil && it.Height == c.N && of[c.N] == 1 {
			r.give(c.String(), it)
			continue
		}
		unread = append(unread, c.String())
	}
	return unread
}

// commitTags are those of no commit, or of one with more than one artifact.
func (r *reader) commitTags(prefix string) func() []string {
	return func() (unread []string) {
		for _, tag := range r.now.Tags {
			if !pipeline.IsCommitTag(prefix, tag) {
				continue
			}
			if of := r.ofCommit(tag); len(of) == 1 {
				r.give(tag, of[0])
				continue
			}
			unread = append(unread, tag)
		}
		return unread
	}
}

// readAll reads what tags name.
func (r *reader) readAll(ctx context.Context, tags []string) error {
	slices.Sort(tags)
	tags = slices.Compact(tags)
	r.known += len(tags)
	found, err := pipeline.AskAll(ctx, tags, func(ctx context.Context, tag string) (*item, error) {
		defer func() { r.progress("reading", int(r.done.Add(1)), r.known) }()
		return r.fetch(ctx, tag)
	})
	if err != nil {
		return err
	}
	for i, tag := range tags {
		if found[i] == nil {
			r.lost = append(r.lost, tag)
			continue
		}
		r.give(tag, found[i])
	}
	return nil
}

// readAttached reads what the tags name that hang something on a digest. An index among them may list anything; a list of
// referrers has what is attached, and may be such an index itself.
func (r *reader) readAttached(ctx context.Context, tags []string) (indexes []*item, err error) {
	slices.Sort(tags)
	tags = slices.Compact(tags)
	found, err := pipeline.AskAll(ctx, tags, r.fetch)
	if err != nil {
		return nil, err
	}
	for i, tag := range tags {
		it := found[i]
		if it == nil {
			r.lost = append(r.lost, tag)
			continue
		}
		r.hang(tag, it.Digest)
		if subject, _ := subjectOf(tag); tag != listTag(subject) {
			r.index(it)
		}
		indexes = append(indexes, it)
	}
	return indexes, nil
}

// readAgain reads what is listed and was not there, for a while until no list has it: a registry may list a tag that it is about
// to write. It gives that list.
func (r *reader) readAgain(ctx context.Context, listed pipeline.Snapshot) (now pipeline.Snapshot, attached []*item, err error) {
	lost := r.lost
	if len(lost) == 0 {
		return listed, nil, nil
	}
	if now, _, err = r.store.ListWithout(ctx, lost); err != nil {
		return now, nil, err
	}
	r.lost = slices.DeleteFunc(slices.Clone(lost), now.Has)
	var tags, hanging []string
	for _, tag := range lost {
		switch _, hangs := subjectOf(tag); {
		case !now.Has(tag):
		case hangs:
			hanging = append(hanging, tag)
		default:
			tags = append(tags, tag)
		}
	}
	if err := r.readAll(ctx, tags); err != nil {
		return now, nil, err
	}
	attached, err = r.readAttached(ctx, hanging)
	return now, attached, err
}

// readIndexes reads the indexes that indexes list, so that everything below one is known.
func (r *reader) readIndexes(ctx context.Context, open []*item) error {
	seen := map[digest.Digest]bool{}
	for _, it := range r.items {
		open = append(open, it)
	}
	for len(open) > 0 {
		it := open[0]
		open = open[1:]
		for _, child := range it.lists {
			if seen[child.Digest] || !isIndex(child.MediaType) {
				continue
			}
			seen[child.Digest] = true
			inner, err := r.fetch(ctx, child.Digest.String())
			if err != nil {
				return err
			}
			if inner == nil { // an index may list what was never pushed here
				continue
			}
			r.index(inner)
			open = append(open, inner)
		}
	}
	return nil
}

func isIndex(mediaType string) bool {
	return mediaType == ocispec.MediaTypeImageIndex || strings.HasSuffix(mediaType, ".manifest.list.v2+json")
}

// settle is the list that the plan is made of: without what was lost. That is gone from the list too, as where another run
// deletes beside this one; or it stays there, as where a deletion was cut off between a manifest and its tags (docs/facts.md 29).
// Where a rule would keep what such a tag names, the run ends: a list may be ahead of what can be read.
func (r *reader) settle(listed, now pipeline.Snapshot) (pipeline.Snapshot, error) {
	if len(r.lost) == 0 {
		return listed, nil
	}
	r.learn(listed)
	for _, tag := range r.lost {
		if !now.Has(tag) {
			continue
		}
		if r.needed(tag) {
			return now, pipeline.Refuse("run again in a minute, since a list may be ahead of what can be read; if it stays so, what it named is lost: "+
				"push the artifact again with its build, or delete the tag", "%s lists tag %q and has nothing by that name, so that nothing is deleted", r.Name, tag)
		}
		r.empty = append(r.empty, tag)
	}
	if n := len(r.empty); n > 0 {
		r.report.Warn("%s lists tags that name nothing (%d, such as %q), as a deletion that was cut off leaves them; no rule needs them, and each poll of Flux lists them: delete them there",
			r.Name, n, r.empty[0])
	}
	return pipeline.NewSnapshot(slices.DeleteFunc(slices.Clone(listed.Tags), func(tag string) bool { return slices.Contains(r.lost, tag) })), nil
}

// needed reports whether a rule would keep what a tag names by its place in the list, whether it may be what an artifact that is
// there lacks, or whether it is somebody else's, of which neither is known.
func (r *reader) needed(tag string) bool {
	if _, attached := subjectOf(tag); r.Picks != nil && r.Picks(r.now.Tags)[tag] != "" || !attached && !ofPipeline(tag) {
		return true
	}
	newest, _ := r.now.Ladder.Newest()
	picked := r.Clusters.Selected(r.now.Tags)
	return slices.Contains(append(r.lastStables(r.facts), newest.String(), picked.Integration, picked.Live), tag) ||
		slices.ContainsFunc(slices.Collect(maps.Values(r.items)), func(it *item) bool { return it.lacks(tag) })
}

// lacks reports whether an artifact may have lost a version: a stable of the base of one of its candidates where it is
// validated and has none, and a candidate of its height where it has none.
func (it *item) lacks(tag string) bool {
	l := version.Read(it.tags)
	if c, err := version.ParseCandidate(tag); err == nil {
		return len(l.Candidates) == 0 && c.N == it.Height
	}
	s, err := version.ParseStable(tag)
	return err == nil && len(l.Stables) == 0 && it.has(pipeline.ValidatedPrefix) && l.HasBase(s)
}

// fetch reads a manifest of any kind; nil where there is none.
func (r *run) fetch(ctx context.Context, reference string) (*item, error) {
	desc, blob, err := oras.FetchBytes(ctx, r.Repo, reference, oras.DefaultFetchBytesOptions)
	if errors.Is(err, errdef.ErrNotFound) {
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q of %s: %w", reference, r.Name, err)
	}
	return parse(desc, blob), nil
}

// parse is what a manifest tells, whatever it is.
func parse(desc ocispec.Descriptor, manifest []byte) *item {
	parts := bundle.ReadParts(manifest)
	it := &item{Artifact: version.Artifact{Digest: desc.Digest}, size: desc.Size, blobs: parts.Blobs()}
	var m struct {
		Subject   *ocispec.Descriptor  `json:"subject"`
		Manifests []ocispec.Descriptor `json:"manifests"`
	}
	info, err := bundle.Parse(manifest)
	if err = errors.Join(err, json.Unmarshal(manifest, &m)); err != nil {
		it.foreign = "it is no image manifest"
		return it
	}
	it.Height, it.Commit, it.Created, it.lists = info.Height, info.Revision.Commit, info.Created, m.Manifests
	if m.Subject != nil {
		it.subject = m.Subject.Digest
	}
	why, _ := parts.Foreign()
	switch {
	case why != "":
		it.foreign = "it is not in Flux's format: " + why
	case it.subject != "":
		it.foreign = "it refers to " + it.subject.String()
	case it.Commit == "":
		it.foreign = "it does not tell its commit"
	}
	return it
}
