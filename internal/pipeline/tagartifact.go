package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// lookAtArtifact finds what the subject names.
func (r *tagRun) lookAtArtifact(ctx context.Context, now snapshot, f *tagFacts) (err error) {
	switch s := f.subject; {
	case s.Latest:
		err = r.lookAtNewestCandidate(ctx, now, f)
	case s.ByCommit:
		err = r.lookAtCommitTags(ctx, now, f)
	default:
		err = r.lookAtDigest(ctx, now, f)
	}
	a := f.artifact
	if err != nil || a == nil {
		return err
	}
	switch s := f.subject; {
	case a.Layer == "":
		return &refusal{fmt.Sprintf("%s is no artifact: it has not exactly one layer", a.desc.Digest), "give the digest of an artifact in Flux's format, such as mode build makes"}
	case s.Commit != "" && a.Revision.Commit != "" && !strings.HasPrefix(a.Revision.Commit, s.Commit):
		f.foreign = fmt.Sprintf("%s is of commit %s, not of %s", a.desc.Digest, a.Revision.Commit, s.Commit)
	case s.ByCommit && s.Digest != "" && s.Digest != a.desc.Digest:
		f.foreign = fmt.Sprintf("the artifact of commit %.7s is %s, not %s", s.Commit, a.desc.Digest, s.Digest)
	}
	return nil
}

func (r *tagRun) lookAtNewestCandidate(ctx context.Context, now snapshot, f *tagFacts) (err error) {
	newest, ok := now.ladder.Newest()
	if ok {
		f.artifact, err = r.read(ctx, newest.String())
	}
	if err == nil && f.artifact == nil {
		f.missing = fmt.Sprintf("%s has no candidate yet", r.name)
	}
	return err
}

// lookAtDigest reads the manifest, by the tag that the cluster told if that still names
// it: such a tag is a candidate or a stable of the artifact, which is asked next.
func (r *tagRun) lookAtDigest(ctx context.Context, now snapshot, f *tagFacts) (err error) {
	s := f.subject
	if now.has[s.Tag] {
		if f.artifact, err = r.readGuessed(ctx, s.Tag); err != nil || f.artifact != nil && f.artifact.desc.Digest == s.Digest {
			return err
		}
	}
	if f.artifact, err = r.readGuessed(ctx, s.Digest.String()); err == nil && f.artifact == nil {
		f.missing = fmt.Sprintf("%s has no artifact %s", r.name, s.Digest)
	}
	return err
}

// lookAtCommitTags reads what the commit's sha- tag names.
func (r *tagRun) lookAtCommitTags(ctx context.Context, now snapshot, f *tagFacts) error {
	tag, err := now.shaTag(f.subject.Commit, r.SHALength)
	if err != nil {
		return err
	}
	if !now.has[tag] {
		f.missing = fmt.Sprintf("commit %.7s is not built: there is no tag %q in %s", f.subject.Commit, tag, r.name)
		return nil
	}
	if f.artifact, err = r.readGuessed(ctx, tag); err == nil && f.artifact == nil {
		f.missing = fmt.Sprintf("the tag %q of %s is listed and cannot be read", tag, r.name)
	}
	return err
}

// lookForDoubt looks for what takes a word on the commit alone its worth: it counts while all
// of the commit's tags name one digest (promise 3).
func (r *tagRun) lookForDoubt(ctx context.Context, now snapshot, f *tagFacts) error {
	if !f.subject.ByCommit {
		return nil
	}
	a := f.artifact
	done := integrationOf(a.readBy)
	if !now.has[done] {
		f.missing = fmt.Sprintf("the build of commit %.7s is not complete: there is no tag %q", f.subject.Commit, done)
		return nil
	}
	var named digest.Digest
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		named, err = r.resolve(both, done)
		return err
	})
	g.Go(func() error { return r.lookAtSiblings(both, now, f) })
	if err := g.Wait(); err != nil {
		return err
	}
	if named != a.desc.Digest {
		f.doubt = ""
		f.missing = fmt.Sprintf("tags %q and %q name different digests, %s and %s, so that a word on the commit alone is of neither",
			a.readBy, done, a.desc.Digest, orNone(named.String()))
	}
	return nil
}

// lookAtSiblings looks for another artifact of the same commit (built again with overwrite).
// Numbers follow commits (promise 10), so that its candidates lie beside those of this one.
func (r *tagRun) lookAtSiblings(ctx context.Context, now snapshot, f *tagFacts) error {
	if f.candidate == "" {
		return nil
	}
	all := descending(now.ladder.Candidates)
	at := slices.Index(all, f.candidate)
	lower, higher := all[at+1:], slices.Clone(all[:at])
	slices.Reverse(higher)
	for _, tags := range [][]string{lower, higher} {
		if err := r.lookAtSiblingsAmong(ctx, tags, f); err != nil || f.doubt != "" {
			return err
		}
	}
	return nil
}

// lookAtSiblingsAmong goes through neighbouring candidates until one is of another time, or
// of another commit where times are not known.
func (r *tagRun) lookAtSiblingsAmong(ctx context.Context, tags []string, f *tagFacts) error {
	a := f.artifact
	for _, tag := range tags {
		if err := r.readAll(ctx, []string{tag}); err != nil {
			return err
		}
		other := r.candidates[tag]
		switch {
		case other == nil || other.desc.Digest == a.desc.Digest:
			continue
		case other.Revision.Commit != a.Revision.Commit:
			if !other.Created.Equal(a.Created) || a.Created.IsZero() {
				return nil
			}
			continue
		}
		f.doubt = fmt.Sprintf("commit %.7s has two artifacts, %s as %s and %s as %s, so that a word on the commit alone is of neither",
			a.Revision.Commit, a.desc.Digest, f.candidate, other.desc.Digest, tag)
		return nil
	}
	return nil
}
